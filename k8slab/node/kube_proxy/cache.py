"""Rendered Service ports, kept so that nothing is rendered twice, on one node or on many.

The rules of a Service port are the same on all nodes, unless it has a Local policy, hints or
source ranges. Proxies that are given one `RuleCache` share what is the same, down to the parsed
chains (`linux.netfilter.Body`), which the kernel reads only when a packet comes.

Rule of use: objects that never saw an API server (no uid) are rendered anew each time.

Upstream: none (every real node renders for itself)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import msgspec

from k8slab.api.core import Service
from k8slab.api.discovery import EndpointSlice
from k8slab.linux.netfilter import Body, Rule, parse_rule
from k8slab.node.kube_proxy.base import Place, base_chains, jumps, services_tail
from k8slab.node.kube_proxy.config import Config
from k8slab.node.kube_proxy.rules import PortRules, Rules, port_rules
from k8slab.node.kube_proxy.topology import NodeView, categorize, depends_on_node
from k8slab.node.kube_proxy.types import (
    Endpoint,
    PortKey,
    ServicePort,
    endpoints_of,
    service_ports,
)

KEPT_VERSIONS = 8  # of a Service: nodes are not all at the same one

Bodies = Mapping[str, Body]


class RenderedPort(msgspec.Struct, frozen=True):
    """A Service port with its endpoints and its rules, as text and as chains."""

    port: ServicePort
    endpoints: tuple[Endpoint, ...]
    rules: PortRules
    filter: Bodies
    nat: Bodies
    chains: Bodies
    size: int  # number of rules


class Version(msgspec.Struct):
    """One version of a Service and its slices: taken apart, and rendered as far as it was asked."""

    ports: dict[PortKey, tuple[ServicePort, tuple[Endpoint, ...]]]
    shared: dict[tuple[PortKey, Config, bool], RenderedPort] = {}


class RuleCache:
    """What proxies share; all of it can be made again from the objects."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[tuple[object, ...], Version]] = {}
        self._common: dict[Place, list[tuple[tuple[Body, ...], Body]]] = {}
        self._base: dict[Config, dict[Place, Body]] = {}
        self._tails: dict[tuple[str, ...], Body] = {}
        self._jumps: tuple[tuple[str, str, Rule], ...] = ()

    def rendered(
        self,
        service: Service,
        slices: Sequence[EndpointSlice],
        node: NodeView,
        config: Config,
        comments: bool,
        before: Mapping[PortKey, RenderedPort],
    ) -> dict[PortKey, RenderedPort]:
        """Return the rendered ports of a Service; chains that equal those `before` are reused."""
        version = self._version(service, slices)
        found = {}
        for key, (port, endpoints) in version.ports.items():
            rendered = version.shared.get((key, config, comments))
            if rendered is None:
                usable = categorize(endpoints, port, node)
                rules = port_rules(port, usable, node, config, comments)
                rendered = _render(port, endpoints, rules, before.get(key))
                if not depends_on_node(endpoints, port):
                    version.shared[key, config, comments] = rendered
            found[key] = rendered
        return found

    def count_endpoints(self, service: Service, slices: Sequence[EndpointSlice]) -> int:
        """Return the number of endpoints of all ports of a Service."""
        version = self._version(service, slices)
        return sum(len(endpoints) for _, endpoints in version.ports.values())

    def common(self, place: Place, parts: tuple[Body, ...]) -> Body:
        """Return the body of a common chain that all these parts make up."""
        known = self._common.setdefault(place, [])
        for same, body in known:
            if same == parts:
                return body
        body = Body(lambda: chain.from_iterable(part.rules for part in parts))
        known.append((parts, body))
        del known[:-KEPT_VERSIONS]
        return body

    def base(self, config: Config) -> dict[Place, Body]:
        """Return the chains that depend on no Service."""
        if config not in self._base:
            chains = base_chains(config)
            self._base[config] = {place: Body(rules) for place, rules in chains.items()}
        return self._base[config]

    def tail(self, config: Config, node: NodeView) -> Body:
        """Return the end of KUBE-SERVICES in the nat table."""
        rules = services_tail(config, node)
        return self._tails.setdefault(rules, Body(rules))

    def jumps(self) -> tuple[tuple[str, str, Rule], ...]:
        """Return the jumps from the kernel's chains, parsed."""
        if not self._jumps:
            self._jumps = tuple((table, name, parse_rule(rule)) for table, name, rule in jumps())
        return self._jumps

    def _version(self, service: Service, slices: Sequence[EndpointSlice]) -> Version:
        meta = service.metadata
        if not meta.uid or not all(each.metadata.uid for each in slices):
            return _take_apart(service, slices)
        versions = self._versions.setdefault(meta.uid, {})
        key = (
            meta.resourceVersion,
            *((each.metadata.uid, each.metadata.resourceVersion) for each in slices),
        )
        version = versions.get(key)
        if version is None:
            version = versions[key] = _take_apart(service, slices)
            if len(versions) > KEPT_VERSIONS:
                del versions[next(iter(versions))]
        return version

    def forget(self, service: Service) -> None:
        """Drop a Service that is gone."""
        self._versions.pop(service.metadata.uid, None)


def _take_apart(service: Service, slices: Sequence[EndpointSlice]) -> Version:
    endpoints = endpoints_of(slices)
    ports = service_ports(service)
    return Version({key: (port, endpoints.get(key, ())) for key, port in ports.items()}, {})


def _render(
    port: ServicePort,
    endpoints: tuple[Endpoint, ...],
    rules: PortRules,
    before: RenderedPort | None,
) -> RenderedPort:
    old = before or _NOTHING
    return RenderedPort(
        port=port,
        endpoints=endpoints,
        rules=rules,
        filter=_bodies(rules.filter, old.rules.filter, old.filter),
        nat=_bodies(rules.nat, old.rules.nat, old.nat),
        chains=_bodies(rules.chains, old.rules.chains, old.chains),
        size=rules.count(),
    )


def _bodies(rules: Rules, old: Rules, before: Bodies) -> dict[str, Body]:
    """Return a body for each chain: the one before if its text is the same."""
    return {
        name: before[name] if old.get(name) == texts else Body(texts)
        for name, texts in rules.items()
    }


_NOTHING = RenderedPort(
    port=ServicePort(name="", protocol="", cluster_ip="", port=0),
    endpoints=(),
    rules=PortRules({}, {}, {}),
    filter={},
    nat={},
    chains={},
    size=0,
)
