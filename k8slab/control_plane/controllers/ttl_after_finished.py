"""The TTL-after-finished controller: deletes Jobs some time after they have ended.

`expires_in` is the decision; the loop looks at a Job when it ends and again when its time is over.

Rule of use: without ttlSecondsAfterFinished a Job stays until somebody deletes it.

Upstream: pkg/controller/ttlafterfinished/ttlafterfinished_controller.go
"""

from __future__ import annotations

from k8slab.api.batch import Job
from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions, Preconditions, seconds
from k8slab.client import Client, EventRecorder, Informers, WorkQueue, key_of
from k8slab.control_plane.controllers.controller_utils import decide, work

WORKERS = 5  # --concurrent-ttl-after-finished-syncs


def expires_in(job: Job, now: float) -> float | None:
    """Return in how many seconds a Job is to go, None if it is not to go."""
    ttl = job.spec.ttlSecondsAfterFinished
    if ttl is None or job.metadata.deletionTimestamp is not None:
        return None
    ends = [
        seconds(condition.lastTransitionTime)
        for condition in job.status.conditions
        if condition.type in ("Complete", "Failed") and condition.status == "True"
    ]
    return max(ends[0] + ttl - now, 0.0) if ends else None


class TtlAfterFinishedController:
    """The loop: at each change of a Job, delete it or wait until it is time."""

    component = "ttl-after-finished-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._jobs = informers.informer(Job)
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Delete ended Jobs for ever."""
        self._jobs.add_handler(self._on_job)
        await self._jobs.synced.wait()
        await work(self._sim, self._queue, self._sync, WORKERS)

    def _on_job(self, old: Job | None, new: Job | None) -> None:
        if new is not None and expires_in(new, self._sim.now) is not None:
            self._queue.add(key_of(new))

    async def _sync(self, key: str) -> None:
        job = self._jobs.by_key(key)
        left = expires_in(job, self._sim.now) if job is not None else None
        if job is None or left is None:
            return
        if left > 0:
            self._queue.add_after(key, left)
            return
        decide(self._sim, self.component, job, "delete: its time after the end is over")
        options = DeleteOptions(
            propagationPolicy="Foreground", preconditions=Preconditions(uid=job.metadata.uid)
        )
        try:
            await self._client.delete(Job, job.metadata.name, job.metadata.namespace, options)
        except ApiError as error:
            if error.reason not in ("NotFound", "Conflict"):
                raise
