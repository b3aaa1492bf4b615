"""The chain of plugins of one server block: who is asked for a name, in which order.

    loadbalance( cache( rewrite( autopath( hosts, then kubernetes, then loop and forward ) ) ) )

`kubernetes` answers for its zones; what it does not know there may fall through. `forward` asks
other servers. A CNAME that leads out of the cluster is followed, so that a client gets an address
at once.

Rule of use: only `forward` takes time; a question about the cluster is answered at once.

Upstream: coredns plugin.cfg, plugin/loadbalance
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from k8slab.addons.coredns.autopath import candidates, search_path, told
from k8slab.addons.coredns.cache import Cache
from k8slab.addons.coredns.corefile import ServerBlock
from k8slab.addons.coredns.forward import Forwarder
from k8slab.addons.coredns.hosts import Hosts
from k8slab.addons.coredns.kubernetes import Config, LookUp
from k8slab.addons.coredns.loop import Loop
from k8slab.addons.coredns.names import absolute
from k8slab.addons.coredns.process import Process, Upstream
from k8slab.addons.coredns.records import NOERROR, NXDOMAIN, REFUSED, SERVFAIL, Answer
from k8slab.addons.coredns.rewrite import Rewriting, rewriting, rules_of
from k8slab.addons.coredns.source import InformerSource
from k8slab.api.meta import EPOCH
from k8slab.linux.resolv_conf import ResolvConf

DEFAULT_TTL = 5  # s, plugin/kubernetes defaultTTL


class Surroundings(msgspec.Struct, frozen=True):
    """What all chains of a server share."""

    process: Process
    source: InformerSource | None
    upstream: Upstream
    look_up: LookUp
    resolve: Callable[[str, str], Awaitable[Answer]]  # by the whole server, for CNAMEs
    fatal: Callable[[str], None]  # ends the program

    @property
    def own_ip(self) -> str:
        """The address of the server itself."""
        found = (ip for ip in self.process.net.local_addresses if ip[:4] != "127.")
        return next(found, "")


class Chain:
    """The plugins that answer questions, for one server block."""

    def __init__(self, block: ServerBlock, around: Surroundings) -> None:
        self.block = block
        self._around = around
        process = around.process
        self._sim = process.sim
        self._source = around.source
        self._stream = f"coredns/{process.hostname}"  # of random numbers
        self._config = config_of(block)
        self._rules = rules_of(block.plugins)
        self._hosts = Hosts(block)
        self.forwarders = [
            Forwarder(plugin, process, around.upstream, process.log)
            for plugin in block.plugins
            if plugin.name == "forward"
        ]
        self._balances = block.plugin("loadbalance") is not None
        self.loop = Loop(block, process, around.fatal)
        cache = block.plugin("cache")
        self._cache = Cache(cache, lambda: self._sim.now) if cache is not None else None
        self._search: tuple[str, ...] = ()  # of the machine, for autopath
        if block.plugin("autopath") is not None:
            folder, rest = process.folder("/etc/resolv.conf")
            self._search = ResolvConf.parse(str(folder.read(rest))).searches
        self.hits = 0

    async def answer(self, name: str, qtype: str, client: str = "") -> tuple[Answer, bool]:
        """Return the answer, and whether it is our own (authoritative)."""
        cached = self._cache.get(name, qtype) if self._cache is not None else None
        if cached is not None:
            self.hits += 1
            return self._shuffled(cached), self._is_ours(name)
        inner = rewriting(self._rules, name, qtype) if self._rules else Rewriting(name, name, qtype)
        answer, ours = await self._walk(inner.name, inner.type, client)
        answer = inner.back(answer)
        if self._cache is not None:
            answer = self._cache.put(name, qtype, answer)
        return self._shuffled(answer), ours

    async def _walk(self, name: str, qtype: str, client: str) -> tuple[Answer, bool]:
        """Ask for the name, or in a search path for the first name that exists."""
        path = self._path_of(client) if self.block.plugin("autopath") is not None else ()
        first: tuple[Answer, bool] | None = None
        for candidate in candidates(name, path):
            found = await self._ask(candidate, qtype)
            first = first or found
            if found[0].rcode == NOERROR:
                return told(name, candidate, found[0]), found[1]
        return first or await self._ask(name, qtype)

    def _path_of(self, client: str) -> tuple[str, ...]:
        """Return the search path of the Pod that asks, none if it is not known."""
        namespace = self._source.namespace_of(client) if self._source is not None else ""
        if not namespace or self._config is None:
            return ()
        return search_path(namespace, self._config.zones[0], self._search)

    async def _ask(self, name: str, qtype: str) -> tuple[Answer, bool]:
        fixed = self._hosts.answer(name, qtype)
        if fixed is not None:
            return fixed, True
        if not self._is_ours(name) or self._config is None or self._source is None:
            return await self._forward(name, qtype), False
        answer = self._around.look_up(name, qtype, self._source, self._current(self._config))
        if answer.rcode == NXDOMAIN:
            if self._config.falls_through(name) and self.forwarders:
                return await self._forward(name, qtype), False
            if not self._source.synced:
                return Answer(SERVFAIL), True  # the name may exist: nobody knows yet
        last = answer.answers[-1] if answer.answers else None
        if last is not None and last.type == "CNAME" and qtype in ("A", "AAAA"):
            target = await self._around.resolve(last.data, qtype)
            answer = msgspec.structs.replace(answer, answers=answer.answers + target.answers)
        return answer, True

    async def _forward(self, name: str, qtype: str) -> Answer:
        self.loop.see(name, qtype)
        for forwarder in self.forwarders:
            if forwarder.takes(name):
                return await forwarder.ask(name, qtype)
        return Answer(REFUSED)

    def _is_ours(self, name: str) -> bool:
        return self._config is not None and bool(self._config.zone_of(name))

    def _current(self, config: Config) -> Config:
        """Return the settings with what changes while the server runs."""
        assert self._source is not None
        serial = int(EPOCH.timestamp() + self._source.changed)
        return msgspec.structs.replace(
            config, serial=serial, server_ips=self._source.addresses_of_server(self._around.own_ip)
        )

    def _shuffled(self, answer: Answer) -> Answer:
        """Put the addresses in random order: many clients take the first."""
        addresses = [record for record in answer.answers if record.type in ("A", "AAAA")]
        if not self._balances or len(addresses) < 2:
            return answer
        others = [record for record in answer.answers if record.type not in ("A", "AAAA")]
        self._sim.streams.rng(self._stream).shuffle(addresses)
        return msgspec.structs.replace(answer, answers=(*others, *addresses))


def config_of(block: ServerBlock) -> Config | None:
    """Return the settings of the kubernetes plugin, None without it."""
    plugin = block.plugin("kubernetes")
    if plugin is None:
        return None
    zones = tuple(absolute(zone) for zone in plugin.args) or block.zones
    fall_through = plugin.values("fallthrough")
    pods = plugin.values("pods") or ("disabled",)
    ttl = plugin.values("ttl") or (str(DEFAULT_TTL),)
    return Config(
        zones=zones,
        ttl=int(ttl[0]),
        pods=pods[0],
        fall_through=() if fall_through is None else tuple(map(absolute, fall_through)) or zones,
        namespaces=plugin.values("namespaces") or (),
        labels=" ".join(plugin.values("labels") or ()),
        pod_names=plugin.values("endpoint_pod_names") is not None,
        endpoints=plugin.values("noendpoints") is None,
        ignores_empty=plugin.values("ignore") == ("empty_service",),
    )
