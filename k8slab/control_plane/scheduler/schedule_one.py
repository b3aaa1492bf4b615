"""The decision about one Pod: which nodes fit, and which of them is best.

`schedule_pod` filters, scores and, if nothing fits, asks what could be done about it. It changes
nothing: the same function serves the running scheduler and `explain`.

Rule of use: one `CycleState` for each Pod and cycle.

Upstream: pkg/scheduler/schedule_one.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from k8slab.control_plane.scheduler.framework.interface import (
    Code,
    CycleState,
    PluginError,
    PostFilterResult,
    Status,
)
from k8slab.control_plane.scheduler.framework.runtime import Framework
from k8slab.control_plane.scheduler.framework.types import (
    Diagnosis,
    NodeInfo,
    PodInfo,
    fit_error,
)

MIN_FEASIBLE_NODES_TO_FIND = 100
MIN_FEASIBLE_NODES_PERCENTAGE_TO_FIND = 5
NO_NODES_AVAILABLE = "no nodes available to schedule pods"


class Decision(msgspec.Struct, frozen=True):
    """What came of one scheduling cycle.

    `node` is empty if nothing fits; `message` then says why, and `nominated` what may help.
    """

    pod: PodInfo
    node: str = ""
    feasible: tuple[str, ...] = ()
    scores: Mapping[str, Sequence[int]] = {}  # by plugin, in the order of `feasible`
    totals: tuple[int, ...] = ()
    best: tuple[str, ...] = ()  # the feasible nodes with the highest total
    evaluated: int = 0  # nodes looked at
    message: str = ""
    diagnosis: Diagnosis = Diagnosis()
    post_filter: PostFilterResult | None = None  # None: it was not asked
    failed: bool = False  # a plugin failed, as opposed to refused


def schedule_pod(
    framework: Framework,
    pod: PodInfo,
    *,
    start: int = 0,
    enough: Callable[[int], int] = lambda nodes: nodes,
    choose: Callable[[int], int] = lambda _: 0,
) -> Decision:
    """Decide where the Pod goes.

    Nodes are tried from index `start` until `enough` of them fit; `choose(n)` breaks a tie of n.
    """
    nodes = framework.handle.snapshot.order
    if not nodes:
        return Decision(pod, message=NO_NODES_AVAILABLE)
    state = CycleState()
    try:
        feasible, diagnosis = find_nodes_that_fit(framework, state, pod, start, enough)
        if feasible:
            return _pick(framework, state, pod, feasible, diagnosis, choose)
        result, text = framework.run_post_filter(state, pod, diagnosis.node_to_status)
    except PluginError as error:
        return Decision(pod, message=str(error), failed=True)
    diagnosis = msgspec.structs.replace(diagnosis, post_filter_message=text)
    return Decision(
        pod,
        evaluated=0 if diagnosis.pre_filter_message else len(diagnosis.node_to_status),
        message=fit_error(len(nodes), diagnosis),
        diagnosis=diagnosis,
        post_filter=result if framework.post_filter_plugins else None,
    )


def find_nodes_that_fit(
    framework: Framework,
    state: CycleState,
    pod: PodInfo,
    start: int,
    enough: Callable[[int], int],
) -> tuple[list[NodeInfo], Diagnosis]:
    """Return the nodes that fit, and why the others that were looked at do not."""
    snapshot = framework.handle.snapshot
    refusal, wanted, choosers = framework.run_pre_filter(state, pod, snapshot.order)
    if refusal is not None:
        if not refusal.rejects:
            raise PluginError(refusal.message)
        everywhere = dict.fromkeys(snapshot.nodes, refusal)
        return [], Diagnosis(everywhere, refusal, (refusal.plugin,), refusal.message)
    nominated = snapshot.nodes.get(pod.pod.status.nominatedNodeName)
    # Its victims were removed for this Pod, so most likely it fits there now.
    if nominated and framework.run_filter_with_nominated(state, pod, nominated) is None:
        return [nominated], Diagnosis()
    absent = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE)
    nodes: Sequence[NodeInfo] = snapshot.order
    if wanted is not None:
        nodes = [snapshot.nodes[name] for name in wanted if name in snapshot.nodes]
        text = f"node(s) didn't satisfy plugin(s) [{' '.join(sorted(choosers))}]"
        absent = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (text,), choosers[0])
    feasible, statuses = _filter(framework, state, pod, nodes, start, enough(len(nodes)))
    rejecters = dict.fromkeys(status.plugin for status in statuses.values())
    if wanted is not None:
        rejecters |= dict.fromkeys(choosers)
    return feasible, Diagnosis(statuses, absent, tuple(rejecters))


def feasible_nodes_to_find(nodes: int, percentage: int = 0) -> int:
    """Return after how many fitting nodes the search stops.

    The percentage is percentageOfNodesToScore; 0 lets it fall from 50 to 5 with the cluster's size.

    >>> [feasible_nodes_to_find(n) for n in (99, 1000, 5000, 10000)]
    [99, 420, 500, 500]
    >>> [feasible_nodes_to_find(n, 40) for n in (99, 200, 1000)]
    [99, 100, 400]
    """
    if nodes < MIN_FEASIBLE_NODES_TO_FIND:
        return nodes
    if not percentage:
        percentage = max(50 - nodes // 125, MIN_FEASIBLE_NODES_PERCENTAGE_TO_FIND)
    return max(nodes * percentage // 100, MIN_FEASIBLE_NODES_TO_FIND)


def _filter(
    framework: Framework,
    state: CycleState,
    pod: PodInfo,
    nodes: Sequence[NodeInfo],
    start: int,
    to_find: int,
) -> tuple[list[NodeInfo], dict[str, Status]]:
    fits = (
        framework.run_filter_with_nominated if framework.handle.nominator else framework.run_filter
    )
    feasible: list[NodeInfo] = []
    statuses: dict[str, Status] = {}
    first = start % len(nodes) if nodes else 0
    for info in (*nodes[first:], *nodes[:first]):
        status = fits(state, pod, info)
        if status is not None:
            statuses[info.name] = status
            continue
        feasible.append(info)
        if len(feasible) >= to_find:
            break
    return feasible, statuses


def _pick(
    framework: Framework,
    state: CycleState,
    pod: PodInfo,
    feasible: list[NodeInfo],
    diagnosis: Diagnosis,
    choose: Callable[[int], int],
) -> Decision:
    names = tuple(info.name for info in feasible)
    evaluated = len(names) + len(diagnosis.node_to_status)
    if len(names) == 1:  # nothing to compare: nothing is scored
        return Decision(pod, names[0], names, best=names, evaluated=evaluated, diagnosis=diagnosis)
    scores = framework.run_score(state, pod, feasible)
    totals = tuple(framework.totals(scores, len(names)))
    highest = max(totals)
    best = tuple(name for name, total in zip(names, totals, strict=True) if total == highest)
    chosen = best[choose(len(best))] if len(best) > 1 else best[0]
    return Decision(pod, chosen, names, scores, totals, best, evaluated, diagnosis=diagnosis)
