"""How the two libcs ask their servers: in what order, how often, how long, and by which way."""

from __future__ import annotations

from collections.abc import Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from k8slab.linux.netns import NetNamespace
from k8slab.linux.resolv_conf import ResolvConf
from k8slab.linux.resolver import Lookup, lookup, queries
from tests.linux.lab import Lab

CLIENT = "10.244.1.3"
ONE, TWO = "10.244.2.2", "10.244.2.3"
FOUND: Mapping[str, str] = {"A": "10.9.9.9"}


class Server:
    """Answers every name: by type with an address, NODATA, an rcode, or silence."""

    def __init__(self, lab: Lab, ip: str, says: Mapping[str, str], *, cut: bool = False) -> None:
        self.says, self.cut = says, cut
        self.asked: list[tuple[float, str, int]] = []  # when, type, client's port
        self.messages: list[dns.message.Message] = []
        self.sim, net = lab.sim, lab.pods[ip]
        lab.sim.spawn(self.udp(net), f"udp {ip}")
        lab.sim.spawn(self.tcp(net), f"tcp {ip}")

    async def udp(self, net: NetNamespace) -> None:
        socket = net.udp("0.0.0.0", 53)
        while True:
            data, client = await socket.recv_from()
            reply = self.reply(data, client[1])
            if reply is not None:
                if self.cut:
                    reply.flags |= dns.flags.TC
                    reply.answer = []
                socket.send_to(reply.to_wire(), *client)

    async def tcp(self, net: NetNamespace) -> None:
        listener = net.listen("0.0.0.0", 53)
        while True:
            connection = await listener.accept()
            while data := await connection.recv():
                reply = self.reply(data[2:], connection.remote[1])
                if reply is not None:
                    wire = reply.to_wire()
                    await connection.send(len(wire).to_bytes(2, "big") + wire)

    def reply(self, data: bytes, port: int) -> dns.message.Message | None:
        query = dns.message.from_wire(data)
        kind = query.question[0].rdtype.name
        self.asked.append((round(self.sim.now, 1), kind, port))
        self.messages.append(query)
        says = self.says.get(kind, "NODATA")
        reply = dns.message.make_response(query)
        if says == "silence":
            return None
        if says[0].isdigit():
            name = query.question[0].name
            reply.answer.append(dns.rrset.from_text(name, 5, "IN", kind, says))
        elif says != "NODATA":
            reply.set_rcode(dns.rcode.from_text(says))
        return reply


def resolve(lab: Lab, conf: str, libc: str = "glibc", name: str = "web.") -> Lookup:
    text = f"nameserver {ONE}\nnameserver {TWO}\noptions {conf}\n"
    pod = lab.pods[CLIENT]
    return lab.sim.complete(lookup(pod, name, text, libc=libc), "client", 600)


def servers(lab: Lab, one: Mapping[str, str], two: Mapping[str, str] = FOUND) -> list[Server]:
    return [Server(lab, ONE, one), Server(lab, TWO, two)]


SILENT = {"A": "silence", "AAAA": "silence"}
SERVFAIL = {"A": "SERVFAIL", "AAAA": "SERVFAIL"}
REFUSED = {"A": "REFUSED", "AAAA": "REFUSED"}


@pytest.mark.parametrize(
    ("says", "glibc", "musl"),
    [(SILENT, 5.0, 0.0), (SERVFAIL, 0.0, 0.0), (REFUSED, 0.0, 0.0)],
)
def test_a_first_server_that_is_of_no_use_costs_only_glibc_time(
    says: Mapping[str, str], glibc: float, musl: float
) -> None:
    for libc, seconds in (("glibc", glibc), ("musl", musl)):
        lab = Lab()
        servers(lab, says)
        found = resolve(lab, "", libc)
        assert (found.ip, round(lab.sim.now, 1)) == ("10.9.9.9", seconds)


@pytest.mark.parametrize(
    ("says", "libc", "seconds"),
    [
        (SILENT, "glibc", 20.0),  # 5 and 5, twice
        (SILENT, "musl", 5.0),
        (SERVFAIL, "glibc", 0.0),
        (SERVFAIL, "musl", 5.0),  # it does not count, and the next server may be slow
        (REFUSED, "musl", 5.0),
    ],
)
def test_how_long_it_takes_until_there_is_no_answer(
    says: Mapping[str, str], libc: str, seconds: float
) -> None:
    lab = Lab()
    servers(lab, says, says)
    found = resolve(lab, "", libc)
    assert (found.code, round(lab.sim.now, 1)) == ("EAI_AGAIN", seconds)


