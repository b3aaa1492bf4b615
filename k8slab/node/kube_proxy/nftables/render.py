"""What each Service port adds to the table: elements of the maps, and chains of its own.

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

from k8slab.api.core import Node, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.linux.nft_text import NftChain, NftRuleset, NftSet
from k8slab.node.kube_proxy.base import node_port_ips
from k8slab.node.kube_proxy.config import Config
from k8slab.node.kube_proxy.nftables.chains import base, endpoint_name, port_name
from k8slab.node.kube_proxy.render import view_of
from k8slab.node.kube_proxy.rules import within
from k8slab.node.kube_proxy.topology import Categories, NodeView, categorize
from k8slab.node.kube_proxy.types import (
    Endpoint,
    ServicePort,
    endpoints_of,
    namespace_of,
    service_ports,
    slices_by_service,
)

MASQUERADE = "jump mark-for-masquerade"


def render(
    services: Iterable[Service],
    endpoint_slices: Iterable[EndpointSlice],
    *,
    node: Node | str = "",
    config: Config | None = None,
) -> NftRuleset:
    """Return kube-proxy's table on the node; `str()` is text for `nft -f`.

    Objects need neither defaults nor validation. Node ports are at `nodePortAddresses`, without
    them at the node's InternalIP; a node that is only a name has them at all its addresses.
    """
    view, config = view_of(node), config or Config()
    ips = node_port_ips(config, view) if config.node_port_addresses else [view.ip]
    known = [ip for ip in ips if ip and not ip.startswith("127.")]
    match = "ip daddr @nodeport-ips" if known else "fib daddr type local ip daddr != 127.0.0.0/8"
    ruleset = base(config, match)
    ruleset.sets["nodeport-ips"].elements |= dict.fromkeys(known, "")
    slices = slices_by_service(endpoint_slices)
    ordered = sorted(services, key=lambda each: (namespace_of(each), each.metadata.name))
    for service in ordered:
        key = f"{namespace_of(service)}/{service.metadata.name}"
        endpoints = endpoints_of(slices.get(key, ()))
        for port_key, port in service_ports(service).items():
            usable = categorize(endpoints.get(port_key, ()), port, view)
            _Writer(ruleset, port, usable, view, config).write()
    return ruleset


class _Writer:
    """One Service port on its way into the table."""

    def __init__(
        self,
        ruleset: NftRuleset,
        port: ServicePort,
        usable: Categories,
        node: NodeView,
        config: Config,
    ) -> None:
        self.ruleset, self.port, self.usable = ruleset, port, usable
        self.node, self.config = node, config
        name = port_name(port.name, port.protocol)
        self.cluster, self.local = f"service-{name}", f"local-{name}"
        self.external, self.firewall = f"external-{name}", f"firewall-{name}"
        self.refusal = "drop" if usable.any_usable else "goto reject-chain"
        here = bool(usable.local)
        self.internal_endpoints = usable.any_usable and (not port.internal_policy_local or here)
        self.external_endpoints = usable.any_usable and (not port.external_policy_local or here)

    def write(self) -> None:
        port, usable = self.port, self.usable
        for endpoint in usable.reachable:
            self._endpoint_chain(endpoint)
        self._policy_chain(self.cluster, usable.cluster)
        self._policy_chain(self.local, usable.local)
        if usable.any_usable and port.externally_accessible:
            self._external_chain()
        self._capture_cluster_ip()
        for ip in port.external_ips:
            self._capture_external(ip)
        for ip in port.load_balancer_ips:
            self._capture_external(ip)
            if usable.any_usable and port.source_ranges:
                self._firewall(ip)
        if port.node_port:
            key = f"{port.protocol} . {port.node_port}"
            if usable.any_usable:
                self._element("service-nodeports", key, f"goto {self.external}")
            if not self.external_endpoints:
                self._element("no-endpoint-nodeports", key, self.refusal)

    # -- maps

    def _capture_cluster_ip(self) -> None:
        port = self.port
        self._element("cluster-ips", port.cluster_ip)
        if not self.internal_endpoints:
            self._element("no-endpoint-services", self._key(port.cluster_ip), self.refusal)
            return
        chain = self.local if port.internal_policy_local else self.cluster
        self._element("service-ips", self._key(port.cluster_ip), f"goto {chain}")
        to = f"ip daddr {port.cluster_ip} {port.protocol} dport {port.port}"
        if self.config.masquerade_all:
            self.ruleset.chains[chain].rules.insert(0, f"{to} {MASQUERADE}")
        elif self.config.cluster_cidr:
            outsider = f"ip saddr != {self.config.cluster_cidr}"
            self.ruleset.chains[chain].rules.insert(0, f"{to} {outsider} {MASQUERADE}")

    def _capture_external(self, ip: str) -> None:
        if self.usable.any_usable:
            self._element("service-ips", self._key(ip), f"goto {self.external}")
        if not self.external_endpoints:
            self._element("no-endpoint-services", self._key(ip), self.refusal)

    def _firewall(self, ip: str) -> None:
        self._element("firewall-ips", self._key(ip), f"goto {self.firewall}")
        if self.firewall in self.ruleset.chains:
            return
        sources = list(self.port.source_ranges)
        if any(within(self.node.ip, source) for source in sources):
            sources += self.port.load_balancer_ips  # the node's own requests have it as source
        rule = f"ip saddr != {{ {', '.join(sources)} }} drop"
        self._chain(self.firewall, [] if "0.0.0.0/0" in sources else [rule])

    def _key(self, ip: str) -> str:
        return f"{ip} . {self.port.protocol} . {self.port.port}"

    def _element(self, name: str, key: str, verdict: str = "") -> None:
        self.ruleset.sets[name].elements[key] = verdict

    # -- chains

    def _external_chain(self) -> None:
        if not self.port.external_policy_local:
            self._chain(self.external, [MASQUERADE, f"goto {self.cluster}"])
            return
        rules = []
        if self.config.cluster_cidr:
            pods = f"ip saddr {self.config.cluster_cidr}"
            rules.append(f'{pods} goto {self.cluster} comment "short-circuit pod traffic"')
        local = "fib saddr type local"
        rules.append(f'{local} {MASQUERADE} comment "masquerade local traffic"')
        rules.append(f'{local} goto {self.cluster} comment "short-circuit local traffic"')
        if self.external_endpoints:
            rules.append(f"goto {self.local}")
        self._chain(self.external, rules)

    def _policy_chain(self, chain: str, endpoints: Sequence[Endpoint]) -> None:
        if not endpoints:
            return
        names = [self._name(endpoint) for endpoint in endpoints]
        sticky = names if self.port.affinity_seconds else []
        rules = [f"ip saddr @affinity-{name} goto endpoint-{name}" for name in sticky]
        choices = " , ".join(f"{n} : goto endpoint-{name}" for n, name in enumerate(names))
        rules.append(f"numgen random mod {len(names)} vmap {{ {choices} }}")
        self._chain(chain, rules)

    def _endpoint_chain(self, endpoint: Endpoint) -> None:
        name, protocol = self._name(endpoint), self.port.protocol
        # A Pod that reaches itself would be confused by its own address.
        rules = [f"ip saddr {endpoint.ip} {MASQUERADE}"]
        if seconds := self.port.affinity_seconds:
            declaration = f"{{ type ipv4_addr ; flags dynamic,timeout ; timeout {seconds}s ; }}"
            self.ruleset.sets[f"affinity-{name}"] = NftSet(
                f"affinity-{name}", declaration, False, {}
            )
            rules.append(f"update @affinity-{name} {{ ip saddr }}")
        rules.append(f"meta l4proto {protocol} dnat to {endpoint.address}")
        self._chain(f"endpoint-{name}", rules)

    def _name(self, endpoint: Endpoint) -> str:
        return endpoint_name(self.port.name, self.port.protocol, endpoint.address)

    def _chain(self, name: str, rules: list[str]) -> None:
        self.ruleset.chains[name] = NftChain(name, rules=rules)
