"""What is wrong with a node: who judged it, from when on it was silent, and what you did to it.

A node that died writes nothing, so no write leads to its end: the node controller judges silence.
`explain_node` joins what the trace cannot: the judgement, and the last thing that you did to the
machine before it.

Rule of use: None means that the node is ready and taken: then the ordinary chain tells.

Upstream: none (kubectl describe node shows conditions and Events)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.api.conditions import get_condition
from k8slab.api.core import Node
from k8slab.cluster.explanation import Explanation, Finding
from k8slab.sim import Record

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster

SILENCING = {
    "break": "you pulled its plug",
    "cut off": "you cut it off the network",
    "stop": "you stopped its kubelet",
}
ENDING = ("repair", "connect", "start")  # what ends such a silence


def explain_node(cluster: Cluster, name: str) -> Explanation | None:
    """Return why the node is not ready, None if it is or is not there."""
    node = cluster.view.get(Node, name, "")
    ready = get_condition(node.status.conditions, "Ready") if node is not None else None
    if ready is None or ready.status == "True":
        return None
    judged = _judgement(cluster, name)
    deed = silencing_deed(cluster, name, judged[0].id if judged else len(cluster.trace) + 1)
    findings = [_of_condition(name, ready.status, ready.reason, ready.message)]
    if deed is None:
        return Explanation(f"Node/{name}", judged, findings)
    text = f"at {deed.time:.3f} s {SILENCING[deed.verb]}: from then on it renewed no Lease"
    findings.append(Finding(text=text, objects=(f"Node/{name}",)))
    typed = cluster.recording.behind(deed.id)
    call = typed.call if typed is not None else ""
    return Explanation(f"Node/{name}", [*judged, deed], findings, call)


def _of_condition(name: str, status: str, reason: str, message: str) -> Finding:
    text = f"it is not Ready (Ready={status}, {reason}): {message.rstrip('.')}"
    return Finding(
        text=text,
        objects=(f"Node/{name}",),
        decided_by="node-controller" if status == "Unknown" else "kubelet",
        next=(f"kubectl describe node {name}", f"kubectl get lease -n kube-node-lease {name}"),
    )


def _judgement(cluster: Cluster, name: str) -> list[Record]:
    """Return the node controller's last write of Ready=Unknown and the decision behind it."""
    for record in reversed(cluster.trace.about(f"Node/{name}")):
        if record.verb == "update status" and record.cause:
            cause = cluster.trace[record.cause]
            if cause.verb == "decide" and "silent" in cause.detail:
                return [record, cause]
    return []


def silencing_deed(cluster: Cluster, name: str, before: int) -> Record | None:
    """Return the last thing that you did to the machine before a record, if it silenced it."""
    subjects = (f"Node/{name}", f"Component/kubelet/{name}")
    deeds = [
        record
        for subject in subjects
        for record in cluster.trace.about(subject)
        if record.component == "you" and record.verb in (*SILENCING, *ENDING) and record.id < before
    ]
    last = max(deeds, key=lambda record: record.id, default=None)
    return last if last is not None and last.verb in SILENCING else None
