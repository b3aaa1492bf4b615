"""Real packets through kube-proxy's rules: two nodes, two Pods each, one Service with two ends."""

from __future__ import annotations

import pytest

from k8slab.linux.errors import ConnectionRefused, NetworkError, TimedOut
from k8slab.linux.journey import Journey
from tests.linux.lab import RULES, Lab

CLUSTER_IP, EMPTY_IP = "10.96.0.10", "10.96.0.20"


def test_connections_are_spread_over_the_endpoints(services: Lab) -> None:
    answers = [services.get(services.pods["10.244.1.3"], CLUSTER_IP, 80) for _ in range(40)]
    near = answers.count("10.244.1.2 saw 10.244.1.3")
    assert near + answers.count("10.244.2.2 saw 10.244.1.3") == 40
    assert 10 < near < 30


def test_a_pod_that_reaches_itself_is_seen_as_the_bridge(services: Lab) -> None:
    answers = {services.get(services.pods["10.244.1.2"], CLUSTER_IP, 80) for _ in range(12)}
    assert answers == {"10.244.1.2 saw 10.244.1.1", "10.244.2.2 saw 10.244.1.2"}


def test_without_hairpin_a_pod_cannot_reach_itself_through_its_service(services: Lab) -> None:
    node, pod = services.nodes[0], services.pods["10.244.1.2"]
    node.ruleset.replace_chain("nat", "KUBE-SVC-WEB", ["-j KUBE-SEP-1"])
    node.interfaces["veth2"].hairpin = False  # type: ignore[attr-defined]
    with pytest.raises(TimedOut):
        services.run(pod.connect(CLUSTER_IP, 80, timeout=5))
    assert services.get(services.pods["10.244.1.3"], CLUSTER_IP, 80)


def test_a_node_port_answers_on_every_node_and_hides_the_client(services: Lab) -> None:
    for ip, client in (("172.18.0.2", "10.244.2.3"), ("172.18.0.3", "10.244.1.3")):
        for _ in range(4):
            saw = services.get(services.pods[client], ip, 30080).split()[-1]
            assert saw not in services.pods


def test_replies_find_their_way_through_the_same_bridge(services: Lab) -> None:
    services.segment.partition("node-1", "node-2")
    journey = Journey()
    pod = services.pods["10.244.1.3"]
    for _ in range(20):
        try:
            services.run(pod.connect(CLUSTER_IP, 80, timeout=0.5, journey=journey))
            break
        except TimedOut:
            journey = Journey()
    replies = [hop for hop in journey.hops if hop.direction == "reply" and hop.changed]
    assert replies[0].point == "POSTROUTING"
    assert (replies[0].before.src, replies[0].after.src) == ("10.244.1.2", CLUSTER_IP)


def test_without_bridge_netfilter_replies_keep_the_wrong_source(services: Lab) -> None:
    services.nodes[0].bridge_nf_call_iptables = False
    services.nodes[0].iptables_restore(
        "*nat\n:KUBE-SVC-WEB - [0:0]\n-A KUBE-SVC-WEB -j KUBE-SEP-1\nCOMMIT\n", noflush=True
    )
    with pytest.raises(NetworkError):
        services.run(services.pods["10.244.1.3"].connect(CLUSTER_IP, 80, timeout=5))


@pytest.mark.parametrize("client", ["10.244.1.3", "node"])
def test_a_service_without_endpoints_refuses(services: Lab, client: str) -> None:
    ns = services.nodes[0] if client == "node" else services.pods[client]
    with pytest.raises(ConnectionRefused):
        services.run(ns.connect(EMPTY_IP, 80))
    assert services.sim.now < 0.01


def test_a_datagram_to_a_service_without_endpoints_is_refused(services: Lab) -> None:
    socket = services.pods["10.244.1.3"].udp()
    socket.connect(EMPTY_IP, 53)
    socket.send(b"?")
    with pytest.raises(ConnectionRefused):
        services.run(socket.recv_from(timeout=5))


