"""All rules of a node: `render`, and `RuleSync`, which changes only the chains that must change.

`RuleSync` brings a ruleset up to date with what it was told (`apply`). `render` does the same
once, from nothing.

Rule of use: pure but for the ruleset that is handed in; the loop is in `proxier.py`.

Upstream: pkg/proxy/iptables/proxier.go (syncProxyRules)
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterable, Sequence

from k8slab.api.core import Node, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.linux.netfilter import Body, Ruleset
from k8slab.node.kube_proxy.base import Place
from k8slab.node.kube_proxy.cache import Bodies, RenderedPort, RuleCache
from k8slab.node.kube_proxy.chains import (
    EXTERNAL_SERVICES,
    NODEPORTS,
    PROXY_CANARY,
    PROXY_FIREWALL,
    SERVICES,
    is_hashed,
)
from k8slab.node.kube_proxy.config import Config
from k8slab.node.kube_proxy.local_detector import local_detector
from k8slab.node.kube_proxy.sync import (
    IPV4,
    Ports,
    ServiceSync,
    Summary,
    SyncFailed,
    view_of,
)
from k8slab.node.kube_proxy.topology import NodeView
from k8slab.node.kube_proxy.types import namespace_of, slices_by_service

LARGE_CLUSTER_ENDPOINTS = 1000  # above it rules lose their comments, largeClusterEndpointsThreshold
COMMON_CHAINS: tuple[Place, ...] = (
    ("filter", SERVICES),
    ("filter", EXTERNAL_SERVICES),
    ("filter", NODEPORTS),
    ("filter", PROXY_FIREWALL),
    ("nat", SERVICES),
    ("nat", NODEPORTS),
)


def render(
    services: Iterable[Service],
    endpoint_slices: Iterable[EndpointSlice],
    *,
    node: Node | str = "",
    config: Config | None = None,
    family: str = IPV4,
) -> Ruleset:
    """Return every rule that kube-proxy writes on the node; `str()` is iptables-save text.

    Objects need neither defaults nor validation. `node` says which endpoints are local and which
    hints count. With `family="IPv6"` it is the text of ip6tables-save.
    """
    sync = RuleSync(view_of(node), config or Config(), family=family)
    slices = slices_by_service(endpoint_slices)
    for service in services:
        key = f"{namespace_of(service)}/{service.metadata.name}"
        sync.set_service(key, service, slices.get(key, ()))
    ruleset = Ruleset()
    sync.apply(ruleset)
    return ruleset


class RuleSync(ServiceSync[RenderedPort]):
    """The rules of one node, Service by Service; knows what the ruleset has got so far."""

    def __init__(
        self, node: NodeView, config: Config, cache: RuleCache | None = None, family: str = IPV4
    ) -> None:
        self.cache = cache or RuleCache()
        super().__init__(node, config, self.cache.versions, family)
        self._shares = {place: _Shares() for place in COMMON_CHAINS}
        self._comments = True
        self._write: dict[str, Body] = {}
        self._remove: dict[str, None] = {}
        self._rewrite: dict[Place, None] = {}
        self._is_first = True
        self._tail = self.cache.tail(config, node, family)

    def set_node(self, node: NodeView) -> None:
        """Render everything anew for a node that was labelled differently."""
        super().set_node(node)
        tail = self.cache.tail(self.config, node, self.family)
        if tail is not self._tail:
            self._tail = tail
            self._rewrite[("nat", SERVICES)] = None

    def apply(self, ruleset: Ruleset) -> Summary:
        """Bring the ruleset up to date and return how much there is now.

        Raises SyncFailed if somebody has taken chains away that are needed.
        """
        if self.edited and not self._is_first:
            self._check(ruleset)
        large = self.endpoints > LARGE_CLUSTER_ENDPOINTS
        if large is self._comments:
            self._comments = not large
            self.render_all()
        self._notice()
        changed = len(self._remove)
        if self._is_first or self.edited:
            changed += self._install_base(ruleset)
        for name, body in self._write.items():
            changed += _put(ruleset, ("nat", name), body)
        for place in COMMON_CHAINS:
            if place in self._rewrite or self._is_first:
                changed += _put(ruleset, place, self.cache.common(place, self._parts(place)))
        for name in self._remove:
            ruleset.delete_chain("nat", name)
        if self._is_first:
            changed += self._link(ruleset)
            self._remove_strangers(ruleset)
        self._write, self._remove, self._rewrite = {}, {}, {}
        self._is_first = False
        return Summary(len(self._ports), self.endpoints, self._base_size() + self.rules, changed)

    def start_over(self) -> None:
        """Take nothing for granted at the next `apply`: a full sync."""
        super().start_over()
        self._shares = {place: _Shares() for place in COMMON_CHAINS}
        self._write, self._remove, self._rewrite = {}, {}, {}
        self._is_first = True

    @property
    def is_full(self) -> bool:
        """Whether the next `apply` is a full sync."""
        return self._is_first

    # -- noticing changes

    def _notice(self) -> None:
        """Render what is dirty and note what differs from before."""
        detector = local_detector(self.config, self.node, self.family)

        def render(
            service: Service, slices: Sequence[EndpointSlice], before: Ports[RenderedPort]
        ) -> Ports[RenderedPort]:
            version = self._versions.of(service, slices, self.family)
            return self.cache.rendered(
                version, self.node, self.config, detector, self._comments, before
            )

        for key, before, after in self._changes(render):
            for port in {**before, **after}:
                self._compare(before.get(port), after.get(port))
            for (table, name), shares in self._shares.items():
                bodies = [_common(port, table).get(name) for port in after.values()]
                shares.put(key, tuple(body for body in bodies if body is not None))

    def _compare(self, before: RenderedPort | None, after: RenderedPort | None) -> None:
        """Note which chains differ between two versions of a port."""
        if before is after:
            return
        old = before.chains if before else {}
        new = after.chains if after else {}
        for name, body in new.items():
            if old.get(name) is not body:
                self._write[name] = body
                self._remove.pop(name, None)
        for name in old:
            if name not in new:
                self._remove[name] = None
                self._write.pop(name, None)
        for table in ("filter", "nat"):
            then, now = _common(before, table), _common(after, table)
            for name in (*then, *now):
                if then.get(name) is not now.get(name):
                    self._rewrite[(table, name)] = None

    # -- writing them

    def _parts(self, place: Place) -> tuple[Body, ...]:
        """Return what each Service port adds to a common chain, in the order of their names."""
        parts = self._shares[place].parts()
        return (*parts, self._tail) if place == ("nat", SERVICES) else parts

    def _install_base(self, ruleset: Ruleset) -> int:
        base = self.cache.base(self.config, self.family)
        return sum(
            _put(ruleset, place, body)
            for place, body in base.items()
            if self._is_first or place[1] != PROXY_CANARY
        )

    def _link(self, ruleset: Ruleset) -> int:
        return sum(
            not ruleset.ensure_rule(table, name, rule, prepend=True)
            for table, name, rule in self.cache.jumps()
        )

    def _check(self, ruleset: Ruleset) -> None:
        """Raise SyncFailed if rules that stay lead to chains that are gone."""
        for ports in self._ports.values():
            for port in ports.values():
                for name in port.chains:
                    if ruleset.chain("nat", name) is None:
                        raise SyncFailed(f"iptables-restore: Chain '{name}' does not exist")

    def _remove_strangers(self, ruleset: Ruleset) -> None:
        """Take away chains that an earlier kube-proxy left here."""
        ours = [each.chains for ports in self._ports.values() for each in ports.values()]
        remove_strangers(ruleset, {name: None for chains in ours for name in chains})

    def _base_size(self) -> int:
        base = sum(len(body.rules) for body in self.cache.base(self.config, self.family).values())
        return base + len(self.cache.jumps()) + len(self._tail.rules)


def _put(ruleset: Ruleset, place: Place, body: Body) -> int:
    """Give the chain this body; return how many chains that changed, 0 if it had it."""
    chain = ruleset.chain(*place)
    if chain is not None and chain.body is body:
        return 0
    ruleset.replace_chain(*place, body)
    return 1


def _common(port: RenderedPort | None, table: str) -> Bodies:
    if port is None:
        return {}
    return port.filter if table == "filter" else port.nat


class _Shares:
    """What each Service adds to one common chain, in the order of their names."""

    def __init__(self) -> None:
        self._keys: list[str] = []
        self._bodies: list[tuple[Body, ...]] = []

    def put(self, key: str, bodies: tuple[Body, ...]) -> None:
        """Let the Service add these, in the place of what it added before."""
        place = bisect_left(self._keys, key)
        known = place < len(self._keys) and self._keys[place] == key
        if known and bodies:
            self._bodies[place] = bodies
        elif known:
            del self._keys[place], self._bodies[place]
        elif bodies:
            self._keys.insert(place, key)
            self._bodies.insert(place, bodies)

    def parts(self) -> tuple[Body, ...]:
        """Return all of it."""
        return tuple(body for bodies in self._bodies for body in bodies)


def install(rules: Ruleset, ruleset: Ruleset) -> Summary:
    """Bring a node's ruleset to the state of `rules`, as iptables-restore --noflush would.

    Chains of its own are replaced, the kernel's get what they lack.
    """
    size = 0
    for table in rules.tables.values():
        for chain in table.chains.values():
            size += len(chain.rules)
            if not chain.built_in:
                ruleset.replace_chain(table.name, chain.name, chain.body)
    for table in rules.tables.values():
        for chain in table.chains.values():
            for rule in reversed(chain.rules) if chain.built_in else ():
                ruleset.ensure_rule(table.name, chain.name, rule, prepend=True)
    remove_strangers(ruleset, rules.table("nat").chains)
    return Summary(0, 0, size, size)


def remove_strangers(ruleset: Ruleset, ours: Container[str]) -> None:
    """Take away the chains of Services that are none of ours: an earlier kube-proxy left them."""
    for name in list(ruleset.table("nat").chains):
        if is_hashed(name) and name not in ours:
            ruleset.delete_chain("nat", name)
