"""Making room for a critical Pod that was bound here and does not fit: the least harm first.

A critical Pod (a static one, a mirror, or one of at least system priority) is not turned away for
want of resources. Pods that are less important are ended for it: as few as possible, BestEffort
before Burstable before Guaranteed, and of two that free as much the one that asks for less.

Rule of use: pure; ValueError in upstream's words if even all of them would not be enough.

Upstream: pkg/kubelet/preemption/preemption.go, pkg/kubelet/types/pod_update.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from k8slab.api.core import Pod
from k8slab.node.kubelet.admission import Lacking, pod_requests
from k8slab.node.kubelet.pod_manager import is_mirror_pod, is_static_pod

SYSTEM_CRITICAL = 2_000_000_000  # SystemCriticalPriority
REASON, MESSAGE = "Preempting", "Preempted in order to admit critical pod"
CONDITION_MESSAGE = "Pod was preempted by Kubelet to accommodate a critical pod."
CLASSES = ("BestEffort", "Burstable", "Guaranteed")
Needs = Mapping[str, int]  # by resource, how much has to be freed


def is_critical(pod: Pod) -> bool:
    """Say whether the node must run the Pod whatever else it has to end."""
    return is_static_pod(pod) or is_mirror_pod(pod) or (pod.spec.priority or 0) >= SYSTEM_CRITICAL


def is_preemptable(pod: Pod, preemptor: Pod) -> bool:
    """Say whether the Pod may be ended for the other one."""
    if is_critical(preemptor) and not is_critical(pod):
        return True
    return (preemptor.spec.priority or 0) > (pod.spec.priority or 0)


def pods_to_preempt(preemptor: Pod, pods: Iterable[Pod], lacking: Sequence[Lacking]) -> list[Pod]:
    """Return the Pods to end so that the preemptor fits."""
    needs = {lack.resource: lack.missing for lack in lacking}
    candidates = [pod for pod in pods if is_preemptable(pod, preemptor)]
    by_class = {qos: [p for p in candidates if p.status.qosClass == qos] for qos in CLASSES}
    best_effort, burstable, guaranteed = (by_class[qos] for qos in CLASSES)
    remaining(needs, candidates, must_be_met=True)
    # Of each class only as many as are needed when all of the classes below it have gone.
    top = nearest(guaranteed, remaining(needs, [*best_effort, *burstable]))
    middle = nearest(burstable, remaining(needs, [*best_effort, *top]))
    return [*nearest(best_effort, remaining(needs, [*middle, *top])), *middle, *top]


def remaining(needs: Needs, pods: Iterable[Pod], *, must_be_met: bool = False) -> dict[str, int]:
    """Return what would still be needed without these Pods."""
    left = dict(needs)
    for pod in pods:
        freed = _freed(pod)
        left = {name: amount - freed.get(name, 0) for name, amount in left.items()}
    left = {name: amount for name, amount in left.items() if amount > 0}
    if left and must_be_met:
        shown = "".join(f"(res: {name}, q: {amount}), " for name, amount in left.items())
        raise ValueError(
            "preemption: error finding a set of pods to preempt: "
            f"no set of running pods found to reclaim resources: [{shown}]"
        )
    return left


def nearest(pods: Iterable[Pod], needs: Needs) -> list[Pod]:
    """Return few of the Pods that free what is needed, each time the one that frees most of it."""
    candidates, chosen, left = list(pods), [], dict(needs)
    while left:
        best = min(candidates, key=lambda pod: (_distance(pod, left), _size(pod)))
        candidates.remove(best)
        chosen.append(best)
        left = remaining(left, [best])
    return chosen


def _freed(pod: Pod) -> dict[str, int]:
    return {"pods": 1, **pod_requests(pod)}


def _distance(pod: Pod, needs: Needs) -> float:
    """Sum up the squares of the parts of each need that the Pod leaves open."""
    freed = _freed(pod)
    parts = [(amount - freed.get(name, 0)) / amount for name, amount in needs.items()]
    return sum(part * part for part in parts if part > 0)


def _size(pod: Pod) -> tuple[int, int]:
    asked = pod_requests(pod)
    return asked.get("memory", 0), asked.get("cpu", 0)
