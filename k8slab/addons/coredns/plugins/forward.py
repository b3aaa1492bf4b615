"""The forward plugin: other servers are asked, one after the other until one answers.

    forward . /etc/resolv.conf              the servers of the Pod's own resolv.conf
    forward corp.example 10.96.7.7 {        a stub domain: a server in the cluster
        policy sequential                   random (the default), round_robin, sequential
        except lab.corp.example
        force_tcp                           though the client came by UDP
        max_fails 2                         failed health checks that make a server down
        max_concurrent 1000                 more at once are refused
    }

A server that did not answer is asked for its health (`. NS`, every half second) until it is well
again; with two failures it is down, and left out. If all are down, health checking is thought to be
broken, and one of them is asked all the same.

Servers within the cluster's networks, its own machine among them, are asked by packets: that is how
a server can come to ask itself. All others are the world outside, which one upstream stands for.

Rule of use: what goes wrong is told in the words of Go's net package, which the errors plugin logs.

Upstream: coredns plugin/forward, plugin/pkg/proxy
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from k8slab.addons.coredns.corefile import Plugin, Setting, Wrong, zones_of
from k8slab.addons.coredns.names import absolute, is_in, is_ip, matches
from k8slab.addons.coredns.plugin import Failure, Next, Request, Site
from k8slab.addons.coredns.plugins.forward_proxy import Proxy, Unanswered
from k8slab.addons.coredns.records import REFUSED, SERVFAIL, Answer

UPSTREAM_DELAY = 0.02  # s, to the resolver outside and back
DEFAULT_TIMEOUT = 5.0  # s, plugin/forward defaultTimeout: no new try begins after it
AGAIN = 0.5  # s until the list of servers is gone through once more
MAX_UPSTREAMS = 15
POLICIES = ("random", "round_robin", "sequential")
PORT = 53


class Settings(msgspec.Struct):
    """What the Corefile says."""

    zone: str
    servers: tuple[tuple[str, int], ...]
    policy: str = "random"
    ignored: tuple[str, ...] = ()
    force_tcp: bool = False
    prefer_udp: bool = False
    max_fails: int = 2  # 0: a server is never down
    max_concurrent: int = 0  # 0: no limit
    expire: float = 10.0  # s that an idle connection is kept
    health_check: float = 0.5  # s between two checks
    passed_on: tuple[str, ...] = ()  # rcodes for which the next forward plugin is asked


class Forward:
    """One stanza: which names are asked of whom."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        (stanza,) = stanzas
        self._next, self._site = following, site
        self.settings = settings_of(stanza, site)
        self._proxies = tuple(
            Proxy(site.process, ip, port, self.settings.expire, self.settings.health_check)
            for ip, port in self.settings.servers
        )
        self._turn = 0
        self._under_way = 0

    @property
    def stays_inside(self) -> bool:
        """Whether some server is in the cluster: only then can questions come back."""
        return any(not self._site.upstream.is_outside(ip) for ip, _ in self.settings.servers)

    async def serve(self, request: Request) -> Answer:
        """Return the answer of the first server that has one."""
        settings = self.settings
        if not is_in(request.name, settings.zone) or (
            request.name != settings.zone and matches(request.name, settings.ignored)
        ):
            return await self._next(request)
        if settings.max_concurrent and self._under_way >= settings.max_concurrent:
            words = f"concurrent queries exceeded maximum {settings.max_concurrent}"
            raise Failure(REFUSED, words)
        self._under_way += 1
        try:
            answer = await self._ask(request)
        finally:
            self._under_way -= 1
        if answer.rcode in settings.passed_on:
            return await self._next(request)
        return answer

    async def _ask(self, request: Request) -> Answer:
        """Go through the servers until one answers, the time is over, or all are down."""
        sim = self._site.process.sim
        deadline = sim.now + DEFAULT_TIMEOUT
        fault = "no healthy proxies"
        while sim.now < deadline:
            began, proxies = sim.now, self._ordered()
            well = [proxy for proxy in proxies if not proxy.is_down(self.settings.max_fails)]
            for proxy in well or (self._site.rng("forward").choice(proxies),):
                if sim.now >= deadline:
                    break
                try:
                    return await self._exchange(proxy, request)
                except Unanswered as error:
                    fault = str(error)
                    if self.settings.max_fails:
                        proxy.check_health()
            if not well:
                break
            await sim.sleep(max(0.0, began + AGAIN - sim.now), "coredns: forward")
        raise Failure(SERVFAIL, fault)

    async def _exchange(self, proxy: Proxy, request: Request) -> Answer:
        site, settings = self._site, self.settings
        if site.upstream.is_outside(proxy.ip):
            await site.process.sim.sleep(UPSTREAM_DELAY, "coredns: forward")
            answer = Answer(REFUSED)  # classes other than IN are for who owns them
            if request.klass == "IN":
                answer = site.upstream.answer(request.name, request.type)
            return msgspec.structs.replace(answer, recursion_available=True)
        by_tcp = settings.force_tcp or (request.protocol == "tcp" and not settings.prefer_udp)
        answer = await proxy.exchange(request, by_tcp=by_tcp)
        if answer.truncated and settings.prefer_udp and not by_tcp:
            return await proxy.exchange(request, by_tcp=True)
        return answer

    def _ordered(self) -> Sequence[Proxy]:
        proxies, count = self._proxies, len(self._proxies)
        if count < 2 or self.settings.policy == "sequential":
            return proxies
        if self.settings.policy == "round_robin":
            self._turn += 1
            at = (self._turn - 1) % count
        else:
            at = self._site.rng("forward").randrange(count)
        return (*proxies[at:], *proxies[:at])


