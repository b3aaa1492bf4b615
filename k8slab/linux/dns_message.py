"""Whole DNS messages: a question as a client sends it, and any message taken apart.

    wire = query("web.default.svc.cluster.local.", "A", 7)
    read_message(wire).question

Rule of use: what is no message is None; a libc ignores what it cannot read.

Upstream: glibc resolv/res_mkquery.c, github.com/miekg/dns msg.go
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from k8slab.linux.dns_wire import (
    CLASSES,
    HEADER,
    QUESTION_TAIL,
    RCODES,
    RECORD_TAIL,
    TYPES,
    Malformed,
    Record,
    class_name,
    name_wire,
    read_name,
    read_record,
    type_name,
    type_number,
)

QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010
FLAGS = {QR: "qr", AA: "aa", TC: "tc", RD: "rd", RA: "ra", AD: "ad", CD: "cd"}
UDP_SIZE = 512  # bytes, without EDNS
MAX_RECORDS = 4096  # of one message that is read

_RCODE_NAMES = {number: name for name, number in RCODES.items()}


class Message(msgspec.Struct, frozen=True):
    """A message, with its parts as text."""

    id: int
    flags: int
    rcode: str
    question: tuple[str, str, str] = ("", "", "")  # name, type, class
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()  # without OPT
    opt: Record | None = None  # of EDNS; its class is a size, its TTL has flags

    @property
    def authoritative(self) -> bool:
        """Whether it is said by who owns the zone."""
        return bool(self.flags & AA)

    @property
    def truncated(self) -> bool:
        """Whether there is more, by TCP."""
        return bool(self.flags & TC)


def query(
    name: str,
    qtype: str,
    number: int,
    *,
    size: int = UDP_SIZE,
    klass: str = "IN",
    flags: int = RD,
    options: bytes = b"",
) -> bytes:
    """Return a question; a size of more than 512 bytes, or an option, is said by EDNS."""
    return number.to_bytes(2, "big") + _query(name, qtype, size, klass, flags, options)


@lru_cache(maxsize=1 << 12)
def _query(name: str, qtype: str, size: int, klass: str, flags: int, options: bytes) -> bytes:
    """Return all of a question but its number."""
    section = name_wire(name) + QUESTION_TAIL.pack(type_number(qtype), CLASSES.get(klass, 1))
    edns = size > UDP_SIZE or bool(options)
    opt = b"\0" + RECORD_TAIL.pack(TYPES["OPT"], size, 0, len(options)) + options if edns else b""
    return HEADER.pack(0, flags, 1, 0, 0, edns)[2:] + section + opt


def read_message(wire: bytes) -> Message | None:
    """Return the parts of a message, None for what is none."""
    if len(wire) < HEADER.size:
        return None
    number, flags, questions, *counts = HEADER.unpack_from(wire)
    if questions > 1 or sum(counts) > MAX_RECORDS:
        return None
    try:
        place, question = HEADER.size, ("", "", "")
        if questions:
            name, place = read_name(wire, place)
            if len(wire) < place + QUESTION_TAIL.size:
                return None
            kind, klass = QUESTION_TAIL.unpack_from(wire, place)
            question = (name, type_name(kind), class_name(klass))
            place += QUESTION_TAIL.size
        sections: list[list[Record]] = []
        for count in counts:
            section: list[Record] = []
            for _ in range(count):
                record, place = read_record(wire, place)
                section.append(record)
            sections.append(section)
    except Malformed:
        return None
    opt = next((record for record in sections[2] if record.type == "OPT"), None)
    additional = tuple(record for record in sections[2] if record.type != "OPT")
    code = flags & 0xF | ((opt.ttl >> 24) << 4 if opt is not None else 0)
    rcode = _RCODE_NAMES.get(code, f"RCODE{code}")
    answers, authority = map(tuple, sections[:2])
    return Message(number, flags, rcode, question, answers, authority, additional, opt)
