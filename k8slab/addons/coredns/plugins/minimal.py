"""The minimal plugin: answers without what was not asked for.

Upstream: coredns plugin/minimal
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.addons.coredns.corefile import Plugin
from k8slab.addons.coredns.plugin import Next, Request, Site
from k8slab.addons.coredns.records import Answer


class Minimal:
    """Leaves out authority and additional records of answers that have something to say."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._next = following

    async def serve(self, request: Request) -> Answer:
        """Return the answer of the next plugin, shortened."""
        answer = await self._next(request)
        return replace(answer, authority=(), additional=()) if answer.answers else answer
