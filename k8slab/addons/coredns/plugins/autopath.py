"""The autopath plugin: the server walks the client's search path, in the client's place.

    client asks    example.com.default.svc.cluster.local
    server tries   ... svc.cluster.local, cluster.local, the node's searches, example.com
    client gets    a CNAME to the first name that exists: one question instead of four

It has to know in which namespace the client is, from its address: so it works with `pods verified`
only, and each Pod of the cluster is kept in the server's memory.

Rule of use: `candidates` and `told` are pure.

Upstream: coredns plugin/autopath, plugin/kubernetes/autopath.go
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.addons.coredns.corefile import Plugin, all_zones
from k8slab.addons.coredns.names import absolute, matches
from k8slab.addons.coredns.plugin import Failure, Next, Request, Site
from k8slab.addons.coredns.plugins.kubernetes import config_of
from k8slab.addons.coredns.records import NXDOMAIN, Answer, Record
from k8slab.linux.resolv_conf import ResolvConf

RESOLV_CONF = "/etc/resolv.conf"


class Autopath:
    """Asks for the names of a search path until one exists."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._next, self._site = following, site
        words = list(stanzas[0].args)
        if not words:
            raise stanzas[0].head.wrong("no resolv-conf specified")
        where = words.pop()
        self._zones = all_zones(words) or site.zones
        self._kubernetes = where.startswith("@")
        self._search = _searches(site, RESOLV_CONF if self._kubernetes else where)
        stanza = site.block.plugin("kubernetes")
        self._cluster = ""  # the zone of the cluster
        if stanza is not None:
            config = config_of(stanza, site.zones)
            self._cluster = config.primary_zone if config.pods == "verified" else ""

    async def serve(self, request: Request) -> Answer:
        """Ask for the first name of the search path that exists, in one go."""
        names: Sequence[str] = ()
        if matches(request.name, self._zones):
            names = candidates(request.name, self._path_of(request.client))
        first: Answer | Failure | None = None
        for name in names:
            try:
                answer = await self._next(request.about(name))
            except Failure as failure:
                if failure.words:
                    raise
                first = first or failure
                continue
            if answer.rcode != NXDOMAIN:
                return told(request.name, name, answer)
            first = first or answer
        if isinstance(first, Failure):
            raise first
        return first or await self._next(request)

    def _path_of(self, client: str) -> tuple[str, ...]:
        """Return the search path of the Pod that asks, none if it is not known."""
        if not self._kubernetes:
            return (*map(absolute, self._search), "")
        source = self._site.source
        namespace = source.namespace_of(client) if source is not None and self._cluster else ""
        return search_path(namespace, self._cluster, self._search) if namespace else ()


def search_path(namespace: str, zone: str, host: Sequence[str]) -> tuple[str, ...]:
    """Return the search path of a Pod: of its namespace, of the cluster, of the node, and none."""
    cluster = (f"{namespace}.svc.{zone}", f"svc.{zone}", zone)
    return (*cluster, *(f"{each.rstrip('.')}." for each in host), "")


def candidates(name: str, path: Sequence[str]) -> tuple[str, ...]:
    """Return the names to try for a question, none if it is not one of a search path.

    >>> candidates("web.shop.svc.example.", ("shop.svc.example.", "example.", ""))
    ('web.shop.svc.example.', 'web.example.', 'web.')
    """
    if not path or not path[0] or not name.endswith(f".{path[0]}"):
        return ()
    base = name.removesuffix(f".{path[0]}")
    return tuple(f"{base}.{ending}" for ending in path)


def told(name: str, found: str, answer: Answer) -> Answer:
    """Return the answer to another name as one to the name that was asked for."""
    if found == name or not answer.answers:
        return answer
    ttl = answer.answers[0].ttl
    return replace(answer, answers=(Record(name, "CNAME", ttl, found), *answer.answers))


def _searches(site: Site, path: str) -> tuple[str, ...]:
    folder, rest = site.process.folder(path)
    try:
        return ResolvConf.parse(str(folder.read(rest))).searches
    except FileNotFoundError:
        return ()
