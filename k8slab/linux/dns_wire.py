r"""The form of DNS messages (RFC 1035, section 4): names, records, and all of it together.

    header     id, flags, and how many records each section has: 12 bytes
    question   name, type, class
    answer     name, type, class, TTL, length, data: one record after the other
    ...        authority and additional likewise

A name is its labels, each with its length before it, and a zero at the end. A name that stood in
the message before may be a pointer to it (section 4.1.4): that is all there is to compression.

>>> name_wire("web.default.")
b'\x03web\x07default\x00'

Rule of use: text in, bytes out; data of rare types is left to dnspython.

Upstream: github.com/miekg/dns msg.go, msg_truncate.go
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

import msgspec

TYPES: Mapping[str, int] = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "HINFO": 13, "MX": 15, "TXT": 16, "AAAA": 28,
    "SRV": 33, "NAPTR": 35, "DNAME": 39, "OPT": 41, "DS": 43, "RRSIG": 46, "NSEC": 47, "DNSKEY": 48,
    "SVCB": 64, "HTTPS": 65, "IXFR": 251, "AXFR": 252, "ANY": 255, "CAA": 257,
}  # fmt: skip
CLASSES: Mapping[str, int] = {"IN": 1, "CH": 3, "HS": 4, "NONE": 254, "ANY": 255}
RCODES: Mapping[str, int] = {
    "NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5,
    "YXDOMAIN": 6, "YXRRSET": 7, "NXRRSET": 8, "NOTAUTH": 9, "NOTZONE": 10, "BADVERS": 16,
}  # fmt: skip
HEADER = struct.Struct("!HHHHHH")
QUESTION_TAIL = struct.Struct("!HH")  # type, class
RECORD_TAIL = struct.Struct("!HHIH")  # type, class, TTL, length of the data
MAX_POINTER = 0x3FFF
REMEMBERED = 1 << 12  # names and data that are not written again

_TYPE_NAMES = {number: name for name, number in TYPES.items()}
_CLASS_NAMES = {number: name for name, number in CLASSES.items()}


class Record(msgspec.Struct, frozen=True, gc=False):
    """One resource record.

    >>> print(Record("web.default.svc.cluster.local.", "A", 30, "10.96.1.2"))
    web.default.svc.cluster.local. 30 IN A 10.96.1.2
    """

    name: str
    type: str
    ttl: int  # seconds
    data: str  # as a zone file has it
    klass: str = "IN"

    def __str__(self) -> str:
        return f"{self.name} {self.ttl} {self.klass} {self.type} {self.data}"


class Malformed(ValueError):  # noqa: N818 (upstream: dns.ErrBuf and its like)
    """The bytes are no DNS message."""


def type_name(number: int) -> str:
    """Return the word for a type: "A", and "TYPE4711" for one without (RFC 3597)."""
    return _TYPE_NAMES.get(number) or f"TYPE{number}"


def type_number(name: str) -> int:
    """Return the number of a type. Raises ValueError for a word that is none."""
    number = TYPES.get(name)
    if number is not None:
        return number
    if name.startswith("TYPE") and name[4:].isdigit():
        return int(name[4:])
    import dns.rdatatype

    return int(dns.rdatatype.from_text(name))


def class_name(number: int) -> str:
    """Return the word for a class, "CLASS7" for one without."""
    return _CLASS_NAMES.get(number) or f"CLASS{number}"


# -- reading


def read_name(wire: bytes, place: int) -> tuple[str, int]:
    """Return the name that begins at the place, and where it ends. Raises Malformed."""
    labels: list[str] = []
    end, length = -1, 0
    limit = place  # a pointer leads back, so that no name goes in circles
    while True:
        if place >= len(wire):
            raise Malformed("a name is cut off")
        size = wire[place]
        if size >= 0xC0:
            if place + 1 >= len(wire):
                raise Malformed("a pointer is cut off")
            target = int.from_bytes(wire[place : place + 2], "big") & MAX_POINTER
            end = place + 2 if end < 0 else end
            if target >= limit:
                raise Malformed("a pointer leads on")
            place = limit = target
            continue
        if size >= 0x40:
            raise Malformed("a label of an unknown kind")
        place += 1
        if size == 0:
            return ".".join([*labels, ""]) or ".", place if end < 0 else end
        length += size + 1
        if place + size > len(wire) or length > 254:
            raise Malformed("a label is too long")
        labels.append(_escaped(wire[place : place + size]))
        place += size


def _escaped(label: bytes) -> str:
    """Return a label as zone files have it: dots and strange bytes behind a backslash."""
    if label.isalnum():
        return label.decode("ascii")
    return "".join(
        chr(byte)
        if 0x20 < byte < 0x7F and byte not in b'."\\();@$'
        else f"\\{chr(byte)}"
        if byte in b'."\\();@$'
        else f"\\{byte:03d}"
        for byte in label
    )


def read_record(wire: bytes, place: int) -> tuple[Record, int]:
    """Return the record that begins at the place, and where it ends. Raises Malformed."""
    name, place = read_name(wire, place)
    if len(wire) < place + RECORD_TAIL.size:
        raise Malformed("a record is cut off")
    kind, klass, ttl, length = RECORD_TAIL.unpack_from(wire, place)
    place += RECORD_TAIL.size
    if len(wire) < place + length:
        raise Malformed("a record's data is cut off")
    data = _data_text(wire, place, length, kind)
    return Record(name, type_name(kind), ttl, data, class_name(klass)), place + length


def _data_text(wire: bytes, place: int, length: int, kind: int) -> str:
    """Return a record's data as a zone file has it. Raises Malformed."""
    data = wire[place : place + length]
    if kind == TYPES["A"] and length == 4:
        return ".".join(map(str, data))
    if kind == TYPES["AAAA"] and length == 16:
        return str(IPv6Address(data))
    if kind in (TYPES["CNAME"], TYPES["NS"], TYPES["PTR"]):
        return read_name(wire, place)[0]
    if kind == TYPES["OPT"]:
        return data.hex()
    if kind == TYPES["SRV"] and length > 6:
        numbers = struct.unpack_from("!HHH", wire, place)
        return f"{' '.join(map(str, numbers))} {read_name(wire, place + 6)[0]}"
    if kind == TYPES["SOA"] and length > 20:
        server, middle = read_name(wire, place)
        mailbox, end = read_name(wire, middle)
        if len(wire) < end + 20:
            raise Malformed("a SOA record is cut off")
        numbers = struct.unpack_from("!IIIII", wire, end)
        return f"{server} {mailbox} {' '.join(map(str, numbers))}"
    import dns.exception
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype

    number = dns.rdatatype.RdataType.make(kind)
    try:
        return dns.rdata.from_wire(dns.rdataclass.IN, number, wire, place, length).to_text()
    except (dns.exception.DNSException, ValueError):
        raise Malformed("a record's data is not of its type") from None


