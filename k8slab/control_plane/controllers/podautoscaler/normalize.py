"""From a proposal to a number: looking back, and limits, so that the number does not flutter.

Shrinking follows the highest proposal of the last 5 minutes. Without rules of its own an
autoscaler at most doubles (or goes to 4) in one step; `spec.behavior` says how much may be added
or taken away in which time, and how long to look back, in either direction.

Rule of use: `normalize(hpa, current, proposed, history, now)`; the `History` it returns goes into
the next call.

Upstream: pkg/controller/podautoscaler/horizontal.go (normalizeDesiredReplicas and what it calls)
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

import msgspec
from msgspec.structs import replace

from k8slab.api.autoscaling import (
    HorizontalPodAutoscaler,
    HPAScalingPolicy,
    HPAScalingRules,
)

DOWNSCALE_STABILIZATION = 300.0  # s, --horizontal-pod-autoscaler-downscale-stabilization
LONGEST_MEMORY = 3600.0  # s, nothing may look back further
MAX_INT32 = 2**31 - 1

LOWER = (
    "recent recommendations were lower than current one, applying the lowest recent recommendation"
)
HIGHER = (
    "recent recommendations were higher than current one, applying the highest recent "
    "recommendation"
)
READY = ("ReadyForNewScale", "recommended size matches current size")
TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
UP_LIMIT = (
    "ScaleUpLimit",
    "the desired replica count is increasing faster than the maximum scale rate",
)
DOWN_LIMIT = (
    "ScaleDownLimit",
    "the desired replica count is decreasing faster than the maximum scale rate",
)
WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
Words = tuple[str, str]  # reason and message of a condition


class Event(msgspec.Struct, frozen=True):
    """A number at a time: of Pods proposed, or added, or taken away."""

    time: float
    count: int


class History(msgspec.Struct, frozen=True):
    """What the controller remembers of one autoscaler; a new controller begins with nothing."""

    recommendations: tuple[Event, ...] = ()
    added: tuple[Event, ...] = ()
    removed: tuple[Event, ...] = ()

    def recommended(self, now: float, count: int) -> History:
        """Return the history with one more proposal."""
        return replace(self, recommendations=_remember(self.recommendations, now, count))

    def scaled(self, now: float, before: int, after: int) -> History:
        """Return the history with one more change of the number."""
        if after > before:
            return replace(self, added=_remember(self.added, now, after - before))
        return replace(self, removed=_remember(self.removed, now, before - after))


class Normalized(msgspec.Struct, frozen=True):
    """The number, why it is not the proposal, and what limited it."""

    replicas: int
    able: Words
    limited: bool
    limit: Words
    history: History


def normalize(
    hpa: HorizontalPodAutoscaler, current: int, proposed: int, history: History, now: float
) -> Normalized:
    """Return the number of Pods to have now, given a proposal."""
    behavior = hpa.spec.behavior
    if behavior is None:
        recent = _recent(history, now - DOWNSCALE_STABILIZATION, inclusive=True)
        stable, able = max([proposed, *recent]), ("ScaleDownStabilized", HIGHER)
        number, limit = _limited(hpa, current, stable)
    else:
        up = behavior.scaleUp or HPAScalingRules()
        down = behavior.scaleDown or HPAScalingRules()
        stable = _stabilized(up, down, current, proposed, history, now)
        able = ("ScaleUpStabilized", LOWER)
        if proposed < current:
            able = ("ScaleDownStabilized", HIGHER)
        number, limit = _rate_limited(hpa, current, stable, history, now)
    return Normalized(
        number,
        able if stable != proposed else READY,
        number != stable,
        limit,
        history.recommended(now, proposed),
    )


def _limited(hpa: HorizontalPodAutoscaler, current: int, desired: int) -> tuple[int, Words]:
    most, words = hpa.spec.maxReplicas, TOO_MANY
    fastest = max(2 * current, 4)
    if most > fastest:
        most, words = fastest, UP_LIMIT
    if desired < least_of(hpa):
        return least_of(hpa), TOO_FEW
    return (most, words) if desired > most else (desired, WITHIN)


def least_of(hpa: HorizontalPodAutoscaler) -> int:
    """Return the least number of Pods, 1 if nobody said."""
    return 1 if hpa.spec.minReplicas is None else hpa.spec.minReplicas


def _stabilized(
    up: HPAScalingRules,
    down: HPAScalingRules,
    current: int,
    proposed: int,
    history: History,
    now: float,
) -> int:
    """Return the number nearest to the present one that recent proposals agree on."""
    back = down.stabilizationWindowSeconds
    window = DOWNSCALE_STABILIZATION if back is None else float(back)
    lowest = min([proposed, *_recent(history, now - (up.stabilizationWindowSeconds or 0))])
    highest = max([proposed, *_recent(history, now - window)])
    return min(max(current, lowest), highest)


def _recent(history: History, cutoff: float, *, inclusive: bool = False) -> list[int]:
    return [
        event.count
        for event in history.recommendations
        if event.time > cutoff or (inclusive and event.time == cutoff)
    ]


def _rate_limited(
    hpa: HorizontalPodAutoscaler, current: int, desired: int, history: History, now: float
) -> tuple[int, Words]:
    behavior = hpa.spec.behavior
    assert behavior is not None
    if desired > current:
        most, words = hpa.spec.maxReplicas, TOO_MANY
        fastest = max(up_limit(behavior.scaleUp, current, history, now), current)
        if most > fastest:
            most, words = fastest, UP_LIMIT
        if desired > most:
            return most, words
    elif desired < current:
        least, words = least_of(hpa), TOO_FEW
        fastest = min(down_limit(behavior.scaleDown, current, history, now), current)
        if least < fastest:
            least, words = fastest, DOWN_LIMIT
        if desired < least:
            return least, words
    return desired, WITHIN


def up_limit(rules: HPAScalingRules | None, current: int, history: History, now: float) -> int:
    """Return how many Pods there may be now, at most."""
    if rules is None or rules.selectPolicy == "Disabled":
        return current
    limits = []
    for policy in rules.policies:
        start = _at_start(policy, current, history, now)
        percent = ceil(start * (1 + policy.value / 100))
        limits.append(start + policy.value if policy.type == "Pods" else percent)
    pick = min if rules.selectPolicy == "Min" else max
    return pick(limits, default=current)


def down_limit(rules: HPAScalingRules | None, current: int, history: History, now: float) -> int:
    """Return how many Pods there must be now, at least; "Min" picks the smallest change."""
    if rules is None or rules.selectPolicy == "Disabled":
        return current
    limits = []
    for policy in rules.policies:
        start = _at_start(policy, current, history, now)
        percent = int(start * (1 - policy.value / 100))
        limits.append(start - policy.value if policy.type == "Pods" else percent)
    pick = max if rules.selectPolicy == "Min" else min
    return pick(limits, default=current)


def _at_start(policy: HPAScalingPolicy, current: int, history: History, now: float) -> int:
    """Return how many Pods there were when the policy's period began."""
    cutoff = now - policy.periodSeconds
    return current - _within(history.added, cutoff) + _within(history.removed, cutoff)


def _within(events: Iterable[Event], cutoff: float) -> int:
    return sum(event.count for event in events if event.time > cutoff)


def _remember(events: tuple[Event, ...], now: float, count: int) -> tuple[Event, ...]:
    kept = [event for event in events if event.time >= now - LONGEST_MEMORY]
    return (*kept, Event(now, count))
