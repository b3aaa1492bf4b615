"""Who may talk to whom: what NetworkPolicies mean for the Pods of one node.

A Pod that no policy selects is open. One policy that selects it isolates it in the policy's
directions, and from then on only what some policy allows gets through: policies add up, none can
forbid what another allows. A connection needs the consent of both ends, and answers need none.

    plan(policies, pods, namespaces, node="worker-1")  ->  what each isolated Pod of the node allows

Rule of use: pure. Pods are known by their addresses, so traffic that was masqueraded on its way
counts as that of the node, and Pods on the host's network are neither selected nor protected.

Upstream: sigs.k8s.io/kube-network-policies pkg/networkpolicy
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, ip_network

import msgspec

from k8slab.api.core import Pod
from k8slab.api.labels import Selector, from_label_selector
from k8slab.api.networking import (
    IPBlock,
    NetworkPolicy,
    NetworkPolicyPeer,
    NetworkPolicyPort,
)
from k8slab.api.pods import is_pod_terminal

Namespaces = Mapping[str, Mapping[str, str]]  # name -> labels


class Allowed(msgspec.Struct, frozen=True):
    """Something that one rule of a policy lets through."""

    policy: str  # "namespace/name"
    cidr: str = ""  # of the other end; "": anybody
    protocol: str = ""  # in lower case; "": any
    ports: str = ""  # "80" or "80:90" of the destination; "": any


class Isolated(msgspec.Struct, frozen=True):
    """A Pod that policies select; None in a direction that none of them is about."""

    pod: str  # "namespace/name"
    ip: str
    ingress: tuple[Allowed, ...] | None = None
    egress: tuple[Allowed, ...] | None = None


class Peer(msgspec.Struct, frozen=True):
    """The other end: a network, and the Pod if it is one."""

    cidr: str
    pod: Pod | None = None


def plan(
    policies: Iterable[NetworkPolicy], pods: Iterable[Pod], namespaces: Namespaces, *, node: str
) -> tuple[Isolated, ...]:
    """Return the isolated Pods of the node, by name, with all that is allowed to them."""
    known = sorted((pod for pod in pods if has_own_address(pod)), key=_key)
    local = [pod for pod in known if pod.spec.nodeName == node]
    ordered = [_Policy(policy, known, namespaces) for policy in sorted(policies, key=_key)]
    found = (_isolated(pod, ordered) for pod in local)
    return tuple(each for each in found if each.ingress is not None or each.egress is not None)


def has_own_address(pod: Pod) -> bool:
    """Say whether an address stands for this Pod and for no other."""
    return bool(pod.status.podIP) and not pod.spec.hostNetwork and not is_pod_terminal(pod)


class _Policy:
    """A policy, with its selectors read and its peers looked up once for all Pods."""

    def __init__(self, policy: NetworkPolicy, pods: Sequence[Pod], namespaces: Namespaces) -> None:
        spec = policy.spec
        self.name = _key(policy)
        self.namespace = policy.metadata.namespace
        self.selector = from_label_selector(spec.podSelector)
        self.types = spec.policyTypes or (("Ingress", "Egress") if spec.egress else ("Ingress",))
        peers = _Peers(self.namespace, pods, namespaces)
        self._rules: dict[str, list[tuple[list[Peer], Sequence[NetworkPolicyPort]]]] = {
            "Ingress": [(peers.of(rule.from_), rule.ports) for rule in spec.ingress],
            "Egress": [
                (peers.of(rule.to) if rule.to else peers.everybody(rule.ports), rule.ports)
                for rule in spec.egress
            ],
        }

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


def _isolated(pod: Pod, policies: Sequence[_Policy]) -> Isolated:
    selecting = [policy for policy in policies if policy.selects(pod)]
    found: dict[str, tuple[Allowed, ...] | None] = {"Ingress": None, "Egress": None}
    for direction in found:
        about = [policy for policy in selecting if direction in policy.types]
        if about:
            allowed = (each for policy in about for each in policy.allowed(direction, pod))
            found[direction] = tuple(dict.fromkeys(allowed))
    return Isolated(_key(pod), pod.status.podIP, found["Ingress"], found["Egress"])


class _Peers:
    """The other ends that the rules of a policy can name."""

    def __init__(self, own: str, pods: Sequence[Pod], namespaces: Namespaces) -> None:
        self._own = own
        self._pods = pods
        self._namespaces = namespaces

    def of(self, peers: Sequence[NetworkPolicyPeer]) -> list[Peer]:
        """Return the ends that are meant; without peers everybody is."""
        found: list[Peer] = [] if peers else [Peer("")]
        for peer in peers:
            if peer.ipBlock is not None:
                found += [Peer(cidr) for cidr in cidrs(peer.ipBlock)]
            else:
                found += self._selected(peer)
        return found

    def everybody(self, ports: Sequence[NetworkPolicyPort]) -> list[Peer]:
        """Return all ends; Pods one by one if the port has a name, which each has its own for."""
        named = any(isinstance(port.port, str) for port in ports)
        return [*(_peer(pod) for pod in self._pods if named), Peer("")]

    def _selected(self, peer: NetworkPolicyPeer) -> list[Peer]:
        # No podSelector beside a namespaceSelector takes every Pod.
        wanted = from_label_selector(peer.podSelector) if peer.podSelector else Selector(())
        namespaces = {self._own: True}
        if peer.namespaceSelector is not None:
            selector = from_label_selector(peer.namespaceSelector)
            namespaces = {
                name: selector.matches(labels) for name, labels in self._namespaces.items()
            }
        return [
            _peer(pod)
            for pod in self._pods
            if namespaces.get(pod.metadata.namespace) and wanted.matches(pod.metadata.labels)
        ]


def _peer(pod: Pod) -> Peer:
    return Peer(f"{pod.status.podIP}/32", pod)


def cidrs(block: IPBlock) -> list[str]:
    """Return the networks that make up a block without its exceptions; none for IPv6.

    >>> cidrs(IPBlock(cidr="10.0.0.0/30", except_=("10.0.0.1/32",)))
    ['10.0.0.0/32', '10.0.0.2/31']
    """
    if ":" in block.cidr:
        return []
    left = [IPv4Network(block.cidr, strict=False)]
    for text in block.except_:
        hole = ip_network(text, strict=False)
        if isinstance(hole, IPv4Network):
            left = [part for network in left for part in _without(network, hole)]
    return [str(network) for network in sorted(left)]


def _without(network: IPv4Network, hole: IPv4Network) -> list[IPv4Network]:
    if not network.overlaps(hole):
        return [network]
    return list(network.address_exclude(hole)) if hole.subnet_of(network) else []


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
