"""The loop of the Job controller.

At each change of a Job, and a second after changes of its Pods, it plans, creates and deletes Pods,
notes those that ended, takes off their finalizers, and counts them.

Rule of use: deciding is `plan`'s business; this module only watches and writes.

Upstream: pkg/controller/job/job_controller.go
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from k8slab.api.batch import Job, JobStatus
from k8slab.api.conditions import get_condition
from k8slab.api.core import Pod
from k8slab.api.errors import ApiError
from k8slab.api.labels import from_label_selector
from k8slab.api.meta import controller_of
from k8slab.client import (
    STRATEGIC_PATCH,
    Client,
    ConnectionFailed,
    EventRecorder,
    Informers,
    WorkQueue,
    key_of,
)
from k8slab.control_plane.controllers.controller_ref_manager import (
    claim_all,
    resolve_controller_ref,
)
from k8slab.control_plane.controllers.controller_utils import (
    BY_CONTROLLER,
    Action,
    Expectations,
    controller_index,
    controller_reference,
    decide,
    in_parallel,
    orphans_of,
    pod_from_template,
    slow_start,
    work,
)
from k8slab.control_plane.controllers.job.backoff_utils import Backoff
from k8slab.control_plane.controllers.job.indexed_job_utils import (
    failure_count,
    index_of,
    pod_of_index,
)
from k8slab.control_plane.controllers.job.outcome import deadline_in
from k8slab.control_plane.controllers.job.plan import (
    FINALIZER,
    NO_FAILURES,
    NOTHING,
    JobPlan,
    has_failed,
    is_over,
    is_tracked,
    plan,
)
from k8slab.control_plane.controllers.job.status import calculate_status, counted

WORKERS = 5  # --concurrent-job-syncs
BATCH_PERIOD = 1.0  # s, syncJobBatchPeriod


class JobController:
    """The loop: at each change of a Job or of one of its Pods, plan, write and count."""

    component = "job-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._jobs = informers.informer(Job)
        self._pods = informers.informer(Pod)
        self._queue = WorkQueue(self._sim, self.component)
        self._orphans = WorkQueue(self._sim, f"{self.component}: orphans")
        self._expectations = Expectations()
        self._backoffs: dict[str, Backoff] = {}  # by uid of the Job
        self._released: dict[str, None] = {}  # uids of Pods whose finalizer was taken off

    async def run(self) -> None:
        """Keep all Jobs for ever."""
        self._pods.add_index(BY_CONTROLLER, controller_index)
        self._jobs.add_index("namespace", lambda job: (job.metadata.namespace,))
        self._jobs.add_handler(self._on_job)
        self._pods.add_handler(self._on_pod)
        await self._jobs.synced.wait()
        await self._pods.synced.wait()
        self._sim.spawn(self._orphans.run(self._let_go), self._orphans.name)
        await work(self._sim, self._queue, self._sync, WORKERS)

    # -- what makes a Job worth a look

    def _on_job(self, old: Job | None, new: Job | None) -> None:
        job = new or old
        assert job is not None
        if new is not None and old is not None and old.spec == new.spec:
            self._queue.add_after(key_of(job), BATCH_PERIOD)
            return
        self._queue.add(key_of(job))
        if new is None:
            self._backoffs.pop(job.metadata.uid, None)
            for pod in self._pods.by_index(BY_CONTROLLER, job.metadata.uid):
                self._orphans.add(key_of(pod))

    def _on_pod(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        if new is None or not is_tracked(new):
            self._released.pop(pod.metadata.uid, None)
        owner = self._owner(pod)
        if not owner:
            if new is not None:
                self._on_orphan(new)
            return
        if old is None:
            self._expectations.creation_seen(owner)
        if new is None or new.metadata.deletionTimestamp is not None:
            self._expectations.deletion_seen(owner, key_of(pod))
        self._queue.add_after(owner, BATCH_PERIOD)

    def _on_orphan(self, pod: Pod) -> None:
        """Offer the Pod to the Jobs that match it; without any its finalizer comes off."""
        taken = False
        if controller_of(pod) is None:
            for job in self._jobs.by_index("namespace", pod.metadata.namespace):
                if from_label_selector(job.spec.selector).matches(pod.metadata.labels):
                    self._queue.add_after(key_of(job), BATCH_PERIOD)
                    taken = True
        if is_tracked(pod) and not taken:
            self._orphans.add(key_of(pod))

    def _owner(self, pod: Pod) -> str:
        """Return the key of the Job that controls the Pod, "" if none does."""
        job = resolve_controller_ref(pod, "Job", self._jobs)
        return key_of(job) if job is not None else ""

    # -- one look

    async def _sync(self, key: str) -> None:
        job = self._jobs.by_key(key)
        if job is None:
            self._expectations.forget(key)
            return
        if job.spec.managedBy not in (None, "kubernetes.io/job-controller"):
            return
        if is_over(job) or not self._expectations.satisfied(key, self._sim.now):
            return
        pods = await self._claim(job)
        backoff = self._backoffs.get(job.metadata.uid, NO_FAILURES)
        result = plan(job, pods, now=self._sim.now, backoff=backoff, seen=self._released)
        created, failure = await self._act(key, job, pods, result)
        status = calculate_status(job, pods, result, now=self._sim.now, created=created)
        written = await self._write_status(job, status)
        self._backoffs[job.metadata.uid] = result.backoff
        await self._take_off(written, pods, result)
        written = await self._write_status(written, counted(status, now=self._sim.now))
        self._tell(job, written)
        self._look_again(key, written, result)
        if failure is not None:
            raise failure

    async def _claim(self, job: Job) -> list[Pod]:
        own = self._pods.by_index(BY_CONTROLLER, job.metadata.uid)
        orphans = self._pods.by_index(BY_CONTROLLER, orphans_of(job.metadata.namespace))
        selector = from_label_selector(job.spec.selector)
        return await claim_all(
            self._sim, self._client, self.component, job, selector, own + orphans
        )

    def _look_again(self, key: str, job: Job, result: JobPlan) -> None:
        if is_over(job):
            return
        delays = [result.retry_after, deadline_in(job, self._sim.now) or 0.0]
        for delay in delays:
            if delay > 0:
                self._queue.add_after(key, delay)

    # -- Pods

    async def _act(
        self, key: str, job: Job, pods: Sequence[Pod], result: JobPlan
    ) -> tuple[int, Exception | None]:
        if result.create or result.delete:
            verb = f"create {result.create}" if result.create else f"delete {len(result.delete)}"
            why = f"{result.finish.reason}: " if result.finish is not None else ""
            decide(self._sim, self.component, job, f"{why}{verb}")
            self._expectations.expect(
                key, self._sim.now, creations=result.create, deletions=map(key_of, result.delete)
            )
        # A Pod that is only not wanted any more (suspended, scaled down) is no failure.
        uncounted = result.finish is None
        deletions: list[Action] = [
            partial(self._delete, key, job, pod, uncounted) for pod in result.delete
        ]
        outcomes = await in_parallel(self._sim, deletions, f"{self.component}: delete")
        failure = next((error for error in outcomes if error is not None), None)
        if failure is not None or not result.create:
            return 0, failure
        return await self._create(key, job, pods, result)

    async def _create(
        self, key: str, job: Job, pods: Sequence[Pod], result: JobPlan
    ) -> tuple[int, Exception | None]:
        base = pod_from_template(job.spec.template, job, controller_reference(job))
        finalizers = (*base.metadata.finalizers, FINALIZER)
        base = replace(base, metadata=replace(base.metadata, finalizers=finalizers))
        wishes = [
            pod_of_index(job, base, index, self._failures(job, pods, index))
            for index in result.indexes
        ]
        remaining = iter(wishes or [base] * result.create)

        async def create() -> None:
            try:
                created = await self._client.create(next(remaining))
            except (ApiError, ConnectionFailed) as error:
                self._recorder.event(job, "Warning", "FailedCreate", f"Error creating: {error}")
                raise
            text = f"Created pod: {created.metadata.name}"
            self._recorder.event(job, "Normal", "SuccessfulCreate", text)

        name = f"{self.component}: create"
        done, error = await slow_start(self._sim, result.create, create, name)
        self._expectations.creation_seen(key, result.create - done)
        return done, error

    def _failures(self, job: Job, pods: Sequence[Pod], index: int) -> int:
        """Return how often Pods with this number have failed."""
        failed = [pod for pod in pods if index_of(pod) == index and has_failed(job, pod)]
        return max((failure_count(pod) + 1 for pod in failed), default=0)

    async def _delete(self, key: str, job: Job, pod: Pod, uncounted: bool) -> None:
        name = pod.metadata.name
        try:
            if uncounted and is_tracked(pod):
                await self._remove_finalizer(pod)
            await self._client.delete(Pod, name, pod.metadata.namespace)
        except (ApiError, ConnectionFailed) as error:
            self._expectations.deletion_seen(key, key_of(pod))
            if isinstance(error, ApiError) and error.reason == "NotFound":
                return
            self._recorder.event(job, "Warning", "FailedDelete", f"Error deleting: {error}")
            raise
        self._recorder.event(job, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")

    # -- counting

    async def _take_off(self, job: Job, pods: Sequence[Pod], result: JobPlan) -> None:
        """Take the finalizer off all Pods that are noted, or that need not be counted."""
        noted = job.status.uncountedTerminatedPods or NOTHING
        done = (*noted.succeeded, *noted.failed)
        done += tuple(pod.metadata.uid for pod in (*result.succeeded, *result.ignored))
        ended = [pod for pod in pods if pod.metadata.uid in done and is_tracked(pod)]
        actions: list[Action] = [
            partial(self._remove_finalizer, pod)
            for pod in ended
            if pod.metadata.uid not in self._released
        ]
        for error in await in_parallel(self._sim, actions, f"{self.component}: finalizers"):
            if error is not None:
                raise error

    async def _remove_finalizer(self, pod: Pod) -> None:
        meta = pod.metadata
        patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": [FINALIZER]}}
        self._released[meta.uid] = None  # until a watch event shows it
        try:
            await self._client.patch(
                Pod, meta.name, patch, meta.namespace, patch_type=STRATEGIC_PATCH
            )
        except (ApiError, ConnectionFailed) as error:
            self._released.pop(meta.uid, None)
            if not isinstance(error, ApiError) or error.reason != "NotFound":
                raise

    async def _let_go(self, key: str) -> None:
        """Take the finalizer off a Pod whose Job is no more."""
        pod = self._pods.by_key(key)
        if pod is not None and is_tracked(pod) and not self._owner(pod):
            await self._remove_finalizer(pod)

    # -- status

    async def _write_status(self, job: Job, status: JobStatus) -> Job:
        if status == job.status:
            return job
        return await self._client.update_status(replace(job, status=status))

    def _tell(self, before: Job, after: Job) -> None:
        old, new = before.status.conditions, after.status.conditions
        for condition in new:
            known = get_condition(old, condition.type)
            if known is not None and known.status == condition.status:
                continue
            if condition.type == "Complete":
                self._recorder.event(before, "Normal", "Completed", "Job completed")
            elif condition.type == "Failed":
                self._recorder.event(before, "Warning", condition.reason, condition.message)
            elif condition.type == "Suspended":
                reason = "Suspended" if condition.status == "True" else "Resumed"
                self._recorder.event(before, "Normal", reason, condition.message)
