"""Which Services get a load balancer, with which address, and which nodes stand behind it.

Rule of use: pure; the loop is in `service_controller`.

Upstream: staging/src/k8s.io/cloud-provider/service/helpers, controllers/service/controller.go
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

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


def choose_addresses(service: Service, pools: str, taken: Container[str]) -> tuple[str, ...]:
    """Return the Service's addresses, of each of its families one; `pools` are CIDRs with commas.

    Each is the one that it has, the one that it asks for, or the first free one. Raises NoAddress.
    """
    networks = {f"IPv{network.version}": network for network in map(ip_network, pools.split(","))}
    wanted = service.spec.loadBalancerIP
    if wanted and not any(ip_address(wanted) in network for network in networks.values()):
        raise NoAddress(f"address {wanted} is not in {pools}")
    chosen = []
    for family in service.spec.ipFamilies or ("IPv4",):
        if family not in networks:
            raise NoAddress(f"there are no {family} addresses in {pools}")
        chosen.append(_choose(service, networks[family], taken))
    return tuple(chosen)


def _choose(service: Service, network: IPv4Network | IPv6Network, taken: Container[str]) -> str:
    for wanted in (service.spec.loadBalancerIP, *addresses_of(service)):
        if wanted and ip_address(wanted) in network:
            if wanted in taken:
                raise NoAddress(f"address {wanted} is already in use")
            return wanted
    free = (str(ip) for ip in network.hosts() if str(ip) not in taken)
    try:
        return next(free)
    except StopIteration:
        raise NoAddress(f"no address is left in {network}") from None


def backends(nodes: Iterable[Node]) -> tuple[Backend, ...]:
    """Return the nodes that may stand behind load balancers, by name.

    Ready or not does not count: a node that is unwell fails the health checks by itself.
    """
    found = []
    for node in nodes:
        ips = tuple(a.address for a in node.status.addresses if a.type == "InternalIP")
        leaves = node.metadata.deletionTimestamp is not None or any(
            taint.key == AUTOSCALER_TAINT for taint in node.spec.taints
        )
        if ips and not leaves and EXCLUDED not in node.metadata.labels:
            found.append(Backend(node.metadata.name, ips))
    return tuple(sorted(found, key=lambda each: each.name))


def load_balancer(
    service: Service, ips: tuple[str, ...], nodes: tuple[Backend, ...], ip_mode: str
) -> LoadBalancer:
    """Return what has to be ordered for the Service."""
    spec = service.spec
    ports = tuple(Port(p.protocol.lower(), p.port, p.nodePort) for p in spec.ports)
    ranges = tuple(str(ip_network(each.strip())) for each in spec.loadBalancerSourceRanges)
    return LoadBalancer(
        ips=ips,
        ports=ports,
        backends=nodes,
        health_port=spec.healthCheckNodePort or PROXY_HEALTH_PORT,
        rewrites=ip_mode == PROXY,
        # Where the address reaches the nodes, kube-proxy keeps strangers out.
        source_ranges=ranges if ip_mode == PROXY else (),
    )