# -- writing


@lru_cache(maxsize=REMEMBERED)
def labels_of(name: str) -> tuple[bytes, ...]:
    """Return the labels of a name as bytes. Raises Malformed for one that cannot be."""
    if "\\" in name:
        import dns.name

        return tuple(label for label in dns.name.from_text(name).labels if label)
    labels = tuple(label.encode("utf-8") for label in name.rstrip(".").split(".")) if name else ()
    labels = () if labels == (b"",) else labels
    if any(not 0 < len(label) < 64 for label in labels) or sum(map(len, labels), 0) > 253:
        raise Malformed(f"no domain name: {name!r}")
    return labels


@lru_cache(maxsize=REMEMBERED)
def name_wire(name: str) -> bytes:
    """Return the name as it stands in a message, without compression."""
    return b"".join(bytes([len(label)]) + label for label in labels_of(name)) + b"\0"


class Writer:
    """A message that grows; with `compress` a name that was there before becomes a pointer."""

    def __init__(self, question: bytes, *, compress: bool) -> None:
        """Begin with the question, behind room for the header."""
        self.out = bytearray(HEADER.size) + question
        self._places: dict[tuple[bytes, ...], int] | None = {} if compress else None
        if compress and question:
            name, _ = read_name(question, 0)
            self._note(labels_of(name), HEADER.size)

    def _note(self, labels: tuple[bytes, ...], place: int) -> None:
        assert self._places is not None
        for number, label in enumerate(labels):
            if place <= MAX_POINTER:
                rest = tuple(each.lower() for each in labels[number:])
                self._places.setdefault(rest, place)
            place += len(label) + 1

    def name(self, name: str) -> None:
        """Write a name."""
        if self._places is None:
            self.out += name_wire(name)
            return
        labels = labels_of(name)
        start = len(self.out)
        for number, label in enumerate(labels):
            place = self._places.get(tuple(each.lower() for each in labels[number:]))
            if place is not None:
                self.out += (0xC000 | place).to_bytes(2, "big")
                break
            self.out.append(len(label))
            self.out += label
        else:
            self.out.append(0)
        self._note(labels, start)

    def record(self, record: Record, name: str) -> None:
        """Write a record, under a name that may be its own in another case."""
        self.name(name)
        number = type_number(record.type)
        head = len(self.out)
        self.out += RECORD_TAIL.pack(number, CLASSES.get(record.klass, 1), record.ttl, 0)
        start = len(self.out)
        if self._places is not None and record.type in ("CNAME", "NS", "PTR"):
            self.name(record.data)
        else:
            self.out += data_wire(record.type, record.data)
        self.out[head + 8 : head + 10] = (len(self.out) - start).to_bytes(2, "big")


@lru_cache(maxsize=REMEMBERED)
def data_wire(kind: str, text: str) -> bytes:
    """Return a record's data from its text in a zone file, names without compression."""
    if kind in ("A", "AAAA"):
        return ip_address(text).packed
    if kind in ("CNAME", "NS", "PTR"):
        return name_wire(text)
    words = text.split()
    if kind == "SRV" and len(words) == 4:
        return struct.pack("!HHH", *map(int, words[:3])) + name_wire(words[3])
    if kind == "SOA" and len(words) == 7:
        numbers = struct.pack("!IIIII", *map(int, words[2:]))
        return name_wire(words[0]) + name_wire(words[1]) + numbers
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype

    rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), text)
    return rdata.to_wire() or b""


def message(
    head: tuple[int, int],
    question: bytes,
    sections: Sequence[Iterable[tuple[Record, str]]],
    opt: bytes = b"",
    *,
    compress: bool = False,
) -> bytes:
    """Return a message: `head` is id and flags, a section is records with the names to write."""
    writer = Writer(question, compress=compress)
    counts = []
    for section in sections:
        count = 0
        for record, name in section:
            writer.record(record, name)
            count += 1
        counts.append(count)
    writer.out += opt
    counts[-1] += bool(opt)
    HEADER.pack_into(writer.out, 0, *head, bool(question), *counts)
    return bytes(writer.out)
