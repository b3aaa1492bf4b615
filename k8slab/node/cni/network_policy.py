"""Who may talk to whom: what NetworkPolicies mean for the Pods of one node.

A Pod that no policy selects is open. One policy that selects it isolates it in the policy's
directions, and from then on only what some policy allows gets through: policies add up, none can
forbid what another allows. A connection needs the consent of both ends, and answers need none.

    plan(policies, pods, namespaces, node="worker-1")  ->  what each isolated Pod of the node allows

Each family of addresses is planned by itself: a block of IPv4 allows nothing in IPv6.

Rule of use: pure. Pods are known by their addresses, so traffic that was masqueraded on its way
counts as that of the node, and Pods on the host's network are neither selected nor protected.

Upstream: sigs.k8s.io/kube-network-policies pkg/networkpolicy
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeVar

import msgspec

from k8slab.api.core import Pod
from k8slab.api.labels import Selector, from_label_selector
from k8slab.api.networking import (
    IPBlock,
    NetworkPolicy,
    NetworkPolicyEgressRule,
    NetworkPolicyIngressRule,
    NetworkPolicyPeer,
    NetworkPolicyPort,
)
from k8slab.api.pods import is_pod_terminal
from k8slab.linux.addresses import is_ipv6

Namespaces = Mapping[str, Mapping[str, str]]  # name -> labels
Network = IPv4Network | IPv6Network
N = TypeVar("N", IPv4Network, IPv6Network)


class Allowed(msgspec.Struct, frozen=True):
    """Something that one rule of a policy lets through."""

    policy: str  # "namespace/name"
    cidr: str = ""  # of the other end; "": anybody
    protocol: str = ""  # in lower case; "": any
    ports: str = ""  # "80" or "80:90" of the destination; "": any


class Isolated(msgspec.Struct, frozen=True):
    """A Pod that policies select; None in a direction that none of them is about."""

    pod: str  # "namespace/name"
    cidr: str  # of its address alone
    ingress: tuple[Allowed, ...] | None = None
    egress: tuple[Allowed, ...] | None = None


class Peer(msgspec.Struct, frozen=True):
    """The other end: a network, and the Pod if it is one."""

    cidr: str
    pod: Pod | None = None


def plan(
    policies: Iterable[NetworkPolicy],
    pods: Iterable[Pod],
    namespaces: Namespaces,
    *,
    node: str,
    ipv6: bool = False,
) -> tuple[Isolated, ...]:
    """Return the isolated Pods of the node, by name, with all that is allowed to them."""
    own = sorted((pod for pod in pods if has_own_address(pod)), key=_key)
    ends = [(cidr, pod) for pod in own for cidr in _cidrs_of(pod, ipv6)]
    peers = _Peers(ends, namespaces, ipv6)
    ordered = [_Policy(policy, peers) for policy in sorted(policies, key=_key)]
    found = (_isolated(cidr, pod, ordered) for cidr, pod in ends if pod.spec.nodeName == node)
    return tuple(each for each in found if each.ingress is not None or each.egress is not None)


def has_own_address(pod: Pod) -> bool:
    """Say whether an address stands for this Pod and for no other."""
    return bool(pod.status.podIP) and not pod.spec.hostNetwork and not is_pod_terminal(pod)


def isolating(policies: Iterable[NetworkPolicy], pod: Pod, direction: str) -> list[NetworkPolicy]:
    """Return those that isolate the Pod in a direction, "Ingress" or "Egress"."""
    return [
        policy
        for policy in policies
        if policy.metadata.namespace == pod.metadata.namespace
        and direction in types_of(policy)
        and from_label_selector(policy.spec.podSelector).matches(pod.metadata.labels)
    ]


def types_of(policy: NetworkPolicy) -> Sequence[str]:
    """Return the directions that the policy is about."""
    spec = policy.spec
    return spec.policyTypes or (("Ingress", "Egress") if spec.egress else ("Ingress",))


def addresses_of(pod: Pod) -> tuple[str, ...]:
    """Return the Pod's addresses, of whichever family."""
    return tuple(entry.ip for entry in pod.status.podIPs) or (pod.status.podIP,)


def _cidrs_of(pod: Pod, ipv6: bool) -> list[str]:
    own = (ip for ip in addresses_of(pod) if is_ipv6(ip) == ipv6)
    return [f"{ip}/{128 if ipv6 else 32}" for ip in own]


class _Policy:
    """A policy, with its selectors read and its peers looked up once for all Pods."""

    def __init__(self, policy: NetworkPolicy, peers: _Peers) -> None:
        spec = policy.spec
        self.name = _key(policy)
        self.namespace = policy.metadata.namespace
        self.selector = from_label_selector(spec.podSelector)
        self.types = types_of(policy)
        self._rules: dict[str, list[tuple[list[Peer], Sequence[NetworkPolicyPort]]]] = {
            "Ingress": [(self._senders(rule, peers), rule.ports) for rule in spec.ingress],
            "Egress": [(self._receivers(rule, peers), rule.ports) for rule in spec.egress],
        }

    def _senders(self, rule: NetworkPolicyIngressRule, peers: _Peers) -> list[Peer]:
        return peers.of(rule.from_, self.namespace)

    def _receivers(self, rule: NetworkPolicyEgressRule, peers: _Peers) -> list[Peer]:
        return peers.of(rule.to, self.namespace) if rule.to else peers.everybody(rule.ports)

    def selects(self, pod: Pod) -> bool:
        same = self.namespace == pod.metadata.namespace
        return same and self.selector.matches(pod.metadata.labels)

    def allowed(self, direction: str, pod: Pod) -> Iterator[Allowed]:
        """Yield what the policy allows to a Pod that it selects."""
        for peers, rule_ports in self._rules[direction]:
            for peer in peers:
                target = pod if direction == "Ingress" else peer.pod
                for protocol, ports in _ports(rule_ports, target):
                    yield Allowed(self.name, peer.cidr, protocol, ports)


