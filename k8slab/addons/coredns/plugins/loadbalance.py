"""The loadbalance plugin: addresses in an order that changes, for clients that take the first.

CNAMEs come first, then everything else, then the addresses, A and AAAA, shuffled.

Upstream: coredns plugin/loadbalance
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.addons.coredns.corefile import Plugin
from k8slab.addons.coredns.plugin import Next, Request, Site
from k8slab.addons.coredns.records import Answer, Record

POLICIES = ("round_robin", "weighted")
ADDRESSES = ("A", "AAAA")


class Loadbalance:
    """Shuffles the addresses of answers."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._next = following
        self._rng = site.rng("coredns")
        head = stanzas[0].head
        if head.words and head.words[0] not in POLICIES:
            raise head.wrong(f"unknown policy: {head.words[0]}")
        if head.words[:1] == ("round_robin",) and len(head.words) > 1:
            raise head.wrong("unknown property for round_robin")

    async def serve(self, request: Request) -> Answer:
        """Return the next plugin's answer, shuffled."""
        answer = await self._next(request)
        return replace(
            answer,
            answers=self._shuffled(answer.answers),
            additional=self._shuffled(answer.additional),
        )

    def _shuffled(self, records: tuple[Record, ...]) -> tuple[Record, ...]:
        addresses = [record for record in records if record.type in ADDRESSES]
        if len(addresses) < 2:
            return records
        aliases = [record for record in records if record.type == "CNAME"]
        others = [record for record in records if record.type not in (*ADDRESSES, "CNAME")]
        self._rng.shuffle(addresses)
        return (*aliases, *others, *addresses)
