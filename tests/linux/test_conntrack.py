from __future__ import annotations

import pytest

from k8slab.linux.conntrack import Conntrack, Entry, next_state
from k8slab.linux.context import Context
from k8slab.linux.netns import NetNamespace
from k8slab.linux.packet import Packet, answer, icmp_error
from k8slab.sim import Simulation

SYN = Packet("tcp", "10.244.1.3", "10.96.0.10", 40000, 80, "SYN")


class Clock:
    now = 0.0


def track(table: Conntrack, packet: Packet) -> Context:
    context = Context(packet)
    table.enter(packet, context)
    table.confirm(context.entry)
    return context


def test_a_handshake_goes_from_new_to_established() -> None:
    table = Conntrack(lambda: 0.0)
    states = [
        track(table, packet).state
        for packet in (SYN, answer(SYN, flags="SYN,ACK"), Packet(*HEAD, flags="ACK"))
    ]
    assert states == ["NEW", "ESTABLISHED", "ESTABLISHED"]


HEAD = ("tcp", "10.244.1.3", "10.96.0.10", 40000, 80)


@pytest.mark.parametrize(
    ("segments", "state"),
    [
        ("SYN>", "SYN_SENT"),
        ("SYN> SYN,ACK<", "SYN_RECV"),
        ("SYN> SYN,ACK< ACK>", "ESTABLISHED"),
        ("SYN> RST,ACK<", "CLOSE"),
        ("SYN> SYN,ACK< ACK> FIN,ACK>", "FIN_WAIT"),
        ("SYN> SYN,ACK< ACK> FIN,ACK> ACK<", "CLOSE_WAIT"),
        ("SYN> SYN,ACK< ACK> FIN,ACK> ACK< FIN,ACK<", "LAST_ACK"),
        ("SYN> SYN,ACK< ACK> FIN,ACK> ACK< FIN,ACK< ACK>", "TIME_WAIT"),
        ("SYN> SYN,ACK< ACK> FIN,ACK< FIN,ACK> ACK<", "TIME_WAIT"),
        ("ACK>", "ESTABLISHED"),
    ],
)
def test_tcp_states_follow_the_segments(segments: str, state: str) -> None:
    entry = Entry(("tcp", "a", 1, "b", 2), 0)
    for segment in segments.split():
        entry.state = next_state(entry, segment[:-1], segment[-1] == "<")
    assert entry.state == state


@pytest.mark.parametrize("flags", ["ACK", "PSH,ACK", "FIN,ACK"])
def test_what_follows_a_syn_without_its_answer_is_invalid(flags: str) -> None:
    table = Conntrack(lambda: 0.0)
    track(table, SYN)
    assert track(table, Packet(*HEAD, flags=flags)).state == "INVALID"
    assert track(table, answer(SYN, flags="SYN,ACK")).state == "ESTABLISHED"
    assert track(table, Packet(*HEAD, flags=flags)).state == "ESTABLISHED"


@pytest.mark.parametrize("flags", ["SYN,ACK", "RST", "RST,ACK", "FIN,ACK"])
def test_a_segment_that_cannot_begin_a_connection_is_invalid(flags: str) -> None:
    context = track(Conntrack(lambda: 0.0), Packet(*HEAD, flags=flags))
    assert (context.state, context.entry) == ("INVALID", None)


def test_an_icmp_error_is_related_to_the_packet_that_it_quotes() -> None:
    table = Conntrack(lambda: 0.0)
    track(table, SYN)
    assert track(table, icmp_error("port-unreachable", SYN, "10.0.0.1")).state == "RELATED"
    other = Packet("udp", "10.244.1.3", "10.96.0.10", 1, 53)
    assert track(table, icmp_error("port-unreachable", other, "10.0.0.1")).state == "INVALID"


def test_entries_end_with_their_time() -> None:
    clock = Clock()
    table = Conntrack(lambda: clock.now)
    track(table, SYN)
    clock.now = 120.0
    assert len(table) == 1
    clock.now = 120.5
    assert len(table) == 0


def test_an_unconfirmed_connection_leaves_no_trace() -> None:
    table = Conntrack(lambda: 0.0)
    table.enter(SYN, Context(SYN))
    assert len(table) == 0


