"""The whoami plugin: the server tells its clients from where they ask, and how.

It is what CoreDNS does with a Corefile that has nothing in it. The address is the one that the
packet had when it arrived, so it shows where a node masquerades.

Upstream: coredns plugin/whoami
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.addons.coredns.corefile import Plugin
from k8slab.addons.coredns.plugin import Next, Request, Site
from k8slab.addons.coredns.records import NOERROR, Answer, Record


class Whoami:
    """Answers every question with the client's address and port, in the additional section."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        """Prepare; nothing comes after this plugin."""

    async def serve(self, request: Request) -> Answer:
        """Return where the question came from."""
        kind = "AAAA" if ":" in request.client else "A"
        name = f"_{request.protocol}.{request.name}".rstrip(".") + "."
        records = (
            Record(request.name, kind, 0, request.client),
            Record(name, "SRV", 0, f"0 0 {request.port} ."),
        )
        return Answer(NOERROR, additional=records, authoritative=True)
