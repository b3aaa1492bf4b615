"""What a DaemonSet needs now: Pods on nodes without, none where none should be, new for old.

`plan` first sees to it that each node has exactly one Pod; only when that asks for nothing does it
replace Pods of an old template, so many at a time that no more than maxUnavailable nodes are
without. `calculate_status` counts nodes. `standing` is what both see of a Pod.

Rule of use: a node whose Pod is still ending gets no new one, unless maxSurge allows it.

Upstream: pkg/controller/daemon/daemon_controller.go, update.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from k8slab.api.apps import DaemonSet, DaemonSetStatus
from k8slab.api.conditions import get_condition
from k8slab.api.core import Node, Pod
from k8slab.api.labels import from_label_selector
from k8slab.api.pods import is_pod_available, is_pod_ready, is_pod_terminal
from k8slab.api.rollouts import scaled_value
from k8slab.control_plane.controllers.daemon_set.placement import (
    GENERATION,
    GENERATION_LABEL,
    REVISION_HASH,
    node_should_run,
    target_node,
)

BURST_REPLICAS = 250  # most Pods created or deleted in one sync

Placement = Mapping[str, Sequence[Pod]]  # Pods by node


class DaemonPlan(msgspec.Struct, frozen=True):
    """Nodes that need a Pod, and Pods that have to go."""

    create: tuple[str, ...] = ()  # names of nodes
    delete: tuple[Pod, ...] = ()


def plan(
    ds: DaemonSet, pods: Sequence[Pod], nodes: Sequence[Node], *, revision_hash: str, now: float
) -> DaemonPlan:
    """Say which nodes need a Pod and which of the DaemonSet's Pods have to go.

    `revision_hash` names the present template, `now` is in virtual seconds.
    """
    placed = by_node(pods)
    managed = _manage(ds, placed, nodes, revision_hash, now)
    if managed.create or managed.delete or ds.spec.updateStrategy.type == "OnDelete":
        return managed
    if all(is_updated(ds, pod, revision_hash) for pod in pods):
        return managed
    return _rolling_update(ds, placed, nodes, revision_hash, now)


def standing(ds: DaemonSet, pod: Pod) -> tuple[object, ...]:
    """Return all that claiming, planning and counting look at in a Pod.

    Not the labels that binding copies from its node, nor why it is not ready: a thousand Pods that
    are bound one by one are no reason to look at a thousand nodes a thousand times.
    """
    meta, ready = pod.metadata, get_condition(pod.status.conditions, "Ready")
    return (
        ready.lastTransitionTime if ready is not None and is_pod_ready(pod) else "not ready",
        pod.status.phase,
        target_node(pod),
        meta.deletionTimestamp,
        meta.ownerReferences,
        meta.labels.get(REVISION_HASH),
        meta.labels.get(GENERATION_LABEL),
        from_label_selector(ds.spec.selector).matches(meta.labels),
    )


def by_node(pods: Sequence[Pod]) -> dict[str, list[Pod]]:
    """Return the Pods by the node that they are on or meant for, oldest first."""
    placed: dict[str, list[Pod]] = {}
    for pod in pods:
        placed.setdefault(target_node(pod), []).append(pod)
    for here in placed.values():
        if len(here) > 1:
            here.sort(key=lambda pod: (pod.metadata.creationTimestamp, pod.metadata.name))
    return placed


# -- one Pod on each node


def _manage(
    ds: DaemonSet, placed: Placement, nodes: Sequence[Node], revision_hash: str, now: float
) -> DaemonPlan:
    create: list[str] = []
    delete: list[Pod] = []
    for node in nodes:
        name = node.metadata.name
        here = placed.get(name, ())
        should_run, may_continue = node_should_run(ds, node)
        if should_run and not here:
            create.append(name)
        elif here and may_continue:
            delete += _surplus(ds, here, revision_hash, now)
        elif here:
            delete += [pod for pod in here if not _is_leaving(pod)]
    known = {node.metadata.name for node in nodes}
    for name, here in placed.items():
        if name not in known:  # Pods of a node that went before they were bound to it
            delete += [pod for pod in here if not pod.spec.nodeName and not _is_leaving(pod)]
    return DaemonPlan(tuple(create[:BURST_REPLICAS]), tuple(delete[:BURST_REPLICAS]))


def _surplus(ds: DaemonSet, here: Sequence[Pod], revision_hash: str, now: float) -> list[Pod]:
    """Return the Pods of a node that have ended, and all but the oldest of the others."""
    staying = [pod for pod in here if not _is_leaving(pod)]
    ended = [pod for pod in staying if is_pod_terminal(pod)]
    running = [pod for pod in staying if not is_pod_terminal(pod)]
    if len(running) <= 1 or _fenceposts(ds, 1)[0] == 0:
        return ended + running[1:]
    old = [pod for pod in running if not is_updated(ds, pod, revision_hash)]
    new = [pod for pod in running if is_updated(ds, pod, revision_hash)]
    if not old or not new:
        return ended + running[1:]
    # The old one goes when the new one is available, at once if it does not work itself.
    replaced = is_pod_available(new[0], ds.spec.minReadySeconds, now) or not is_pod_ready(old[0])
    return ended + new[1:] + (old if replaced else old[1:])


def _is_leaving(pod: Pod) -> bool:
    return pod.metadata.deletionTimestamp is not None


# -- rolling updates


def is_updated(ds: DaemonSet, pod: Pod, revision_hash: str) -> bool:
    """Say whether the Pod is of the present template."""
    labels = pod.metadata.labels
    generation = ds.metadata.annotations.get(GENERATION)
    by_generation = generation is not None and labels.get(GENERATION_LABEL) == generation
    return labels.get(REVISION_HASH) == revision_hash or by_generation


def _fenceposts(ds: DaemonSet, desired: int) -> tuple[int, int]:
    """Return on how many nodes there may be a second Pod, and on how many none."""
    rolling = ds.spec.updateStrategy.rollingUpdate
    if ds.spec.updateStrategy.type == "OnDelete":
        return 0, 0
    surge = scaled_value(rolling.maxSurge if rolling else 0, desired, round_up=True)
    missing = 1 if rolling is None or rolling.maxUnavailable is None else rolling.maxUnavailable
    unavailable = scaled_value(missing, desired, round_up=True)
    return (surge, unavailable) if surge or unavailable else (0, 1)


def _rolling_update(
    ds: DaemonSet, placed: Placement, nodes: Sequence[Node], revision_hash: str, now: float
) -> DaemonPlan:
    desired = sum(node_should_run(ds, node)[0] for node in nodes)
    surge, max_unavailable = _fenceposts(ds, desired)
    unavailable, surging = 0, 0
    broken: list[Pod] = []
    candidates: list[Pod] = []
    for here in placed.values():
        staying = [pod for pod in here if not _is_leaving(pod)]
        old = [pod for pod in staying if not is_updated(ds, pod, revision_hash)]
        if len(old) != 1 or len(staying) != 1:
            surging += len(old) == 1 and len(staying) == 2
            whole = len(staying) == 1 and is_pod_available(staying[0], ds.spec.minReadySeconds, now)
            unavailable += not whole
        elif is_pod_available(old[0], ds.spec.minReadySeconds, now):
            candidates += old
        else:
            broken += old
            unavailable += 1
    if surge:
        free = max(surge - surging, 0)
        return DaemonPlan(create=tuple(map(target_node, broken + candidates[:free])))
    free = max(max_unavailable - unavailable, 0)
    return DaemonPlan(delete=tuple(broken + candidates[:free]))


# -- status


def calculate_status(
    ds: DaemonSet, pods: Sequence[Pod], nodes: Sequence[Node], *, revision_hash: str, now: float
) -> DaemonSetStatus:
    """Count the nodes on which the Pod should be, is, is ready, is up to date, or should not be."""
    placed = by_node(pods)
    wanted = {node.metadata.name: node_should_run(ds, node)[0] for node in nodes}
    first = {name: placed[name][0] for name, should in wanted.items() if should and name in placed}
    misplaced = sum(1 for name, should in wanted.items() if not should and name in placed)
    min_ready = ds.spec.minReadySeconds
    available = sum(is_pod_available(pod, min_ready, now) for pod in first.values())
    desired = sum(wanted.values())
    return DaemonSetStatus(
        desiredNumberScheduled=desired,
        currentNumberScheduled=len(first),
        numberMisscheduled=misplaced,
        numberReady=sum(map(is_pod_ready, first.values())),
        numberAvailable=available,
        numberUnavailable=desired - available,
        updatedNumberScheduled=sum(is_updated(ds, p, revision_hash) for p in first.values()),
        observedGeneration=ds.metadata.generation,
        collisionCount=ds.status.collisionCount,
        conditions=ds.status.conditions,
    )
