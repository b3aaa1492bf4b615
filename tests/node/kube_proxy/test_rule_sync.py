from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.core import Service
from k8slab.api.discovery import EndpointSlice
from k8slab.linux.netfilter import Ruleset
from k8slab.node.kube_proxy import Config, RuleCache, render
from k8slab.node.kube_proxy.render import RuleSync
from k8slab.node.kube_proxy.topology import NodeView
from tests.node.kube_proxy.objects import endpoint, endpoint_slice, service


def versioned(obj: Service | EndpointSlice, version: int) -> Service | EndpointSlice:
    meta = msgspec.structs.replace(
        obj.metadata, uid=obj.metadata.name, resourceVersion=str(version)
    )
    return msgspec.structs.replace(obj, metadata=meta)


def chains(ruleset: Ruleset) -> dict[tuple[str, str], list[str]]:
    return {
        (table.name, chain.name): [str(rule) for rule in chain.rules]
        for table in ruleset.tables.values()
        for chain in table.chains.values()
    }


changes = st.lists(
    st.tuples(
        st.sampled_from(["web", "api", "db"]),
        st.none() | st.lists(st.integers(2, 9), unique=True),  # None: the Service is deleted
        st.sampled_from(["ClusterIP", "NodePort"]),
        st.booleans(),  # apply the rules after this change
    ),
    max_size=8,
)


@given(changes)
def test_rules_changed_step_by_step_equal_those_rendered_at_once(steps: list) -> None:
    sync, ruleset = RuleSync(NodeView("node-1"), Config()), Ruleset()
    now: dict[str, tuple[Service, EndpointSlice]] = {}
    for version, (name, endpoints, kind, apply) in enumerate(steps):
        key = f"default/{name}"
        if endpoints is None:
            now.pop(key, None)
            sync.set_service(key, None, ())
        else:
            address = f"10.96.0.{len(name) + ord(name[0])}"
            ports = [{"port": 80, "nodePort": 30000 + ord(name[0]) if kind == "NodePort" else 0}]
            svc = versioned(service(name, clusterIP=address, type=kind, ports=ports), version)
            pods = [endpoint(f"10.244.1.{n}") for n in endpoints]
            each = versioned(endpoint_slice(*pods, service=name), version)
            now[key] = (svc, each)
            sync.set_service(key, svc, [each])
        if apply:
            sync.apply(ruleset)
    sync.apply(ruleset)
    at_once = render([svc for svc, _ in now.values()], [each for _, each in now.values()])
    assert chains(ruleset) == chains(at_once)


def test_a_new_endpoint_changes_only_the_chains_of_its_service() -> None:
    sync, ruleset = RuleSync(NodeView("node-1"), Config()), Ruleset()
    for name, version in (("api", 1), ("web", 2)):
        address = f"10.96.0.{version}"
        svc = versioned(service(name, clusterIP=address), version)
        one = endpoint_slice(endpoint("10.244.1.2"), service=name)
        sync.set_service(f"default/{name}", svc, [versioned(one, version)])
    sync.apply(ruleset)
    two = endpoint_slice(endpoint("10.244.1.2"), endpoint("10.244.1.3"))
    sync.set_service("default/web", svc, [versioned(two, 3)])
    assert sync.apply(ruleset).changed == 2  # KUBE-SVC of web, and KUBE-SEP of the new endpoint


def test_nodes_share_what_is_the_same_on_all_of_them() -> None:
    cache = RuleCache()
    svc = versioned(service(), 1)
    each = versioned(endpoint_slice(endpoint("10.244.1.2")), 2)
    rulesets = []
    for name in ("node-1", "node-2"):
        sync, ruleset = RuleSync(NodeView(name), Config(), cache), Ruleset()
        sync.set_service("default/web", svc, [each])
        sync.apply(ruleset)
        rulesets.append(ruleset)
    one, two = (ruleset.chain("nat", "KUBE-SERVICES") for ruleset in rulesets)
    assert one.body is two.body


def test_nodes_do_not_share_what_is_local() -> None:
    cache = RuleCache()
    svc = versioned(service(internalTrafficPolicy="Local"), 1)
    each = versioned(endpoint_slice(endpoint("10.244.1.2")), 2)
    found = []
    for name in ("node-1", "node-2"):
        sync, ruleset = RuleSync(NodeView(name), Config(), cache), Ruleset()
        sync.set_service("default/web", svc, [each])
        sync.apply(ruleset)
        found.append(len(ruleset.rules("filter", "KUBE-SERVICES")))
    assert found == [0, 1]  # node-2 drops


def test_chains_that_an_earlier_kube_proxy_left_are_removed() -> None:
    ruleset = Ruleset()
    ruleset.replace_chain("nat", "KUBE-SEP-AAAAAAAAAAAAAAAA", ())
    ruleset.replace_chain("nat", "KIND-MASQ-AGENT", ())
    RuleSync(NodeView("node-1"), Config()).apply(ruleset)
    assert ruleset.chain("nat", "KUBE-SEP-AAAAAAAAAAAAAAAA") is None
    assert ruleset.chain("nat", "KIND-MASQ-AGENT") is not None