def _isolated(cidr: str, pod: Pod, policies: Sequence[_Policy]) -> Isolated:
    selecting = [policy for policy in policies if policy.selects(pod)]
    found: dict[str, tuple[Allowed, ...] | None] = {"Ingress": None, "Egress": None}
    for direction in found:
        about = [policy for policy in selecting if direction in policy.types]
        if about:
            allowed = (each for policy in about for each in policy.allowed(direction, pod))
            found[direction] = tuple(dict.fromkeys(allowed))
    return Isolated(_key(pod), cidr, found["Ingress"], found["Egress"])


class _Peers:
    """The other ends that the rules of policies can name, in one family."""

    def __init__(self, ends: Sequence[tuple[str, Pod]], namespaces: Namespaces, ipv6: bool) -> None:
        self._pods = [Peer(cidr, pod) for cidr, pod in ends]
        self._namespaces = namespaces
        self._ipv6 = ipv6

    def of(self, peers: Sequence[NetworkPolicyPeer], own: str) -> list[Peer]:
        """Return the ends that are meant; without peers everybody is. `own`: the namespace."""
        found: list[Peer] = [] if peers else [Peer("")]
        for peer in peers:
            if peer.ipBlock is None:
                found += self._selected(peer, own)
            elif is_ipv6(peer.ipBlock.cidr) == self._ipv6:
                found += [Peer(cidr) for cidr in cidrs(peer.ipBlock)]
        return found

    def everybody(self, ports: Sequence[NetworkPolicyPort]) -> list[Peer]:
        """Return all ends; Pods one by one if the port has a name, which each has its own for."""
        named = any(isinstance(port.port, str) for port in ports)
        return [*(self._pods if named else ()), Peer("")]

    def _selected(self, peer: NetworkPolicyPeer, own: str) -> list[Peer]:
        # No podSelector beside a namespaceSelector takes every Pod.
        wanted = from_label_selector(peer.podSelector) if peer.podSelector else Selector(())
        namespaces = {own: True}
        if peer.namespaceSelector is not None:
            selector = from_label_selector(peer.namespaceSelector)
            namespaces = {
                name: selector.matches(labels) for name, labels in self._namespaces.items()
            }
        return [
            each
            for each in self._pods
            if each.pod is not None
            and namespaces.get(each.pod.metadata.namespace)
            and wanted.matches(each.pod.metadata.labels)
        ]


def cidrs(block: IPBlock) -> list[str]:
    """Return the networks that make up a block without its exceptions.

    >>> cidrs(IPBlock(cidr="10.0.0.0/30", except_=("10.0.0.1/32",)))
    ['10.0.0.0/32', '10.0.0.2/31']
    """
    left: list[Network] = [ip_network(block.cidr, strict=False)]
    for text in block.except_:
        hole = ip_network(text, strict=False)
        left = [part for network in left for part in _without(network, hole)]
    return [str(network) for network in sorted(left, key=_start)]


def _without(network: Network, hole: Network) -> Iterable[Network]:
    if isinstance(network, IPv4Network) and isinstance(hole, IPv4Network):
        return _parts(network, hole)
    if isinstance(network, IPv6Network) and isinstance(hole, IPv6Network):
        return _parts(network, hole)
    return [network]


def _parts(network: N, hole: N) -> Iterable[N]:
    if not network.overlaps(hole):
        return [network]
    return network.address_exclude(hole) if hole.subnet_of(network) else []


def _start(network: Network) -> int:
    return int(network.network_address)


def _ports(ports: Sequence[NetworkPolicyPort], target: Pod | None) -> Iterator[tuple[str, str]]:
    """Yield protocol and port range; a named port is looked up in the Pod that is the target."""
    if not ports:
        yield "", ""
    for port in ports:
        protocol = (port.protocol or "TCP").lower()
        if port.port is None:
            yield protocol, ""
        elif isinstance(port.port, str):
            for number in _named(port.port, protocol, target):
                yield protocol, str(number)
        elif port.endPort:
            yield protocol, f"{port.port}:{port.endPort}"
        else:
            yield protocol, str(port.port)


def _named(name: str, protocol: str, pod: Pod | None) -> Iterator[int]:
    containers = pod.spec.containers if pod is not None else ()
    for container in containers:
        for port in container.ports:
            if port.name == name and (port.protocol or "TCP").lower() == protocol:
                yield port.containerPort


def _key(obj: Pod | NetworkPolicy) -> str:
    return f"{obj.metadata.namespace}/{obj.metadata.name}"
