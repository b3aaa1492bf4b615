"""One Pod as an endpoint of a Service: address, condition, place and ports.

`endpoint_for` answers for one Pod, `endpoint_ports` resolves the Service's ports on it: a named
targetPort is looked up in each Pod, so that Pods of one Service may listen on different ports.

Rule of use: Pods that are not ready are endpoints too; readers look at the conditions.

Upstream: staging/src/k8s.io/endpointslice/utils.go, util/controller_utils.go
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.api.core import Node, ObjectReference, Pod, Service, ServicePort
from k8slab.api.discovery import Endpoint, EndpointConditions, EndpointPort
from k8slab.api.pods import is_pod_ready, is_pod_terminal

IPV4, IPV6 = "IPv4", "IPv6"
ZONE = "topology.kubernetes.io/zone"

Placed = tuple[tuple[EndpointPort, ...], Endpoint]  # the ports by which slices are told apart


def endpoint_for(
    service: Service, pod: Pod, nodes: Mapping[str, Node], family: str = IPV4
) -> Placed | None:
    """Return the Pod's ports and endpoint, None if it must not be in any slice.

    It must not when it has ended, has no address of the family, or stands on a node that does not
    exist.
    """
    addresses = _addresses(pod, family)
    if is_pod_terminal(pod) or not addresses:
        return None
    node = nodes.get(pod.spec.nodeName)
    if node is None and pod.spec.nodeName and not service.spec.publishNotReadyAddresses:
        return None
    serving = is_pod_ready(pod)
    terminating = pod.metadata.deletionTimestamp is not None
    endpoint = Endpoint(
        addresses=addresses,
        conditions=EndpointConditions(
            ready=service.spec.publishNotReadyAddresses or (serving and not terminating),
            serving=serving,
            terminating=terminating,
        ),
        hostname=pod.spec.hostname if _has_hostname(pod, service) else None,
        nodeName=pod.spec.nodeName or None,
        targetRef=ObjectReference(
            kind="Pod",
            namespace=pod.metadata.namespace,
            name=pod.metadata.name,
            uid=pod.metadata.uid,
        ),
        zone=(node.metadata.labels.get(ZONE) or None) if node is not None else None,
    )
    return endpoint_ports(service, pod), endpoint


def families_of(service: Service) -> tuple[str, ...]:
    """Return the families of addresses in which the Service has slices."""
    spec = service.spec
    return spec.ipFamilies or ((IPV6,) if ":" in spec.clusterIP else (IPV4,))


def endpoint_ports(service: Service, pod: Pod) -> tuple[EndpointPort, ...]:
    """Return the Service's ports as they are on this Pod; a name that it lacks is left out."""
    found = []
    for port in service.spec.ports:
        number = find_port(pod, port)
        if number is not None:
            found.append(
                EndpointPort(
                    name=port.name,
                    port=number,
                    protocol=port.protocol or "TCP",
                    appProtocol=port.appProtocol,
                )
            )
    return tuple(found)


def find_port(pod: Pod, port: ServicePort) -> int | None:
    """Return the number of the Pod's port that a Service port means, None if it has none."""
    target = port.targetPort
    if isinstance(target, int):
        return target or port.port
    sidecars = [c for c in pod.spec.initContainers if c.restartPolicy == "Always"]
    for container in (*pod.spec.containers, *sidecars):
        for candidate in container.ports:
            protocol = candidate.protocol or "TCP"
            if candidate.name == target and protocol == (port.protocol or "TCP"):
                return candidate.containerPort
    return None


def _addresses(pod: Pod, family: str) -> tuple[str, ...]:
    """Return the Pod's addresses of the family."""
    ips = [entry.ip for entry in pod.status.podIPs] or [pod.status.podIP]
    return tuple(ip for ip in ips if ip and (":" in ip) == (family == IPV6))


def _has_hostname(pod: Pod, service: Service) -> bool:
    """Say whether DNS knows the Pod by name: its subdomain must be this Service."""
    return pod.spec.hostname != "" and pod.spec.subdomain == service.metadata.name