def settings_of(stanza: Plugin, site: Site) -> Settings:
    """Return what the stanza says. Raises Wrong."""
    if len(stanza.args) < 2:
        raise stanza.head.wrong_count()
    zone, *words = stanza.args
    found = Settings(zones_of(zone)[0], _servers(site, words))
    if len(found.servers) > MAX_UPSTREAMS:
        raise Wrong(f"more than {MAX_UPSTREAMS} TOs configured: {len(found.servers)}")
    for setting in stanza.settings:
        _read(found, setting)
    return found


def _read(found: Settings, setting: Setting) -> None:
    name = setting.name
    if name in ("force_tcp", "prefer_udp"):
        if setting.words:
            raise setting.wrong_count()
        setattr(found, name, True)
    elif name == "except":
        if not setting.words:
            raise setting.wrong_count()
        found.ignored = tuple(map(absolute, setting.words))
    elif name == "policy":
        found.policy = setting.one()
        if found.policy not in POLICIES:
            raise setting.wrong(f"unknown policy '{found.policy}'")
    elif name in ("max_fails", "max_concurrent"):
        number = setting.number()
        if number < 0:
            raise Wrong(f"{name} can't be negative: {number}")
        setattr(found, name, number)
    elif name in ("expire", "health_check"):
        seconds = setting.seconds()
        if seconds < 0:
            raise Wrong(f"{name} can't be negative: {setting.words[0]}")
        setattr(found, name, seconds)
    elif name == "next":
        found.passed_on = tuple(word.upper() for word in setting.words)
    elif name not in _IDLE:
        raise setting.unknown()


_IDLE = (  # accepted: they are about TLS and about details of timing
    "tls", "tls_servername", "max_idle_conns", "failfast_all_unhealthy_upstreams", "failover",
    "max_age", "max_connect_attempts", "doh_method", "resolver", "source_address",
)  # fmt: skip


def _servers(site: Site, words: Sequence[str]) -> tuple[tuple[str, int], ...]:
    found: list[tuple[str, int]] = []
    for word in words:
        if word.startswith("/"):
            found += _nameservers(site, word)
            continue
        bare = word.partition("://")[2] or word
        host, colon, port = bare.rpartition(":")
        if is_ip(bare) or not colon:
            host, port = bare, str(PORT)
        if not is_ip(host.strip("[]")) or not port.isdigit():
            raise Wrong(f'not an IP address or file: "{word}"')
        found.append((host.strip("[]"), int(port)))
    return tuple(found)


def _nameservers(site: Site, path: str) -> list[tuple[str, int]]:
    folder, rest = site.process.folder(path)
    try:
        text = str(folder.read(rest))
    except FileNotFoundError:
        raise Wrong(f'not an IP address or file: "{path}"') from None
    lines = [line.split() for line in text.splitlines()]
    found = [(line[1], PORT) for line in lines if line[:1] == ["nameserver"] and line[1:]]
    if not found:
        raise Wrong("no nameservers found")
    return found
