"""The ResourceQuota controller: counts what a namespace uses.

`calculate_status` is the decision; the loop counts when a quota changes and when something that it
limits goes away. What is added the API server counts itself, before it stores it.

Rule of use: an ended Pod uses nothing, but it still counts as an object (count/pods).

Upstream: pkg/controller/resourcequota/resource_quota_controller.go
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from msgspec.structs import replace

from k8slab.api.core import Event, Pod, ResourceQuota, ResourceQuotaStatus
from k8slab.api.meta import Object
from k8slab.api.pods import is_pod_terminal
from k8slab.api.quota import add, applies_to, usage_of
from k8slab.api.scheme import KINDS, Resource
from k8slab.client import Client, EventRecorder, Informers, WorkQueue, key_of
from k8slab.control_plane.controllers.controller_utils import work

WORKERS = 5  # --concurrent-resource-quota-syncs


def calculate_status(quota: ResourceQuota, objects: Iterable[Object]) -> ResourceQuotaStatus:
    """Return what the quota allows and what the objects of its namespace use of that."""
    hard = quota.spec.hard
    used = dict.fromkeys(hard, "0")
    for obj in objects:
        if applies_to(quota, obj):
            usage = usage_of(obj)
            used = add(used, {name: usage[name] for name in hard if name in usage})
    return ResourceQuotaStatus(hard=hard, used=used)


def limits(quota: ResourceQuota, resource: Resource) -> bool:
    """Say whether objects of a kind can use anything of the quota."""
    names = quota.spec.hard
    if f"count/{resource.group_resource}" in names:
        return True
    if resource.group:
        return False
    if resource.kind == "Pod":
        return any(not name.startswith(("count/", "services")) for name in names)
    plain = {"Service": "services", "PersistentVolumeClaim": "storage"}.get(resource.kind)
    return any(name == resource.plural or (plain and plain in name) for name in names)


class ResourceQuotaController:
    """The loop: at each change of a quota, and when objects go, count."""

    component = "resourcequota-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._quotas = informers.informer(ResourceQuota)
        self._kinds: list[tuple[Resource, Any]] = [
            (resource, informers.informer(resource.type))
            for resource in KINDS
            if resource.namespaced and resource.type is not Event
        ]
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Keep the status of all quotas for ever."""
        self._quotas.add_index("namespace", _namespace)
        self._quotas.add_handler(self._on_quota)
        for resource, informer in self._kinds:
            informer.add_handler(partial(self._on_object, resource))
            await informer.synced.wait()
        await work(self._sim, self._queue, self._sync, WORKERS)

    def _on_quota(self, old: ResourceQuota | None, new: ResourceQuota | None) -> None:
        if new is not None and (old is None or old.spec != new.spec):
            self._queue.add(key_of(new))

    def _on_object(self, resource: Resource, old: Object | None, new: Object | None) -> None:
        if old is None or (new is not None and not _frees(old, new)):
            return
        for quota in self._quotas.by_index("namespace", old.metadata.namespace):
            if limits(quota, resource):
                self._queue.add(key_of(quota))

    async def _sync(self, key: str) -> None:
        quota = self._quotas.by_key(key)
        if quota is None:
            return
        namespace = quota.metadata.namespace
        objects = [
            obj
            for resource, informer in self._kinds
            if limits(quota, resource)
            for obj in informer.all()
            if obj.metadata.namespace == namespace
        ]
        status = calculate_status(quota, objects)
        if status != quota.status:
            await self._client.update_status(replace(quota, status=status))


def _namespace(obj: Object) -> tuple[str]:
    return (obj.metadata.namespace,)


def _frees(old: Object, new: Object) -> bool:
    """Say whether a change may cost less: a Pod has ended or was resized, a Service changed."""
    if isinstance(old, Pod) and isinstance(new, Pod):
        if is_pod_terminal(new):
            return not is_pod_terminal(old)
        return old.spec != new.spec and usage_of(old) != usage_of(new)
    return getattr(old, "kind", "") == "Service" and usage_of(old) != usage_of(new)