def test_a_full_table_is_swept() -> None:
    clock = Clock()
    table = Conntrack(lambda: clock.now)
    for number in range(5000):
        clock.now += 1
        track(table, Packet("udp", "10.0.0.1", "10.0.0.2", number, 53))
    assert len(table._entries) < 1200


def test_entries_print_as_conntrack_prints_them() -> None:
    table = Conntrack(lambda: 0.0)
    track(table, SYN)
    track(table, Packet("udp", "10.244.1.3", "10.96.0.10", 5000, 53))
    track(table, Packet("icmp", "10.244.1.3", "10.244.2.2", 7, 1, icmp="echo-request"))
    assert table.list().splitlines() == [
        "tcp      6 120 SYN_SENT src=10.244.1.3 dst=10.96.0.10 sport=40000 dport=80 [UNREPLIED] "
        "src=10.96.0.10 dst=10.244.1.3 sport=80 dport=40000 mark=0 use=1",
        "udp      17 30 src=10.244.1.3 dst=10.96.0.10 sport=5000 dport=53 [UNREPLIED] "
        "src=10.96.0.10 dst=10.244.1.3 sport=53 dport=5000 mark=0 use=1",
        "icmp     1 30 src=10.244.1.3 dst=10.244.2.2 type=8 code=0 id=7 [UNREPLIED] "
        "src=10.244.2.2 dst=10.244.1.3 type=0 code=0 id=7 mark=0 use=1",
    ]


def test_a_udp_flow_becomes_a_stream_after_two_seconds_of_talk() -> None:
    clock = Clock()
    table = Conntrack(lambda: clock.now)
    ask = Packet("udp", "10.244.1.3", "10.96.0.10", 5000, 53)
    track(table, ask)
    assert not track(table, answer(ask)).entry.assured  # type: ignore[union-attr]
    clock.now = 3.0
    assert track(table, ask).entry.assured  # type: ignore[union-attr]


def test_delete_takes_what_fits() -> None:
    table = Conntrack(lambda: 0.0)
    for dst, port in (("10.96.0.10", 53), ("10.96.0.11", 53), ("10.96.0.10", 54)):
        track(table, Packet("udp", "10.244.1.3", dst, 5000, port))
    assert table.delete(original_dst="10.96.0.10", original_dport=53) == 1
    assert table.delete(protocol="tcp", original_dst="10.96.0.10") == 0
    assert table.delete(original_dst="10.96.0.10") == 1
    assert len(table) == 1


def test_a_new_handshake_after_the_end_is_a_new_connection() -> None:
    table = Conntrack(lambda: 0.0)
    first = track(table, SYN).entry
    track(table, answer(SYN, flags="RST,ACK"))
    again = track(table, SYN)
    assert again.state == "NEW"
    assert again.entry is not first


def test_an_expired_connection_is_not_found() -> None:
    clock = Clock()
    table = Conntrack(lambda: clock.now)
    ask = Packet("udp", "10.244.1.3", "10.96.0.10", 5000, 53)
    track(table, ask)
    track(table, answer(ask))
    clock.now = 31.0
    assert track(table, ask).state == "NEW"


def test_an_sctp_association_stays_where_its_first_packet_went() -> None:
    sim = Simulation(seed=3)
    node = NetNamespace(sim, "node")
    node.iptables_restore(
        "*nat\n:A - [0:0]\n-A PREROUTING -d 10.96.0.7/32 -p sctp -m sctp --dport 5060 -j A\n"
        "-A A -m statistic --mode random --probability 0.5 -j DNAT --to-destination 10.244.1.2\n"
        "-A A -p sctp -j DNAT --to-destination 10.244.1.3:5061\nCOMMIT\n"
    )
    assert node.netfilter is not None
    seen = []
    for _ in range(6):
        packet = Packet("sctp", "10.244.9.9", "10.96.0.7", 40000, 5060, flags="INIT")
        context = Context(packet, in_interface="cni0")
        _, packet = node.netfilter.run("PREROUTING", packet, context)
        node.netfilter.run("POSTROUTING", packet, context)
        seen.append(packet.dst)
    assert len(set(seen)) == 1
    assert node.conntrack.list().startswith("sctp     132 10 CLOSED ")
