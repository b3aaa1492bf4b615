"""What a plugin is: it is asked a question, and answers it or asks the next plugin.

    class Whoami:
        async def serve(self, request: Request) -> Answer: ...

A chain of them is a function around a function around a function: what stands first sees the
question first and the answer last. A plugin that cannot do its work raises `Failure`: nobody has
written an answer then, and the server writes one, with the rcode alone.

Rule of use: a plugin reads its stanzas when it is made, and raises `Wrong` for what is not right.

Upstream: coredns plugin/plugin.go, request/request.go
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

import msgspec

from k8slab.addons.coredns.corefile import Plugin, ServerBlock
from k8slab.addons.coredns.kubernetes import LookUp
from k8slab.addons.coredns.process import Process, Upstream
from k8slab.addons.coredns.records import Answer
from k8slab.addons.coredns.source import InformerSource
from k8slab.linux.dns_message import UDP_SIZE
from k8slab.sim import Rng


class Request(msgspec.Struct, frozen=True, gc=False):
    """One question, and who asks it."""

    name: str  # in lower case, with the dot at the end
    type: str
    client: str = ""  # address
    port: int = 0
    protocol: str = "udp"
    klass: str = "IN"
    size: int = UDP_SIZE  # bytes that the client takes over UDP
    edns: bool = False
    dnssec: bool = False
    id: int = 0
    length: int = 0  # of the question on the wire, bytes

    def about(self, name: str, qtype: str = "") -> Request:
        """Return the question of the same client about something else."""
        return msgspec.structs.replace(self, name=name, type=qtype or self.type)


class Failure(Exception):  # noqa: N818 (upstream: the error that ServeDNS returns)
    """No plugin has written an answer; the server writes one with this rcode."""

    def __init__(self, rcode: str, words: str = "") -> None:
        super().__init__(words)
        self.rcode = rcode
        self.words = words  # what the errors plugin logs, nothing if it is empty


Next: TypeAlias = Callable[[Request], Awaitable[Answer]]


class Handler(Protocol):
    """A plugin of one server block."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        """Read the plugin's stanzas. Raises Wrong."""

    async def serve(self, request: Request) -> Answer:
        """Return the answer. Raises Failure."""


class Site(msgspec.Struct, frozen=True):
    """Where a plugin works: its server block, and what it shares with the rest of the server."""

    block: ServerBlock
    process: Process
    source: InformerSource | None
    upstream: Upstream
    look_up: LookUp
    resolve: Next  # by the whole server, for the targets of CNAMEs
    fatal: Callable[[str], None]  # ends the program

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones of the server block."""
        return self.block.zones

    @property
    def now(self) -> float:
        """The virtual time, seconds."""
        return self.process.sim.now

    @property
    def own_ip(self) -> str:
        """The address of the server itself."""
        found = (ip for ip in self.process.net.local_addresses if ip[:4] != "127.")
        return next(found, "")

    def rng(self, name: str) -> Rng:
        """Return the stream of random numbers of that name; every server has its own."""
        return self.process.sim.streams.rng(f"{name}/{self.process.hostname}")
