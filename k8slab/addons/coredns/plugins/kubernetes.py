"""The kubernetes plugin at work: kubernetes.py decides, here its answer goes on its way.

A name that does not exist in the plugin's zones is NXDOMAIN, or the next plugin's business if the
Corefile has `fallthrough` for it. Before the API server has told what there is, nobody knows, and
the answer is SERVFAIL. A CNAME that leads out of the cluster is followed, by asking the whole
server for its target, so that a client gets an address at once.

Rule of use: a question about the cluster is answered at once; only the following takes time.

Upstream: coredns plugin/kubernetes/handler.go, setup.go
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from k8slab.addons.coredns.corefile import Plugin, Setting, Wrong, all_zones
from k8slab.addons.coredns.kubernetes import REVERSE_ZONES, Config
from k8slab.addons.coredns.names import absolute
from k8slab.addons.coredns.plugin import Failure, Next, Request, Site
from k8slab.addons.coredns.records import NXDOMAIN, REFUSED, SERVFAIL, Answer
from k8slab.api.labels import parse as parse_selector
from k8slab.api.meta import EPOCH
from k8slab.client.learner import ReplacementError

DEFAULT_TTL = 5  # s, plugin/kubernetes defaultTTL
MAX_TTL = 3600  # s
POD_MODES = ("disabled", "verified", "insecure")
IDLE = (  # they are about the way to the API server, which the lab's wiring is
    "apiserver_burst", "apiserver_max_inflight", "apiserver_qps", "endpoint", "kubeconfig",
    "startup_timeout", "tls",
)  # fmt: skip


class Kubernetes:
    """Answers for the names of the cluster."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._next, self._site = following, site
        self.config = config_of(stanzas[0], site.zones)

    async def serve(self, request: Request) -> Answer:
        """Answer for the plugin's zones; all other names go on."""
        site, source = self._site, self._site.source
        if source is None or not self.config.zone_of(request.name) or request.klass != "IN":
            return await self._next(request)
        try:
            answer = site.look_up(request.name, request.type, source, self._current())
        except ReplacementError as error:  # a learner's way of looking up
            site.process.log(f"[ERROR] plugin/kubernetes: {error}")
            raise Failure(SERVFAIL) from None
        if answer.rcode == NXDOMAIN:
            if self.config.falls_through(request.name):
                return await self._next(request)
            if not source.synced:  # the name may exist: nobody knows yet
                answer = msgspec.structs.replace(answer, rcode=SERVFAIL)
        if answer.rcode == REFUSED:
            raise Failure(REFUSED)
        last = answer.answers[-1] if answer.answers else None
        if last is not None and last.type == "CNAME" and request.type in ("A", "AAAA"):
            target = await site.resolve(request.about(last.data))
            answer = msgspec.structs.replace(answer, answers=answer.answers + target.answers)
        return msgspec.structs.replace(answer, authoritative=True)

    def _current(self) -> Config:
        """Return the settings with what changes while the server runs."""
        source = self._site.source
        assert source is not None
        serial = int(EPOCH.timestamp() + source.changed)
        servers = source.names_of_server(self._site.own_ip)
        return msgspec.structs.replace(self.config, serial=serial, servers=servers)


def config_of(stanza: Plugin, zones: tuple[str, ...]) -> Config:
    """Return what a stanza says, in a server block of these zones. Raises Wrong."""
    own = all_zones(stanza.args) or zones
    if all(zone.endswith(REVERSE_ZONES) for zone in own):
        raise Wrong("non-reverse zone name must be used")
    config = Config(zones=own, ttl=DEFAULT_TTL, pods="disabled", fall_through=())
    for setting in stanza.settings:
        config = msgspec.structs.replace(config, **_change(setting, config))
    if config.namespaces and config.namespace_labels:
        raise Wrong("namespaces and namespace_labels cannot both be set")
    return config


def _change(setting: Setting, config: Config) -> dict[str, object]:
    """Return what one line changes in the settings."""
    name, words = setting.name, setting.words
    if name in IDLE or name == "multicluster":
        return {}
    if name in ("endpoint_pod_names", "noendpoints"):
        if words:
            raise setting.wrong_count()
        return {"pod_names": True} if name == "endpoint_pod_names" else {"endpoints": False}
    if name == "fallthrough":
        return {"fall_through": tuple(map(absolute, words)) or (".",)}
    if not words:
        if name in ("pods", "ttl", "namespaces", "labels", "namespace_labels", "ignore"):
            raise setting.wrong_count()
        raise setting.unknown()
    if name == "pods":
        if len(words) != 1:
            raise setting.wrong_count()
        if words[0] not in POD_MODES:
            modes = ", ".join(POD_MODES)
            raise Wrong(f"wrong value for pods: {words[0]},  must be one of: {modes}")
        return {"pods": words[0]}
    if name == "ttl":
        ttl = setting.number()
        if not 0 <= ttl <= MAX_TTL:
            raise setting.wrong(f"ttl must be in range [0, 3600]: {ttl}")
        return {"ttl": ttl}
    if name == "namespaces":
        return {"namespaces": (*config.namespaces, *words)}
    if name == "ignore":
        if words[0] != "empty_service":
            raise Wrong(f"unable to parse ignore value: '{words[0]}'")
        return {"ignores_empty": True}
    if name in ("labels", "namespace_labels"):
        return {name: _selector(setting)}
    raise setting.unknown()


def _selector(setting: Setting) -> str:
    text = " ".join(setting.words)
    try:
        parse_selector(text)
    except ValueError as error:
        kind = "label" if setting.name == "labels" else "namespace_label"
        raise Wrong(f"unable to parse {kind} selector value: '{text}': {error}") from None
    return text
