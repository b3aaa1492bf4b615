"""Questions and answers of the server: from bytes to a `Question`, from an `Answer` to bytes.

What is no DNS message at all has no answer. What is one, but no question that a server takes, is
refused as the message itself (FORMERR, NOTIMP, BADVERS).

An answer that fits is sent as it is. One that does not fit is compressed; if that is not enough,
records are left out from the end and the TC bit says so: the client then asks again by TCP.

Rule of use: `question_of`, then `reply`; `answer_of` is for the answers of other servers.

Upstream: github.com/miekg/dns server.go, acceptfunc.go; coredns request/request.go
"""

from __future__ import annotations

import struct

import msgspec

from k8slab.addons.coredns.records import BADVERS, FORMERR, NOTIMP, Answer
from k8slab.linux.dns_message import AA, CD, FLAGS, QR, RA, RD, TC, UDP_SIZE, read_message
from k8slab.linux.dns_wire import (
    HEADER,
    QUESTION_TAIL,
    RCODES,
    RECORD_TAIL,
    TYPES,
    Malformed,
    class_name,
    message,
    read_name,
    type_name,
)

MAX_TCP_SIZE = 65535  # bytes
OPCODE_QUERY, OPCODE_NOTIFY = 0, 4
DO = 0x8000  # in the TTL of an OPT record: the client wants signatures
KEPT_OPTIONS = (3, 9, 10, 11, 12)  # NSID, expire, cookie, keep-alive, padding: they are echoed


class Question(msgspec.Struct, frozen=True):
    """What a client wants to know; with a `fault` it is only good for being refused."""

    id: int
    name: str  # in lower case, with the dot at the end
    type: str
    klass: str = "IN"
    flags: int = RD  # of the header
    section: bytes = b""  # the question as it stood in the message, in the client's own case
    length: int = 0  # of the message, bytes
    edns: bool = False
    size: int = UDP_SIZE  # of the largest answer that the client takes over UDP, bytes
    dnssec: bool = False
    options: bytes = b""  # of EDNS, those that an answer repeats
    fault: str = ""  # FORMERR, NOTIMP or BADVERS


def question_of(wire: bytes) -> Question | None:
    """Return the question, None for what is not answered at all."""
    if len(wire) < HEADER.size:
        return None
    number, flags, questions, answers, authority, additional = HEADER.unpack_from(wire)
    if flags & QR:
        return None
    opcode = flags >> 11 & 0xF
    fault = "" if opcode in (OPCODE_QUERY, OPCODE_NOTIFY) else NOTIMP
    if questions != 1 or answers > 1 or authority > 1 or additional > 2:
        fault = fault or FORMERR
    if not fault:
        try:
            return _read(wire, number, flags, answers + authority + additional)
        except Malformed:
            fault = FORMERR
    return Question(number, ".", "A", flags=flags, length=len(wire), fault=fault)


def _read(wire: bytes, number: int, flags: int, records: int) -> Question:
    name, place = read_name(wire, HEADER.size)
    if len(wire) < place + 4:
        raise Malformed("the question is cut off")
    kind, klass = QUESTION_TAIL.unpack_from(wire, place)
    place += 4
    section = wire[HEADER.size : place]
    question = Question(
        number, name.lower(), type_name(kind), class_name(klass), flags, section, len(wire)
    )
    for _ in range(records):
        _, place = read_name(wire, place)
        if len(wire) < place + RECORD_TAIL.size:
            raise Malformed("a record is cut off")
        kind, size, ttl, length = RECORD_TAIL.unpack_from(wire, place)
        place += RECORD_TAIL.size
        data = wire[place : place + length]
        if len(data) < length:
            raise Malformed("a record's data is cut off")
        place += length
        if kind == TYPES["OPT"]:
            question = msgspec.structs.replace(
                question,
                edns=True,
                size=max(size, UDP_SIZE),
                dnssec=bool(ttl & DO),
                options=_kept(data),
                fault=BADVERS if ttl >> 16 & 0xFF else "",
            )
    return question


