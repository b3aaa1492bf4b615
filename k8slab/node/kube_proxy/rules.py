"""The rules of one Service port: a pure function of the port, its endpoints and the node.

A packet to a Service takes this way through the nat table, each arrow a jump:

    KUBE-SERVICES -> KUBE-SVC-HASH of the Service -> KUBE-SEP-HASH of one endpoint -> DNAT

Traffic from outside takes KUBE-EXT on the way, and KUBE-FW before it if the load balancer has
source ranges. What cannot be delivered is ended in the filter table: REJECT if there is no
endpoint at all (connection refused), DROP if there is only none on this node (time-out).

Rule of use: rules are text in the order in which iptables-save prints their parts; probabilities
have the 10 digits that kube-proxy writes, the kernel rounds them to its 31 bits.

Upstream: pkg/proxy/iptables/proxier.go (syncProxyRules)
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import msgspec

from k8slab.node.kube_proxy.chains import (
    EXTERNAL_SERVICES,
    MARK_MASQ,
    NODEPORTS,
    PROXY_FIREWALL,
    SERVICES,
    cluster_policy_chain,
    endpoint_chain,
    external_chain,
    firewall_chain,
    local_policy_chain,
)
from k8slab.node.kube_proxy.config import Config
from k8slab.node.kube_proxy.local_detector import LocalDetector
from k8slab.node.kube_proxy.topology import Categories, NodeView
from k8slab.node.kube_proxy.types import IPV4, IPV6, Endpoint, ServicePort

Rules = dict[str, list[str]]  # chain -> its rules, without "-A CHAIN"

REJECT = {
    IPV4: "REJECT --reject-with icmp-port-unreachable",
    IPV6: "REJECT --reject-with icmp6-port-unreachable",
}
ALL_ONES = {IPV4: "255.255.255.255", IPV6: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}


class PortRules(msgspec.Struct, frozen=True):
    """What one Service port adds to the rules of a node."""

    filter: Rules  # to the end of common chains of the filter table
    nat: Rules  # to the end of common chains of the nat table
    chains: Rules  # its own chains of the nat table

    def count(self) -> int:
        """Return the number of rules."""
        tables = (self.filter, self.nat, self.chains)
        return sum(len(rules) for table in tables for rules in table.values())


def port_rules(
    port: ServicePort,
    usable: Categories,
    node: NodeView,
    config: Config,
    detector: LocalDetector,
    comments: bool = True,
) -> PortRules:
    """Return the rules for a port whose usable endpoints are known.

    `comments=False` leaves out those that upstream drops in clusters of over 1000 endpoints.
    """
    writer = _Writer(port, usable, node, config, detector, comments)
    writer.capture_cluster_ip()
    writer.capture_external_ips()
    writer.capture_load_balancer()
    writer.capture_node_port()
    if usable.any_usable:
        writer.external_chain()
        writer.firewall_chain()
    writer.policy_chain(writer.svc, usable.cluster)
    writer.policy_chain(writer.svl, usable.local)
    for endpoint in usable.reachable:
        writer.endpoint_chain(endpoint)
    return PortRules(writer.filter, writer.nat, writer.chains)


class _Writer:
    """The rules of one port while they are written, in upstream's order."""

    def __init__(
        self,
        port: ServicePort,
        usable: Categories,
        node: NodeView,
        config: Config,
        detector: LocalDetector,
        comments: bool,
    ) -> None:
        self.port, self.usable, self.node, self.config = port, usable, node, config
        self.detector = detector
        self.comments = comments
        self.filter: Rules = {}
        self.nat: Rules = {}
        self.chains: Rules = {}
        name, protocol = port.name, port.protocol
        self.svc = cluster_policy_chain(name, protocol)
        self.svl = local_policy_chain(name, protocol)
        self.ext = external_chain(name, protocol)
        self.fw = firewall_chain(name, protocol)
        self.internal_endpoints = usable.any_usable and (
            not port.internal_policy_local or bool(usable.local)
        )
        self.external_endpoints = usable.any_usable and (
            not port.external_policy_local or bool(usable.local)
        )
        self.uses_firewall = bool(
            usable.any_usable and port.load_balancer_ips and port.source_ranges
        )
        # What happens to packets for which there is no endpoint, and why.
        if usable.any_usable:
            self.refusal, self.reason = "DROP", f"{name} has no local endpoints"
        else:
            self.refusal, self.reason = REJECT[port.family], f"{name} has no endpoints"

    # -- common chains

    def capture_cluster_ip(self) -> None:
        port = self.port
        if not self.internal_endpoints:
            self._refuse(SERVICES, port.cluster_ip)
            return
        chain = self.svl if port.internal_policy_local else self.svc
        text = f"{port.name} cluster IP"
        _add(self.nat, SERVICES, f"{self._to(port.cluster_ip, text)} -j {chain}")
        # Traffic that is not from a Pod may have come through any node, and its answer must come
        # back through this one.
        if self.config.masquerade_all:
            _add(self.chains, chain, f"{self._to(port.cluster_ip, text)} -j {MARK_MASQ}")
        elif self.detector.is_implemented:
            before, after = self.detector.iptables(negated=True)
            rule = f"{before}{self._to(port.cluster_ip, text, after)} -j {MARK_MASQ}"
            _add(self.chains, chain, rule)

    def capture_external_ips(self) -> None:
        for ip in self.port.external_ips:
            if self.usable.any_usable:
                text = f"{self.port.name} external IP"
                _add(self.nat, SERVICES, f"{self._to(ip, text)} -j {self.ext}")
            if not self.external_endpoints:
                self._refuse(EXTERNAL_SERVICES, ip)

    def capture_load_balancer(self) -> None:
        name = self.port.name
        for ip in self.port.load_balancer_ips:
            if self.usable.any_usable:
                chain = self.fw if self.uses_firewall else self.ext
                _add(self.nat, SERVICES, f"{self._to(ip, f'{name} loadbalancer IP')} -j {chain}")
            if self.uses_firewall:
                # What KUBE-FW did not accept has not been rewritten and ends here.
                text = f"{name} traffic not accepted by {self.fw}"
                _add(self.filter, PROXY_FIREWALL, f"{self._to(ip, text)} -j DROP")
        if not self.external_endpoints:
            for ip in self.port.load_balancer_ips:
                self._refuse(EXTERNAL_SERVICES, ip)

    def capture_node_port(self) -> None:
        port, protocol = self.port, self.port.protocol
        if port.node_port:
            dport = f"-m {protocol} --dport {port.node_port}"
            if self.usable.any_usable:
                rule = f"-p {protocol} {_comment(port.name)} {dport} -j {self.ext}"
                _add(self.nat, NODEPORTS, rule)
            if not self.external_endpoints:
                local = "-m addrtype --dst-type LOCAL"
                rule = f"-p {protocol} {_comment(self.reason)} {local} {dport} -j {self.refusal}"
                _add(self.filter, EXTERNAL_SERVICES, rule)
        if port.health_check_node_port:
            text = _comment(f"{port.name} health check node port")
            dport = f"-m tcp --dport {port.health_check_node_port}"
            _add(self.filter, NODEPORTS, f"-p tcp {text} {dport} -j ACCEPT")

    # -- the port's own chains

    def external_chain(self) -> None:
        """Decide for traffic from outside: masquerade it, or keep it on this node."""
        port = self.port
        if not port.externally_accessible:
            return
        to = f"{port.name} external destinations"
        if not port.external_policy_local:
            # It may leave for another node, and must come back through this one.
            self._ext(f"{_comment(f'masquerade traffic for {to}')} -j {MARK_MASQ}")
            self._ext(f"-j {self.svc}")
            return
        if self.detector.is_implemented:
            # Pods get to all endpoints, as if they had gone out to a load balancer and back.
            text = _comment(f"pod traffic for {to}")
            self._ext(f"{''.join(self.detector.iptables(negated=False))}{text} -j {self.svc}")
        from_host = "-m addrtype --src-type LOCAL"
        self._ext(f"{_comment(f'masquerade LOCAL traffic for {to}')} {from_host} -j {MARK_MASQ}")
        self._ext(f"{_comment(f'route LOCAL traffic for {to}')} {from_host} -j {self.svc}")
        if self.external_endpoints:
            self._ext(f"-j {self.svl}")

    def firewall_chain(self) -> None:
        """Let the source ranges of the load balancer through."""
        if not self.uses_firewall:
            return
        port = self.port
        text = _comment(f"{port.name} loadbalancer IP")
        sources = [_cidr(source) for source in port.source_ranges]
        if any(within(self.node.own_ip(port.family), source) for source in sources):
            # The node's own requests loop back with the load balancer's address as source.
            sources += [_cidr(ip) for ip in port.load_balancer_ips]
        for source in sources:
            match = "" if source.endswith("/0") else f"-s {source} "
            _add(self.chains, self.fw, f"{match}{text} -j {self.ext}")
        text = f"other traffic to {port.name} will be dropped by {PROXY_FIREWALL}"
        _add(self.chains, self.fw, _comment(text))

    def policy_chain(self, chain: str, endpoints: Sequence[Endpoint]) -> None:
        """Pick one of the endpoints: the client's last one, else any with equal chance."""
        if not endpoints:
            return
        port = self.port
        rules = self.chains.get(chain, [])
        targets = [endpoint_chain(port.name, port.protocol, each.address) for each in endpoints]
        texts = [self._optional(f"{port.name} -> {each.address}") for each in endpoints]
        if port.affinity_seconds:
            for target, text in zip(targets, texts, strict=True):
                recent = f"--rcheck --seconds {port.affinity_seconds} --reap {self._list(target)}"
                rules.append(f"{text}-m recent {recent} -j {target}")
        for number, (target, text) in enumerate(zip(targets, texts, strict=True)):
            left = len(targets) - number
            # The first gets 1/n of all, the second 1/(n-1) of the rest, the last what is left.
            chance = f"-m statistic --mode random --probability {1 / left:.10f} "
            rules.append(f"{text}{chance if left > 1 else ''}-j {target}")
        self.chains[chain] = rules

    def endpoint_chain(self, endpoint: Endpoint) -> None:
        """Send to one endpoint; masquerade a Pod that reaches itself, or it would be confused."""
        port = self.port
        chain = endpoint_chain(port.name, port.protocol, endpoint.address)
        text = self._optional(port.name)
        _add(self.chains, chain, f"-s {_cidr(endpoint.ip)} {text}-j {MARK_MASQ}")
        recent = f"-m recent --set {self._list(chain)} " if port.affinity_seconds else ""
        rule = f"-p {port.protocol} {text}{recent}-m {port.protocol}"
        _add(self.chains, chain, f"{rule} -j DNAT --to-destination {endpoint.address}")

    # -- helpers

    def _to(self, ip: str, comment: str, device: str = "") -> str:
        protocol = self.port.protocol
        dport = f"-m {protocol} --dport {self.port.port}"
        return f"-d {_cidr(ip)} {device}-p {protocol} {_comment(comment)} {dport}"

    def _refuse(self, chain: str, ip: str) -> None:
        _add(self.filter, chain, f"{self._to(ip, self.reason)} -j {self.refusal}")

    def _ext(self, rule: str) -> None:
        _add(self.chains, self.ext, rule)

    def _list(self, chain: str) -> str:
        return f"--name {chain} --mask {ALL_ONES[self.port.family]} --rsource"

    def _optional(self, comment: str) -> str:
        return f"{_comment(comment)} " if self.comments else ""


def _add(rules: Rules, chain: str, rule: str) -> None:
    rules.setdefault(chain, []).append(rule)


def _comment(text: str) -> str:
    return f'-m comment --comment "{text}"'


def _cidr(address: str) -> str:
    if "/" in address:
        return address
    return f"{address}/128" if ":" in address else f"{address}/32"


def within(ip: str, cidr: str) -> bool:
    """Say whether the address, "" for none, lies in the network of the same family."""
    if not ip or (":" in ip) != (":" in cidr):
        return False
    return ip_address(ip) in ip_network(cidr, strict=False)
