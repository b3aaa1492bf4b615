"""The loop of the CronJob controller.

At each change of a CronJob or of one of its Jobs, and at each time that the schedule names, it
plans, deletes and creates Jobs, and writes the status.

Rule of use: deciding is `plan`'s business; this module only watches and writes.

Upstream: pkg/controller/cronjob/cronjob_controllerv2.go
"""

from __future__ import annotations

from datetime import UTC, tzinfo

from msgspec.structs import replace

from k8slab.api.batch import CronJob, Job
from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions, controller_of, is_controlled_by
from k8slab.client import (
    Client,
    ConnectionFailed,
    EventRecorder,
    Informers,
    WorkQueue,
    key_of,
)
from k8slab.control_plane.controllers.controller_utils import (
    BY_CONTROLLER,
    controller_index,
    decide,
    work,
)
from k8slab.control_plane.controllers.cron_job.plan import CronJobPlan, plan, with_active

WORKERS = 5  # --concurrent-cron-job-syncs


class CronJobController:
    """The loop: at each change and at each time of the schedule, plan and write."""

    component = "cronjob-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._cron_jobs = informers.informer(CronJob)
        self._jobs = informers.informer(Job)
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Keep all CronJobs for ever."""
        self._jobs.add_index(BY_CONTROLLER, controller_index)
        self._cron_jobs.add_handler(self._on_cron_job)
        self._jobs.add_handler(self._on_job)
        await self._cron_jobs.synced.wait()
        await self._jobs.synced.wait()
        await work(self._sim, self._queue, self._sync, WORKERS)

    def _on_cron_job(self, old: CronJob | None, new: CronJob | None) -> None:
        if new is not None and (old is None or old.spec != new.spec):
            self._queue.add(key_of(new))

    def _on_job(self, old: Job | None, new: Job | None) -> None:
        job = new or old
        assert job is not None
        reference = controller_of(job)
        if reference is not None and reference.kind == "CronJob":
            owner = self._cron_jobs.get(job.metadata.namespace, reference.name)
            if owner is not None and owner.metadata.uid == reference.uid:
                self._queue.add(key_of(owner))

    async def _sync(self, key: str) -> None:
        cron_job = self._cron_jobs.by_key(key)
        if cron_job is None:
            return
        zone = self._zone(cron_job)
        if zone is None:
            return
        jobs = self._jobs.by_index(BY_CONTROLLER, cron_job.metadata.uid)
        result = plan(cron_job, jobs, now=self._sim.now, zone=zone)
        for type_, reason, message in result.events:
            self._recorder.event(cron_job, type_, reason, message)
        for job in result.delete:
            await self._delete(cron_job, job)
        status = result.status
        created = await self._create(cron_job, result)
        if created is not None:
            status = with_active(status, created)
        if status != cron_job.status:
            await self._client.update_status(replace(cron_job, status=status))
        if result.look_again_in is not None:
            self._queue.add_after(key, result.look_again_in)

    def _zone(self, cron_job: CronJob) -> tzinfo | None:
        """Return the schedule's time zone; None, and a warning, if there is no such zone."""
        name = cron_job.spec.timeZone
        if name in (None, "UTC", "Etc/UTC"):
            return UTC
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            return ZoneInfo(str(name))
        except (ZoneInfoNotFoundError, ValueError):
            text = f'invalid timeZone: "{name}": unknown time zone {name}'
            self._recorder.event(cron_job, "Warning", "UnknownTimeZone", text)
            return None

    async def _create(self, cron_job: CronJob, result: CronJobPlan) -> Job | None:
        if result.create is None:
            return None
        name = result.create.metadata.name
        decide(self._sim, self.component, cron_job, f"create {name}")
        try:
            created = await self._client.create(result.create)
        except (ApiError, ConnectionFailed) as error:
            if isinstance(error, ApiError) and error.reason == "AlreadyExists":
                # Made by us a moment ago, and neither seen yet nor noted as active.
                there = await self._client.get(Job, name, cron_job.metadata.namespace)
                return there if is_controlled_by(there, cron_job) else None
            text = f"Error creating job: {error}"
            self._recorder.event(cron_job, "Warning", "FailedCreate", text)
            raise
        self._recorder.event(cron_job, "Normal", "SuccessfulCreate", f"Created job {name}")
        return created

    async def _delete(self, cron_job: CronJob, job: Job) -> None:
        name = job.metadata.name
        decide(self._sim, self.component, cron_job, f"delete {name}")
        options = DeleteOptions(propagationPolicy="Background")
        try:
            await self._client.delete(Job, name, job.metadata.namespace, options)
        except (ApiError, ConnectionFailed) as error:
            if isinstance(error, ApiError) and error.reason == "NotFound":
                return
            self._recorder.event(cron_job, "Warning", "FailedDelete", f"Deleted job: {error}")
            raise
        self._recorder.event(cron_job, "Normal", "SuccessfulDelete", f"Deleted job {name}")
