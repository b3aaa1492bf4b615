"""Messages on the wire, judged by another library."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.addons.coredns.messages import answer_of, question_of, reply
from k8slab.addons.coredns.records import Answer, Record
from k8slab.linux.dns_message import query
from k8slab.linux.dns_wire import Malformed, read_name

NAME = "web.default.svc.cluster.local."
MANY = Answer("NOERROR", tuple(Record(NAME, "A", 5, f"10.0.0.{n}") for n in range(200, 0, -1)))


def sent(answer: Answer, query: dns.message.Message, size: int = 512) -> dns.message.Message:
    question = question_of(query.to_wire())
    assert question is not None
    wire = reply(question, answer, size)
    assert len(wire) <= size
    return dns.message.from_wire(wire)


def test_records_are_sent_in_the_order_of_the_answer() -> None:
    found = sent(MANY, dns.message.make_query(NAME, "A"), 65535)
    assert [item.address for item in found.answer[0]] == [each.data for each in MANY.answers]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("A", "10.0.0.1"),
        ("AAAA", "fd00::1"),
        ("CNAME", "www.example.com."),
        ("NS", "ns.dns.cluster.local."),
        ("PTR", NAME),
        ("SRV", "0 100 80 web.default.svc.cluster.local."),
        ("TXT", '"1.1.0"'),
        ("HINFO", '"ANY obsoleted" "See RFC 8482"'),
        ("MX", "10 mail.example.com."),
        ("SOA", "ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 30"),
    ],
)
@pytest.mark.parametrize("size", [60, 65535])
def test_records_of_every_type_are_read_by_others_as_they_were_meant(
    kind: str, data: str, size: int
) -> None:
    answer = Answer("NOERROR", (Record(NAME, kind, 30, data),), authoritative=True)
    query = dns.message.make_query(NAME, kind)
    wire = reply(question_of(query.to_wire()), answer, size)  # type: ignore[arg-type]
    found = dns.message.from_wire(wire)
    if found.answer:
        assert found.answer[0].to_text() == f"{NAME} 30 IN {kind} {data}"
    else:
        assert found.flags & dns.flags.TC
    assert found.flags & dns.flags.AA


def test_what_fits_is_sent_plainly_and_what_does_not_is_compressed() -> None:
    query = dns.message.make_query(NAME, "A")
    few = Answer("NOERROR", MANY.answers[:5])
    question = question_of(query.to_wire())
    assert question is not None
    assert len(reply(question, few, 512)) == 47 + 5 * (31 + 14)
    assert len(reply(question, few, 200)) == 47 + 5 * (2 + 14)


def test_what_is_still_too_large_is_cut_after_the_last_record_that_fits() -> None:
    found = sent(MANY, dns.message.make_query(NAME, "A"))
    assert found.flags & dns.flags.TC
    assert len(found.answer[0]) == (512 - 47) // 16


def test_names_of_an_answer_keep_the_case_of_the_question() -> None:
    asked = "wEb.DEFAULT.svc.Cluster.local."
    found = sent(Answer("NOERROR", MANY.answers[:1]), dns.message.make_query(asked, "A"))
    assert str(found.answer[0].name) == asked
    zone = Answer("NXDOMAIN", authority=(Record("cluster.local.", "SOA", 5, "a. b. 1 2 3 4 5"),))
    found = sent(zone, dns.message.make_query(asked, "A"))
    assert str(found.authority[0].name) == "Cluster.local."


def test_edns_is_answered_with_edns_and_the_cookie_that_came() -> None:
    cookie = dns.edns.GenericOption(10, b"8 bytes.")
    query = dns.message.make_query(NAME, "A", use_edns=0, payload=1232, options=[cookie])
    found = sent(Answer("NOERROR"), query)
    assert (found.edns, found.payload, len(found.options)) == (0, 1232, 1)
    assert sent(Answer("NOERROR"), dns.message.make_query(NAME, "A")).edns == -1


def test_another_version_of_edns_is_not_spoken() -> None:
    query = dns.message.make_query(NAME, "A", use_edns=1)
    question = question_of(query.to_wire())
    assert question is not None
    assert question.fault == "BADVERS"
    assert sent(Answer(question.fault), query).rcode() == dns.rcode.BADVERS


@pytest.mark.parametrize(
    ("wire", "fault"),
    [
        (b"", None),
        (b"\x00" * 11, None),
        (b"\x00\x07\x80" + bytes(9), None),  # an answer
        (b"\x00\x07\x28" + bytes(9), "NOTIMP"),  # an update
        (b"\x00\x07\x01\x00" + bytes(8), "FORMERR"),  # no question
        (b"\x00\x07\x01\x00\x00\x02" + bytes(6), "FORMERR"),  # two
        (b"\x00\x07\x01\x00\x00\x01" + bytes(6) + b"\x03we", "FORMERR"),
        (b"\x00\x07\x01\x00\x00\x01" + bytes(6) + b"\xc0\x0c\x00\x01\x00\x01", "FORMERR"),
        (b"\x00\x07\x01\x00\x00\x01" + bytes(6) + b"\x80\x00\x00\x01\x00\x01", "FORMERR"),
    ],
)
def test_what_is_no_question_is_refused_as_a_message(wire: bytes, fault: str | None) -> None:
    question = question_of(wire)
    assert (question.fault if question else None) == fault
    if question is not None:
        found = dns.message.from_wire(reply(question, Answer(question.fault), 512))
        assert (found.id, found.question) == (7, [])
        assert dns.rcode.to_text(found.rcode()) == fault


@given(st.binary(max_size=80))
def test_no_bytes_whatever_do_harm(wire: bytes) -> None:
    question = question_of(wire)
    if question is not None:
        dns.message.from_wire(reply(question, Answer(question.fault or "NOERROR"), 512))
    assert answer_of(wire, 7) is None or len(wire) >= 12


@given(st.data())
def test_no_damage_to_a_question_does_harm(data: st.DataObject) -> None:
    wire = bytearray(query(NAME, "SRV", 7))
    for _ in range(data.draw(st.integers(1, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    question = question_of(bytes(wire[: data.draw(st.integers(0, len(wire)))]))
    if question is not None:
        reply(question, Answer(question.fault or "NOERROR", MANY.answers[:3]), 512)


@given(st.binary(min_size=1, max_size=40), st.integers(0, 40))
def test_a_name_ends_or_is_malformed(wire: bytes, place: int) -> None:
    try:
        name, end = read_name(wire, place)
    except Malformed:
        return
    assert name.endswith(".")
    assert place < end <= len(wire)


def test_a_question_to_another_server_is_an_ordinary_one() -> None:
    plain, edns = (dns.message.from_wire(query(NAME, "A", 7, size=n)) for n in (512, 1232))
    assert (plain.id, str(plain.question[0]), plain.edns) == (7, f"{NAME} IN A", -1)
    assert (edns.edns, edns.payload) == (0, 1232)


def test_an_answer_of_another_server_must_be_to_the_question() -> None:
    question = question_of(query(NAME, "A", 7))
    assert question is not None
    wire = reply(question, MANY, 512)
    found = answer_of(wire, 7)
    assert found is not None
    assert (found.truncated, found.answers[0]) == (True, MANY.answers[0])
    assert answer_of(wire, 8) is answer_of(query(NAME, "A", 7), 7) is None
