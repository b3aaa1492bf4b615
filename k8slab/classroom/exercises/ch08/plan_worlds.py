"""The 20 worlds of exercise 08.3: a ReplicaSet, the Pods of its namespace, and what is to be done.

Each is made from its seed: too few Pods, too many, orphans to adopt and Pods to release, Pods on
their way out or at their end. In all of them stand a Pod of another controller that matches, and a
passer-by that does not.

Rule of use: `cases()`; the same on every run.

Upstream: none
"""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import msgspec

from k8slab.api import load
from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.api.meta import timestamp
from k8slab.control_plane.controllers.replica_set import Plan, plan

WORLDS = 20
KINDS = ("under", "over", "adopt", "terminating")
NOW = 5000.0  # virtual seconds
COST = "controller.kubernetes.io/pod-deletion-cost"
REFERENCE = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "crew", "controller": True}


class Case(msgspec.Struct, frozen=True):
    """One question to the answer, and what the engine would do."""

    seed: int
    kind: str
    rs: ReplicaSet
    pods: tuple[Pod, ...]
    wanted: Plan


@cache
def cases() -> tuple[Case, ...]:
    """Return the 20 worlds."""
    return tuple(_case(seed, KINDS[seed % len(KINDS)]) for seed in range(WORLDS))


def _case(seed: int, kind: str) -> Case:
    dice = random.Random(f"08.3/{seed}")
    own = dice.randint(2, 5)
    pods = [_pod(f"crew-{number}", dice) for number in range(own)]
    replicas = own + {"under": 3, "over": -dice.randint(1, own - 1), "terminating": 1}.get(kind, 2)
    pods.append(_pod("rival", dice, owner="another"))  # matches, and is somebody else's
    pods.append(_pod("passer-by", dice, owner="", team="other"))
    if kind == "adopt":
        pods += [_pod(f"orphan-{number}", dice, owner="") for number in range(dice.randint(1, 3))]
        pods.append(_pod("orphan-ending", dice, owner="", ending=True))
        pods.append(_pod("relabeled", dice, team="other"))
    if kind == "terminating":
        pods.append(_pod("crew-ending", dice, ending=True))
        pods.append(_pod("crew-ended", dice, phase=dice.choice(("Failed", "Succeeded"))))
    dice.shuffle(pods)
    rs = load({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "crew", "namespace": "default", "uid": "crew"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"team": "crew"}},
            "template": {"metadata": {"labels": {"team": "crew"}}},
        },
    })  # fmt: skip
    assert isinstance(rs, ReplicaSet)
    return Case(seed, kind, rs, tuple(pods), plan(rs, pods, now=NOW))


def _pod(name: str, dice: random.Random, **traits: Any) -> Pod:
    """Return a Pod of the crew with a past of its own, except for what `traits` says."""
    owner, phase = traits.get("owner", "crew"), traits.get("phase", "Running")
    phase = "Pending" if phase == "Running" and dice.random() < 0.15 else phase
    is_ready = phase == "Running" and dice.random() < 0.8
    age = dice.choice((3, 20, 150, 1200))
    condition = {"type": "Ready", "status": str(is_ready), "lastTransitionTime": _ago(age - 1)}
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": "default",
        "uid": name,
        "labels": {"team": traits.get("team", "crew"), "shift": "night"},
        "creationTimestamp": _ago(age),
        "annotations": {COST: str(dice.choice((-5, 5)))} if dice.random() < 0.3 else {},
        "ownerReferences": [{**REFERENCE, "uid": owner}] if owner else [],
    }
    if traits.get("ending"):
        metadata["deletionTimestamp"] = _ago(1)
    restarts = dice.choice((0, 0, 2))
    pod = load({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {
            "nodeName": "" if phase == "Pending" else f"worker-{dice.randint(1, 3)}",
            "containers": [{"name": "main", "image": "busybox:1.37"}],
        },
        "status": {
            "phase": phase,
            "conditions": [condition],
            "containerStatuses": [{"name": "main", "restartCount": restarts}],
        },
    })  # fmt: skip
    assert isinstance(pod, Pod)
    return pod


def _ago(seconds: float) -> str:
    return timestamp(NOW - seconds)
