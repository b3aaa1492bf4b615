"""A learner's `plan` in the place of ours: whatever it does, the controller gets a sentence.

    Cluster(replace={"replica_set": my_plan})     # my_plan(rs, pods, *, now, related=())

`adapt` wraps it: it sees copies of the objects, so it cannot spoil what the controller remembers;
what it raises, or returns that is no plan, becomes a `PlanError`, which the controller tells as an
Event of the ReplicaSet and which changes nothing else.

Rule of use: a plan may leave `pods` out; those that the ReplicaSet owns afterwards are filled in.
ReplicaSets of kube-system keep our plan.

Upstream: none
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from msgspec.structs import replace

from k8slab.api import load, to_dict
from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.api.meta import controller_of
from k8slab.control_plane.controllers.replica_set.plan import BURST_REPLICAS, Plan


class PlanError(Exception):
    """A plan that cannot be carried out; the text is for whoever wrote it."""


class Planner(Protocol):
    """What decides for a ReplicaSet: `plan`, or what a learner put in its place."""

    def __call__(
        self, rs: ReplicaSet, pods: Sequence[Pod], *, now: float, related: Sequence[Pod] = ()
    ) -> Plan:
        """Say what has to be done; `now` is in virtual seconds."""


def adapt(function: Any) -> Planner:
    """Return a learner's function as a planner that raises nothing but PlanError."""

    def planner(
        rs: ReplicaSet, pods: Sequence[Pod], *, now: float, related: Sequence[Pod] = ()
    ) -> Plan:
        given = [_copy(pod) for pod in pods]
        try:
            answer = function(_copy(rs), given, now=now, related=tuple(map(_copy, related)))
        except Exception as error:
            raise PlanError(_told(error)) from None
        return checked(answer, rs, pods)

    return planner


def checked(answer: Any, rs: ReplicaSet, pods: Sequence[Pod]) -> Plan:
    """Return the answer as a plan about these very Pods; raises PlanError if it is none."""
    if not isinstance(answer, Plan):
        raise PlanError(f"your plan returned {_shown(answer)}, expected a Plan")
    if isinstance(answer.create, bool) or not isinstance(answer.create, int):
        raise PlanError(f"create is {_shown(answer.create)}, expected a whole number")
    if not 0 <= answer.create <= BURST_REPLICAS:
        raise PlanError(f"create is {answer.create}, expected 0 to {BURST_REPLICAS}")
    known = {pod.metadata.uid: pod for pod in pods}
    lists = {name: _pods(name, getattr(answer, name), known) for name in ("delete", "adopt")}
    lists["release"] = _pods("release", answer.release, known)
    if answer.create and lists["delete"]:
        raise PlanError("your plan creates and deletes at once: there is one difference")
    pods_after = _pods("pods", answer.pods, known) or _owned(rs, pods, lists)
    return replace(answer, pods=pods_after, **lists)


def _pods(name: str, given: Any, known: dict[str, Pod]) -> tuple[Pod, ...]:
    """Return the Pods that a field of the plan names, as the controller knows them."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise PlanError(f"{name} is {_shown(given)}, expected Pods, first to last")
    found: list[Pod] = []
    for one in given:
        if not isinstance(one, Pod):
            raise PlanError(f"{name} holds {_shown(one)}, expected Pods")
        pod = known.get(one.metadata.uid)
        if pod is None:
            raise PlanError(f"{name} holds {one.metadata.name}, which is none of the Pods given")
        if pod not in found:
            found.append(pod)
    return tuple(found)


def _owned(
    rs: ReplicaSet, pods: Sequence[Pod], lists: dict[str, tuple[Pod, ...]]
) -> tuple[Pod, ...]:
    """Return the Pods that the ReplicaSet owns once it has adopted and released."""
    owned = [pod for pod in pods if _owner(pod) == rs.metadata.uid and pod not in lists["release"]]
    return (*owned, *lists["adopt"])


def _owner(pod: Pod) -> str:
    reference = controller_of(pod)
    return reference.uid if reference is not None else ""


def _copy(obj: Any) -> Any:
    return load(to_dict(obj))


def _told(error: Exception) -> str:
    """Return what was raised, and at which line of the learner's."""
    if isinstance(error, NotImplementedError):
        return "your plan is still a stub: it raised NotImplementedError"
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    if not frames:
        return f"your plan could not be called as plan(rs, pods, now=..., related=...): {what}"
    return f"your plan raised {what} at `{frames[-1].line or f'line {frames[-1].lineno}'}`"


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 40 else text[:37] + '...'} ({type(value).__name__})"