def _kept(data: bytes) -> bytes:
    """Return the options of EDNS that an answer repeats. Raises Malformed."""
    kept, place = b"", 0
    while place < len(data):
        if len(data) < place + 4:
            raise Malformed("an option is cut off")
        code, length = struct.unpack_from("!HH", data, place)
        end = place + 4 + length
        if len(data) < end:
            raise Malformed("an option's data is cut off")
        kept += data[place:end] if code in KEPT_OPTIONS else b""
        place = end
    return kept


def reply(question: Question, answer: Answer, size: int) -> bytes:
    """Return the answer as a message of at most `size` bytes."""
    wire = _message(question, answer)
    if len(wire) <= size:
        return wire
    wire = _message(question, answer, compress=True)
    if len(wire) <= size:
        return wire
    records = [*answer.answers, *answer.authority, *answer.additional]
    low, high = 0, len(records) - 1  # the most records that fit, by halving
    while low < high:
        middle = (low + high + 1) // 2
        fits = len(_message(question, _first(answer, middle), compress=True)) <= size
        low, high = (middle, high) if fits else (low, middle - 1)
    return _message(question, _first(answer, low), compress=True)


def _first(answer: Answer, count: int) -> Answer:
    """Return the answer with its first records only, marked as truncated."""
    answers, rest = answer.answers[:count], count - len(answer.answers)
    authority = answer.authority[: max(rest, 0)]
    additional = answer.additional[: max(rest - len(answer.authority), 0)]
    return msgspec.structs.replace(
        answer, answers=answers, authority=authority, additional=additional, truncated=True
    )


def _message(question: Question, answer: Answer, *, compress: bool = False) -> bytes:
    rcode = RCODES.get(answer.rcode, 2)
    asked = question.name
    own = read_name(question.section, 0)[0] if question.section else asked  # in the client's case
    sections = [
        [(record, _in_case(record.name, asked, own)) for record in section]
        for section in (answer.answers, answer.authority, answer.additional)
    ]
    opt = b""
    if question.edns:
        ttl = (rcode >> 4) << 24 | (DO if question.dnssec else 0)
        opt = b"\0" + RECORD_TAIL.pack(TYPES["OPT"], question.size, ttl, len(question.options))
        opt += question.options
    head = (question.id, flags_of(question, answer) | rcode & 0xF)
    return message(head, question.section, sections, opt, compress=compress)


def _in_case(name: str, asked: str, own: str) -> str:
    """Return a name, in the client's own letters if it is the one asked for, or a zone of it."""
    return own[-len(name) :] if asked.endswith(name) else name


def flags_of(question: Question, answer: Answer) -> int:
    """Return the flags of the header, without the rcode."""
    flags = QR | question.flags & (RD | CD)
    if answer.rcode == NOTIMP:
        flags |= question.flags & 0x7800  # the opcode that is not implemented
    flags |= AA if answer.authoritative else 0
    flags |= RA if answer.recursion_available else 0
    return flags | (TC if answer.truncated else 0)


def flag_words(flags: int) -> str:
    """Return flags as the log plugin prints them: "qr,aa,rd"."""
    return ",".join(word for bit, word in FLAGS.items() if flags & bit)


def answer_of(wire: bytes, number: int) -> Answer | None:
    """Return what another server answered to the question of that number, None if it is none."""
    found = read_message(wire)
    if found is None or found.id != number or not found.flags & QR:
        return None
    answers, authority, additional = (
        tuple(msgspec.structs.replace(record, name=record.name.lower()) for record in section)
        for section in (found.answers, found.authority, found.additional)
    )
    return Answer(
        found.rcode,
        answers,
        authority,
        additional,
        authoritative=bool(found.flags & AA),
        recursion_available=bool(found.flags & RA),
        truncated=found.truncated,
    )
