"""Servers that are asked by packets: their order, their health, and the way to them."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rrset
import pytest

from k8slab.addons.coredns.records import NOERROR, SERVFAIL
from k8slab.linux.links import veth_pair
from k8slab.linux.netns import NetNamespace
from tests.addons.coredns.site import Served

ONE, TWO = "10.0.1.2", "10.0.2.2"


class Server:
    """Answers every name with its own address, as long as it is well."""

    def __init__(self, lab: Served, ip: str) -> None:
        self.ip, self.sim = ip, lab.sim
        self.well, self.cut = True, False
        self.asked: list[tuple[str, str]] = []  # protocol and type
        self.connections = 0
        self.net = NetNamespace(lab.sim, f"server {ip}")
        number = ip.split(".")[2]
        ours, theirs = veth_pair(lab.container.net, f"eth{number}", self.net, "eth0")
        ours.add_address(f"10.0.{number}.1/24")
        theirs.add_address(f"{ip}/24")
        lab.sim.spawn(self._udp(), "udp")
        lab.sim.spawn(self._tcp(), "tcp")

    @property
    def questions(self) -> list[str]:
        """The protocols of all questions but those about health."""
        return [protocol for protocol, kind in self.asked if kind != "NS"]

    async def _udp(self) -> None:
        socket = self.net.udp("0.0.0.0", 53)
        while True:
            data, client = await socket.recv_from()
            wire = self._reply(data, "udp")
            if wire is not None:
                socket.send_to(wire, *client)

    async def _tcp(self) -> None:
        listener = self.net.listen("0.0.0.0", 53)
        while True:
            connection = await listener.accept()
            self.connections += 1
            self.sim.spawn(self._talk(connection), "talk")

    async def _talk(self, connection) -> None:  # type: ignore[no-untyped-def]
        while data := await connection.recv():
            wire = self._reply(data[2:], "tcp")
            if wire is not None:
                await connection.send(len(wire).to_bytes(2, "big") + wire)

    def _reply(self, data: bytes, protocol: str) -> bytes | None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        self.asked.append((protocol, question.rdtype.name))
        if not self.well:
            return None
        reply = dns.message.make_response(query, recursion_available=True)
        if self.cut and protocol == "udp":
            reply.flags |= dns.flags.TC
        elif question.rdtype.name == "A":
            reply.answer.append(dns.rrset.from_text(question.name, 30, "IN", "A", self.ip))
        return reply.to_wire()


def served(*lines: str, servers: str = f"{ONE} {TWO}") -> tuple[Served, Server, Server]:
    block = "\n".join(lines)
    text = f".:53 {{\n errors\n forward . {servers} {{\n{block}\n}}\n}}"
    lab = Served(text, inside=("10.0.0.0/8",))
    return lab, Server(lab, ONE), Server(lab, TWO)


def who(lab: Served, count: int) -> list[str]:
    return [lab.data("example.com.")[0] for _ in range(count)]


def test_servers_are_asked_as_the_policy_says() -> None:
    assert who(served("policy sequential")[0], 3) == [ONE] * 3
    assert who(served("policy round_robin")[0], 4) == [ONE, TWO, ONE, TWO]
    assert set(who(served("policy random")[0], 20)) == {ONE, TWO}


def test_a_server_that_fails_its_health_checks_is_left_out_until_it_is_well() -> None:
    lab, one, _ = served("policy sequential", "max_fails 2")
    one.well = False
    began = lab.sim.now
    assert who(lab, 1) == [TWO]
    assert round(lab.sim.now - began) == 2  # the time that one had
    lab.sim.run(lab.sim.now + 10)
    before = len(one.questions)
    began = lab.sim.now
    assert who(lab, 3) == [TWO] * 3
    assert (len(one.questions), round(lab.sim.now - began)) == (before, 0)
    one.well = True
    lab.sim.run(lab.sim.now + 3)
    assert who(lab, 1) == [ONE]


def test_if_all_are_down_health_checking_is_thought_to_be_broken() -> None:
    lab, one, two = served("policy sequential")
    one.well = two.well = False
    lab.ask("example.com.")
    lab.sim.run(lab.sim.now + 10)
    before = len(one.questions) + len(two.questions)
    began = lab.sim.now
    assert lab.ask("example.com.").rcode == SERVFAIL
    assert (len(one.questions) + len(two.questions), round(lab.sim.now - began)) == (before + 1, 2)
    assert lab.lines[-1].endswith(":53: i/o timeout")


def test_a_silent_server_alone_is_asked_until_the_time_is_over() -> None:
    lab, one, _ = served(servers=ONE)
    one.well = False
    began = lab.sim.now
    assert lab.ask("example.com.").rcode == SERVFAIL
    assert (len(one.questions), round(lab.sim.now - began)) == (3, 6)


def test_without_health_checks_nobody_is_down() -> None:
    lab, one, _ = served("max_fails 0", servers=ONE)
    one.well = False
    lab.ask("example.com.")
    assert ("udp", "NS") not in one.asked


@pytest.mark.parametrize(
    ("lines", "client", "protocols"),
    [
        ((), "udp", ["udp"]),
        ((), "tcp", ["tcp"]),
        (("force_tcp",), "udp", ["tcp"]),
        (("prefer_udp",), "tcp", ["udp"]),
    ],
)
def test_the_way_is_the_clients_unless_the_corefile_says_another(
    lines: tuple[str, ...], client: str, protocols: list[str]
) -> None:
    lab, one, _ = served(*lines, servers=ONE)
    assert lab.ask("example.com.", protocol=client).rcode == NOERROR
    assert one.questions == protocols


def test_what_is_cut_off_is_passed_on_as_such_or_asked_again_by_tcp() -> None:
    lab, one, _ = served(servers=ONE)
    one.cut = True
    found = lab.ask("example.com.")
    assert (found.truncated, found.answers) == (True, ())
    lab, one, _ = served("prefer_udp", servers=ONE)
    one.cut = True
    assert lab.data("example.com.") == [ONE]
    assert one.questions == ["udp", "tcp"]


def test_a_connection_is_used_again_until_it_is_too_old() -> None:
    lab, one, _ = served("force_tcp", "expire 10s", servers=ONE)
    who(lab, 3)
    assert one.connections == 1
    lab.sim.run(lab.sim.now + 11)
    who(lab, 1)
    assert one.connections == 2


def test_who_refuses_connections_is_told_in_the_words_of_go() -> None:
    lab = Served(
        ".:53 {\n errors\n forward . 127.0.0.1:9 {\n force_tcp\n}\n}", inside=("10.0.0.0/8",)
    )
    assert lab.ask("example.com.").rcode == SERVFAIL
    assert lab.lines == [
        "[ERROR] plugin/errors: 2 example.com. A: dial tcp 127.0.0.1:9: connect: connection refused"
    ]
