"""The chain of plugins of one server block: who is asked for a name, in which order.

    loadbalance( cache( kubernetes, then forward ) )

`kubernetes` answers for its zones; what it does not know there may fall through. `forward` asks
the resolver outside. A CNAME that leads out of the cluster is followed, so that a client gets an
address at once.

Rule of use: only `forward` takes time; a question about the cluster is answered at once.

Upstream: coredns plugin.cfg, plugin/forward, plugin/loadbalance
"""

from __future__ import annotations

import msgspec

from k8slab.addons.coredns.cache import Cache
from k8slab.addons.coredns.corefile import ServerBlock
from k8slab.addons.coredns.kubernetes import Config, LookUp, look_up
from k8slab.addons.coredns.process import Upstream
from k8slab.addons.coredns.records import (
    NOERROR,
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    Answer,
    Record,
)
from k8slab.addons.coredns.source import InformerSource
from k8slab.api.meta import EPOCH
from k8slab.sim import Simulation

UPSTREAM_DELAY = 0.02  # s, to the resolver outside and back
DEFAULT_TTL = 5  # s, plugin/kubernetes defaultTTL


class Chain:
    """The plugins that answer questions, for one server block."""

    def __init__(
        self,
        sim: Simulation,
        block: ServerBlock,
        source: InformerSource | None,
        upstream: Upstream,
        own_ip: str,
        stream: str,
        look_up: LookUp = look_up,
    ) -> None:
        self._sim = sim
        self._source = source
        self._upstream = upstream
        self._own_ip = own_ip
        self._stream = stream  # name of the stream of random numbers
        self._look_up = look_up
        self._config = config_of(block)
        self._hosts = hosts_of(block)
        self._forwards = block.plugin("forward") is not None
        self._balances = block.plugin("loadbalance") is not None
        cache = block.plugin("cache")
        self._cache = Cache(cache, lambda: sim.now) if cache is not None else None
        self.hits = 0

    async def answer(self, name: str, qtype: str) -> tuple[Answer, bool]:
        """Return the answer, and whether it is our own (authoritative)."""
        cached = self._cache.get(name, qtype) if self._cache is not None else None
        if cached is not None:
            self.hits += 1
            return self._shuffled(cached), self._is_ours(name)
        answer, ours = await self._ask(name, qtype)
        if self._cache is not None:
            answer = self._cache.put(name, qtype, answer)
        return self._shuffled(answer), ours

    async def _ask(self, name: str, qtype: str) -> tuple[Answer, bool]:
        fixed = self._hosts.get(name)
        if fixed and qtype == "A":
            return Answer(NOERROR, tuple(Record(name, "A", 3600, ip) for ip in fixed)), True
        if not self._is_ours(name) or self._config is None or self._source is None:
            return await self._forward(name, qtype), False
        answer = self._look_up(name, qtype, self._source, self._current(self._config))
        if answer.rcode == NXDOMAIN:
            if self._config.falls_through(name) and self._forwards:
                return await self._forward(name, qtype), False
            if not self._source.synced:
                return Answer(SERVFAIL), True  # the name may exist: nobody knows yet
        last = answer.answers[-1] if answer.answers else None
        if last is not None and last.type == "CNAME" and qtype in ("A", "AAAA"):
            target = await self._forward(last.data, qtype)
            answer = msgspec.structs.replace(answer, answers=answer.answers + target.answers)
        return answer, True

    async def _forward(self, name: str, qtype: str) -> Answer:
        if not self._forwards:
            return Answer(REFUSED)
        await self._sim.sleep(UPSTREAM_DELAY, "coredns: forward")
        return self._upstream.answer(name, qtype)

    def _is_ours(self, name: str) -> bool:
        return self._config is not None and bool(self._config.zone_of(name))

    def _current(self, config: Config) -> Config:
        """Return the settings with what changes while the server runs."""
        assert self._source is not None
        serial = int(EPOCH.timestamp() + self._source.changed)
        return msgspec.structs.replace(
            config, serial=serial, server_ips=self._source.addresses_of_server(self._own_ip)
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
    zones = tuple(_zone(zone) for zone in plugin.args) or block.zones
    fall_through = plugin.values("fallthrough")
    pods = plugin.values("pods") or ("disabled",)
    ttl = plugin.values("ttl") or (str(DEFAULT_TTL),)
    return Config(
        zones=zones,
        ttl=int(ttl[0]),
        pods=pods[0],
        fall_through=() if fall_through is None else tuple(map(_zone, fall_through)) or zones,
    )


def hosts_of(block: ServerBlock) -> dict[str, list[str]]:
    """Return the inline entries of the hosts plugin: addresses by name."""
    plugin = block.plugin("hosts")
    found: dict[str, list[str]] = {}
    for ip, *names in plugin.properties if plugin is not None else ():
        for name in names if ip[0].isdigit() else ():
            found.setdefault(_zone(name), []).append(ip)
    return found


def _zone(text: str) -> str:
    return text.lower().rstrip(".") + "."
