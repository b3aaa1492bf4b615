"""Which Services get a load balancer, with which address, and which nodes stand behind it.

Rule of use: pure; the loop is in `service_controller`.

Upstream: staging/src/k8s.io/cloud-provider/service/helpers, controllers/service/controller.go
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from ipaddress import IPv4Network, ip_address, ip_network

from k8slab.addons.cloud_controller.load_balancers import Backend, LoadBalancer, Port
from k8slab.api.core import Node, Service

FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
AUTOSCALER_TAINT = "ToBeDeletedByClusterAutoscaler"
PROXY_HEALTH_PORT = 10256  # of kube-proxy, asked under the policy Cluster
PROXY = "Proxy"  # the ipMode of load balancers that rewrite the destination themselves


class NoAddress(Exception):  # noqa: N818 (the condition, as elsewhere)
    """No address can be given to the Service; the message says why."""


def wants_load_balancer(service: Service) -> bool:
    """Say whether this cloud has to have a load balancer for the Service."""
    spec, meta = service.spec, service.metadata
    # A class names another implementation.
    is_ours = spec.type == "LoadBalancer" and spec.loadBalancerClass is None
    return is_ours and meta.deletionTimestamp is None


def addresses_of(service: Service) -> tuple[str, ...]:
    """Return the addresses that the Service has been given."""
    return tuple(each.ip for each in service.status.loadBalancer.ingress if each.ip)


def choose_address(service: Service, pool: str, taken: Container[str]) -> str:
    """Return the Service's address: the one it has, the one it asks for, or the first free one.

    Raises NoAddress.
    """
    network = IPv4Network(pool)
    wanted = service.spec.loadBalancerIP or next(iter(addresses_of(service)), "")
    if wanted and ip_address(wanted) in network:
        if wanted in taken:
            raise NoAddress(f"address {wanted} is already in use")
        return wanted
    if service.spec.loadBalancerIP:
        raise NoAddress(f"address {wanted} is not in {pool}")
    free = (str(ip) for ip in network.hosts() if str(ip) not in taken)
    try:
        return next(free)
    except StopIteration:
        raise NoAddress(f"no address is left in {pool}") from None


def backends(nodes: Iterable[Node]) -> tuple[Backend, ...]:
    """Return the nodes that may stand behind load balancers, by name.

    Ready or not does not count: a node that is unwell fails the health checks by itself.
    """
    found = []
    for node in nodes:
        addresses = (a.address for a in node.status.addresses if a.type == "InternalIP")
        ip = next(addresses, "")
        leaves = node.metadata.deletionTimestamp is not None or any(
            taint.key == AUTOSCALER_TAINT for taint in node.spec.taints
        )
        if ip and not leaves and EXCLUDED not in node.metadata.labels:
            found.append(Backend(node.metadata.name, ip))
    return tuple(sorted(found, key=lambda each: each.name))


def load_balancer(
    service: Service, ip: str, nodes: tuple[Backend, ...], ip_mode: str
) -> LoadBalancer:
    """Return what has to be ordered for the Service."""
    spec = service.spec
    ports = tuple(Port(p.protocol.lower(), p.port, p.nodePort) for p in spec.ports)
    ranges = tuple(str(ip_network(each.strip())) for each in spec.loadBalancerSourceRanges)
    return LoadBalancer(
        ip=ip,
        ports=ports,
        backends=nodes,
        health_port=spec.healthCheckNodePort or PROXY_HEALTH_PORT,
        rewrites=ip_mode == PROXY,
        # Where the address reaches the nodes, kube-proxy keeps strangers out.
        source_ranges=ranges if ip_mode == PROXY else (),
    )
