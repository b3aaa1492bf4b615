"""The Job's status: who is active, who has ended, and how far the Job is.

`calculate_status` is what is written before the finalizers of ended Pods are taken off: their uids
are noted. `counted` is what is written after that: the uids have become numbers, and if nothing
is left the Job is Complete or Failed.

    Pod p succeeds        -> uncountedTerminatedPods.succeeded [p], SuccessCriteriaMet
    its finalizer is off  -> succeeded 1, uncountedTerminatedPods {}, Complete

Rule of use: note, take off, count; so that a crash between any two of them loses no Pod.

Upstream: trackJobStatusAndRemoveFinalizers in pkg/controller/job/job_controller.go
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.api.batch import Job, JobCondition, JobStatus, UncountedTerminatedPods
from k8slab.api.conditions import get_condition, is_true
from k8slab.api.core import Pod
from k8slab.api.meta import timestamp
from k8slab.api.pods import is_pod_active, is_pod_ready
from k8slab.control_plane.controllers.job.indexed_job_utils import is_indexed, show
from k8slab.control_plane.controllers.job.plan import NOTHING, JobPlan, is_terminating

RESULTS = {"SuccessCriteriaMet": "Complete", "FailureTarget": "Failed"}


def calculate_status(
    job: Job, pods: Sequence[Pod], result: JobPlan, *, now: float, created: int = 0
) -> JobStatus:
    """Return the status after a look that created so many Pods and deleted `result.delete`."""
    status = job.status
    going = {pod.metadata.uid for pod in result.delete}
    active = [p for p in pods if is_pod_active(p) and p.metadata.uid not in going]
    terminating = len(going) + sum(is_terminating(p) for p in pods if p.metadata.uid not in going)
    before = status.uncountedTerminatedPods or NOTHING
    uncounted = UncountedTerminatedPods(
        succeeded=before.succeeded + _uids(() if is_indexed(job) else result.succeeded),
        failed=before.failed + _uids(result.failed),
    )
    if is_indexed(job):
        status = replace(
            status, completedIndexes=show(result.completed), succeeded=len(result.completed)
        )
    if job.spec.backoffLimitPerIndex is not None:
        status = replace(status, failedIndexes=show(result.failed_indexes))
    return replace(
        status,
        startTime=_start_time(job, now),
        active=len(active) + created,
        ready=sum(map(is_pod_ready, active)),
        terminating=terminating,
        uncountedTerminatedPods=uncounted,
        conditions=_conditions(job, result, now),
    )


def counted(status: JobStatus, *, now: float) -> JobStatus:
    """Return the status when all noted Pods have lost their finalizer."""
    noted = status.uncountedTerminatedPods or NOTHING
    status = replace(
        status,
        succeeded=status.succeeded + len(noted.succeeded),
        failed=status.failed + len(noted.failed),
        uncountedTerminatedPods=NOTHING,
    )
    if status.active or status.terminating:
        return status
    for target, type_ in RESULTS.items():
        why = get_condition(status.conditions, target)
        if why is None or why.status != "True" or is_true(status.conditions, type_):
            continue
        condition = _condition(type_, "True", why.reason, why.message, now)
        status = replace(status, conditions=(*status.conditions, condition))
        if type_ == "Complete":
            status = replace(status, completionTime=timestamp(now))
    return status


def _uids(pods: Sequence[Pod]) -> tuple[str, ...]:
    return tuple(pod.metadata.uid for pod in pods)


def _start_time(job: Job, now: float) -> str | None:
    """A Job's time runs from its first look, and anew from when it is resumed."""
    if job.spec.suspend and not any(c.type in RESULTS for c in job.status.conditions):
        return None
    return job.status.startTime or timestamp(now)


def _conditions(job: Job, result: JobPlan, now: float) -> tuple[JobCondition, ...]:
    conditions = job.status.conditions
    finish = result.finish
    if finish is not None:
        if get_condition(conditions, finish.type) is None:
            made = _condition(finish.type, "True", finish.reason, finish.message, now)
            conditions = (*conditions, made)
        return conditions
    suspended = get_condition(conditions, "Suspended")
    if job.spec.suspend and (suspended is None or suspended.status != "True"):
        made = _condition("Suspended", "True", "JobSuspended", "Job suspended", now)
    elif not job.spec.suspend and suspended is not None and suspended.status == "True":
        made = _condition("Suspended", "False", "JobResumed", "Job resumed", now)
    else:
        return conditions
    return (*(c for c in conditions if c.type != "Suspended"), made)


def _condition(type_: str, status: str, reason: str, message: str, now: float) -> JobCondition:
    return JobCondition(
        type=type_,
        status=status,
        lastProbeTime=timestamp(now),
        lastTransitionTime=timestamp(now),
        reason=reason,
        message=message,
    )
