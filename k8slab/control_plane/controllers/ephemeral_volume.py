"""The ephemeral volume controller: makes the claims of volumes that live as long as their Pod.

A Pod's volume of the kind `ephemeral` has the template of a claim. The claim is called after Pod
and volume and belongs to the Pod, so that the garbage collector removes it afterwards.

Rule of use: a claim of that name that is not the Pod's own is left alone; the Pod then waits.

Upstream: pkg/controller/volume/ephemeral/controller.go
"""

from __future__ import annotations

from collections.abc import Iterator

from k8slab.api.core import PersistentVolumeClaim, Pod
from k8slab.api.errors import ApiError
from k8slab.api.meta import ObjectMeta
from k8slab.client import Client, EventRecorder, Informers, WorkQueue, key_of
from k8slab.control_plane.controllers.controller_utils import (
    controller_reference,
    decide,
    work,
)


def claims_to_make(pod: Pod) -> Iterator[PersistentVolumeClaim]:
    """Yield the claims that the Pod's ephemeral volumes need.

    >>> from k8slab.api import load
    >>> pod = load("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{name: v, "
    ...     "ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce]}}}}]}}")
    >>> [claim.metadata.name for claim in claims_to_make(pod)]
    ['web-v']
    """
    for volume in pod.spec.volumes:
        template = volume.ephemeral.volumeClaimTemplate if volume.ephemeral is not None else None
        if template is not None:
            meta = template.metadata
            yield PersistentVolumeClaim(
                metadata=ObjectMeta(
                    name=f"{pod.metadata.name}-{volume.name}",
                    namespace=pod.metadata.namespace,
                    labels=meta.labels,
                    annotations=meta.annotations,
                    ownerReferences=(controller_reference(pod),),
                ),
                spec=template.spec,
            )


class EphemeralVolumeController:
    """The loop: looks at each new Pod that has such volumes."""

    component = "ephemeral-volume-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._pods = informers.informer(Pod)
        self._claims = informers.informer(PersistentVolumeClaim)
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Make claims for ever."""
        self._pods.add_handler(self._on_pod)
        await self._pods.synced.wait()
        await self._claims.synced.wait()
        await work(self._sim, self._queue, self._sync, 1)

    def _on_pod(self, old: Pod | None, new: Pod | None) -> None:
        if old is None and new is not None and any(v.ephemeral for v in new.spec.volumes):
            self._queue.add(key_of(new))

    async def _sync(self, key: str) -> None:
        pod = self._pods.by_key(key)
        if pod is None or pod.metadata.deletionTimestamp is not None:
            return
        for claim in claims_to_make(pod):
            meta = claim.metadata
            if self._claims.get(meta.namespace, meta.name) is not None:
                continue
            decide(self._sim, self.component, pod, f"make the claim {meta.name}")
            try:
                await self._client.create(claim)
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
