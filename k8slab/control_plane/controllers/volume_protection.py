"""Protection of storage in use: a claim stays while a Pod uses it, a volume while it is bound.

Claims and volumes are made with a finalizer (by admission). Deleting one marks it; these loops
take the finalizer off when nobody needs the object any more.

Rule of use: a Pod that has no node yet does not hold a claim; one that has ended does, until it is
deleted.

Upstream: pkg/controller/volume/{pvcprotection,pvprotection}
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from k8slab.api.core import PersistentVolume, PersistentVolumeClaim, Pod
from k8slab.api.errors import ApiError
from k8slab.api.pods import claims_of
from k8slab.client import Client, EventRecorder, Informers, WorkQueue, key_of
from k8slab.control_plane.controllers.controller_utils import decide, work

CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER = "kubernetes.io/pv-protection"


class PvcProtectionController:
    """Lets claims go that no Pod uses."""

    component = "persistentvolumeclaim-protection-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._claims = informers.informer(PersistentVolumeClaim)
        self._pods = informers.informer(Pod)
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Look at deleted claims for ever."""
        self._claims.add_handler(self._on_claim)
        self._pods.add_handler(self._on_pod)
        await self._claims.synced.wait()
        await self._pods.synced.wait()
        await work(self._sim, self._queue, self._sync, 1)

    def _on_claim(
        self, old: PersistentVolumeClaim | None, new: PersistentVolumeClaim | None
    ) -> None:
        if new is not None and _is_held(new, CLAIM_FINALIZER):
            self._queue.add(key_of(new))

    def _on_pod(self, old: Pod | None, new: Pod | None) -> None:
        if new is None and old is not None:
            for name in claims_of(old):
                self._queue.add(f"{old.metadata.namespace}/{name}")

    async def _sync(self, key: str) -> None:
        claim = self._claims.by_key(key)
        if claim is None or not _is_held(claim, CLAIM_FINALIZER):
            return
        if not any(self._holds(pod, claim) for pod in self._pods.all()):
            decide(self._sim, self.component, claim, "let it go: no Pod uses it")
            await _let_go(self._client, claim, CLAIM_FINALIZER)

    @staticmethod
    def _holds(pod: Pod, claim: PersistentVolumeClaim) -> bool:
        same = pod.metadata.namespace == claim.metadata.namespace
        return same and bool(pod.spec.nodeName) and claim.metadata.name in claims_of(pod)


class PvProtectionController:
    """Lets volumes go that no claim is bound to."""

    component = "persistentvolume-protection-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._volumes = informers.informer(PersistentVolume)
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Look at deleted volumes for ever."""
        self._volumes.add_handler(self._on_volume)
        await self._volumes.synced.wait()
        await work(self._sim, self._queue, self._sync, 1)

    def _on_volume(self, old: PersistentVolume | None, new: PersistentVolume | None) -> None:
        if new is not None and _is_held(new, VOLUME_FINALIZER):
            self._queue.add(new.metadata.name)

    async def _sync(self, name: str) -> None:
        volume = self._volumes.get("", name)
        if volume is None or not _is_held(volume, VOLUME_FINALIZER):
            return
        if volume.status.phase != "Bound":
            decide(self._sim, self.component, volume, "let it go: no claim is bound to it")
            await _let_go(self._client, volume, VOLUME_FINALIZER)


def _is_held(obj: Any, finalizer: str) -> bool:
    """Say whether an object is marked for deletion and waits for this finalizer."""
    return obj.metadata.deletionTimestamp is not None and finalizer in obj.metadata.finalizers


async def _let_go(client: Client, obj: Any, finalizer: str) -> None:
    rest = tuple(each for each in obj.metadata.finalizers if each != finalizer)
    try:
        await client.update(replace(obj, metadata=replace(obj.metadata, finalizers=rest)))
    except ApiError as error:
        if error.reason != "NotFound":
            raise
