"""The Namespace controller: empties a namespace that is being deleted, then lets it go.

Pods go first, because they may need their ConfigMaps until the end; then everything else. What is
left is told in the namespace's conditions. When nothing is left, the controller takes its finalizer
`kubernetes` out of the spec, and the API server removes the object.

Rule of use: it waits 5 s before it looks, so that late creations are seen.

Upstream: pkg/controller/namespace/namespace_controller.go, deletion/namespaced_resources_deleter.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from k8slab.api.apiextensions import CustomResourceDefinition
from k8slab.api.core import Namespace, NamespaceCondition, Pod
from k8slab.api.errors import ApiError
from k8slab.api.meta import Object, timestamp
from k8slab.api.scheme import KINDS, Resource, defined
from k8slab.client import Client, EventRecorder, Informers, WorkQueue
from k8slab.control_plane.controllers.controller_utils import decide, work

GRACE_PERIOD = 5.0  # s, namespaceDeletionGracePeriod
WORKERS = 10  # --concurrent-namespace-syncs
FINALIZER = "kubernetes"

# type, reason and message when there is nothing to complain of; in upstream's order
FINE = (
    (
        "NamespaceDeletionDiscoveryFailure",
        "ResourcesDiscovered",
        "All resources successfully discovered",
    ),
    (
        "NamespaceDeletionGroupVersionParsingFailure",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    (
        "NamespaceFinalizersRemaining",
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
    ),
)

K = TypeVar("K", bound=Object)
Left = Mapping[str, Sequence[Object]]  # objects that are still there, by "resource.group"


def conditions_for(
    namespace: Namespace, left: Left, now: float, failure: str = ""
) -> tuple[NamespaceCondition, ...]:
    """Return the namespace's conditions: what is left in it, and what keeps that."""
    told = dict(remaining(left))
    if failure:
        told["NamespaceDeletionContentFailure"] = ("ContentDeletionFailed", failure)
    before = {condition.type: condition for condition in namespace.status.conditions}
    result = []
    for type_, reason, message in FINE:
        status = "True" if type_ in told else "False"
        reason, message = told.get(type_, (reason, message))
        old = before.get(type_)
        same = old is not None and old.status == status
        time = old.lastTransitionTime if old is not None and same else timestamp(now)
        result.append(
            NamespaceCondition(
                type=type_, status=status, lastTransitionTime=time, reason=reason, message=message
            )
        )
    return tuple(result)


def remaining(left: Left) -> list[tuple[str, tuple[str, str]]]:
    """Say in words what is left and which finalizers hold it: (type, (reason, message))."""
    told = []
    counts = [f"{name} has {len(objects)} resource instances" for name, objects in left.items()]
    if counts:
        text = f"Some resources are remaining: {', '.join(sorted(counts))}"
        told.append(("NamespaceContentRemaining", ("SomeResourcesRemain", text)))
    holding: dict[str, int] = {}
    for objects in left.values():
        for obj in objects:
            for finalizer in obj.metadata.finalizers:
                holding[finalizer] = holding.get(finalizer, 0) + 1
    if holding:
        held = [f"{name} in {count} resource instances" for name, count in holding.items()]
        start = "Some content in the namespace has finalizers remaining: "
        text = start + ", ".join(sorted(held))
        told.append(("NamespaceFinalizersRemaining", ("SomeFinalizersRemain", text)))
    return told


def longest_grace(pods: Sequence[Pod]) -> int:
    """Return for how many seconds the Pods may take to end."""
    return max((pod.spec.terminationGracePeriodSeconds or 0 for pod in pods), default=0)


class NamespaceController:
    """The loop: empty the namespaces that are being deleted."""

    component = "namespace-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._namespaces = informers.informer(Namespace)
        self._definitions = informers.informer(CustomResourceDefinition)
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Empty namespaces for ever."""
        self._namespaces.add_handler(self._on_namespace)
        await self._namespaces.synced.wait()
        await work(self._sim, self._queue, self._sync, WORKERS)

    def _on_namespace(self, old: Namespace | None, new: Namespace | None) -> None:
        if new is not None and new.metadata.deletionTimestamp is not None:
            self._queue.add_after(new.metadata.name, GRACE_PERIOD)

    async def _sync(self, name: str) -> None:
        namespace = self._namespaces.by_key(name)
        if namespace is None or namespace.metadata.deletionTimestamp is None:
            return
        if FINALIZER not in namespace.spec.finalizers:
            return
        decide(self._sim, self.component, namespace, "delete its content")
        pods = await self._delete_all(name, Pod)
        if pods:
            await self._tell(namespace, {})
            self._queue.add_after(name, longest_grace(pods) / 2 + 1)
            return
        left, failure = await self._delete_rest(name)
        if left or failure:
            await self._tell(namespace, left, failure)
            self._queue.add_rate_limited(name)
            return
        self._queue.forget(name)
        await self._finalize(await self._tell(namespace, {}))

    async def _delete_all(self, namespace: str, kind: type[K]) -> tuple[K, ...]:
        """Delete all objects of a kind and return those that are still there."""
        await self._client.call("deletecollection", kind, namespace=namespace)
        return (await self._client.list(kind, namespace)).items

    async def _delete_rest(self, namespace: str) -> tuple[dict[str, Sequence[Object]], str]:
        left: dict[str, Sequence[Object]] = {}
        failures = []
        for resource in (*KINDS, *self._defined()):
            if not resource.namespaced or resource.type is Pod:  # those are gone
                continue
            try:
                objects = await self._delete_all(namespace, resource.type)
            except ApiError as error:
                failures.append(str(error))
                continue
            if objects:
                left[_full_name(resource)] = objects
        if not failures:
            return left, ""
        count, listed = len(failures), ", ".join(sorted(failures))
        return left, f"Failed to delete all resource types, {count} remaining: {listed}"

    def _defined(self) -> list[Resource]:
        """Return the kinds that people have defined, each in its best version."""
        found = defined(self._definitions.all())
        return list({resource.group_resource: resource for resource in reversed(found)}.values())

    async def _tell(self, namespace: Namespace, left: Left, failure: str = "") -> Namespace:
        conditions = conditions_for(namespace, left, self._sim.now, failure)
        if conditions == namespace.status.conditions:
            return namespace
        status = replace(namespace.status, phase="Terminating", conditions=conditions)
        return await self._client.update_status(replace(namespace, status=status))

    async def _finalize(self, namespace: Namespace) -> None:
        """Take the controller's finalizer out of the spec, and so let the namespace go."""
        kept = tuple(f for f in namespace.spec.finalizers if f != FINALIZER)
        empty = replace(namespace, spec=replace(namespace.spec, finalizers=kept))
        name = namespace.metadata.name
        await self._client.call("update", Namespace, name=name, subresource="finalize", body=empty)


def _full_name(resource: Resource) -> str:
    """Return "pods." or "deployments.apps", as upstream's messages have it."""
    return f"{resource.plural}.{resource.group}"
