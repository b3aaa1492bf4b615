"""IPv6 in one namespace and between two: addresses, routes, sockets, errors, what tools print."""

from __future__ import annotations

import pytest

from k8slab.linux.commands import run, shell
from k8slab.linux.errors import ConnectionRefused, NetworkUnreachable
from k8slab.linux.links import veth_pair
from k8slab.linux.netns import NetNamespace
from k8slab.linux.routes import Route
from k8slab.sim import Simulation

POD, GATEWAY = "fd00:10:244:1::2", "fd00:10:244:1::1"


class Lab:
    """A Pod with addresses of both families, and its node."""

    def __init__(self) -> None:
        self.sim = Simulation(5)
        self.node = NetNamespace(self.sim, "node")
        self.pod = NetNamespace(self.sim, "pod")
        outer, inner = veth_pair(self.node, "veth", self.pod, "eth0")
        for device, addresses in (
            (outer, ("10.244.1.1/24", f"{GATEWAY}/64")),
            (inner, ("10.244.1.2/24", f"{POD}/64")),
        ):
            for cidr in addresses:
                device.add_address(cidr)
        self.pod.routes.add(Route(destination="default", device="eth0", gateway="10.244.1.1"))
        self.pod.routes6.add(
            Route(destination="default", device="eth0", gateway=GATEWAY, metric=1024)
        )

    def do(self, coroutine: object) -> object:
        return self.sim.complete(coroutine, "you", 10)  # type: ignore[arg-type]


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_ip_shows_addresses_and_routes_of_either_family(lab: Lab) -> None:
    every = shell(lab.pod, "ip addr")
    assert "    inet 10.244.1.2/24 brd 10.244.1.255 scope global eth0\n" in every
    assert f"    inet6 {POD}/64 scope global \n" in every
    assert "    inet6 ::1/128 scope host \n" in every
    assert "inet " not in shell(lab.pod, "ip -6 addr")
    assert "inet6" not in shell(lab.pod, "ip -4 addr")
    assert shell(lab.pod, "ip -6 route") == (
        f"default via {GATEWAY} dev eth0 metric 1024 pref medium\n"
        "fd00:10:244:1::/64 dev eth0 proto kernel metric 256 pref medium\n"
    )
    assert "fd00" not in shell(lab.pod, "ip route")
    assert f"via {GATEWAY} dev eth0 src {POD}" in shell(lab.pod, "ip route get fd00::9")


def test_without_an_ipv6_address_there_is_no_ipv6_loopback() -> None:
    assert "inet6" not in shell(NetNamespace(Simulation(5), "old"), "ip addr")


def test_a_socket_on_every_address_takes_both_families(lab: Lab) -> None:
    listener = lab.node.listen("::", 80)
    for ip, own in ((GATEWAY, POD), ("10.244.1.1", "10.244.1.2")):
        connection = lab.do(lab.pod.connect(ip, 80))
        assert connection.local[0] == own  # type: ignore[attr-defined]
    lab.do(listener.accept())
    assert f"[{POD}]:" in shell(lab.pod, "ss -tn")


def test_who_is_not_there_says_so_in_icmpv6(lab: Lab) -> None:
    with pytest.raises(ConnectionRefused, match=r"\[fd00:10:244:1::1\]:81|refused"):
        lab.do(lab.pod.connect(GATEWAY, 81))
    socket = lab.pod.udp()
    socket.connect(GATEWAY, 82)
    socket.send(b"?")
    with pytest.raises(ConnectionRefused):
        lab.do(socket.recv_from(1))
    with pytest.raises(NetworkUnreachable):
        lab.do(lab.node.connect("2001:db8::1", 80))


def test_ping_and_its_entry_in_conntrack(lab: Lab) -> None:
    lab.pod.ruleset6.table("nat")
    text = lab.do(run(lab.pod, f"ping -c 1 {GATEWAY}"))
    assert f"PING {GATEWAY}({GATEWAY}) 56 data bytes" in text  # type: ignore[operator]
    assert "1 packets transmitted, 1 received" in text  # type: ignore[operator]
    line = lab.pod.conntrack.list()
    assert line.startswith("icmpv6   58 ")
    assert "type=128 code=0" in line


def test_rules_of_ip6tables_meet_ipv6_and_those_of_iptables_do_not(lab: Lab) -> None:
    lab.node.iptables_restore("*filter\n:INPUT DROP [0:0]\nCOMMIT\n")
    lab.node.listen("::", 80)
    assert lab.do(lab.pod.connect(GATEWAY, 80, timeout=1))
    rule = "-A INPUT -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp6-adm-prohibited"
    lab.node.ip6tables_restore(f"*filter\n{rule}\nCOMMIT\n")
    assert rule in shell(lab.node, "ip6tables-save")
    assert rule.removeprefix("-A INPUT ") in shell(lab.node, "ip6tables -S INPUT")
    with pytest.raises(OSError, match=r"refused|route|unreach"):
        lab.do(lab.pod.connect(GATEWAY, 80, timeout=1))


def test_each_family_is_forwarded_by_its_own_setting(lab: Lab) -> None:
    lab.node.ip_forward = True
    assert "net.ipv6.conf.all.forwarding = 0" in shell(lab.node, "sysctl -a")
    assert lab.node.forwards("10.0.0.1")
    assert not lab.node.forwards("fd00::9")
