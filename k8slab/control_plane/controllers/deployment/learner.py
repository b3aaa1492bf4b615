"""A learner's sizes in the place of ours: whatever they are, the controller gets a sentence.

    Cluster(replace={"deployment": my_sizes})     # my_sizes(deployment, new, old)

It is asked at each pass of a rolling update: `new` is the ReplicaSet of the Deployment's template,
which starts empty, `old` are the others. It returns sizes by name, {"web-6b4f": 3}; what it does
not name keeps its size. `adapt` wraps it: it sees copies, and what it raises, or returns that is of
no use, becomes a `ReplacementError`, which the controller tells as an Event of the Deployment.

Rule of use: Deployments of kube-system keep our own decision.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.client.learner import ReplacementError, call, copied, shown

LARGEST = 500  # Pods of one ReplicaSet
USAGE = "sizes(deployment, new, old)"

Sizes = Callable[[Deployment, ReplicaSet, Sequence[ReplicaSet]], Mapping[str, int]]


def adapt(function: Any) -> Sizes:
    """Return a learner's function as one that raises nothing but ReplacementError."""

    def sizes(
        deployment: Deployment, new: ReplicaSet, old: Sequence[ReplicaSet]
    ) -> Mapping[str, int]:
        others = [copied(rs) for rs in old]
        answer = call("sizes", USAGE, function, copied(deployment), copied(new), others)
        return checked(answer, [new, *old])

    return sizes


def unchanged(
    deployment: Deployment, new: ReplicaSet, old: Sequence[ReplicaSet]
) -> Mapping[str, int]:
    """Let every ReplicaSet keep its size."""
    return {}


def checked(answer: Any, replica_sets: Sequence[ReplicaSet]) -> dict[str, int]:
    """Return the answer as sizes of these ReplicaSets; raises ReplacementError if it is not."""
    if not isinstance(answer, Mapping):
        raise ReplacementError(f"your sizes returned {shown(answer)}, expected a dict of sizes")
    known = [rs.metadata.name for rs in replica_sets]
    for name, size in answer.items():
        if name not in known:
            text = f"your sizes name {shown(name)}, and there are {', '.join(known)}"
            raise ReplacementError(text)
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= LARGEST:
            text = f"the size of {name} is {shown(size)}, expected a number from 0 to {LARGEST}"
            raise ReplacementError(text)
    return dict(answer)
