from __future__ import annotations

import pytest

from k8slab.addons import manifests
from k8slab.api import load, load_all
from k8slab.node.kube_proxy import Config, ConfigError, parse_config, render
from tests.node.kube_proxy.objects import OUTSIDE, endpoint, endpoint_slice, service


def test_the_config_map_of_the_cluster_says_what_the_defaults_are() -> None:
    objects = load_all(
        manifests.text(
            "kube-proxy",
            CONTROL_PLANE_ENDPOINT="x:6443",
            POD_SUBNET="10.244.0.0/16",
            PROXY_MODE="iptables",
        )
    )
    text = next(obj.data["config.conf"] for obj in objects if obj.kind == "ConfigMap")
    assert parse_config(text) == Config()


def test_fields_that_are_given_count() -> None:
    text = "clusterCIDR: ''\niptables: {minSyncPeriod: 1m30s, masqueradeAll: true}\n"
    config = parse_config(text)
    assert (config.cluster_cidr, config.min_sync_period, config.masquerade_all) == ("", 90.0, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mode: ipvs", 'found "ipvs", which is deprecated since v1.35'),
        ("iptables: {syncPeriod: soon}", 'duration such as 30s, found "soon"'),
    ],
)
def test_what_is_not_simulated_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(text)


@pytest.mark.parametrize(
    ("addresses", "reachable"),
    [
        ((), ["172.18.0.3", "192.168.7.3"]),
        (("192.168.0.0/16",), ["192.168.7.3"]),
        (("primary",), ["172.18.0.3"]),
        (("203.0.113.0/24",), []),
    ],
)
def test_node_ports_can_be_limited_to_some_addresses(
    addresses: tuple[str, ...], reachable: list[str]
) -> None:
    own = ["172.18.0.3", "192.168.7.3"]
    status = {"addresses": [{"type": "InternalIP", "address": ip} for ip in own]}
    node = load({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "status": status})
    web = service(type="NodePort", ports=[{"port": 80, "nodePort": 30080}])
    config = Config(node_port_addresses=addresses)
    ruleset = render([web], [endpoint_slice(endpoint("10.244.1.2"))], node=node, config=config)
    found = [ip for ip in own if ruleset.trace(OUTSIDE, ip, 30080, local_addresses=own).translated]
    assert found == reachable
