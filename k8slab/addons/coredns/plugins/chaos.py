"""The chaos plugin: what a server says of itself, in a class of its own.

    dig @10.96.0.10 CH TXT version.bind.

Upstream: coredns plugin/chaos
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.addons.coredns.corefile import Plugin
from k8slab.addons.coredns.plugin import Next, Request, Site
from k8slab.addons.coredns.process import VERSION
from k8slab.addons.coredns.records import NOERROR, SERVFAIL, Answer, Record

VERSION_NAMES = ("version.bind.", "version.server.")
HOST_NAMES = ("hostname.bind.", "id.server.")
AUTHORS = "authors.bind."


class Chaos:
    """Answers TXT questions of class CH about the server."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._next = following
        words = stanzas[0].args
        self._version = words[0] if words else f"CoreDNS-{VERSION}"
        self._authors = words[1:]
        self._hostname = site.process.hostname

    async def serve(self, request: Request) -> Answer:
        """Answer questions about the server; all else goes on."""
        if request.klass != "CH" or request.type != "TXT":
            return await self._next(request)
        if request.name in VERSION_NAMES:
            texts: Sequence[str] = (self._version,)
        elif request.name in HOST_NAMES:
            texts = (self._hostname,)
        elif request.name == AUTHORS:
            texts = self._authors
        else:
            return await self._next(request)
        if not texts:
            return Answer(SERVFAIL)
        records = tuple(Record(request.name, "TXT", 0, f'"{text}"', "CH") for text in texts)
        return Answer(NOERROR, records)
