"""`NftSync`: the table of one node, Service by Service; writes only what must change.

Unlike the chain KUBE-SERVICES, a map has no order: one Service more is one element more, however
many there are.

Rule of use: as `render.RuleSync`, with an NftRuleset in the place of a Ruleset.

Upstream: pkg/proxy/nftables/proxier.go (syncProxyRules, nftElementStorage)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from k8slab.api.core import Service
from k8slab.api.discovery import EndpointSlice
from k8slab.linux.nft import NftRuleset, NftSet, NftTable, parse
from k8slab.node.kube_proxy.base import node_port_ips
from k8slab.node.kube_proxy.config import Config
from k8slab.node.kube_proxy.local_detector import LocalDetector, local_detector
from k8slab.node.kube_proxy.nftables.chains import TABLE, base, nft_family
from k8slab.node.kube_proxy.nftables.rules import Element, RenderedPort, Value, rendered_port
from k8slab.node.kube_proxy.sync import IPV4, Ports, ServiceSync, Summary, SyncFailed
from k8slab.node.kube_proxy.topology import NodeView, categorize, depends_on_node
from k8slab.node.kube_proxy.types import PortKey
from k8slab.node.kube_proxy.versions import Versions

Owner = tuple[str, PortKey]  # key of a Service, and which of its ports


class NftSync(ServiceSync[RenderedPort]):
    """The table of one node; knows what the kernel has got so far."""

    def __init__(
        self,
        node: NodeView,
        config: Config,
        versions: Versions | None = None,
        family: str = IPV4,
    ) -> None:
        super().__init__(node, config, versions or Versions(), family)
        self.service_cidrs: tuple[str, ...] = ()  # what the ServiceCIDRs of the cluster say
        # Who wants an element: two Services may have the same external address.
        self._wanted: dict[Element, dict[Owner, Value]] = {}
        self._base_of: object = None  # what the base was made for
        self._changed = self._base_size = 0

    def apply(self, ruleset: NftRuleset) -> Summary:
        """Bring the table up to date and return how much there is now.

        Raises SyncFailed if somebody has taken the table away.
        """
        if self._base_of is not None and (nft_family(self.family), TABLE) not in ruleset.tables:
            raise SyncFailed("Error: Could not process rule: No such file or directory")
        self._changed = 0
        table = self._table(ruleset)
        detector = local_detector(self.config, self.node, self.family)

        def render(
            service: Service, slices: Sequence[EndpointSlice], before: Ports[RenderedPort]
        ) -> Ports[RenderedPort]:
            return self._rendered(service, slices, detector)

        for key, before, after in self._changes(render):
            for port in {**before, **after}:
                self._replace(table, (key, port), before.get(port), after.get(port))
        rules = self._base_size + self.rules
        return Summary(len(self._ports), self.endpoints, rules, self._changed)

    def start_over(self) -> None:
        """Take nothing for granted at the next `apply`: a full sync."""
        super().start_over()
        self._wanted, self._base_of = {}, None

    @property
    def is_full(self) -> bool:
        """Whether the next `apply` is a full sync."""
        return self._base_of is None

    # -- the table itself

    def _table(self, ruleset: NftRuleset) -> NftTable:
        """Return the table; what others left in it goes, and base chains are as they should be."""
        family = nft_family(self.family)
        about = (self.node_ports_at(), self.service_cidrs)
        table = ruleset.tables.get((family, TABLE))
        if table is not None and about == self._base_of:
            return table
        fresh = base(self.config, *about, self.family)
        self._base_size = sum(len(chain.texts) for chain in fresh.chains.values())
        self._changed += len(fresh.chains)
        if table is None or self._base_of is None:  # a full sync
            ruleset.delete_table(family, TABLE)
            table = ruleset.tables[family, TABLE] = fresh
        else:
            table.chains |= fresh.chains
            table.sets["nodeport-ips"] = fresh.sets["nodeport-ips"]
        self._base_of = about
        ruleset.changed()
        return table

    def node_ports_at(self) -> tuple[str, ...]:
        """Return the addresses that have node ports: the node's InternalIP unless it is told."""
        if self.config.node_port_addresses:
            ips: Iterable[str] = node_port_ips(self.config, self.node, self.family)
        else:
            ips = (self.node.own_ip(self.family),)
        return tuple(ip for ip in ips if ip and not ip.startswith("127."))

    # -- Services

    def _rendered(
        self, service: Service, slices: Sequence[EndpointSlice], detector: LocalDetector
    ) -> dict[PortKey, RenderedPort]:
        version = self._versions.of(service, slices, self.family)
        found = {}
        for key, (port, endpoints) in version.ports.items():
            about = ("nftables", key, self.config, detector)
            rendered = version.shared.get(about)
            if rendered is None:
                usable = categorize(endpoints, port, self.node)
                rendered = rendered_port(port, endpoints, usable, self.node, self.config, detector)
                if not depends_on_node(endpoints, port):
                    version.shared[about] = rendered
            found[key] = rendered
        return found

    def _replace(
        self,
        table: NftTable,
        owner: Owner,
        before: RenderedPort | None,
        after: RenderedPort | None,
    ) -> None:
        """Change the table by what differs between two versions of a port."""
        if before is after:
            return
        old, new = before or _NOTHING, after or _NOTHING
        for element in {**old.elements, **new.elements}:
            if old.elements.get(element) != new.elements.get(element):
                self._want(table, element, owner, new.elements.get(element))
        for name in {**old.chains, **new.chains}:
            chain = new.chains.get(name)
            if chain is None:
                del table.chains[name]
            elif name not in old.chains or old.chains[name].texts != chain.texts:
                table.chains[name] = chain
            else:
                continue
            self._changed += 1
        for name in {**old.affinity, **new.affinity}:
            if old.affinity.get(name) == new.affinity.get(name):
                continue
            self._changed += 1
            table.delete_set(name)
            if name in new.affinity:
                seconds = float(new.affinity[name])
                address = "ipv4_addr" if self.family == IPV4 else "ipv6_addr"
                table.sets[name] = NftSet(name, address, timeout=seconds)

    def _want(self, table: NftTable, element: Element, owner: Owner, value: Value | None) -> None:
        """Note what a port wants of an element; if several do, the first Service has it."""
        self._changed += 1
        wanted = self._wanted.setdefault(element, {})
        wanted.pop(owner, None)
        if value is not None:
            wanted[owner] = value
        name, key = element
        target = table.sets[name]
        target.notes.pop(key, None)
        if not wanted:
            del self._wanted[element]
            target.elements.pop(key, None)
            return
        verdict, comment = wanted[min(wanted)] if len(wanted) > 1 else next(iter(wanted.values()))
        target.elements[key] = verdict
        if comment:
            target.notes[key] = comment


def install_nft(rules: object, ruleset: NftRuleset) -> Summary:
    """Put the tables of an NftRuleset, or of its text, in the place of those so named."""
    given = rules if isinstance(rules, NftRuleset) else parse(str(rules))
    ruleset.tables |= given.tables
    ruleset.changed()
    chains = [chain for table in given.tables.values() for chain in table.chains.values()]
    size = sum(len(chain.texts) for chain in chains)
    return Summary(0, 0, size, size)


_NOTHING = RenderedPort(None, (), {}, {}, {})  # type: ignore[arg-type]
