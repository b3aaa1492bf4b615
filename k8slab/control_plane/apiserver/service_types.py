"""What a Service gives up when its type changes: fields that only the old type had a use for.

Whoever patches `type: ClusterIP` into a NodePort Service sends the rest as it was. What was filled
in for the old type is then taken away, rather than refused, unless the user changed it as well.

Rule of use: on updates only, before addresses and ports are given out and validation.

Upstream: pkg/registry/core/service/strategy.go (dropTypeDependentFields)
"""

from __future__ import annotations

from msgspec.structs import replace

from k8slab.api.core import Service, ServiceSpec


def drop_unneeded(new: Service, old: Service) -> Service:
    """Return the new Service without unchanged fields that its type does not have."""
    spec = new.spec
    if (
        _has_node_ports(old.spec)
        and not _has_node_ports(spec)
        and _numbers(spec) == _numbers(old.spec)
    ):
        ports = tuple(replace(port, nodePort=0) for port in spec.ports)
        spec = replace(spec, ports=ports)
    same_policy = spec.externalTrafficPolicy == old.spec.externalTrafficPolicy
    if is_external(old.spec) and not is_external(spec) and same_policy:
        spec = replace(spec, externalTrafficPolicy="")
    if old.spec.type == "LoadBalancer" != spec.type:
        if spec.loadBalancerClass == old.spec.loadBalancerClass:
            spec = replace(spec, loadBalancerClass=None)
        if spec.allocateLoadBalancerNodePorts == old.spec.allocateLoadBalancerNodePorts:
            spec = replace(spec, allocateLoadBalancerNodePorts=None)
    return new if spec is new.spec else replace(new, spec=spec)


def is_external(spec: ServiceSpec) -> bool:
    """Say whether callers from outside may reach the Service, so that it has a policy for them."""
    has_addresses = spec.type == "ClusterIP" and bool(spec.externalIPs)
    return spec.type in ("NodePort", "LoadBalancer") or has_addresses


def _has_node_ports(spec: ServiceSpec) -> bool:
    return spec.type in ("NodePort", "LoadBalancer")


def _numbers(spec: ServiceSpec) -> set[int]:
    return {port.nodePort for port in spec.ports}