def test_timeout_and_attempts_are_the_files() -> None:
    lab = Lab()
    one, two = servers(lab, SILENT, SILENT)
    resolve(lab, "timeout:2 attempts:3")
    assert [asked[0] for asked in one.asked if asked[1] == "A"] == [0.0, 4.0, 8.0]
    assert [asked[0] for asked in two.asked if asked[1] == "A"] == [2.0, 6.0, 10.0]
    lab = Lab()
    one, two = servers(lab, SILENT, SILENT)
    resolve(lab, "timeout:2 attempts:4", "musl")
    for server in (one, two):
        assert [asked[0] for asked in server.asked if asked[1] == "A"] == [0.0, 0.5, 1.0, 1.5]


def test_musl_asks_a_failing_server_again_at_once_a_few_times() -> None:
    lab = Lab()
    one, _ = servers(lab, SERVFAIL, SILENT)
    found = resolve(lab, "attempts:1", "musl")
    assert len(one.asked) == 2 + 4
    assert [query.rcode for query in found.queries if query.server == ONE] == ["SERVFAIL"] * 2


def test_with_rotate_another_server_is_the_first() -> None:
    lab = Lab()
    one, two = servers(
        lab, {"A": "NXDOMAIN", "AAAA": "NXDOMAIN"}, {"A": "NXDOMAIN", "AAAA": "NXDOMAIN"}
    )
    pod = lab.pods[CLIENT]
    text = f"nameserver {ONE}\nnameserver {TWO}\nsearch a b c\noptions rotate\n"
    lab.sim.complete(lookup(pod, "web", text), "client", 60)
    assert (len(one.asked), len(two.asked)) == (4, 4)


def test_one_answer_of_two_makes_glibc_ask_one_by_one() -> None:
    lab = Lab()
    (one, _) = servers(lab, {"A": "10.9.9.9", "AAAA": "silence"})
    found = resolve(lab, "timeout:1 attempts:1")
    assert found.ip == "10.9.9.9"
    assert [asked[:2] for asked in one.asked] == [
        (0.0, "A"), (0.0, "AAAA"),  # both at once, and one answer
        (1.0, "A"), (1.0, "AAAA"),  # one by one
        (2.0, "A"), (2.0, "AAAA"),  # and from another port
    ]  # fmt: skip
    ports = [asked[2] for asked in one.asked]
    assert [ports[place] == ports[place + 1] for place in (0, 2, 4)] == [True, True, False]


def test_a_single_request_waits_for_its_answer_before_the_next() -> None:
    lab = Lab()
    one, _ = servers(lab, FOUND)
    resolve(lab, "single-request-reopen")
    (_, first, port), (_, second, other) = one.asked
    assert (first, second, port == other) == ("A", "AAAA", False)


def test_no_aaaa_asks_for_nothing_else() -> None:
    lab = Lab()
    one, _ = servers(lab, FOUND)
    assert resolve(lab, "no-aaaa").ip == "10.9.9.9"
    assert [asked[1] for asked in one.asked] == ["A"]


def test_what_edns0_and_trust_ad_say_is_in_the_question() -> None:
    lab = Lab()
    one, _ = servers(lab, FOUND)
    resolve(lab, "edns0 trust-ad")
    message = one.messages[0]
    assert (message.edns, message.payload) == (0, 1200)
    assert message.flags & dns.flags.AD


@pytest.mark.parametrize("libc", ["glibc", "musl"])
def test_what_is_cut_off_is_asked_again_by_tcp(libc: str) -> None:
    lab = Lab()
    Server(lab, ONE, FOUND, cut=True)
    Server(lab, TWO, SILENT)
    found = resolve(lab, "", libc)
    assert found.ip == "10.9.9.9"
    by_tcp = [query for query in found.queries if query.protocol == "tcp"]
    assert [query.type for query in by_tcp] == ["A", "AAAA"]
    assert str(by_tcp[0]) == f"web. A @{ONE} by TCP: NOERROR 10.9.9.9"


def test_with_use_vc_nothing_is_asked_by_udp() -> None:
    lab = Lab()
    servers(lab, FOUND)
    found = resolve(lab, "use-vc")
    assert [query.protocol for query in found.queries] == ["tcp", "tcp"]
    assert found.ip == "10.9.9.9"


def test_a_fourth_server_is_never_asked() -> None:
    lab = Lab()
    last = Server(lab, TWO, FOUND)
    silent = "".join(f"nameserver 10.244.1.{n}\n" for n in (9, 8, 7))
    found = lab.sim.complete(
        lookup(lab.pods[CLIENT], "web.", f"{silent}nameserver {TWO}\n", libc="musl"), "client", 60
    )
    assert (found.code, last.asked) == ("EAI_AGAIN", [])


def test_musl_leaves_out_a_line_that_is_too_long_for_it() -> None:
    endings = tuple(f"namespace-number-{n}.svc.cluster.local" for n in range(8))
    conf = ResolvConf((ONE,), endings, ("ndots:5",))
    assert queries("web", conf, libc="musl") == ["web"]
    assert len(queries("web", conf)) == 9
