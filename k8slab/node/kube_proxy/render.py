"""All rules of a node: `render`, and `RuleSync`, which changes only the chains that must change.

`RuleSync` is told of Services one by one (`set_service`) and brings a ruleset up to date
(`apply`). `render` does the same once, from nothing.

Rule of use: pure but for the ruleset that is handed in; the loop is in `proxier.py`.

Upstream: pkg/proxy/iptables/proxier.go (syncProxyRules)
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Container, Iterable, Sequence

import msgspec

from k8slab.api.core import Node, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.linux.netfilter import Body, Ruleset
from k8slab.node.kube_proxy.base import Place
from k8slab.node.kube_proxy.cache import RenderedPort, RuleCache
from k8slab.node.kube_proxy.chains import (
    EXTERNAL_SERVICES,
    NODEPORTS,
    PROXY_FIREWALL,
    SERVICES,
    is_hashed,
)
from k8slab.node.kube_proxy.config import Config
from k8slab.node.kube_proxy.topology import NodeView
from k8slab.node.kube_proxy.types import PortKey, namespace_of, slices_by_service

LARGE_CLUSTER_ENDPOINTS = 1000  # above it rules lose their comments, largeClusterEndpointsThreshold
ZONE_LABEL = "topology.kubernetes.io/zone"
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
) -> Ruleset:
    """Return every rule that kube-proxy writes on the node; `str()` is iptables-save text.

    Objects need neither defaults nor validation. `node` says which endpoints are local and which
    hints count.
    """
    sync = RuleSync(view_of(node), config or Config())
    slices = slices_by_service(endpoint_slices)
    for service in services:
        key = f"{namespace_of(service)}/{service.metadata.name}"
        sync.set_service(key, service, slices.get(key, ()))
    ruleset = Ruleset()
    sync.apply(ruleset)
    return ruleset


def view_of(node: Node | str) -> NodeView:
    """Return what counts of a node for the rules; a name alone will do."""
    if isinstance(node, str):
        return NodeView(node)
    addresses = node.status.addresses
    ip = next((each.address for each in addresses if each.type == "InternalIP"), "")
    zone = node.metadata.labels.get(ZONE_LABEL, "")
    own = tuple(each.address for each in addresses if each.type.endswith("IP"))
    return NodeView(node.metadata.name, zone, ip, own)


class Summary(msgspec.Struct, frozen=True):
    """How much there is after a sync."""

    services: int
    endpoints: int
    rules: int
    changed: int  # chains that were written or removed

    def __str__(self) -> str:
        counts = ((self.services, "Service"), (self.endpoints, "endpoint"), (self.rules, "rule"))
        return ", ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts)


Ports = dict[PortKey, RenderedPort]


class RuleSync:
    """The rules of one node, Service by Service; knows what the ruleset has got so far."""

    def __init__(self, node: NodeView, config: Config, cache: RuleCache | None = None) -> None:
        self.node = node
        self.config = config
        self.cache = cache or RuleCache()
        self.updated_ports: list[RenderedPort] = []  # since the last apply
        self._objects: dict[str, tuple[Service, Sequence[EndpointSlice]]] = {}
        self._order: list[str] = []  # keys of Services with rules, sorted
        self._ports: dict[str, Ports] = {}
        self._counts: dict[str, int] = {}  # endpoints of each Service
        self._dirty: dict[str, None] = {}  # keys of Services to render
        self._endpoints = self._rules = 0
        self._comments = True
        self._write: dict[str, Body] = {}
        self._remove: dict[str, None] = {}
        self._rewrite: dict[Place, None] = {}
        self._is_first = True
        self._tail = self.cache.tail(config, node)

    def set_service(
        self, key: str, service: Service | None, slices: Sequence[EndpointSlice]
    ) -> None:
        """Take note of a Service ("namespace/name") and its slices; None: it is gone."""
        before = self._objects.pop(key, None)
        self._endpoints -= self._counts.pop(key, 0)
        if service is not None:
            self._objects[key] = (service, slices)
            self._counts[key] = self.cache.count_endpoints(service, slices)
            self._endpoints += self._counts[key]
        elif before is not None:
            self.cache.forget(before[0])
        self._dirty[key] = None

    def set_node(self, node: NodeView) -> None:
        """Render everything anew for a node that was labelled differently."""
        if node != self.node:
            self.node = node
            tail = self.cache.tail(self.config, node)
            if tail is not self._tail:
                self._tail = tail
                self._rewrite[("nat", SERVICES)] = None
            self._dirty.update(dict.fromkeys(self._objects))

    def apply(self, ruleset: Ruleset) -> Summary:
        """Bring the ruleset up to date and return how much there is now."""
        large = self._endpoints > LARGE_CLUSTER_ENDPOINTS
        if large is self._comments:
            self._comments = not large
            self._dirty.update(dict.fromkeys(self._objects))
        for key in self._dirty:
            self._render(key)
        self._dirty = {}
        changed = len(self._write) + len(self._remove) + len(self._rewrite)
        if self._is_first:
            changed += self._install_base(ruleset)
        for name, body in self._write.items():
            ruleset.replace_chain("nat", name, body)
        for place in COMMON_CHAINS:
            if place in self._rewrite or self._is_first:
                ruleset.replace_chain(*place, self.cache.common(place, self._parts(place)))
        for name in self._remove:
            ruleset.delete_chain("nat", name)
        if self._is_first:
            self._link(ruleset)
            self._remove_strangers(ruleset)
        self._write, self._remove, self._rewrite = {}, {}, {}
        self._is_first = False
        return Summary(len(self._order), self._endpoints, self._base_size() + self._rules, changed)

    # -- noticing changes

    def _render(self, key: str) -> None:
        """Render one Service and note what differs from before."""
        before, after = self._ports.pop(key, {}), Ports()
        if key in self._objects:
            service, slices = self._objects[key]
            after = self.cache.rendered(
                service, slices, self.node, self.config, self._comments, before
            )
        for port in {**before, **after}:
            self._compare(before.get(port), after.get(port))
        if before and not after:
            del self._order[bisect_left(self._order, key)]
        elif after and not before:
            insort(self._order, key)
        if after:
            self._ports[key] = after

    def _compare(self, before: RenderedPort | None, after: RenderedPort | None) -> None:
        """Note which chains differ between two versions of a port."""
        if before is after:
            return
        self._rules += (after.size if after else 0) - (before.size if before else 0)
        self.updated_ports += [after] if after else []
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
            then = getattr(before, table) if before else {}
            now = getattr(after, table) if after else {}
            for name in (*then, *now):
                if then.get(name) is not now.get(name):
                    self._rewrite[(table, name)] = None

    # -- writing them

    def _parts(self, place: Place) -> tuple[Body, ...]:
        """Return what each Service port adds to a common chain, in the order of their names."""
        table, name = place
        parts = [
            bodies[name]
            for key in self._order
            for port in self._ports[key].values()
            if name in (bodies := port.filter if table == "filter" else port.nat)
        ]
        return (*parts, self._tail) if place == ("nat", SERVICES) else tuple(parts)

    def _install_base(self, ruleset: Ruleset) -> int:
        base = self.cache.base(self.config)
        for (table, name), body in base.items():
            ruleset.replace_chain(table, name, body)
        return len(base)

    def _link(self, ruleset: Ruleset) -> None:
        for table, name, rule in self.cache.jumps():
            ruleset.ensure_rule(table, name, rule, prepend=True)

    def _remove_strangers(self, ruleset: Ruleset) -> None:
        """Take away chains that an earlier kube-proxy left here."""
        ours = [each.chains for ports in self._ports.values() for each in ports.values()]
        remove_strangers(ruleset, {name: None for chains in ours for name in chains})

    def _base_size(self) -> int:
        base = sum(len(body.rules) for body in self.cache.base(self.config).values())
        return base + len(self.cache.jumps()) + len(self._tail.rules)


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