def test_a_cluster_ip_does_not_answer_ping(services: Lab) -> None:
    with pytest.raises(TimedOut):
        services.run(services.pods["10.244.1.3"].ping(CLUSTER_IP))


def test_a_drop_is_silence(services: Lab) -> None:
    drop = "*filter\n-A KUBE-PROXY-FIREWALL -p tcp -m tcp --dport 8080 -j DROP\nCOMMIT\n"
    for node in services.nodes:
        node.iptables_restore(drop, noflush=True)
    with pytest.raises(TimedOut):
        services.run(services.pods["10.244.1.3"].connect(CLUSTER_IP, 80, timeout=10))
    assert len(services.nodes[0].conntrack) == 0


def test_an_open_connection_stays_on_its_pod_when_the_endpoints_change(services: Lab) -> None:
    async def talk() -> tuple[bytes, bytes]:
        connection = await services.pods["10.244.1.3"].connect(CLUSTER_IP, 80)
        await connection.send(b"1")
        first = await connection.recv(timeout=5)
        for node in services.nodes:
            node.ruleset.replace_chain("nat", "KUBE-SVC-WEB", [])
        await connection.send(b"2")
        return first, await connection.recv(timeout=5)

    first, second = services.run(talk())
    assert first == second


def test_a_stale_datagram_flow_goes_on_until_it_is_flushed(services: Lab) -> None:
    node, client = services.nodes[0], services.pods["10.244.1.3"].udp()
    servers = {ip: services.pods[ip].udp("0.0.0.0", 5353) for ip in ("10.244.1.2", "10.244.2.2")}

    def arrives_at() -> str:
        client.send_to(b"?", CLUSTER_IP, 53)
        services.sim.run(services.sim.now + 1)
        return next(ip for ip, server in servers.items() if server._incoming.get_nowait())

    first = arrives_at()
    other = "KUBE-SEP-1" if first == "10.244.2.2" else "KUBE-SEP-2"
    node.ruleset.replace_chain("nat", "KUBE-SVC-WEB", [f"-j {other}"])
    assert arrives_at() == first
    assert node.conntrack.delete(protocol="udp", original_dst=CLUSTER_IP) == 1
    assert arrives_at() != first


def test_session_affinity_brings_a_client_back_for_its_seconds(services: Lab) -> None:
    remember = RULES.replace("-m udp -j DNAT", "-m udp -j DNAT").replace(
        '-A KUBE-SVC-WEB -m comment --comment "default/web -> 10.244.1.2:8080"',
        "-A KUBE-SVC-WEB -m recent --name SEP-1 --rcheck --seconds 60 --reap -j KUBE-SEP-1\n"
        "-A KUBE-SVC-WEB -m recent --name SEP-2 --rcheck --seconds 60 --reap -j KUBE-SEP-2\n"
        '-A KUBE-SVC-WEB -m comment --comment "default/web -> 10.244.1.2:8080"',
    )
    for number in (1, 2):
        remember = remember.replace(
            f'-A KUBE-SEP-{number} -p tcp -m comment --comment "default/web" -m tcp',
            f"-A KUBE-SEP-{number} -p tcp -m recent --name SEP-{number} --set -m tcp",
        )
    lab = Lab().with_rules(remember)
    lab.serve("10.244.1.2", "10.244.2.2")
    pod = lab.pods["10.244.1.3"]
    assert len({lab.get(pod, CLUSTER_IP, 80) for _ in range(12)}) == 1
    seen = set()
    for _ in range(12):
        lab.sim.run(lab.sim.now + 61)
        seen.add(lab.get(pod, CLUSTER_IP, 80))
    assert len(seen) == 2


def test_a_node_port_on_localhost_needs_route_localnet(services: Lab) -> None:
    node = services.nodes[0]
    with pytest.raises(TimedOut):
        services.run(node.connect("127.0.0.1", 30080, timeout=5))
    node.route_localnet = True
    assert "10.244" in services.get(node, "127.0.0.1", 30080)


