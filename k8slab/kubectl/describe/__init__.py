"""`kubectl describe`: everything about an object that people look for, in words, with its Events.

Each kind has a function that writes its fields; kinds without one are written field by field. Names
that are not there are tried as prefixes: `describe pod web` finds web-5d4f-x2k9p.

Rule of use: adding a description is adding a row to DESCRIBERS.

Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go, pkg/cmd/describe/describe.go
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from k8slab.api.custom import builtin_kind
from k8slab.api.errors import ApiError
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.describe import (
    autoscaling,
    batch,
    config,
    limits,
    network,
    nodes,
    pods,
    storage,
    workloads,
)
from k8slab.kubectl.describe.events import describe_events, events_of
from k8slab.kubectl.describe.writer import Writer
from k8slab.kubectl.errors import CommandError, raise_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.resources import SELECTORS, Finder, Found, selections
from k8slab.kubectl.targets import targets

Describe = Callable[[Invocation, Writer, Any], Awaitable[None]]

DESCRIBERS: Mapping[str, Describe] = {
    "Pod": pods.describe_pod,
    "Node": nodes.describe_node,
    "Deployment": workloads.describe_deployment,
    "ReplicaSet": workloads.describe_replica_set,
    "DaemonSet": workloads.describe_daemon_set,
    "StatefulSet": workloads.describe_stateful_set,
    "ReplicationController": workloads.describe_replica_set,
    "Job": batch.describe_job,
    "CronJob": batch.describe_cron_job,
    "HorizontalPodAutoscaler": autoscaling.describe_autoscaler,
    "Service": network.describe_service,
    "EndpointSlice": network.describe_endpoint_slice,
    "Endpoints": network.describe_endpoints,
    "ServiceCIDR": network.describe_service_cidr,
    "IPAddress": network.describe_ip_address,
    "IngressClass": network.describe_ingress_class,
    "Ingress": network.describe_ingress,
    "NetworkPolicy": network.describe_network_policy,
    "Namespace": limits.describe_namespace,
    "ConfigMap": config.describe_config_map,
    "Secret": config.describe_secret,
    "ServiceAccount": config.describe_service_account,
    "Role": config.describe_role,
    "ClusterRole": config.describe_role,
    "RoleBinding": config.describe_role_binding,
    "ClusterRoleBinding": config.describe_role_binding,
    "PodDisruptionBudget": config.describe_budget,
    "PriorityClass": config.describe_priority_class,
    "ResourceQuota": limits.describe_quota,
    "LimitRange": limits.describe_limit_range,
    "PersistentVolumeClaim": storage.describe_claim,
    "PersistentVolume": storage.describe_volume,
    "StorageClass": storage.describe_storage_class,
    "CSINode": storage.describe_csi_node,
}
WITHOUT_EVENTS = frozenset(
    {
        *("Namespace", "Secret", "NetworkPolicy", "Role", "ClusterRole"),
        *("RoleBinding", "ClusterRoleBinding", "ResourceQuota", "LimitRange"),
    }
)
NOTHING_ASKED = (
    'You must specify the type of resource to describe. Use "kubectl api-resources" for a complete '
    "list of supported resources."
)


async def describe(call: Invocation) -> None:
    """Write a description of each object, two blank lines apart."""
    if not call.words and not call.flags.all("filename"):
        raise CommandError(NOTHING_ASKED)
    found, errors = await _find(call)
    # Of several objects kubectl shows no Events, unless it is told to.
    events = call.flags.on("show-events") and (len(found) == 1 or call.flags.given("show-events"))
    for index, target in enumerate(found):
        if index:
            call.print("\n")
        call.print(await describe_object(call, target.obj, events=events), end="")
    raise_all(errors)
    if not found:
        call.say(f"No resources found in {call.namespace} namespace.")


async def describe_object(call: Invocation, obj: Any, *, events: bool = True) -> str:
    """Return the description of one object."""
    writer = Writer()
    await DESCRIBERS.get(builtin_kind(obj), config.describe_any)(call, writer, obj)
    if events and builtin_kind(obj) not in WITHOUT_EVENTS:
        describe_events(writer, await events_of(call, obj), call.now)
    return str(writer)


async def _find(call: Invocation) -> tuple[list[Found], list[Exception]]:
    if call.flags.all("filename"):
        return await targets(call)
    finder = Finder(call)
    found = await finder.find(call.words)
    wanted = selections(call.words, call.custom)
    if not found and len(finder.errors) == 1 and len(wanted) == 1:
        by_prefix = await _by_prefix(call, finder.errors[0], wanted[0].names or ())
        if by_prefix:
            return by_prefix, []
    return found, finder.errors


async def _by_prefix(call: Invocation, error: Exception, names: tuple[str, ...]) -> list[Found]:
    """Return the objects whose names begin with the name that was not found."""
    if not isinstance(error, ApiError) or error.reason != "NotFound" or not names:
        return []
    resource = selections(call.words, call.custom)[0].resource
    objects = (await call.request("list", resource, namespace=call.namespace)).items
    return [
        Found(resource, obj.metadata.namespace, obj.metadata.name, obj)
        for obj in objects
        if obj.metadata.name.startswith(names[0])
    ]


DESCRIBE = Command(
    describe,
    (
        *SELECTORS,
        *FILES,
        flag_on("show-events", default="true"),
        Flag("chunk-size", kind="int", default="500"),
    ),
)
