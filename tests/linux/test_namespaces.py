from __future__ import annotations

import pytest

from k8slab.linux.errors import NetworkUnreachable, NoRoute, TimedOut
from k8slab.linux.links import veth_pair
from k8slab.linux.netns import NetNamespace
from k8slab.linux.routes import Route
from k8slab.sim import Simulation
from tests.linux.lab import Lab


def test_pods_of_two_nodes_ping_each_other_and_the_nodes(lab: Lab) -> None:
    pod = lab.pods["10.244.1.2"]
    for ip in ("10.244.1.3", "10.244.2.2", "10.244.1.1", "172.18.0.3", "127.0.0.1", "10.244.1.2"):
        assert lab.run(pod.ping(ip)) > 0


def test_a_wire_takes_its_time(lab: Lab) -> None:
    near = lab.run(lab.pods["10.244.1.2"].ping("10.244.1.3"))
    far = lab.run(lab.pods["10.244.1.2"].ping("10.244.2.2"))
    assert (round(near * 1e6), round(far * 1e6)) == (80, 480)


def test_a_node_that_does_not_forward_keeps_packets_to_itself(lab: Lab) -> None:
    lab.nodes[0].ip_forward = False
    with pytest.raises(TimedOut):
        lab.run(lab.pods["10.244.1.2"].ping("10.244.2.2"))


def test_an_address_without_a_neighbour_is_no_route_to_host_after_three_seconds(lab: Lab) -> None:
    start = lab.sim.now
    with pytest.raises(NoRoute, match="No route to host"):
        lab.run(lab.pods["10.244.1.2"].connect("10.244.2.99", 80))
    assert 3 <= lab.sim.now - start < 3.1


def test_without_a_route_the_network_is_unreachable_at_once() -> None:
    sim = Simulation()
    ns = NetNamespace(sim, "alone")
    with pytest.raises(NetworkUnreachable, match="Network is unreachable"):
        sim.complete(ns.connect("10.0.0.1", 80), "test", 1)
    assert sim.now == 0


def test_a_router_without_a_route_says_so(lab: Lab) -> None:
    lab.nodes[0].routes.remove("default")
    with pytest.raises(NetworkUnreachable):
        lab.run(lab.pods["10.244.1.2"].connect("8.8.8.8", 53))


def test_a_deleted_namespace_takes_both_ends_of_its_cable_along(lab: Lab) -> None:
    lab.pods["10.244.1.3"].close()
    assert "veth3" not in lab.nodes[0].interfaces
    with pytest.raises(NoRoute):
        lab.run(lab.pods["10.244.1.2"].connect("10.244.1.3", 80))


def test_a_partition_loses_packets_until_it_is_healed(lab: Lab) -> None:
    pod = lab.pods["10.244.1.2"]
    lab.segment.partition("node-1", "node-2")
    with pytest.raises(TimedOut):
        lab.run(pod.ping("10.244.2.2"))
    lab.segment.heal("node-2", "node-1")
    assert lab.run(pod.ping("10.244.2.2")) > 0


def test_a_fault_hook_picks_what_to_lose(lab: Lab) -> None:
    lab.segment.fault = lambda packet, origin, target: packet.icmp == "echo-reply"
    with pytest.raises(TimedOut):
        lab.run(lab.pods["10.244.1.2"].ping("10.244.2.2"))
    assert lab.segment.lost == 1


def test_packets_in_a_routing_loop_die_of_old_age(lab: Lab) -> None:
    lab.nodes[0].routes.add(Route(destination="10.9.0.0/16", device="eth0", gateway="172.18.0.3"))
    lab.nodes[1].routes.add(Route(destination="10.9.0.0/16", device="eth0", gateway="172.18.0.2"))
    with pytest.raises(NoRoute):
        lab.run(lab.pods["10.244.1.2"].ping("10.9.0.1", timeout=5))


def test_a_proxy_arp_gateway_serves_a_pod_with_a_host_address() -> None:
    sim = Simulation()
    node, pod = NetNamespace(sim, "node"), NetNamespace(sim, "pod")
    outside, inside = veth_pair(node, "cali1", pod, "eth0")
    outside.proxy_arp = True
    inside.add_address("192.168.7.5/32")
    pod.routes.add(Route(destination="169.254.1.1", device="eth0", scope="link"))
    pod.routes.add(Route(destination="default", device="eth0", gateway="169.254.1.1"))
    node.routes.add(Route(destination="192.168.7.5/32", device="cali1", scope="link"))
    node.lo.add_address("10.0.0.1/32")
    assert sim.complete(pod.ping("10.0.0.1"), "test", 5) > 0


def test_a_namespace_without_rules_has_no_netfilter(lab: Lab) -> None:
    lab.run(lab.pods["10.244.1.2"].ping("10.244.2.2"))
    assert lab.pods["10.244.1.2"].netfilter is None
    assert lab.nodes[0].netfilter is None


def test_an_address_that_moves_to_another_pod_is_found_there(lab: Lab) -> None:
    client, node = lab.pods["10.244.1.2"], lab.nodes[0]
    assert lab.run(client.ping("10.244.1.3")) > 0
    lab.pods["10.244.1.3"].interfaces["eth0"].remove_address("10.244.1.3/24")
    with pytest.raises(NoRoute):
        lab.run(client.ping("10.244.1.3", timeout=5))
    heir = NetNamespace(lab.sim, "heir")
    outside, inside = veth_pair(node, "veth9", heir, "eth0")
    inside.add_address("10.244.1.3/24")
    node.interfaces["cni0"].attach(outside)  # type: ignore[attr-defined]
    assert lab.run(client.ping("10.244.1.3")) > 0