def test_a_journey_shows_every_hop_with_its_rule(services: Lab) -> None:
    journey = Journey("web")
    services.get(services.pods["10.244.1.3"], CLUSTER_IP, 80, journey)
    first = [hop for hop in journey.hops if hop.before.flags == "SYN"]
    assert [hop.point for hop in first][:5] == [
        "SOCKET",
        "WIRE",
        "PREROUTING",
        "FORWARD",
        "POSTROUTING",
    ]
    rewritten = first[2]
    assert (rewritten.before.dst, rewritten.after.dst[:7]) == (CLUSTER_IP, "10.244.")
    assert rewritten.rule is not None
    assert "-j DNAT --to-destination" in rewritten.rule.text
    assert "SYN_SENT" in rewritten.connection
    assert "KUBE-SVC-WEB" in str(journey)
    assert {hop.direction for hop in journey.hops} == {"request", "reply"}


def test_a_journey_ends_with_the_rule_that_rejected(services: Lab) -> None:
    journey = Journey()
    with pytest.raises(ConnectionRefused):
        services.run(services.pods["10.244.1.3"].connect(EMPTY_IP, 80, journey=journey))
    (refused,) = [hop for hop in journey.hops if hop.note == "REJECT"]
    assert (refused.point, refused.rule.chain) == ("FORWARD", "KUBE-SERVICES")  # type: ignore[union-attr]
    assert journey.hops[-1].before.icmp == "port-unreachable"


def test_rules_count_the_packets_that_they_met(services: Lab) -> None:
    services.get(services.pods["10.244.1.3"], CLUSTER_IP, 80)
    saved = services.nodes[0].iptables_save("nat", counters=True)
    assert "[1:40] -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp" in saved


def test_the_same_seed_gives_the_same_choices() -> None:
    runs = []
    for seed in (3, 3, 4):
        lab = Lab(seed).with_rules()
        lab.serve("10.244.1.2", "10.244.2.2")
        runs.append([lab.get(lab.pods["10.244.1.3"], CLUSTER_IP, 80) for _ in range(12)])
    assert runs[0] == runs[1] != runs[2]


def test_a_port_nobody_listens_on_is_refused_through_the_translation(services: Lab) -> None:
    socket = services.pods["10.244.1.3"].udp()
    socket.connect(CLUSTER_IP, 53)
    socket.send(b"?")
    with pytest.raises(ConnectionRefused, match=CLUSTER_IP):
        services.run(socket.recv_from(timeout=5))


def test_a_mark_never_leaves_its_node(services: Lab) -> None:
    mark = "*mangle\n-A FORWARD -j MARK --set-mark 7\nCOMMIT\n"
    drop = "*raw\n-A PREROUTING -m mark --mark 7 -j DROP\nCOMMIT\n"
    services.nodes[0].iptables_restore(mark, noflush=True)
    services.nodes[1].iptables_restore(drop, noflush=True)
    assert services.run(services.pods["10.244.1.3"].ping("10.244.2.3")) > 0


def test_a_rule_can_turn_a_bridged_frame_to_another_node(services: Lab) -> None:
    rule = (
        "*nat\n-A PREROUTING -d 10.244.1.2/32 -p tcp -m tcp --dport 80 "
        "-j DNAT --to-destination 10.244.2.2:8080\nCOMMIT\n"
    )
    services.nodes[0].iptables_restore(rule, noflush=True)
    answer = services.get(services.pods["10.244.1.3"], "10.244.1.2", 80)
    assert answer == "10.244.2.2 saw 10.244.1.3"


def test_a_node_reaches_its_own_process_through_a_service(services: Lab) -> None:
    node = services.nodes[0]
    services.pods["172.18.0.2"] = node
    services.serve("172.18.0.2")
    dnat = "-p tcp -m tcp -j DNAT --to-destination 172.18.0.2:8080"
    node.ruleset.replace_chain("nat", "KUBE-SEP-1", [dnat])
    node.ruleset.replace_chain("nat", "KUBE-SVC-WEB", ["-j KUBE-MARK-MASQ", "-j KUBE-SEP-1"])
    assert services.get(node, CLUSTER_IP, 80) == "172.18.0.2 saw 172.18.0.2"
    assert len(node.conntrack) == 1
