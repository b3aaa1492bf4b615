"""What an API server makes sure of when it starts: the objects that no manifest brings.

The namespaces, the two highest priority classes, and the Service `kubernetes` through which Pods
reach the API server itself: it has no selector, so the server writes its EndpointSlice.

Rule of use: `ensure_policy` before a server lets anybody in, `bootstrap` once after each start;
what exists is left alone.

Upstream: pkg/controlplane/controller/{systemnamespaces,kubernetesservice}, pkg/controlplane/
reconcilers, plugin/pkg/admission/priority
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.api.core import Namespace, Service, ServicePort, ServiceSpec
from k8slab.api.discovery import (
    Endpoint,
    EndpointConditions,
    EndpointPort,
    EndpointSlice,
)
from k8slab.api.errors import ApiError
from k8slab.api.meta import Condition, Object, ObjectMeta
from k8slab.api.networking import ServiceCIDR, ServiceCIDRSpec, ServiceCIDRStatus
from k8slab.api.scheduling import PriorityClass
from k8slab.api.scheme import resource_for
from k8slab.client import Client, Request
from k8slab.control_plane.apiserver.access.bootstrap_policy import (
    cluster_role_bindings,
    cluster_roles,
)
from k8slab.control_plane.apiserver.server import APIServer
from k8slab.control_plane.apiserver.service_families import family_of

USER = "system:apiserver"  # the API server as a client of itself
NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "default")
PRIORITY_CLASSES = {
    "system-node-critical": (
        2000001000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    "system-cluster-critical": (
        2000000000,
        "Used for system critical pods that must run in the cluster, but can be moved to another "
        "node if necessary.",
    ),
}


def ensure_policy(server: APIServer) -> None:
    """Create what is missing of the first roles and bindings: before anybody is let in."""
    if not server.access.enforced:
        return
    for obj in (*cluster_roles(), *cluster_role_bindings()):
        if server.look_up(type(obj), obj.metadata.name) is None:
            resource = resource_for(obj)
            server.handle(
                Request(
                    verb="create",
                    resource=resource.plural,
                    group=resource.group,
                    body=obj,
                    user=USER,
                )
            )


async def bootstrap(client: Client, server: APIServer, address: str) -> None:
    """Create what is missing; `address` is where this API server listens."""
    for name in NAMESPACES:
        await ensure(client, Namespace(metadata=ObjectMeta(name=name)))
    for name, (value, text) in PRIORITY_CLASSES.items():
        wanted = PriorityClass(metadata=ObjectMeta(name=name), value=value, description=text)
        await ensure(client, wanted)
    await ensure_service_cidr(client, [str(each.network) for each in server.services.ranges])
    first = str(next(server.services.ranges[0].network.hosts()))
    await ensure(client, kubernetes_service(first))
    await ensure(client, kubernetes_endpoints(address))


async def ensure(client: Client, obj: Object) -> None:
    """Create the object unless there is one of that name."""
    meta = obj.metadata
    try:
        # Asking first: creating a Service again is refused for its address, not for its name.
        await client.get(type(obj), meta.name, meta.namespace)
    except ApiError as refused:
        if refused.reason != "NotFound":
            raise
        await client.create(obj)


async def ensure_service_cidr(client: Client, cidrs: Sequence[str]) -> None:
    """Write down the ranges of `--service-cluster-ip-range`; others may be added beside them."""
    meta = ObjectMeta(name="kubernetes")
    try:
        await client.get(ServiceCIDR, meta.name)
    except ApiError:
        spec = ServiceCIDRSpec(cidrs=tuple(cidrs))
        made = await client.create(ServiceCIDR(metadata=meta, spec=spec))
        ready = Condition(
            type="Ready",
            status="True",
            message="Kubernetes default Service CIDR is ready",
            lastTransitionTime=made.metadata.creationTimestamp,
        )
        await client.update_status(replace(made, status=ServiceCIDRStatus(conditions=(ready,))))


def kubernetes_service(address: str) -> Service:
    """Return the Service by which Pods find the API server."""
    return Service(
        metadata=ObjectMeta(
            name="kubernetes",
            namespace="default",
            labels={"component": "apiserver", "provider": "kubernetes"},
        ),
        spec=ServiceSpec(
            type="ClusterIP",
            clusterIP=address,
            clusterIPs=(address,),
            ports=(ServicePort(name="https", port=443, protocol="TCP", targetPort=6443),),
        ),
    )


def kubernetes_endpoints(address: str) -> EndpointSlice:
    """Return the EndpointSlice that leads to the API server's own address."""
    return EndpointSlice(
        metadata=ObjectMeta(
            name="kubernetes",
            namespace="default",
            labels={"kubernetes.io/service-name": "kubernetes"},
        ),
        addressType=family_of(address),
        endpoints=(Endpoint(addresses=(address,), conditions=EndpointConditions(ready=True)),),
        ports=(EndpointPort(name="https", port=6443, protocol="TCP"),),
    )
