"""The table changed step by step equals the one that is rendered at once."""

from __future__ import annotations

from hypothesis import given

from k8slab.api.core import Service
from k8slab.api.discovery import EndpointSlice
from k8slab.linux.nft import NftRuleset
from k8slab.node.kube_proxy import Config
from k8slab.node.kube_proxy.nftables import NftSync, render
from k8slab.node.kube_proxy.topology import NodeView
from k8slab.node.kube_proxy.versions import Versions
from tests.node.kube_proxy.objects import VIP, endpoint, endpoint_slice, service
from tests.node.kube_proxy.test_rule_sync import changes, versioned

STICKY = {"sessionAffinity": "ClientIP"}


def contents(ruleset: NftRuleset) -> object:
    (table,) = ruleset.tables.values()
    chains = {name: chain.texts for name, chain in table.chains.items()}
    return chains, {name: (each.elements, each.notes) for name, each in table.sets.items()}


@given(changes)
def test_a_table_changed_step_by_step_equals_one_rendered_at_once(steps: list) -> None:
    sync, ruleset = NftSync(NodeView("node-1"), Config()), NftRuleset()
    now: dict[str, tuple[Service, EndpointSlice]] = {}
    for version, (name, endpoints, kind, apply) in enumerate(steps):
        key = f"default/{name}"
        if endpoints is None:
            now.pop(key, None)
            sync.set_service(key, None, ())
        else:
            ports = [{"port": 80, "nodePort": 30000 + ord(name[0]) if kind == "NodePort" else 0}]
            more = {"externalIPs": ["203.0.113.1"], **(STICKY if kind == "NodePort" else {})}
            address = f"10.96.0.{len(name) + ord(name[0])}"
            svc = service(name, clusterIP=address, type=kind, ports=ports, **more)
            pods = [endpoint(f"10.244.1.{n}") for n in endpoints]
            now[key] = (
                versioned(svc, version),
                versioned(endpoint_slice(*pods, service=name), version),
            )
            sync.set_service(key, now[key][0], [now[key][1]])
        if apply:
            sync.apply(ruleset)
    sync.apply(ruleset)
    at_once = render([svc for svc, _ in now.values()], [each for _, each in now.values()])
    assert contents(ruleset) == contents(at_once)


def test_of_two_services_with_one_address_the_first_has_it_until_it_goes() -> None:
    sync, ruleset = NftSync(NodeView("node-1"), Config()), NftRuleset()
    for name in ("b", "a"):
        address = f"10.96.0.{ord(name)}"
        svc = service(name, clusterIP=address, externalIPs=["203.0.113.1"])
        pod = endpoint_slice(endpoint(f"10.244.1.{ord(name)}"), service=name)
        sync.set_service(f"default/{name}", svc, [pod])
    sync.apply(ruleset)
    assert ruleset.trace("192.0.2.1", "203.0.113.1", 80).destinations[0].ip == "10.244.1.97"
    sync.set_service("default/a", None, ())
    sync.apply(ruleset)
    assert ruleset.trace("192.0.2.1", "203.0.113.1", 80).destinations[0].ip == "10.244.1.98"


def test_an_affinity_that_goes_on_is_not_forgotten_by_a_sync() -> None:
    sync, ruleset = NftSync(NodeView("node-1"), Config()), NftRuleset()
    one, two = (endpoint(f"10.244.1.{n}") for n in (2, 3))
    sync.set_service("default/web", service(**STICKY), [endpoint_slice(one)])
    sync.apply(ruleset)
    (table,) = ruleset.tables.values()
    (name,) = [each for each in table.sets if each.startswith("affinity-")]
    table.added[name] = {"10.244.9.9": 100.0}
    sync.set_service("default/web", service(**STICKY), [endpoint_slice(one, two)])
    assert sync.apply(ruleset).changed == 3  # who picks, the new endpoint's chain and its set
    assert table.added[name]
    sync.set_service("default/web", service(**STICKY), [endpoint_slice(two)])
    sync.apply(ruleset)
    assert name not in table.sets
    assert name not in table.added


def test_nodes_share_what_is_the_same_on_all_of_them() -> None:
    versions, rulesets = Versions(), [NftRuleset(), NftRuleset()]
    svc, pod = versioned(service(), 1), versioned(endpoint_slice(endpoint("10.244.1.2")), 1)
    for name, ruleset in zip(("node-1", "node-2"), rulesets, strict=True):
        sync = NftSync(NodeView(name, ip=f"172.18.0.{len(name)}"), Config(), versions)
        sync.set_service("default/web", svc, [pod])
        sync.apply(ruleset)
    one, other = (ruleset.tables["ip", "kube-proxy"] for ruleset in rulesets)
    own = [name for name in one.chains if name.startswith(("service-", "endpoint-"))]
    assert sum(one.chains[name] is other.chains[name] for name in own) == 2


def test_addresses_of_no_service_are_dropped_once_the_ranges_are_known() -> None:
    svc = service(clusterIP=VIP)
    rules = render([svc], [endpoint_slice(endpoint("10.244.1.2"))], service_cidrs=["10.96.0.0/12"])
    assert rules.trace("10.244.9.9", "10.96.200.1", 80).verdict == "DROP"
    assert rules.trace("10.244.9.9", VIP, 81).verdict == "REJECT"
    assert rules.trace("10.244.9.9", "10.244.1.2", 81).verdict == "ACCEPT"
