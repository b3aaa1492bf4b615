"""How long a Job waits before it tries again: 10 s after the first failure, then twice as long.

`Backoff` is what a Job remembers of its failures; `after` takes over newly ended Pods, `remaining`
is the wait that is left.

    failure at 5 s               -> next Pod from 15 s
    second failure at 17 s       -> next Pod from 37 s
    a Pod succeeds               -> no wait

Rule of use: lives in the controller's memory; a new controller starts without a wait.

Upstream: pkg/controller/job/backoff_utils.go
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from k8slab.api.conditions import get_condition
from k8slab.api.core import Pod
from k8slab.api.meta import seconds

INITIAL, LONGEST = 10.0, 600.0  # s, DefaultJobPodFailureBackOff, MaxJobPodFailureBackOff


class Backoff(msgspec.Struct, frozen=True):
    """How often Pods failed since the last success, and when last (virtual seconds)."""

    failures: int = 0
    last: float = 0.0


def after(backoff: Backoff, succeeded: Iterable[Pod], failed: Iterable[Pod], now: float) -> Backoff:
    """Return what is known when these Pods have ended as well."""
    success = max((ended_at(pod, now) for pod in succeeded), default=None)
    failures = [ended_at(pod, now) for pod in failed]
    if success is not None:
        later = [when for when in failures if when > success]
        return Backoff(len(later), max(later, default=0.0))
    if not failures:
        return backoff
    return Backoff(backoff.failures + len(failures), max(backoff.last, *failures))


def remaining(backoff: Backoff, now: float) -> float:
    """Return the seconds until the next Pod may be created, 0 if it may now.

    >>> remaining(Backoff(2, 17.0), 20.0)
    17.0
    """
    if not backoff.failures:
        return 0.0
    delay = min(INITIAL * 2.0 ** (backoff.failures - 1), LONGEST)
    return max(backoff.last + delay - now, 0.0)


def ended_at(pod: Pod, now: float) -> float:
    """Return when the Pod's last container ended; failing that, when it lost its readiness or life.

    A Pod that is deleted before it ran ended when somebody deleted it.
    """
    ends = [
        seconds(status.state.terminated.finishedAt)
        for status in pod.status.containerStatuses
        if status.state is not None and status.state.terminated is not None
    ]
    if ends and len(ends) == len(pod.spec.containers):
        return max(ends)
    ready = get_condition(pod.status.conditions, "Ready")
    if ready is not None and ready.status == "False" and ready.lastTransitionTime:
        return seconds(ready.lastTransitionTime)
    meta = pod.metadata
    if meta.deletionTimestamp is not None:
        return seconds(meta.deletionTimestamp) - (meta.deletionGracePeriodSeconds or 0)
    return now
