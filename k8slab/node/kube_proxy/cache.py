"""Rendered Service ports, kept so that nothing is rendered twice, on one node or on many.

The rules of a Service port are the same on all nodes, unless it has a Local policy, hints or
source ranges. Proxies that are given one `RuleCache` share what is the same, down to the parsed
chains (`linux.netfilter.Body`), which the kernel reads only when a packet comes.

Rule of use: objects that never saw an API server (no uid) are rendered anew each time.

Upstream: none (every real node renders for itself)
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import msgspec

from k8slab.linux.netfilter import Body, Rule, parse_rule
from k8slab.node.kube_proxy.base import Place, base_chains, jumps, services_tail
from k8slab.node.kube_proxy.config import Config
from k8slab.node.kube_proxy.local_detector import LocalDetector
from k8slab.node.kube_proxy.rules import PortRules, Rules, port_rules
from k8slab.node.kube_proxy.topology import NodeView, categorize, depends_on_node
from k8slab.node.kube_proxy.types import Endpoint, PortKey, ServicePort
from k8slab.node.kube_proxy.versions import Version, Versions

KEPT_BODIES = 8  # of each common chain: nodes are not all at the same one

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


class RuleCache:
    """What proxies share; all of it can be made again from the objects."""

    def __init__(self) -> None:
        self.versions = Versions()
        self._common: dict[Place, list[tuple[tuple[Body, ...], Body]]] = {}
        self._base: dict[tuple[Config, str], dict[Place, Body]] = {}
        self._tails: dict[tuple[str, ...], Body] = {}
        self._jumps: tuple[tuple[str, str, Rule], ...] = ()

    def rendered(
        self,
        version: Version,
        node: NodeView,
        config: Config,
        detector: LocalDetector,
        comments: bool,
        before: Mapping[PortKey, RenderedPort],
    ) -> dict[PortKey, RenderedPort]:
        """Return the rendered ports of a Service; chains that equal those `before` are reused."""
        found = {}
        for key, (port, endpoints) in version.ports.items():
            about = (key, config, detector, comments)
            rendered = version.shared.get(about)
            if rendered is None:
                usable = categorize(endpoints, port, node)
                rules = port_rules(port, usable, node, config, detector, comments)
                rendered = _render(port, endpoints, rules, before.get(key))
                if not depends_on_node(endpoints, port):
                    version.shared[about] = rendered
            found[key] = rendered
        return found

    def common(self, place: Place, parts: tuple[Body, ...]) -> Body:
        """Return the body of a common chain that all these parts make up."""
        known = self._common.setdefault(place, [])
        for same, body in known:
            if same == parts:
                return body
        body = Body(lambda: chain.from_iterable(part.rules for part in parts))
        known.append((parts, body))
        del known[:-KEPT_BODIES]
        return body

    def base(self, config: Config, family: str) -> dict[Place, Body]:
        """Return the chains that depend on no Service."""
        if (config, family) not in self._base:
            chains = base_chains(config, family)
            made = {place: Body(rules) for place, rules in chains.items()}
            self._base[config, family] = made
        return self._base[config, family]

    def tail(self, config: Config, node: NodeView, family: str) -> Body:
        """Return the end of KUBE-SERVICES in the nat table."""
        rules = services_tail(config, node, family)
        return self._tails.setdefault(rules, Body(rules))

    def jumps(self) -> tuple[tuple[str, str, Rule], ...]:
        """Return the jumps from the kernel's chains, parsed."""
        if not self._jumps:
            self._jumps = tuple((table, name, parse_rule(rule)) for table, name, rule in jumps())
        return self._jumps


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
