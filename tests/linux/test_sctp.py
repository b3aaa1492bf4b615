"""SCTP: associations, what ends them, what NAT and conntrack make of them."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.linux.errors import AddressInUse, ConnectionRefused, ConnectionReset, TimedOut
from k8slab.linux.journey import Journey
from k8slab.linux.netns import NetNamespace
from k8slab.linux.packet import Packet
from k8slab.linux.sctp import Association
from tests.linux.lab import RULES, Lab

SERVICE = RULES.replace("tcp", "sctp").replace("--dport 53 -j KUBE-SVC", "--dport 54 -j KUBE-SVC")


def open_to(lab: Lab, server: str, client: str, **options: Any) -> tuple[Association, Association]:
    listener = lab.pods[server].sctp_listen("0.0.0.0", 9)
    here = lab.run(lab.pods[client].sctp_connect(server, 9, **options))
    return here, lab.run(listener.accept())


def chunks(journey: Journey) -> list[str]:
    left = (hop for hop in journey.hops if hop.point == "WIRE" and hop.namespace[:3] == "pod")
    return [hop.before.flags for hop in left]


def test_an_association_takes_four_steps_and_three_to_its_end(lab: Lab) -> None:
    journey = Journey()
    here, there = open_to(lab, "10.244.2.2", "10.244.1.2", journey=journey)
    lab.run(here.send(b"ping"))
    assert lab.run(there.recv(1)) == b"ping"
    here.close()
    lab.sim.run(lab.sim.now + 1)
    assert (here.state, there.state) == ("CLOSED", "CLOSED")
    assert chunks(journey) == [
        *("INIT", "INIT ACK", "COOKIE ECHO", "COOKIE ACK", "DATA", "SACK"),
        *("SHUTDOWN", "SHUTDOWN ACK", "SHUTDOWN COMPLETE"),
    ]
    assert lab.pods["10.244.2.2"].sockets.sctp.associations == {}


def test_messages_keep_their_bounds_and_order_both_ways(lab: Lab) -> None:
    here, there = open_to(lab, "10.244.2.2", "10.244.1.2")
    for number in range(5):
        lab.run(here.send(b"%d" % number))
        lab.run(there.send(b"-%d" % number))
    assert [lab.run(there.recv(1)) for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]
    assert [lab.run(here.recv(1)) for _ in range(5)] == [b"-0", b"-1", b"-2", b"-3", b"-4"]


def test_what_is_sent_before_the_end_arrives_before_it(lab: Lab) -> None:
    here, there = open_to(lab, "10.244.2.2", "10.244.1.2")
    lab.run(here.send(b"last"))
    here.close()
    assert lab.run(there.recv(5)) == b"last"
    assert lab.run(there.recv(5)) == b""


def test_a_closed_port_aborts_and_so_does_a_server_that_was_killed(lab: Lab) -> None:
    with pytest.raises(ConnectionRefused):
        lab.run(lab.pods["10.244.1.2"].sctp_connect("10.244.2.2", 81))
    here, there = open_to(lab, "10.244.2.2", "10.244.1.2")
    there.forget()  # its kernel knows nothing of it any more
    lab.run(here.send(b"hello"))
    with pytest.raises(ConnectionReset):
        lab.run(here.recv(5))


def test_what_is_lost_is_sent_again_and_a_silent_peer_is_given_up(lab: Lab) -> None:
    here, there = open_to(lab, "10.244.2.2", "10.244.1.2")
    lab.segment.partition("node-1", "node-2")
    lab.run(here.send(b"late"))
    lab.sim.run(lab.sim.now + 2)
    lab.segment.heal("node-1", "node-2")
    assert lab.run(there.recv(5)) == b"late"
    lab.segment.partition("node-1", "node-2")
    with pytest.raises(TimedOut):
        lab.run(here.recv(3000), 3000)  # heartbeats are not answered any more


def test_an_init_is_repeated_for_minutes(lab: Lab) -> None:
    lab.segment.partition("node-1", "node-2")
    with pytest.raises(TimedOut):
        lab.run(lab.pods["10.244.1.2"].sctp_connect("10.244.2.2", 9))
    assert lab.sim.now == 3 + 6 + 12 + 24 + 48 + 4 * 60


def test_a_port_is_taken_for_each_protocol_by_itself(lab: Lab) -> None:
    pod = lab.pods["10.244.1.2"]
    pod.listen("0.0.0.0", 9)
    pod.sctp_listen("0.0.0.0", 9)
    with pytest.raises(AddressInUse):
        pod.sctp_listen("10.244.1.2", 9)


def test_a_process_takes_its_associations_along(lab: Lab) -> None:
    pod = lab.pods["10.244.2.2"]
    owner = object()
    listener = pod.sctp_listen("0.0.0.0", 9, owner=owner)
    here = lab.run(lab.pods["10.244.1.2"].sctp_connect("10.244.2.2", 9))
    lab.run(listener.accept())
    pod.close_owned_by(owner)
    assert lab.run(here.recv(5)) == b""
    with pytest.raises(ConnectionRefused):
        lab.run(lab.pods["10.244.1.2"].sctp_connect("10.244.2.2", 9))


# -- rules


@pytest.fixture
def nat() -> Lab:
    lab = Lab().with_rules(SERVICE)
    for ip in ("10.244.1.2", "10.244.2.2"):
        lab.sim.spawn(echo(lab.pods[ip], ip), "server")
    return lab


async def echo(ns: NetNamespace, name: str) -> None:
    listener = ns.sctp_listen("0.0.0.0", 8080)
    while True:
        association = await listener.accept()
        if await association.recv():
            await association.send(name.encode())
        association.close()


def test_a_cluster_ip_sends_all_of_an_association_to_one_endpoint(nat: Lab) -> None:
    client = nat.pods["10.244.1.3"]
    found = set()
    for _ in range(8):
        here = nat.run(client.sctp_connect("10.96.0.10", 80))
        nat.run(here.send(b"who"))
        found.add(nat.run(here.recv(5)))
        here.close()
    assert found == {b"10.244.1.2", b"10.244.2.2"}


def test_conntrack_follows_the_steps_and_heartbeats_keep_the_entry(nat: Lab) -> None:
    node = nat.nodes[0]
    here = nat.run(nat.pods["10.244.1.3"].sctp_connect("10.96.0.10", 80))
    line = node.conntrack.list()
    assert line.startswith("sctp     132 210 ESTABLISHED src=10.244.1.3 dst=10.96.0.10 sport=")
    assert "[ASSURED]" in line
    nat.sim.run(nat.sim.now + 1000)
    assert "ESTABLISHED" in node.conntrack.list()
    here.close()
    nat.sim.run(nat.sim.now + 0.5)
    assert " CLOSED src=" in node.conntrack.list()
    nat.sim.run(nat.sim.now + 11)
    assert node.conntrack.list() == ""


def test_a_rule_that_rejects_is_no_refusal_for_sctp(nat: Lab) -> None:
    client = nat.pods["10.244.1.3"]
    with pytest.raises(TimedOut):
        nat.run(client.sctp_connect("10.96.0.20", 80, timeout=20))
    with pytest.raises(ConnectionRefused):
        nat.run(client.connect("10.244.1.2", 81))


@pytest.mark.parametrize("chunk", ["DATA", "SACK", "ABORT", "COOKIE ACK", "SHUTDOWN COMPLETE"])
def test_no_tracked_association_begins_in_the_middle(nat: Lab, chunk: str) -> None:
    pod = nat.pods["10.244.1.3"]
    pod.send(Packet("sctp", "10.244.1.3", "10.244.2.3", 5000, 9, flags=chunk))
    nat.sim.run(nat.sim.now + 0.1)
    assert "sctp" not in nat.nodes[0].conntrack.list()


def test_ss_lists_associations(lab: Lab) -> None:
    from k8slab.linux.commands import shell

    open_to(lab, "10.244.2.2", "10.244.1.2")
    listening, established = shell(lab.pods["10.244.2.2"], "ss -S -a").splitlines()[1:]
    assert listening.split() == ["LISTEN", "0", "4096", "0.0.0.0:9", "0.0.0.0:*"]
    assert established.split()[:4] == ["ESTAB", "0", "0", "10.244.2.2:9"]
