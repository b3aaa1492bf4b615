"""The loop of the volume binder: looks at a claim or a volume whenever either changes.

A claim that is not bound gets a free volume that fits; without one, its class says who makes one
(the provisioner's name is written into the claim), or it waits. A volume whose claim is gone is
Released; what becomes of it then is its reclaim policy's to say, and its provisioner's to do.

Rule of use: claims that wait are looked at again every 15 s.

Upstream: pkg/controller/volume/persistentvolume/pv_controller.go
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from k8slab.api import volume_matching as matching
from k8slab.api.core import PersistentVolume, PersistentVolumeClaim, Pod
from k8slab.api.errors import ApiError
from k8slab.api.pods import claims_of
from k8slab.api.storage import StorageClass
from k8slab.client import Client, EventRecorder, Informers, WorkQueue, key_of
from k8slab.control_plane.controllers.controller_utils import decide, work
from k8slab.control_plane.controllers.persistent_volume import binding

RESYNC_PERIOD = 15.0  # s, --pvclaimbinder-sync-period
WAITS = matching.WAIT_FOR_FIRST_CONSUMER
EXTERNAL = (
    "Waiting for a volume to be created either by the external provisioner '{name}' or manually by "
    "the system administrator. If volume creation is delayed, please verify that the provisioner "
    "is running and correctly registered."
)
NO_VOLUME = "no persistent volumes available for this claim and no storage class is set"
NO_CONSUMER = "waiting for first consumer to be created before binding"
LOST = {
    "name": "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!",
    "volume": "Bound claim has lost its PersistentVolume. Data on the volume is lost!",
}
MISBOUND = "Two claims are bound to the same volume, this one is bound incorrectly"


class PersistentVolumeController:
    """Brings claims and volumes together."""

    component = "persistentvolume-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._claims = informers.informer(PersistentVolumeClaim)
        self._volumes = informers.informer(PersistentVolume)
        self._classes = informers.informer(StorageClass)
        self._pods = informers.informer(Pod)
        self._claim_queue = WorkQueue(self._sim, f"{self.component}: claims")
        self._volume_queue = WorkQueue(self._sim, f"{self.component}: volumes")

    async def run(self) -> None:
        """Bind for ever."""
        self._claims.add_handler(self._on_claim)
        self._volumes.add_handler(self._on_volume)
        for informer in (self._claims, self._volumes, self._classes, self._pods):
            await informer.synced.wait()
        volumes = work(self._sim, self._volume_queue, self._sync_volume, 1)
        self._sim.spawn(volumes, f"{self.component}: volumes")
        await work(self._sim, self._claim_queue, self._sync_claim, 1)

    def _on_claim(
        self, old: PersistentVolumeClaim | None, new: PersistentVolumeClaim | None
    ) -> None:
        claim = new or old
        if claim is None:
            return
        self._claim_queue.add(key_of(claim))
        for seen in (old, new):
            if seen is not None and seen.spec.volumeName:
                self._volume_queue.add(seen.spec.volumeName)

    def _on_volume(self, old: PersistentVolume | None, new: PersistentVolume | None) -> None:
        volume = new or old
        if volume is None:
            return
        self._volume_queue.add(volume.metadata.name)
        reference = volume.spec.claimRef
        if reference is not None:
            self._claim_queue.add(f"{reference.namespace}/{reference.name}")
        elif new is not None and new.status.phase == "Available":
            for claim in self._claims.all():
                if not claim.spec.volumeName:
                    self._claim_queue.add(key_of(claim))

    # -- claims

    async def _sync_claim(self, key: str) -> None:
        claim = self._claims.by_key(key)
        if claim is None:
            return
        if matching.BIND_COMPLETED in claim.metadata.annotations:
            await self._sync_bound(claim)
        elif claim.metadata.deletionTimestamp is None:
            await self._sync_unbound(claim)

    async def _sync_unbound(self, claim: PersistentVolumeClaim) -> None:
        name = claim.spec.volumeName
        if name:
            volume = self._volumes.get("", name)
            if volume is not None and self._is_free_for(volume, claim):
                why = matching.mismatch(volume, claim) if volume.spec.claimRef is None else ""
                if not why:
                    return await self._bind(volume, claim)
                text = f'Cannot bind to requested volume "{name}": {why}'
                self._recorder.event(claim, "Warning", "VolumeMismatch", text)
            return await self._wait(claim)
        delayed = self._is_delayed(claim)
        volume = matching.best_volume(claim, self._volumes.all(), prebound_only=delayed)
        if volume is not None:
            return await self._bind(volume, claim)
        if delayed:
            self._tell_of_consumers(claim)
        elif claim.spec.storageClassName:
            claim = await self._provision(claim)
        else:
            self._recorder.event(claim, "Normal", "FailedBinding", NO_VOLUME)
        return await self._wait(claim)

    @staticmethod
    def _is_free_for(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
        return volume.spec.claimRef is None or matching.is_meant_for(volume, claim)

    def _is_delayed(self, claim: PersistentVolumeClaim) -> bool:
        """Say whether the claim waits until the scheduler has chosen the node of its Pod."""
        if matching.SELECTED_NODE in claim.metadata.annotations:
            return False
        found = self._classes.get("", claim.spec.storageClassName or "")
        return found is not None and found.volumeBindingMode == WAITS

    def _tell_of_consumers(self, claim: PersistentVolumeClaim) -> None:
        waiting = [
            pod.metadata.name
            for pod in self._pods.all()
            if pod.metadata.namespace == claim.metadata.namespace
            and not pod.spec.nodeName
            and claim.metadata.name in claims_of(pod)
        ]
        if waiting:
            text = f"waiting for pod {','.join(waiting)} to be scheduled"
            self._recorder.event(claim, "Normal", "WaitForPodScheduled", text)
        else:
            self._recorder.event(claim, "Normal", WAITS, NO_CONSUMER)

    async def _provision(self, claim: PersistentVolumeClaim) -> PersistentVolumeClaim:
        """Hand the claim to the provisioner of its class."""
        wanted = claim.spec.storageClassName or ""
        found = self._classes.get("", wanted)
        if found is None:
            text = f'storageclass.storage.k8s.io "{wanted}" not found'
            self._recorder.event(claim, "Warning", "ProvisioningFailed", text)
            return claim
        name, meta = found.provisioner, claim.metadata
        if meta.annotations.get(matching.STORAGE_PROVISIONER) != name:
            own = dict.fromkeys(
                (matching.BETA_STORAGE_PROVISIONER, matching.STORAGE_PROVISIONER), name
            )
            decide(self._sim, self.component, claim, f"hand it to {name}")
            annotations = {**meta.annotations, **own}
            claim = await self._client.update(
                replace(claim, metadata=replace(meta, annotations=annotations))
            )
        text = EXTERNAL.format(name=name)
        self._recorder.event(claim, "Normal", "ExternalProvisioning", text)
        return claim

    async def _wait(self, claim: PersistentVolumeClaim) -> None:
        await self._write_claim(claim, "Pending", None)
        self._claim_queue.add_after(key_of(claim), RESYNC_PERIOD)

    async def _sync_bound(self, claim: PersistentVolumeClaim) -> None:
        name = claim.spec.volumeName
        volume = self._volumes.get("", name) if name else None
        if volume is None:
            return await self._lose(claim, "ClaimLost", LOST["volume" if name else "name"])
        if volume.spec.claimRef is None or volume.spec.claimRef.uid == claim.metadata.uid:
            return await self._bind(volume, claim)
        if matching.is_meant_for(volume, claim):
            return await self._bind(volume, claim)
        return await self._lose(claim, "ClaimMisbound", MISBOUND)

    async def _lose(self, claim: PersistentVolumeClaim, reason: str, text: str) -> None:
        if claim.status.phase != "Lost":
            self._recorder.event(claim, "Warning", reason, text)
        await self._write_claim(claim, "Lost", None)

    async def _bind(self, volume: PersistentVolume, claim: PersistentVolumeClaim) -> None:
        """Do the steps that are still to be done, in their order."""
        bound = binding.volume_bound(volume, claim)
        if bound is not volume:
            decide(self._sim, self.component, claim, f"bind it to {volume.metadata.name}")
            bound = await self._client.update(bound)
        in_phase = binding.volume_in_phase(bound, "Bound", self._sim.now)
        if in_phase is not bound:
            bound = await self._client.update_status(in_phase)
        named = binding.claim_bound(claim, bound)
        if named != claim:
            claim = await self._client.update(named)
        await self._write_claim(claim, "Bound", bound)

    async def _write_claim(
        self, claim: PersistentVolumeClaim, phase: str, volume: PersistentVolume | None
    ) -> None:
        new = binding.claim_in_phase(claim, phase, volume)
        if new is not claim:
            await self._client.update_status(new)

    # -- volumes

    async def _sync_volume(self, name: str) -> None:
        volume = self._volumes.get("", name)
        if volume is None:
            return
        reference = volume.spec.claimRef
        if reference is None or not reference.uid:
            return await self._write_volume(volume, "Available")
        claim = await self._claim_of(volume)
        if claim is None:
            return await self._write_volume(volume, "Released")
        if claim.spec.volumeName == name:
            return await self._write_volume(volume, "Bound")
        if not claim.spec.volumeName:
            self._claim_queue.add(key_of(claim))  # the second half of a binding
            return None
        if matching.PROVISIONED_BY in volume.metadata.annotations and (
            volume.spec.persistentVolumeReclaimPolicy == "Delete"
        ):
            # Made for a claim that has taken another meanwhile: its provisioner deletes it.
            return await self._write_volume(volume, "Released")
        return await self._unbind(volume)

    async def _claim_of(self, volume: PersistentVolume) -> PersistentVolumeClaim | None:
        """Return the claim that the volume is bound to, None if it is gone for sure."""
        reference = volume.spec.claimRef
        assert reference is not None
        claim = self._claims.get(reference.namespace, reference.name)
        if claim is None or claim.metadata.uid != reference.uid:
            # The informer may be behind: whether data is thrown away is asked at the source.
            claim = await _found(
                lambda: self._client.get(PersistentVolumeClaim, reference.name, reference.namespace)
            )
        return claim if claim is not None and claim.metadata.uid == reference.uid else None

    async def _unbind(self, volume: PersistentVolume) -> None:
        free = await self._client.update(binding.volume_released(volume))
        await self._write_volume(free, "Available")

    async def _write_volume(self, volume: PersistentVolume, phase: str) -> None:
        new = binding.volume_in_phase(volume, phase, self._sim.now)
        if new is not volume:
            await self._client.update_status(new)


async def _found(
    ask: Callable[[], Awaitable[PersistentVolumeClaim]],
) -> PersistentVolumeClaim | None:
    try:
        return await ask()
    except ApiError as error:
        if error.reason != "NotFound":
            raise
        return None
