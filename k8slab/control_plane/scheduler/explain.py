"""Why a Pod goes where it goes: the scheduler's decision, node by node and plugin by plugin.

`explain(pod, nodes, pods)` decides as the running scheduler would, looks at every node, and keeps
all that it saw in an `Explanation`, which prints as a table.

Rule of use: give it what is there (nodes, Pods with their spec.nodeName, Services, ...); it asks
nobody and changes nothing.

Upstream: none (kube-scheduler --v=10 logs some of it)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Namespace, Node, Pod, Service
from k8slab.api.meta import Object
from k8slab.api.pods import is_pod_terminal
from k8slab.api.policy import PodDisruptionBudget
from k8slab.control_plane.scheduler.config import KubeSchedulerProfile
from k8slab.control_plane.scheduler.framework.interface import Candidate, Status
from k8slab.control_plane.scheduler.framework.runtime import Framework
from k8slab.control_plane.scheduler.framework.snapshot import (
    Handle,
    Nominator,
    Objects,
    Snapshot,
)
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.profile import PluginChoice, make_framework
from k8slab.control_plane.scheduler.schedule_one import Decision, schedule_pod


class NodeVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was said about one node."""

    node: str
    fits: bool
    plugin: str = ""  # the first that refused
    code: str = "Success"  # or Unschedulable, UnschedulableAndUnresolvable
    reasons: tuple[str, ...] = ()
    scores: Mapping[str, int] = {}  # by plugin, 0..100, not yet weighted; empty if not compared
    total: int = 0  # weighted


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A decision, with all that led to it."""

    pod: str
    nodes: Mapping[str, NodeVerdict]  # in the order in which they were given
    weights: Mapping[str, int]  # of the plugins that scored
    best: tuple[str, ...]  # more than one: a tie, and the running scheduler picks at random
    nominated: str = ""  # the node where preemption makes room
    candidates: tuple[Candidate, ...] = ()  # nodes where it could, the chosen one first
    event: str = ""  # the text of the Event: Scheduled (on the first of `best`) or not

    @property
    def feasible(self) -> tuple[str, ...]:
        """The nodes that fit."""
        return tuple(name for name, verdict in self.nodes.items() if verdict.fits)

    @property
    def victims(self) -> tuple[str, ...]:
        """The Pods ("namespace/name") that would be deleted for this one."""
        chosen = self.candidates[0].victims if self.candidates else ()
        return tuple(f"{each.metadata.namespace}/{each.metadata.name}" for each in chosen)

    def __str__(self) -> str:
        return "\n".join([self.event, *_table(self)])

    def __repr__(self) -> str:
        return str(self)  # what a notebook shows


def explain(
    pod: Pod,
    nodes: Iterable[Node],
    pods: Iterable[Pod] = (),
    *,
    namespaces: Iterable[Namespace] = (),
    services: Iterable[Service] = (),
    replica_sets: Iterable[ReplicaSet] = (),
    pdbs: Iterable[PodDisruptionBudget] = (),
    objects: Iterable[Object] = (),
    plugins: PluginChoice | None = None,
    args: Mapping[str, Mapping[str, Any]] | None = None,
    profile: KubeSchedulerProfile | None = None,
) -> Explanation:
    """Say where the Pod would go, and why.

    `plugins=("NodeAffinity",)` asks one alone, `[..., MyPlugin()]` adds one; `args` are those of a
    KubeSchedulerConfiguration by plugin, `profile` is one of its profiles. `objects` takes further
    kinds, such as StatefulSets.
    """
    snapshot, nominator = _cluster_of(nodes, [each for each in pods if each is not pod])
    others = Objects.of((*namespaces, *services, *replica_sets, *pdbs, *objects))
    handle = Handle(snapshot, others, nominator)
    framework = make_framework(handle, plugins, args, profile=profile)
    refusal = framework.run_pre_enqueue(pod)
    if refusal is not None:
        return Explanation(
            pod=PodInfo(pod).key,
            nodes={name: _refused(name, refusal) for name in snapshot.nodes},
            weights={},
            best=(),
            event=refusal.message,
        )
    return explanation_of(schedule_pod(framework, PodInfo(pod)), framework)


def explanation_of(decision: Decision, framework: Framework) -> Explanation:
    """Lay out a decision that was taken with this framework."""
    pod, post_filter = decision.pod, decision.post_filter
    verdicts = {
        name: _verdict(name, decision)
        for name in framework.handle.snapshot.nodes
        if name in decision.feasible or _status_of(name, decision) is not None
    }
    event = decision.message
    if decision.node:
        event = f"Successfully assigned {pod.key} to {decision.node}"
    return Explanation(
        pod=pod.key,
        nodes=verdicts,
        weights={name: framework.weights[name] for name in decision.scores},
        best=decision.best,
        nominated=(post_filter.nominated_node or "") if post_filter is not None else "",
        candidates=post_filter.candidates if post_filter is not None else (),
        event=event,
    )


def _cluster_of(nodes: Iterable[Node], pods: Sequence[Pod]) -> tuple[Snapshot, Nominator]:
    infos = {node.metadata.name: NodeInfo(node) for node in nodes}
    nominator = Nominator()
    for each in pods:
        if is_pod_terminal(each):
            continue
        name, nominated = each.spec.nodeName, each.status.nominatedNodeName
        if name in infos:
            infos[name].add_pod(PodInfo(each))
        elif not name and nominated:
            nominator.add(PodInfo(each), nominated)
    return Snapshot(infos.values()), nominator


def _status_of(name: str, decision: Decision) -> Status | None:
    diagnosis = decision.diagnosis
    absent = diagnosis.absent if diagnosis.absent.reasons else None
    return diagnosis.node_to_status.get(name, absent)


def _verdict(name: str, decision: Decision) -> NodeVerdict:
    if name not in decision.feasible:
        status = _status_of(name, decision)
        assert status is not None
        return _refused(name, status)
    index = decision.feasible.index(name)
    return NodeVerdict(
        node=name,
        fits=True,
        scores={plugin: own[index] for plugin, own in decision.scores.items()},
        total=decision.totals[index] if decision.totals else 0,
    )


def _refused(name: str, status: Status) -> NodeVerdict:
    return NodeVerdict(
        node=name,
        fits=False,
        plugin=status.plugin,
        code=str(status.code),
        reasons=status.reasons,
    )


def _table(explanation: Explanation) -> list[str]:
    """Return one line for each node: refused by whom and why, or its scores."""
    width = max((len(name) for name in explanation.nodes), default=0)
    lines = []
    for name, verdict in explanation.nodes.items():
        mark = "*" if name in explanation.best else " " if verdict.fits else "x"
        if not verdict.fits:
            told = f"{verdict.plugin}: {', '.join(verdict.reasons)}"
        elif not verdict.scores:
            told = "the only node that fits"
        else:
            weights = explanation.weights
            parts = [f"{p} {weights[p]}x{score}" for p, score in verdict.scores.items()]
            told = f"{verdict.total:>4} = {' + '.join(parts)}"
        lines.append(f"{mark} {name:<{width}}  {told}")
    return lines
