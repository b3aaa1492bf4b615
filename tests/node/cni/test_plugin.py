from __future__ import annotations

import pytest

from k8slab.api.core import Node, NodeAddress, NodeSpec, NodeStatus
from k8slab.api.meta import ObjectMeta
from k8slab.linux.netfilter import parse
from k8slab.node.cni import masquerade, portmap
from k8slab.node.cni.agent import conflist
from k8slab.node.cni.plugin import CONFIG
from k8slab.node.cni.routes import routes, routes_to
from k8slab.node.interfaces import RuntimeFailed


def node(name: str, cidr: str = "", ip: str = "") -> Node:
    addresses = (NodeAddress(type="InternalIP", address=ip),) if ip else ()
    return Node(
        metadata=ObjectMeta(name=name),
        spec=NodeSpec(podCIDR=cidr),
        status=NodeStatus(addresses=addresses),
    )


def connect_routes(wire):
    nodes = [node(f"worker-{n}", f"10.244.{n}.0/24", f"172.18.0.{n + 1}") for n in (1, 2)]
    for machine in wire.machines:
        for route in routes(nodes, machine.name):
            machine.net.routes.replace(route)


def test_a_plugin_is_not_ready_before_the_agent_wrote_its_configuration(wire):
    assert not wire.plugins[0].ready()
    with pytest.raises(RuntimeFailed, match="cni plugin not initialized"):
        wire.pod(0, "a")
    wire.configure()
    assert wire.plugins[0].ready()


def test_a_pod_has_an_address_and_a_default_route(wire):
    wire.configure()
    pod = wire.pod(0, "a")
    assert pod.interfaces["eth0"].addresses == ["10.244.1.2/24"]
    assert [str(route) for route in pod.routes] == [
        "default via 10.244.1.1 dev eth0",
        "10.244.1.0/24 dev eth0 proto kernel scope link src 10.244.1.2",
    ]


def test_pods_of_one_node_reach_each_other_and_their_node(wire):
    wire.configure()
    a, b = wire.pod(0, "a"), wire.pod(0, "b")
    wire.do(a.ping(b.interfaces["eth0"].ip))
    wire.do(a.ping("172.18.0.2"))


def test_pods_of_two_nodes_reach_each_other_through_the_routes_only(wire):
    wire.configure()
    a, b = wire.pod(0, "a"), wire.pod(1, "b")
    with pytest.raises(OSError, match=r"unreachable|No route|timed out"):
        wire.do(a.ping(b.interfaces["eth0"].ip))
    connect_routes(wire)
    wire.do(a.ping(b.interfaces["eth0"].ip))


def test_a_deleted_pod_leaves_neither_cable_nor_address(wire):
    wire.configure()
    wire.pod(0, "a")
    wire.do(wire.plugins[0].delete(f"{'a':0<64}"))
    wire.do(wire.plugins[0].delete(f"{'a':0<64}"))
    assert list(wire.machines[0].net.interfaces) == ["lo", "eth0", "cni0"]
    assert not [p for p in wire.machines[0].disk.list() if p.endswith("10.244.1.2")]


def test_a_node_needs_no_route_to_itself_nor_to_a_node_without_range():
    assert routes_to(node("a", "10.244.0.0/24", "172.18.0.2"), "a") == ()
    assert routes_to(node("b", "", "172.18.0.3"), "a") == ()
    assert routes_to(node("b", "10.244.1.0/24"), "a") == ()
    (found,) = routes_to(node("b", "10.244.1.0/24", "172.18.0.3"), "a")
    assert str(found) == "10.244.1.0/24 via 172.18.0.3 dev eth0"


def test_all_nodes_share_the_route_to_another():
    other = node("c", "10.244.2.0/24", "172.18.0.4")
    assert routes_to(other, "a") is routes_to(other, "b")


def test_a_host_port_leads_to_the_pod(wire):
    wire.configure()
    pod = wire.pod(0, "a", (("TCP", "", 8080, 80),))
    pod.listen("0.0.0.0", 80)
    connection = wire.do(wire.machines[1].net.connect("172.18.0.2", 8080))
    assert connection.established
    wire.do(wire.plugins[0].delete(f"{'a':0<64}"))
    with pytest.raises(OSError, match="refused"):
        wire.do(wire.machines[1].net.connect("172.18.0.2", 8080))


def test_masquerade_rules_are_written_once(wire):
    net = wire.machines[0].net
    masquerade.ensure(net, ("10.244.0.0/16",))
    once = net.iptables_save("nat")
    masquerade.ensure(net, ("10.244.0.0/16",))
    assert net.iptables_save("nat") == once
    assert once.count("-j KIND-MASQ-AGENT") == 1


def test_a_host_port_leads_to_the_pod_in_each_family(wire):
    for number, machine in enumerate(wire.machines, 1):
        machine.net.interfaces["eth0"].add_address(f"fc00::{number + 1}/64")
        machine.net.ip6_forward = True
        machine.disk.write(CONFIG, conflist(f"10.244.{number}.0/24", f"fd00:{number}::/64"))
    mappings = (
        ("TCP", "", 8080, 80),
        ("TCP", "fc00::2", 8081, 80),
        ("TCP", "172.18.0.2", 8082, 80),
    )
    pod = wire.pod(0, "a", mappings)
    pod.listen("::", 80)
    node, other = (machine.net for machine in wire.machines)
    reached = [
        (ip, port)
        for ip in ("172.18.0.2", "fc00::2")
        for port in (8080, 8081, 8082)
        if _connects(wire, other, ip, port)
    ]
    assert reached == [
        ("172.18.0.2", 8080),
        ("172.18.0.2", 8082),
        ("fc00::2", 8080),
        ("fc00::2", 8081),
    ]
    assert _connects(wire, pod, "fc00::2", 8080)  # itself, masqueraded
    assert _connects(wire, node, "127.0.0.1", 8080)
    assert not _connects(wire, node, "::1", 8080)
    wire.do(wire.plugins[0].delete(f"{'a':0<64}"))
    assert not _connects(wire, other, "fc00::2", 8080)
    assert "CNI-DN" not in node.ip6tables_save()


def _connects(wire, net, ip, port):
    try:
        wire.do(net.connect(ip, port, timeout=2))
    except OSError:
        return False
    return True


def test_host_port_rules_name_the_sandbox_and_at_most_fifteen_ports_each():
    mappings = tuple(("TCP", "", 8000 + n, 80) for n in range(16))
    text = portmap.rules("ab" * 32, "10.244.1.2/24", mappings)
    head = "".join(f":{each} - [0:0]\n" for each in (portmap.TOP, portmap.MARK_CHAIN))
    named = parse(text.replace("*nat\n", f"*nat\n{head}")).rules("nat", portmap.TOP)
    assert [str(rule).count(",") for rule in named] == [14, 0]
    assert f'--comment "dnat name: \\"kindnet\\" id: \\"{"ab" * 32}\\""' in str(named[0])


def test_udp_flows_from_before_the_host_port_are_forgotten(wire):
    wire.configure()
    node, other = (machine.net for machine in wire.machines)
    node.conntrack  # noqa: B018 (from now on connections are tracked)
    early = node.udp("0.0.0.0", 8053)
    socket = other.udp("0.0.0.0", 5000)
    socket.send_to(b"1", "172.18.0.2", 8053)
    wire.do(early.recv_from(1))
    early.close()
    pod = wire.pod(0, "a", (("UDP", "", 8053, 53),))
    server = pod.udp("0.0.0.0", 53)
    socket.send_to(b"2", "172.18.0.2", 8053)
    assert wire.do(server.recv_from(1))[0] == b"2"
