"""Why a Pod is not on a node: what the scheduler says of that node.

`explain_not(cluster, pod, node)` decides again, with the running scheduler's own functions, among
what was there when it decided; for a Pod that is not placed yet, among what is there now.

Rule of use: a node that would do has not refused; then the scores tell.

Upstream: none (kube-scheduler --v=10 logs some of it)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api.core import Node, Pod
from k8slab.cluster import why_pod
from k8slab.cluster.explanation import Explanation, Finding
from k8slab.cluster.names import named
from k8slab.cluster.why import chain, subject_of

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster


def explain_not(cluster: Cluster, what: Any, node: str) -> Explanation:
    """Return why the Pod ("pod/web" or an object) is not on the node."""
    pod = named(cluster.view, what) if isinstance(what, str) else what
    if not isinstance(pod, Pod):
        raise TypeError(f"the scheduler places Pods, and {what!r} is none")
    name = node.rpartition("/")[2]
    if cluster.view.get(Node, name, "") is None:
        there = ", ".join(each.metadata.name for each in cluster.view.list(Node))
        raise LookupError(f'nodes "{name}" not found; there are {there}')
    subject = subject_of(cluster, pod)
    decided = [
        r
        for r in cluster.trace.about(subject)
        if r.verb == "decide" and r.component == "kube-scheduler"
    ]
    findings = _findings(cluster, pod, name, decided[-1].time if decided else cluster.now)
    return chain(cluster, subject, decided[-1] if decided else None, findings)


def _findings(cluster: Cluster, pod: Pod, node: str, time: float) -> tuple[Finding, ...]:
    placed = pod.spec.nodeName
    if placed == node:
        text = f"it is on {node}"
        return (Finding(text=text, objects=(f"Node/{node}",), decided_by="kube-scheduler"),)
    view = cluster.at(time) if placed else cluster.view
    asked = msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec, nodeName=""))
    decision = why_pod.scheduling_of(cluster.world, view, asked)
    verdict = decision.nodes.get(node)
    return tuple(
        Finding(
            text=text,
            objects=(f"Node/{node}",),
            decided_by="kube-scheduler",
            next=(f"kubectl describe node {node}",),
        )
        for text in _texts(verdict, node, placed, decision)
    )


def _texts(verdict: Any, node: str, placed: str, decision: Any) -> list[str]:
    if verdict is None:
        return [f"{node} was not looked at, for {decision.event}"]
    if not verdict.fits:
        reasons = ", ".join(verdict.reasons)
        return [f'{node} does not fit: {verdict.plugin} says "{reasons}"']
    if not placed:
        return [f"{node} fits: {decision.event}"]
    other = decision.nodes.get(placed)
    if other is None or not other.scores or verdict.total > other.total:
        return [f"{node} fits, and things have changed since {placed} was chosen"]
    if verdict.total == other.total:
        return [f"{node} scored {verdict.total}, as {placed} did: between equals chance decides"]
    lines = [f"{node} fits, but scored {verdict.total}, and {placed} scored {other.total}"]
    for plugin, score in other.scores.items():
        if score != verdict.scores.get(plugin):
            weight = decision.weights[plugin]
            lines.append(
                f"{plugin} (weight {weight}) gives {verdict.scores.get(plugin)} to {node}, "
                f"{score} to {placed}"
            )
    return lines
