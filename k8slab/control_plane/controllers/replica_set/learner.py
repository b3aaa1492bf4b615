"""A learner's `plan` in the place of ours: whatever it does, the controller gets a sentence.

    Cluster(replace={"replica_set": my_plan})     # my_plan(rs, pods, *, now, related=())

`adapt` wraps it: it sees copies of the objects, so it cannot spoil what the controller remembers;
what it raises, or returns that is no plan, becomes a `ReplacementError`, which the controller tells
as an Event of the ReplicaSet and which changes nothing else.

Rule of use: a plan may leave `pods` out; those that the ReplicaSet owns afterwards are filled in.
ReplicaSets of kube-system keep our plan.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from msgspec.structs import replace

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.api.meta import controller_of
from k8slab.client.learner import ReplacementError, call, copied, shown
from k8slab.control_plane.controllers.replica_set.plan import BURST_REPLICAS, Plan

USAGE = "plan(rs, pods, now=..., related=...)"


class Planner(Protocol):
    """What decides for a ReplicaSet: `plan`, or what a learner put in its place."""

    def __call__(
        self, rs: ReplicaSet, pods: Sequence[Pod], *, now: float, related: Sequence[Pod] = ()
    ) -> Plan:
        """Say what has to be done; `now` is in virtual seconds."""


def adapt(function: Any) -> Planner:
    """Return a learner's function as a planner that raises nothing but ReplacementError."""

    def planner(
        rs: ReplicaSet, pods: Sequence[Pod], *, now: float, related: Sequence[Pod] = ()
    ) -> Plan:
        given = [copied(pod) for pod in pods]
        others = tuple(map(copied, related))
        answer = call("plan", USAGE, function, copied(rs), given, now=now, related=others)
        return checked(answer, rs, pods)

    return planner


def checked(answer: Any, rs: ReplicaSet, pods: Sequence[Pod]) -> Plan:
    """Return the answer as a plan about these very Pods; raises ReplacementError if it is none."""
    if not isinstance(answer, Plan):
        raise ReplacementError(f"your plan returned {shown(answer)}, expected a Plan")
    if isinstance(answer.create, bool) or not isinstance(answer.create, int):
        raise ReplacementError(f"create is {shown(answer.create)}, expected a whole number")
    if not 0 <= answer.create <= BURST_REPLICAS:
        raise ReplacementError(f"create is {answer.create}, expected 0 to {BURST_REPLICAS}")
    known = {pod.metadata.uid: pod for pod in pods}
    lists = {name: _pods(name, getattr(answer, name), known) for name in ("delete", "adopt")}
    lists["release"] = _pods("release", answer.release, known)
    if answer.create and lists["delete"]:
        raise ReplacementError("your plan creates and deletes at once: there is one difference")
    pods_after = _pods("pods", answer.pods, known) or _owned(rs, pods, lists)
    return replace(answer, pods=pods_after, **lists)


def _pods(name: str, given: Any, known: dict[str, Pod]) -> tuple[Pod, ...]:
    """Return the Pods that a field of the plan names, as the controller knows them."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ReplacementError(f"{name} is {shown(given)}, expected Pods, first to last")
    found: list[Pod] = []
    for one in given:
        if not isinstance(one, Pod):
            raise ReplacementError(f"{name} holds {shown(one)}, expected Pods")
        pod = known.get(one.metadata.uid)
        if pod is None:
            text = f"{name} holds {one.metadata.name}, which is none of the Pods given"
            raise ReplacementError(text)
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
