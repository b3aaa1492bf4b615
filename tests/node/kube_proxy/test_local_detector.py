"""Who counts as a Pod: the words of each mode, and what they lead to."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.node.kube_proxy import Config, nftables, parse_config, render
from k8slab.node.kube_proxy.local_detector import local_detector
from k8slab.node.kube_proxy.topology import NodeView
from tests.node.kube_proxy.objects import OUTSIDE, POD, VIP, endpoint, endpoint_slice, service

NODE = NodeView("node-1", pod_cidrs=("10.244.9.0/24", "fd00:10:244:9::/64"))
MODES = {
    "ClusterCIDR": ("-s 10.244.0.0/16 ", "ip saddr != 10.244.0.0/16"),
    "NodeCIDR": ("-s 10.244.9.0/24 ", "ip saddr != 10.244.9.0/24"),
    "BridgeInterface": ("-i cni0 ", "iifname != cni0"),
    "InterfaceNamePrefix": ("-i veth+ ", 'iifname != "veth*"'),
}


def config(mode: str) -> Config:
    return Config(detect_local_mode=mode, bridge_interface="cni0", interface_name_prefix="veth")


@pytest.mark.parametrize(("mode", "words"), MODES.items())
def test_each_mode_asks_in_its_own_words(mode: str, words: tuple[str, str]) -> None:
    detector = local_detector(config(mode), NODE, "IPv4")
    assert "".join(detector.iptables(negated=False)) == words[0]
    assert "".join(detector.iptables(negated=True)) == f"! {words[0]}"
    assert detector.nft(negated=True) == words[1]


@pytest.mark.parametrize("form", [render, nftables.render])
@pytest.mark.parametrize(
    ("mode", "device", "masqueraded"),
    [
        ("BridgeInterface", "cni0", False),
        ("BridgeInterface", "eth0", True),
        ("InterfaceNamePrefix", "veth7", False),
        ("InterfaceNamePrefix", "eth0", True),
    ],
)
def test_by_its_interface_a_pod_is_known_whatever_its_address(
    form: Any, mode: str, device: str, masqueraded: bool
) -> None:
    rules = form([service()], [endpoint_slice(endpoint("10.244.1.2"))], config=config(mode))
    assert rules.trace(OUTSIDE, VIP, 80, in_interface=device).masqueraded is masqueraded


def test_without_a_network_of_the_family_nobody_is_an_outsider() -> None:
    assert not local_detector(Config(cluster_cidr=""), NODE, "IPv4").is_implemented
    assert not local_detector(Config(), NODE, "IPv6").is_implemented
    assert local_detector(config("NodeCIDR"), NODE, "IPv6").source == "fd00:10:244:9::/64"


def test_the_configuration_says_which() -> None:
    text = "detectLocalMode: BridgeInterface\ndetectLocal: {bridgeInterface: cbr0}\n"
    assert local_detector(parse_config(text), NODE, "IPv4").device == "cbr0"


@pytest.mark.parametrize("form", [render, nftables.render])
@pytest.mark.parametrize("protocol", ["TCP", "UDP", "SCTP"])
def test_every_protocol_is_balanced_alike(form: Any, protocol: str) -> None:
    ports = [{"port": 5060, "protocol": protocol}]
    pods = endpoint_slice(endpoint("10.244.1.2"), endpoint("10.244.1.3"), ports=ports)
    trace = form([service(ports=ports)], [pods]).trace(POD, VIP, 5060, protocol)
    assert [str(d) for d in trace.destinations] == ["10.244.1.2:5060", "10.244.1.3:5060"]
    assert not form([service(ports=ports)], [pods]).trace(POD, VIP, 5061, protocol).translated
