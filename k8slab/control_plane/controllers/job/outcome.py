"""Whether a Job is over, and why: the table of all ways in which a Job can end.

`outcome` asks, in this order: has it been decided before; does a failed Pod match a FailJob rule;
have too many Pods failed; has it run for too long; have too many numbers failed; does the success
policy hold; have all completions been reached.

Rule of use: what is found here becomes SuccessCriteriaMet or FailureTarget at once, and Complete or
Failed when the last Pod has ended.

Upstream: syncJob in pkg/controller/job/job_controller.go, success_policy.go
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from k8slab.api.batch import Job
from k8slab.api.conditions import get_condition
from k8slab.api.core import Pod
from k8slab.api.meta import seconds
from k8slab.api.pods import is_pod_active
from k8slab.control_plane.controllers.job.indexed_job_utils import is_indexed, parse
from k8slab.control_plane.controllers.job.pod_failure_policy import FAIL_JOB, match

SUCCESS, FAILURE = "SuccessCriteriaMet", "FailureTarget"


class Finish(msgspec.Struct, frozen=True):
    """Why a Job ends: the type, reason and message of its condition."""

    type: str
    reason: str
    message: str


TOO_MANY_FAILED = Finish(
    FAILURE, "BackoffLimitExceeded", "Job has reached the specified backoff limit"
)
TOO_LONG = Finish(FAILURE, "DeadlineExceeded", "Job was active longer than specified deadline")
TOO_MANY_INDEXES = Finish(
    FAILURE,
    "MaxFailedIndexesExceeded",
    "Job has exceeded the specified maximal number of failed indexes",
)
FAILED_INDEXES = Finish(FAILURE, "FailedIndexes", "Job has failed indexes")
REACHED = Finish(SUCCESS, "CompletionsReached", "Reached expected number of succeeded pods")


def outcome(
    job: Job,
    pods: Sequence[Pod],
    *,
    now: float,
    succeeded: int,
    failed: int,
    fresh: Sequence[Pod] = (),
    completed: Sequence[int] = (),
    failed_indexes: Sequence[int] = (),
) -> Finish | None:
    """Return why the Job ends, None if it goes on.

    `succeeded` and `failed` count all Pods so far, `fresh` are those that failed since the last
    look; `completed` and `failed_indexes` are numbers of an indexed Job.
    """
    for type_ in (FAILURE, SUCCESS):
        decided = get_condition(job.status.conditions, type_)
        if decided is not None and decided.status == "True":
            return Finish(type_, decided.reason, decided.message)
    for pod in fresh:
        action, message = match(job, pod)
        if action == FAIL_JOB and pod.status.phase == "Failed":
            return Finish(FAILURE, "PodFailurePolicy", message)
    limit = 6 if job.spec.backoffLimit is None else job.spec.backoffLimit
    if failed > limit or _restarts_exceed(job, pods, limit):
        return TOO_MANY_FAILED
    if deadline_in(job, now) == 0.0:
        return TOO_LONG
    active = any(map(is_pod_active, pods))
    if is_indexed(job):
        found = _of_indexes(job, completed, failed_indexes)
        if found is not None:
            return found
    if active or job.metadata.deletionTimestamp is not None:
        return None
    wanted = 1 if job.spec.completions is None else job.spec.completions
    return REACHED if succeeded >= wanted else None


def _of_indexes(job: Job, completed: Sequence[int], failed_indexes: Sequence[int]) -> Finish | None:
    most = job.spec.maxFailedIndexes
    if most is not None and len(failed_indexes) > most:
        return TOO_MANY_INDEXES
    all_done = len(completed) + len(failed_indexes) >= (job.spec.completions or 0)
    if failed_indexes and all_done:
        return FAILED_INDEXES
    policy = job.spec.successPolicy
    for index, rule in enumerate(policy.rules if policy is not None else ()):
        counted = list(completed)
        if rule.succeededIndexes:
            named = frozenset(parse(rule.succeededIndexes))
            counted = [number for number in completed if number in named]
        needed = rule.succeededCount
        if needed is None:
            needed = len(parse(rule.succeededIndexes))
        if len(counted) >= needed:
            return Finish(SUCCESS, "SuccessPolicy", f"Matched rules at index {index}")
    return None


def deadline_in(job: Job, now: float) -> float | None:
    """Return in how many seconds the Job's time is over, 0 if it is, None if it has no limit."""
    limit, start = job.spec.activeDeadlineSeconds, job.status.startTime
    if limit is None or start is None or job.spec.suspend:
        return None
    return max(seconds(start) + limit - now, 0.0)


def _restarts_exceed(job: Job, pods: Sequence[Pod], limit: int) -> bool:
    """Say whether containers that are restarted in their Pods have failed too often."""
    if job.spec.template.spec.restartPolicy != "OnFailure":
        return False
    restarts = sum(
        status.restartCount
        for pod in pods
        if pod.status.phase in ("Pending", "Running")
        for status in (*pod.status.initContainerStatuses, *pod.status.containerStatuses)
    )
    return restarts > 0 if limit == 0 else restarts >= limit
