"""DNS on the wire: from bytes to a `Question`, from an `Answer` to bytes (RFC 1035, RFC 6891).

dnspython does the work; it is imported when the first message comes.

Rule of use: what is no DNS query has no question; the server answers it with nothing.

Upstream: github.com/miekg/dns
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from k8slab.addons.coredns.records import Answer, Record

UDP_SIZE = 512  # bytes, without EDNS
MAX_UDP_SIZE = 4096  # bytes, the most that we send over UDP
MAX_TCP_SIZE = 65535
REMEMBERED = 1 << 12  # names and data that are not read again


class Question(msgspec.Struct, frozen=True):
    """What a client wants to know."""

    id: int
    name: str  # in lower case, with the dot at the end
    type: str
    size: int  # of the largest answer that the client takes over UDP, bytes
    message: Any  # dns.message.Message

    @property
    def dnssec(self) -> bool:
        """Whether the client asks for signatures."""
        return bool(self.message.ednsflags & 0x8000)


def question_of(wire: bytes) -> Question | None:
    """Return the question, None for what is no query."""
    import dns.exception
    import dns.flags
    import dns.message
    import dns.rdatatype

    try:
        message = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        return None
    if len(message.question) != 1 or message.flags & dns.flags.QR:
        return None
    asked = message.question[0]
    size = min(max(message.payload, UDP_SIZE), MAX_UDP_SIZE) if message.edns >= 0 else UDP_SIZE
    name = asked.name.to_text().lower()
    return Question(message.id, name, dns.rdatatype.to_text(asked.rdtype), size, message)


def query_wire(name: str, qtype: str, number: int) -> bytes:
    """Return a question to another server."""
    import dns.message

    query = dns.message.make_query(name, qtype, id=number, use_edns=0, payload=MAX_UDP_SIZE)
    return bytes(query.to_wire())


def answer_of(wire: bytes, number: int) -> Answer | None:
    """Return what another server answered to the question of that number, None if it is none."""
    import dns.exception
    import dns.message
    import dns.rcode

    try:
        message = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        return None
    if message.id != number:
        return None
    sections = [
        tuple(
            Record(rrset.name.to_text().lower(), rrset.rdtype.name, rrset.ttl, rdata.to_text())
            for rrset in section
            for rdata in rrset
        )
        for section in (message.answer, message.authority, message.additional)
    ]
    return Answer(dns.rcode.to_text(message.rcode()), *sections)


def response_of(question: Question, answer: Answer, *, authoritative: bool) -> Any:
    """Return the answer as a message (dns.message.Message)."""
    import dns.flags
    import dns.message
    import dns.rcode

    response = dns.message.make_response(question.message, recursion_available=not authoritative)
    if authoritative:
        response.flags |= dns.flags.AA
    response.set_rcode(dns.rcode.from_text(answer.rcode))
    _fill(response, response.answer, answer.answers, question)
    _fill(response, response.authority, answer.authority, question)
    _fill(response, response.additional, answer.additional, question)
    return response


def wire_of(response: Any, size: int) -> bytes:
    """Return the bytes of a message; one that is too large is cut and marked as truncated.

    Records stay in their order: dnspython would shuffle them with dice of its own.
    """
    import dns.exception
    import dns.flags

    try:
        return bytes(response.to_wire(max_size=size, want_shuffle=False))
    except dns.exception.TooBig:
        response.flags |= dns.flags.TC
        response.answer, response.authority, response.additional = [], [], []
        return bytes(response.to_wire(max_size=size, want_shuffle=False))


def flags_of(response: Any) -> str:
    """Return the flags as the log plugin prints them: "qr,aa,rd"."""
    import dns.flags

    return str(dns.flags.to_text(response.flags)).lower().replace(" ", ",")


def _fill(
    response: Any, section: list[Any], records: tuple[Record, ...], question: Question
) -> None:
    import dns.rdataclass

    asked = question.message.question[0].name  # clients compare the case that they sent
    for record in records:
        name = asked if record.name == question.name else _name(record.name)
        data = _data(record.type, record.data)
        found = response.find_rrset(section, name, dns.rdataclass.IN, data.rdtype, create=True)
        found.add(data, record.ttl)


@lru_cache(maxsize=REMEMBERED)
def _name(text: str) -> Any:
    import dns.name

    return dns.name.from_text(text)


@lru_cache(maxsize=REMEMBERED)
def _data(kind: str, text: str) -> Any:
    """Return the data of a record (dns.rdata.Rdata), which nobody can change."""
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype

    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), text)
