"""The any plugin: who asks for everything gets next to nothing (RFC 8482).

Answers to ANY are large, and servers that give them are used to flood others.

Upstream: coredns plugin/any
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.addons.coredns.corefile import Plugin
from k8slab.addons.coredns.plugin import Next, Request, Site
from k8slab.addons.coredns.records import NOERROR, Answer, Record

TTL = 8482  # s


class Any:
    """Answers questions of type ANY with one record that says nothing."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._next = following

    async def serve(self, request: Request) -> Answer:
        """Answer ANY; all else goes on."""
        if request.type != "ANY":
            return await self._next(request)
        record = Record(request.name, "HINFO", TTL, '"ANY obsoleted" "See RFC 8482"')
        return Answer(NOERROR, (record,), authoritative=True)
