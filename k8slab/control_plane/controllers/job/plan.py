"""What a Job needs now: Pods to create or delete, ended Pods to count, and whether it is over.

`plan` counts the Pods that ended since the last look, asks whether that ends the Job (`outcome`),
and if not keeps as many Pods active as may work at once and are still needed.

Rule of use: an ended Pod is counted by its uid, and only while it carries the tracking finalizer.

Upstream: syncJob and manageJob in pkg/controller/job/job_controller.go
"""

from __future__ import annotations

from collections.abc import Container as Holder
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from k8slab.api.batch import Job, UncountedTerminatedPods
from k8slab.api.conditions import is_true
from k8slab.api.core import Pod
from k8slab.api.pods import is_pod_active, is_pod_ready, is_pod_terminal
from k8slab.control_plane.controllers.job.backoff_utils import Backoff, after, ended_at, remaining
from k8slab.control_plane.controllers.job.indexed_job_utils import (
    failure_count,
    index_of,
    is_indexed,
    missing,
    parse,
    superfluous,
)
from k8slab.control_plane.controllers.job.outcome import FAILURE, Finish, outcome
from k8slab.control_plane.controllers.job.pod_failure_policy import FAIL_INDEX, IGNORE, match

FINALIZER = "batch.kubernetes.io/job-tracking"
MAX_PODS_PER_SYNC = 500  # MaxPodCreateDeletePerSync
NOTHING = UncountedTerminatedPods()
NO_FAILURES = Backoff()


class JobPlan(msgspec.Struct, frozen=True):
    """What one look at a Job and its Pods asks for."""

    create: int = 0
    indexes: tuple[int, ...] = ()  # of the Pods to create, if they have numbers
    delete: tuple[Pod, ...] = ()
    succeeded: tuple[Pod, ...] = ()  # ended since the last look
    failed: tuple[Pod, ...] = ()
    ignored: tuple[Pod, ...] = ()  # ended, but not to be counted
    finish: Finish | None = None
    retry_after: float = 0.0  # s, until a Pod may be created after a failure
    completed: tuple[int, ...] = ()  # numbers that have succeeded
    failed_indexes: tuple[int, ...] = ()
    backoff: Backoff = NO_FAILURES


def plan(
    job: Job,
    pods: Sequence[Pod],
    *,
    now: float,
    backoff: Backoff = NO_FAILURES,
    seen: Holder[str] = (),
) -> JobPlan:
    """Say what has to be done next for a Job that is not over.

    `pods` are the Job's own; those with uids in `seen` were counted already, though their
    finalizer still shows. `now` is in virtual seconds.
    """
    result = _count(job, [pod for pod in pods if pod.metadata.uid not in seen])
    result = replace(result, backoff=after(backoff, result.succeeded, result.failed, now))
    finish = outcome(
        job,
        pods,
        now=now,
        succeeded=_succeeded(job, result),
        failed=job.status.failed + len(_uncounted(job).failed) + len(result.failed),
        fresh=result.failed,
        completed=result.completed,
        failed_indexes=result.failed_indexes,
    )
    active = [pod for pod in pods if is_pod_active(pod)]
    if finish is not None:
        noted = _uncounted(job)
        countable = [
            pod
            for pod in active
            if is_tracked(pod)
            and pod.metadata.uid not in seen
            and pod.metadata.uid not in (*noted.succeeded, *noted.failed)
        ]
        return _finish(result, finish, active, countable)
    if job.metadata.deletionTimestamp is not None:
        return result
    return _manage(job, result, pods, active, now)


def _uncounted(job: Job) -> UncountedTerminatedPods:
    return job.status.uncountedTerminatedPods or NOTHING


# -- counting


def is_tracked(pod: Pod) -> bool:
    """Say whether the Pod was not counted yet."""
    return FINALIZER in pod.metadata.finalizers


def waits_for_the_end(job: Job) -> bool:
    """Say whether a Pod is replaced only when it has ended, not when it is being deleted."""
    return job.spec.podReplacementPolicy == "Failed"


def has_failed(job: Job, pod: Pod) -> bool:
    """Say whether the Pod failed; one that is deleted may never get to say so itself."""
    if pod.status.phase == "Failed":
        return True
    deleted = pod.metadata.deletionTimestamp is not None
    return deleted and pod.status.phase != "Succeeded" and not waits_for_the_end(job)


def _count(job: Job, pods: Sequence[Pod]) -> JobPlan:
    uncounted = _uncounted(job)
    succeeded: list[Pod] = []
    failed: list[Pod] = []
    ignored: list[Pod] = []
    for pod in filter(is_tracked, pods):
        uid = pod.metadata.uid
        if pod.status.phase == "Succeeded":
            if uid not in uncounted.succeeded:
                succeeded.append(pod)
        elif has_failed(job, pod) and uid not in uncounted.failed:
            (ignored if match(job, pod)[0] == IGNORE else failed).append(pod)
    return JobPlan(
        succeeded=tuple(succeeded),
        failed=tuple(failed),
        ignored=tuple(ignored),
        completed=_completed(job, succeeded),
        failed_indexes=_failed_indexes(job, pods),
    )


def _succeeded(job: Job, result: JobPlan) -> int:
    if is_indexed(job):
        return len(result.completed)
    return job.status.succeeded + len(_uncounted(job).succeeded) + len(result.succeeded)


