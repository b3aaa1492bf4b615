"""One question of a libc and what came back: the line that a look-up leaves in its log.

`Talk` is what both libcs need to ask: a namespace, a resolv.conf, a log; `questions` are the
messages, `read_answer` what an answer says.

Rule of use: an answer that is no message, or to another question, is none.

Upstream: glibc resolv/res_mkquery.c, musl src/network/res_mkquery.c
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from k8slab.linux.dns_message import AD, RD, UDP_SIZE, Message, query, read_message
from k8slab.linux.resolv_conf import MAX_NAMESERVERS, ResolvConf

if TYPE_CHECKING:
    from k8slab.linux.journey import Journey
    from k8slab.linux.netns import NetNamespace

DNS_PORT = 53
TYPES = ("A", "AAAA")
EDNS_SIZE = 1200  # bytes, glibc RESOLV_EDNS_BUFFER_SIZE
NO_ANSWER = "TIMEOUT"  # in the place of an rcode
PROPER = ("NOERROR", "NXDOMAIN")  # answers that decide; others may be better at another server


class Query(msgspec.Struct, frozen=True):
    """One question and what came back."""

    name: str  # without the final dot
    type: str  # "A" or "AAAA"
    server: str
    rcode: str  # "NOERROR", "NXDOMAIN", "SERVFAIL", ... or "TIMEOUT"
    addresses: tuple[str, ...] = ()
    asked: float = 0.0  # virtual seconds
    answered: float = 0.0  # or when the libc stopped waiting
    aliases: tuple[tuple[str, str], ...] = ()  # CNAMEs on the way: a name and what it stands for
    protocol: str = "udp"

    def __str__(self) -> str:
        found = " ".join(self.addresses) or ("NODATA" if self.rcode == "NOERROR" else "")
        by = " by TCP" if self.protocol == "tcp" else ""
        return f"{self.name}. {self.type} @{self.server}{by}: {self.rcode} {found}".rstrip()


class Talk:
    """What a libc asks with; `log` has every question in order."""

    def __init__(
        self, ns: NetNamespace, conf: ResolvConf, owner: object, journey: Journey | None
    ) -> None:
        self.ns, self.conf = ns, conf
        self.owner, self.journey = owner, journey
        self.log: list[Query] = []
        self.servers = conf.nameservers[:MAX_NAMESERVERS] or ("127.0.0.1",)

    @property
    def now(self) -> float:
        """The virtual time, seconds."""
        return self.ns.sim.now

    def questions(self, name: str, kinds: tuple[str, ...]) -> dict[int, tuple[str, bytes]]:
        """Return a message for each type, by its number."""
        stream = self.ns.sim.streams.rng(f"resolver/{self.ns.name}")
        size = EDNS_SIZE if self.conf.has("edns0") else UDP_SIZE
        flags = RD | (AD if self.conf.has("trust-ad") else 0)
        found: dict[int, tuple[str, bytes]] = {}
        for kind in kinds:
            number = stream.randrange(1 << 16)
            while number in found:
                number = stream.randrange(1 << 16)
            found[number] = kind, query(f"{name}.", kind, number, size=size, flags=flags)
        return found

    async def by_tcp(self, server: str, wires: list[bytes], patience: float | None) -> list[bytes]:
        """Ask over one connection and return the answers. Raises NetworkError, EOFError."""
        connection = await self.ns.connect(
            server, DNS_PORT, timeout=patience, owner=self.owner, journey=self.journey
        )
        try:
            for wire in wires:
                await connection.send(len(wire).to_bytes(2, "big") + wire)
            received, found = b"", list[bytes]()
            while len(found) < len(wires):
                data = await connection.recv(patience)
                if not data:
                    raise EOFError
                received += data
                while len(received) > 1 and len(received) >= (
                    end := 2 + int.from_bytes(received[:2], "big")
                ):
                    found.append(received[2:end])
                    received = received[end:]
            return found
        finally:
            connection.close()


def read_answer(
    wire: bytes, numbers: dict[int, tuple[str, bytes]], server: str, asked: float, now: float
) -> tuple[Query, Message] | None:
    """Return what an answer says to one of the questions, None if it is to none of them."""
    message = read_message(wire)
    if message is None or message.id not in numbers:
        return None
    kind = numbers[message.id][0]
    found = tuple(record.data for record in message.answers if record.type == kind)
    aliases = tuple(
        (record.name.rstrip("."), record.data.rstrip("."))
        for record in message.answers
        if record.type == "CNAME"
    )
    name = message.question[0].rstrip(".")
    return Query(name, kind, server, message.rcode, found, asked, now, aliases), message
