r"""What dig prints: an answer by its sections, in columns.

A record's columns begin at 24, 32, 40 and 48, with tabs; what is too long for its column pushes the
rest on, by a blank or by a tab, whichever comes first.

>>> columns(("web.", "30", "IN", "A", "10.96.0.77"))
'web.\t\t\t30\tIN\tA\t10.96.0.77'

Rule of use: pure.

Upstream: BIND 9 bin/dig/dig.c (printmessage, received), lib/dns/masterdump.c (indent)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec

from k8slab.api.meta import EPOCH
from k8slab.linux.dns_message import FLAGS, RA, RD, Message
from k8slab.linux.dns_wire import Record

VERSION = "9.20.15"
PARTS = ("cmd", "comments", "question", "answer", "authority", "additional", "stats")
COLUMNS = (24, 32, 40, 48)
QUESTION_COLUMNS = (32, 40)  # of class and type
TAB = 8
OPCODES = {0: "QUERY", 4: "NOTIFY", 5: "UPDATE"}
COOKIE, COOKIE_BYTES = "000a", 8


class Report(msgspec.Struct, frozen=True):
    """An answer, and how it came."""

    message: Message
    size: int  # bytes
    took: float  # s
    when: float  # virtual seconds
    server: str
    protocol: str  # "UDP" or "TCP"
    recursed: bool = True  # whether recursion was asked for


def greeting(words: Sequence[str], *, named: bool) -> list[str]:
    """Return the first lines; `named` is whether a server was named."""
    lines = ["", f"; <<>> DiG {VERSION} <<>> {' '.join(words)}"]
    return [*lines, *(["; (1 server found)"] if named else []), ";; global options: +cmd"]


def short(found: Report) -> list[str]:
    """Return the data of the answers alone."""
    return [record.data for record in found.message.answers]


def report(found: Report, shown: Mapping[str, bool]) -> list[str]:
    """Return the whole answer, as far as it is wanted."""
    message, comments = found.message, shown["comments"]
    lines = _header(found) if comments else []
    if comments and message.opt is not None:
        lines += _opt(message.opt)
    name, kind, klass = message.question
    if shown["question"] and name:
        lines += [";; QUESTION SECTION:"] if comments else []
        lines += [";" + columns((name, klass, kind), QUESTION_COLUMNS)]
        lines += [""] if comments else []
    for title, section in (
        ("answer", message.answers),
        ("authority", message.authority),
        ("additional", message.additional),
    ):
        if section and shown[title]:
            lines += [f";; {title.upper()} SECTION:"] if comments else []
            lines += [record_line(record) for record in section]
            lines += [""] if comments else []
    if shown["stats"]:
        when = EPOCH + timedelta(seconds=int(found.when))
        lines += [
            f";; Query time: {found.took * 1000:.0f} msec",
            f";; SERVER: {found.server} ({found.protocol})",
            f";; WHEN: {when:%a %b %d %H:%M:%S} UTC {when:%Y}",
            f";; MSG SIZE  rcvd: {found.size}",
            "",
        ]
    return lines


def _header(found: Report) -> list[str]:
    message = found.message
    flags = " ".join(word for bit, word in FLAGS.items() if message.flags & bit)
    sections = (message.answers, message.authority, message.additional)
    answers, authority, additional = map(len, sections)
    opcode = OPCODES.get(message.flags >> 11 & 0xF, "RESERVED")
    lines = [";; Got answer:"]
    if message.question[0].lower().endswith(".local."):
        lines.append(";; WARNING: .local is reserved for Multicast DNS")
        lines.append(
            ";; You are currently testing what happens when an mDNS query is leaked to DNS"
        )
    lines += [
        f";; ->>HEADER<<- opcode: {opcode}, status: {message.rcode}, id: {message.id}",
        f";; flags: {flags}; QUERY: {int(bool(message.question[0]))}, ANSWER: {answers}, "
        f"AUTHORITY: {authority}, ADDITIONAL: {additional + (message.opt is not None)}",
    ]
    if message.flags & RD and not message.flags & RA:
        lines.append(";; WARNING: recursion requested but not available")
    return [*lines, ""]


def _opt(opt: Record) -> list[str]:
    size = opt.klass.removeprefix("CLASS")
    flags = " do" if opt.ttl & 0x8000 else ""
    lines = [";; OPT PSEUDOSECTION:", f"; EDNS: version: {opt.ttl >> 16 & 0xFF}, flags:{flags};"]
    lines[-1] += f" udp: {size}"
    data = opt.data
    while len(data) >= 8:
        code, length = data[:4], int(data[4:8], 16)
        value, data = data[8 : 8 + 2 * length], data[8 + 2 * length :]
        if code == COOKIE:
            state = " (echoed)" if length == COOKIE_BYTES else ""
            lines.append(f"; COOKIE: {value}{state}")
        else:
            lines.append(f"; OPT={int(code, 16)}: {value}")
    return lines


def record_line(record: Record) -> str:
    """Return a record in its columns."""
    return columns((record.name, str(record.ttl), record.klass, record.type, record.data))


def columns(words: Sequence[str], places: Sequence[int] = COLUMNS) -> str:
    """Return the words, each but the first at its column or as soon as it fits behind the last."""
    line, at = words[0], len(words[0])
    for word, place in zip(words[1:], places, strict=True):
        place = max(place, at + 1)
        tabs = place // TAB - at // TAB
        line += "\t" * tabs
        at = place // TAB * TAB if tabs else at
        line += " " * (place - at) + word
        at = place + len(word)
    return line