def _completed(job: Job, succeeded: Sequence[Pod]) -> tuple[int, ...]:
    if not is_indexed(job):
        return ()
    known = [*parse(job.status.completedIndexes), *map(index_of, succeeded)]
    return tuple(i for i in sorted(dict.fromkeys(known)) if 0 <= i < (job.spec.completions or 0))


def _failed_indexes(job: Job, pods: Sequence[Pod]) -> tuple[int, ...]:
    """Return the numbers that have failed too often, or by a rule, to be tried again."""
    limit = job.spec.backoffLimitPerIndex
    if limit is None:
        return ()
    found = parse(job.status.failedIndexes)
    for pod in pods:
        if not has_failed(job, pod):
            continue
        action = match(job, pod)[0]
        if action == FAIL_INDEX or (action != IGNORE and failure_count(pod) >= limit):
            found.append(index_of(pod))
    return tuple(sorted(dict.fromkeys(found)))


# -- acting


def _finish(
    result: JobPlan, finish: Finish, active: Sequence[Pod], countable: Sequence[Pod]
) -> JobPlan:
    """End all Pods; if the Job failed they count as failed, if it succeeded they do not count."""
    result = replace(result, finish=finish, delete=tuple(active))
    if finish.type == FAILURE:
        return replace(result, failed=(*result.failed, *countable))
    return replace(result, ignored=(*result.ignored, *countable))


def _manage(
    job: Job, result: JobPlan, pods: Sequence[Pod], active: Sequence[Pod], now: float
) -> JobPlan:
    if job.spec.suspend:  # when it is resumed it starts without a wait
        return replace(result, delete=tuple(active), backoff=NO_FAILURES)
    wanted = _wanted_active(job, result, len(active))
    surplus = _surplus(job, active, len(active) - wanted)
    if surplus:
        return replace(result, delete=tuple(surplus[:MAX_PODS_PER_SYNC]))
    room = wanted - len(active)
    if waits_for_the_end(job):
        room -= sum(map(is_terminating, pods))
    if room <= 0:
        return result
    if is_indexed(job):
        return _create_indexes(job, result, pods, min(room, MAX_PODS_PER_SYNC), now)
    wait = remaining(result.backoff, now)
    if wait > 0:
        return replace(result, retry_after=wait)
    return replace(result, create=min(room, MAX_PODS_PER_SYNC))


def _create_indexes(
    job: Job, result: JobPlan, pods: Sequence[Pod], room: int, now: float
) -> JobPlan:
    done = frozenset(result.completed + result.failed_indexes)
    blocked = [pod for pod in pods if waits_for_the_end(job) and is_terminating(pod)]
    done |= {index_of(pod) for pod in blocked}
    waits: dict[int, float] = {}
    if job.spec.backoffLimitPerIndex is not None:  # each number waits for itself
        waits = _waits(job, [pod for pod in pods if index_of(pod) not in done], now)
        done |= set(waits)
    indexes = missing(job, pods, done, room)
    wait = remaining(result.backoff, now) if indexes and not waits else 0.0
    if job.spec.backoffLimitPerIndex is None and wait > 0:
        return replace(result, retry_after=wait)
    soonest = min(waits.values(), default=0.0)
    return replace(result, create=len(indexes), indexes=indexes, retry_after=soonest)


def _waits(job: Job, pods: Sequence[Pod], now: float) -> dict[int, float]:
    """Return the numbers that may not be tried again yet, and for how many seconds."""
    waits: dict[int, float] = {}
    for pod in pods:
        if has_failed(job, pod) and match(job, pod)[0] != IGNORE:
            tries = Backoff(failure_count(pod) + 1, ended_at(pod, now))
            left = remaining(tries, now)
            if left > 0:
                waits[index_of(pod)] = max(waits.get(index_of(pod), 0.0), left)
    return waits


def _surplus(job: Job, active: Sequence[Pod], count: int) -> list[Pod]:
    """Return the Pods to give up: at least `count`, and those that nobody needs."""
    ranked = sorted(active, key=_by_use)
    useless = superfluous(job, ranked) if is_indexed(job) else []
    others = [pod for pod in ranked if pod not in useless]
    return useless + others[: max(count - len(useless), 0)]


def _wanted_active(job: Job, result: JobPlan, active: int) -> int:
    """Return how many Pods should work: one success ends a Job that says no number."""
    parallelism = 1 if job.spec.parallelism is None else job.spec.parallelism
    if job.spec.completions is None:
        return min(active, parallelism) if _succeeded(job, result) else parallelism
    return max(min(job.spec.completions - _succeeded(job, result), parallelism), 0)


def is_terminating(pod: Pod) -> bool:
    """Say whether the Pod was deleted and has not ended yet."""
    return pod.metadata.deletionTimestamp is not None and not is_pod_terminal(pod)


def _by_use(pod: Pod) -> tuple[object, ...]:
    """Sort key: first the Pods that have done the least work."""
    running = pod.status.phase == "Running"
    return pod.spec.nodeName != "", running, is_pod_ready(pod), _younger_first(pod)


def _younger_first(pod: Pod) -> tuple[int, ...]:
    return tuple(-ord(letter) for letter in pod.metadata.creationTimestamp or "")


def is_over(job: Job) -> bool:
    """Say whether the Job has completed or failed."""
    return is_true(job.status.conditions, "Complete") or is_true(job.status.conditions, "Failed")
