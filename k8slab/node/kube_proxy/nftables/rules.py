"""What one Service port adds to the table: elements of the maps, and chains of its own.

    service-ips     10.96.0.10 . tcp . 80 : goto service-HASH-default/web/tcp/
    service-HASH    numgen random mod 2 vmap { 0 : goto endpoint-A , 1 : goto endpoint-B }
    endpoint-A      ip saddr 10.244.1.2 jump mark-for-masquerade
                    meta l4proto tcp dnat to 10.244.1.2:8080

Rule of use: pure; outcomes equal those of the iptables form but for what upstream made otherwise:
a wrong port of a cluster IP is refused, and node ports are only at the node's own address.

Upstream: pkg/proxy/nftables/proxier.go (syncProxyRules)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from k8slab.linux.nft import NftChain
from k8slab.node.kube_proxy.config import Config
from k8slab.node.kube_proxy.local_detector import LocalDetector
from k8slab.node.kube_proxy.nftables.chains import endpoint_name, nft_family, port_name
from k8slab.node.kube_proxy.rules import within
from k8slab.node.kube_proxy.topology import Categories, NodeView
from k8slab.node.kube_proxy.types import Endpoint, ServicePort

MASQUERADE = "jump mark-for-masquerade"
EVERYBODY = ("0.0.0.0/0", "::/0")

Element = tuple[str, str]  # name of the set or map, key
Value = tuple[str, str]  # verdict, comment


class RenderedPort(msgspec.Struct, frozen=True):
    """A Service port with its endpoints and what it adds to the table."""

    port: ServicePort
    endpoints: tuple[Endpoint, ...]
    elements: dict[Element, Value]
    chains: dict[str, NftChain]
    affinity: dict[str, int]  # name of a set -> seconds for which it remembers

    @property
    def size(self) -> int:
        """The number of its rules and elements."""
        return len(self.elements) + sum(len(chain.texts) for chain in self.chains.values())


def rendered_port(
    port: ServicePort,
    endpoints: tuple[Endpoint, ...],
    usable: Categories,
    node: NodeView,
    config: Config,
    detector: LocalDetector,
) -> RenderedPort:
    """Return what a port whose usable endpoints are known adds to the table."""
    made = RenderedPort(port, endpoints, {}, {}, {})
    _Writer(made, usable, node, config, detector).write()
    return made


class _Writer:
    """One Service port on its way into the table."""

    def __init__(
        self,
        made: RenderedPort,
        usable: Categories,
        node: NodeView,
        config: Config,
        detector: LocalDetector,
    ) -> None:
        self.made, self.port, self.usable = made, made.port, usable
        self.node, self.config, self.detector = node, config, detector
        port = made.port
        self.ip = nft_family(port.family)
        name = port_name(port.name, port.protocol)
        self.cluster, self.local = f"service-{name}", f"local-{name}"
        self.external, self.firewall = f"external-{name}", f"firewall-{name}"
        self.refusal = "drop" if usable.any_usable else "goto reject-chain"
        here = bool(usable.local)
        self.internal_endpoints = usable.any_usable and (not port.internal_policy_local or here)
        self.external_endpoints = usable.any_usable and (not port.external_policy_local or here)

    def write(self) -> None:
        """Write everything."""
        port, usable = self.port, self.usable
        self._policy_chain(self.cluster, usable.cluster)
        self._policy_chain(self.local, usable.local)
        if usable.any_usable and port.externally_accessible:
            self._external_chain()
        self._capture_cluster_ip()
        for ip in port.external_ips:
            self._capture_external(ip)
        for ip in port.load_balancer_ips:
            self._capture_external(ip)
            if port.source_ranges:
                self._firewall(ip)
        if port.node_port:
            key = f"{port.protocol} . {port.node_port}"
            if usable.any_usable:
                self._element("service-nodeports", key, f"goto {self.external}")
            if not self.external_endpoints:
                self._element("no-endpoint-nodeports", key, self.refusal, port.name)
        for endpoint in usable.reachable:
            self._endpoint_chain(endpoint)

    # -- maps

    def _capture_cluster_ip(self) -> None:
        port = self.port
        self._element("cluster-ips", port.cluster_ip)
        key = self._key(port.cluster_ip)
        if self.internal_endpoints:
            chain = self.local if port.internal_policy_local else self.cluster
            self._element("service-ips", key, f"goto {chain}")
        else:
            self._element("no-endpoint-services", key, self.refusal, port.name)

    def _capture_external(self, ip: str) -> None:
        if self.usable.any_usable:
            self._element("service-ips", self._key(ip), f"goto {self.external}")
        if not self.external_endpoints:
            self._element("no-endpoint-services", self._key(ip), self.refusal, self.port.name)

    def _firewall(self, ip: str) -> None:
        self._element("firewall-ips", self._key(ip), f"goto {self.firewall}")
        if self.firewall in self.made.chains:
            return
        sources = list(self.port.source_ranges)
        if any(within(self.node.own_ip(self.port.family), source) for source in sources):
            sources += self.port.load_balancer_ips  # the node's own requests have it as source
        rule = f"{self.ip} saddr != {{ {', '.join(sources)} }} drop"
        everybody = any(source in EVERYBODY for source in sources)  # nft takes no such element
        self._chain(self.firewall, [] if everybody else [rule])

    def _key(self, ip: str) -> str:
        return f"{ip} . {self.port.protocol} . {self.port.port}"

    def _element(self, name: str, key: str, verdict: str = "", comment: str = "") -> None:
        self.made.elements[name, key] = (verdict, comment)

    # -- chains

    def _external_chain(self) -> None:
        if not self.port.external_policy_local:
            self._chain(self.external, [MASQUERADE, f"goto {self.cluster}"])
            return
        rules = []
        if self.detector.is_implemented:
            pods = self.detector.nft(negated=False)
            rules.append(f'{pods} goto {self.cluster} comment "short-circuit pod traffic"')
        local = "fib saddr type local"
        rules.append(f'{local} {MASQUERADE} comment "masquerade local traffic"')
        rules.append(f'{local} goto {self.cluster} comment "short-circuit local traffic"')
        if self.external_endpoints:
            rules.append(f"goto {self.local}")
        self._chain(self.external, rules)

    def _policy_chain(self, chain: str, endpoints: Sequence[Endpoint]) -> None:
        """Pick one of the endpoints: the client's last one, else any with equal chance."""
        if not endpoints:
            return
        rules = [*self._outsiders(chain)]
        names = [self._name(endpoint) for endpoint in endpoints]
        sticky = names if self.port.affinity_seconds else []
        rules += [f"{self.ip} saddr @affinity-{name} goto endpoint-{name}" for name in sticky]
        choices = " , ".join(f"{n} : goto endpoint-{name}" for n, name in enumerate(names))
        rules.append(f"numgen random mod {len(names)} vmap {{ {choices} }}")
        self._chain(chain, rules)

    def _outsiders(self, chain: str) -> list[str]:
        """Return the rule that masquerades who is no Pod of this node."""
        port = self.port
        if chain != (self.local if port.internal_policy_local else self.cluster):
            return []
        to = f"{self.ip} daddr {port.cluster_ip}"
        if self.config.masquerade_all:
            return [f"{to} {MASQUERADE}"]
        if self.detector.is_implemented:
            return [f"{to} {self.detector.nft(negated=True)} {MASQUERADE}"]
        return []

    def _endpoint_chain(self, endpoint: Endpoint) -> None:
        name, protocol = self._name(endpoint), self.port.protocol
        # A Pod that reaches itself would be confused by its own address.
        rules = [f"{self.ip} saddr {endpoint.ip} {MASQUERADE}"]
        if self.port.affinity_seconds:
            self.made.affinity[f"affinity-{name}"] = self.port.affinity_seconds
            rules.append(f"update @affinity-{name} {{ {self.ip} saddr }}")
        rules.append(f"meta l4proto {protocol} dnat to {endpoint.address}")
        self._chain(f"endpoint-{name}", rules)

    def _name(self, endpoint: Endpoint) -> str:
        return endpoint_name(self.port.name, self.port.protocol, endpoint.address)

    def _chain(self, name: str, rules: Iterable[str]) -> None:
        self.made.chains[name] = NftChain(name, rules)
