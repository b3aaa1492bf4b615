from __future__ import annotations

import pytest

from k8slab.linux.commands import CommandError, changes, run, shell
from k8slab.linux.errors import TimedOut
from k8slab.linux.netns import NetNamespace
from tests.linux.lab import Lab


def test_ip_route_prints_the_node_s_ways(lab: Lab) -> None:
    assert shell(lab.nodes[0], "ip route").splitlines() == [
        "default via 172.18.0.1 dev eth0",
        "10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1",
        "10.244.2.0/24 via 172.18.0.3 dev eth0",
        "172.18.0.0/16 dev eth0 proto kernel scope link src 172.18.0.2",
    ]


def test_ip_addr_prints_devices_with_their_addresses(lab: Lab) -> None:
    lines = shell(lab.pods["10.244.1.2"], "ip a").splitlines()
    assert lines[0].startswith(
        "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN"
    )
    assert lines[4].startswith("2: eth0@if4: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noq")
    assert lines[6] == "    inet 10.244.1.2/24 brd 10.244.1.255 scope global eth0"


def test_ip_link_names_the_bridge_of_a_port(lab: Lab) -> None:
    text = shell(lab.nodes[0], "ip link show veth2")
    assert " master cni0 state UP mode DEFAULT group default qlen 1000\n" in text


def test_ss_lists_who_listens(lab: Lab) -> None:
    pod = lab.pods["10.244.1.2"]
    pod.listen("127.0.0.1", 46209)
    pod.listen("0.0.0.0", 80)
    assert shell(pod, "ss -ltn").splitlines() == [
        "State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess",
        "LISTEN 0      4096         0.0.0.0:80         0.0.0.0:*",
        "LISTEN 0      4096       127.0.0.1:46209      0.0.0.0:*",
    ]


def test_ping_counts_what_came_back(lab: Lab) -> None:
    lines = lab.run(run(lab.pods["10.244.1.2"], "ping -c 2 10.244.2.2")).splitlines()
    assert lines[1] == "64 bytes from 10.244.2.2: icmp_seq=1 ttl=64 time=0.480 ms"
    assert lines[5] == "2 packets transmitted, 2 received, 0% packet loss, time 1000ms"


def test_bridge_switches_the_hairpin_of_a_port(services: Lab) -> None:
    node, pod = services.nodes[0], services.pods["10.244.1.2"]
    node.ruleset.replace_chain("nat", "KUBE-SVC-WEB", ["-j KUBE-SEP-1"])
    assert shell(node, "bridge link set dev veth2 hairpin off") == ""
    assert "hairpin off" in shell(node, "bridge -d link")
    with pytest.raises(TimedOut):
        services.run(pod.connect("10.96.0.10", 80, timeout=5))
    shell(node, "bridge link set dev veth2 hairpin on")
    assert services.get(pod, "10.96.0.10", 80) == "10.244.1.2 saw 10.244.1.1"
    assert changes("bridge link set dev veth2 hairpin on")
    assert not changes("bridge -d link")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("dev veth9 hairpin on", "device not found"),
        ("dev veth2 hairpin maybe", '"on" or "off"'),
        ("dev eth0 hairpin on", "not supported"),
    ],
)
def test_bridge_refuses_what_is_no_port(services: Lab, line: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        shell(services.nodes[0], f"bridge link set {line}")


def test_conntrack_lists_and_deletes(services: Lab) -> None:
    services.pods["10.244.1.3"].udp().send_to(b"?", "10.96.0.10", 53)
    services.sim.run(services.sim.now + 1)
    node = services.nodes[0]
    assert shell(node, "conntrack -L -p udp").startswith("udp      17 ")
    assert "1 flow entries have been deleted" in shell(node, "conntrack -D -p udp -d 10.96.0.10")


def test_iptables_prints_one_chain(services: Lab) -> None:
    assert shell(services.nodes[0], "iptables -t nat -S KUBE-MARK-MASQ").splitlines() == [
        "-N KUBE-MARK-MASQ",
        "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
    ]


@pytest.mark.parametrize("line", ["", "ifconfig", "ip teapot", "ip addr show eth9", "conntrack"])
def test_what_a_command_cannot_do_it_says(lab: Lab, line: str) -> None:
    with pytest.raises(CommandError):
        shell(lab.nodes[0], line)


def ping(lab: Lab, ns: NetNamespace, ip: str) -> list[str]:
    return str(lab.run(run(ns, f"ping -c 2 {ip}"))).splitlines()


def test_ping_says_who_says_that_nothing_can_be_reached(services: Lab) -> None:
    node, pod = services.nodes[0], services.pods["10.244.1.3"]
    node.iptables_restore(
        "*filter\n-A FORWARD -d 10.244.2.2 -j REJECT\n-A OUTPUT -d 10.244.2.3 -j DROP\n"
        "-A OUTPUT -d 10.244.2.2 -j REJECT --reject-with icmp-host-prohibited\nCOMMIT\n",
        noflush=True,
    )
    lines = ping(services, pod, "10.244.2.2")
    assert lines[1:3] == [
        f"From 10.244.1.1 icmp_seq={n} Destination Port Unreachable" for n in (1, 2)
    ]
    assert "2 packets transmitted, 0 received, +2 errors, 100% packet loss, time" in lines[-1]
    assert ping(services, node, "10.244.2.3")[1] == "ping: sendmsg: Operation not permitted"
    assert ping(services, node, "10.244.2.2")[1] == (
        "From 172.18.0.2 icmp_seq=1 Destination Host Prohibited"
    )


def test_ping_of_a_cluster_ip_is_lost_without_a_word(services: Lab) -> None:
    lines = ping(services, services.pods["10.244.1.3"], "10.96.0.10")
    assert lines[1:] == [
        "",
        "--- 10.96.0.10 ping statistics ---",
        "2 packets transmitted, 0 received, 100% packet loss, time 2000ms",
    ]


def test_ping_without_a_route_does_not_begin(lab: Lab) -> None:
    pod = lab.pods["10.244.1.2"]
    pod.routes.remove("default")
    assert ping(lab, pod, "192.0.2.1") == ["ping: connect: Network is unreachable"]
