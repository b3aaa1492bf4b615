from __future__ import annotations

from collections.abc import Mapping

import dns.message
import dns.rrset
import pytest

from k8slab.linux.journey import Journey
from k8slab.linux.netns import NetNamespace
from k8slab.linux.resolv_conf import ResolvConf
from k8slab.linux.resolver import Lookup, ResolutionError, lookup, queries
from tests.linux.lab import Lab

SEARCH = ("default.svc.cluster.local", "svc.cluster.local", "cluster.local")
POD = ResolvConf(("10.244.2.2",), SEARCH, ("ndots:5",))
SUFFIXED = [f"web.{suffix}" for suffix in SEARCH]
WEB = "web.default.svc.cluster.local"


@pytest.mark.parametrize(
    ("name", "glibc", "musl"),
    [
        ("web", [*SUFFIXED, "web"], [*SUFFIXED, "web"]),
        ("web.", ["web"], ["web"]),
        (WEB, [*(f"{WEB}.{suffix}" for suffix in SEARCH), WEB], None),
        ("a.b.c.d.e.f", ["a.b.c.d.e.f", *(f"a.b.c.d.e.f.{s}" for s in SEARCH)], ["a.b.c.d.e.f"]),
    ],
)
def test_each_libc_asks_in_its_own_order(
    name: str, glibc: list[str], musl: list[str] | None
) -> None:
    assert queries(name, POD) == glibc
    assert queries(name, POD, libc="musl") == (glibc if musl is None else musl)


def test_ndots_is_one_unless_the_file_says_otherwise() -> None:
    assert queries("example.com", "search a.b\nnameserver 1.1.1.1\n")[0] == "example.com"


def test_resolv_conf_survives_a_round_trip() -> None:
    assert ResolvConf.parse(str(POD)) == POD
    assert ResolvConf.parse("# hi\nsearch a b\nsearch c .\n") == ResolvConf((), ("c",), ())


def test_another_libc_is_refused() -> None:
    with pytest.raises(ValueError, match="glibc"):
        queries("web", POD, libc="bionic")


async def serve(ns: NetNamespace, zone: Mapping[str, str]) -> None:
    """Answer A from the zone, AAAA with nothing, other names with NXDOMAIN (or the zone's word)."""
    socket = ns.udp("0.0.0.0", 53)
    while True:
        data, (ip, port) = await socket.recv_from()
        question = dns.message.from_wire(data)
        reply = dns.message.make_response(question)
        name = question.question[0].name.to_text(omit_final_dot=True)
        found = zone.get(name, "NXDOMAIN")
        if found[0].isdigit():
            if question.question[0].rdtype.name == "A":
                reply.answer.append(dns.rrset.from_text(f"{name}.", 5, "IN", "A", found))
        elif found != "NODATA":
            reply.set_rcode(dns.rcode.from_text(found))
        socket.send_to(reply.to_wire(), ip, port)


def resolve(lab: Lab, name: str, zone: Mapping[str, str] | None, libc: str = "glibc") -> Lookup:
    if zone is not None:
        lab.sim.spawn(serve(lab.pods["10.244.2.2"], zone), "dns")
    found: Lookup = lab.run(lookup(lab.pods["10.244.1.3"], name, POD, libc=libc))
    return found


def test_the_first_search_entry_answers(lab: Lab) -> None:
    found = resolve(lab, "web", {WEB: "10.96.0.10"})
    assert (found.ip, found.error) == ("10.96.0.10", "")
    assert [str(query) for query in found.queries] == [
        f"{WEB}. A @10.244.2.2: NOERROR 10.96.0.10",
        f"{WEB}. AAAA @10.244.2.2: NOERROR NODATA",
    ]


def test_every_wasted_question_is_in_the_log(lab: Lab) -> None:
    found = resolve(lab, "example.com", {"example.com": "93.184.216.34"})
    assert [query.rcode for query in found.queries] == ["NXDOMAIN"] * 6 + ["NOERROR"] * 2


@pytest.mark.parametrize(
    ("libc", "zone", "code", "words"),
    [
        ("glibc", {}, "EAI_NONAME", "Name or service not known"),
        ("musl", {}, "EAI_NONAME", "Name does not resolve"),
        ("glibc", {WEB: "NODATA"}, "EAI_NODATA", "No address associated with hostname"),
        ("glibc", {WEB: "SERVFAIL"}, "EAI_AGAIN", "Temporary failure in name resolution"),
        ("musl", {WEB: "SERVFAIL"}, "EAI_AGAIN", "Try again"),
    ],
)
def test_a_failed_look_up_ends_in_the_words_of_getaddrinfo(
    lab: Lab, libc: str, zone: dict[str, str], code: str, words: str
) -> None:
    found = resolve(lab, "web", zone, libc)
    assert (found.code, found.error) == (code, words)
    with pytest.raises(ResolutionError, match="Could not resolve host: web"):
        _ = found.ip


def test_only_musl_stops_at_an_empty_answer(lab: Lab) -> None:
    zone = {WEB: "NODATA", "web.svc.cluster.local": "10.96.0.10"}
    assert resolve(lab, "web", zone).ip == "10.96.0.10"
    assert lab.run(lookup(lab.pods["10.244.1.3"], "web", POD, libc="musl")).code == "EAI_NODATA"


def test_glibc_hears_at_once_that_no_server_listens(lab: Lab) -> None:
    found = resolve(lab, "web", None)
    assert (found.code, round(lab.sim.now, 1)) == ("EAI_AGAIN", 0)


@pytest.mark.parametrize(("libc", "seconds"), [("glibc", 10), ("musl", 5)])
def test_a_silent_server_costs_its_time(lab: Lab, libc: str, seconds: float) -> None:
    lab.segment.partition("node-1", "node-2")
    found = resolve(lab, "web", None, libc)
    assert (found.code, round(lab.sim.now, 1)) == ("EAI_AGAIN", seconds)


def test_addresses_and_hosts_need_no_server(lab: Lab) -> None:
    pod = lab.pods["10.244.1.3"]
    assert lab.run(lookup(pod, "10.1.2.3", POD)).ip == "10.1.2.3"
    assert lab.run(lookup(pod, "me", POD, hosts={"me": "10.244.1.3"})).queries == ()


def test_a_journey_records_both_questions_and_both_answers(lab: Lab) -> None:
    lab.sim.spawn(serve(lab.pods["10.244.2.2"], {WEB: "10.96.0.10"}), "dns")
    journey = Journey()
    lab.run(lookup(lab.pods["10.244.1.3"], "web", POD, journey=journey))
    sent = [(hop.direction, hop.namespace) for hop in journey.at("SOCKET") if not hop.note]
    assert sent == [("request", "pod-1-3")] * 2 + [("reply", "pod-2-2")] * 2
