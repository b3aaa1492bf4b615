"""Why something is as it is: the chain of causes, in sentences.

Every write to the API server carries the id of the trace record that set its writer off. `explain`
finds the record in which the object came to be (or was last changed) and walks back: from the Pod
to the ReplicaSet controller's decision, to the ReplicaSet, to the Deployment, to what you typed.

Rule of use: `cluster.why("pod/web-x")`; the answer is text, a list of records and a figure.

Upstream: none (kubectl describe and the audit log come closest)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.api.meta import Object
from k8slab.api.scheme import resource_for
from k8slab.cluster.names import named, parse_name
from k8slab.sim import Record

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster

PAST = {
    "create": "created",
    "create binding": "bound",
    "update": "updated",
    "update status": "wrote the status of",
    "patch": "patched",
    "patch status": "wrote the status of",
    "delete": "marked for deletion",
    "remove": "removed",
    "decide": "decided about",
    "event": "reported about",
    "sync": "wrote",
}


class Explanation:
    """A chain of causes, the last effect first."""

    def __init__(self, subject: str, records: list[Record]) -> None:
        self.subject = subject
        self.records = records

    @property
    def text(self) -> str:
        """The chain as sentences."""
        if not self.records:
            return f"Nothing in the trace is about {self.subject}."
        first, *causes = self.records
        lines = [f"{self.subject}: {sentence(first)}"]
        lines += [f"  because {sentence(record)}" for record in causes]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def figure(self) -> Any:
        """Return the chain as a picture."""
        from k8slab.viz import why_graph

        return why_graph(self)


def explain(cluster: Cluster, what: Any) -> Explanation:
    """Return why an object exists: "pod/web", an object, or the id of a trace record."""
    trace = cluster.trace
    if isinstance(what, int):
        return Explanation(trace[what].subject, trace.why(what))
    subject = _subject(cluster, what)
    about = trace.about(subject)
    made = [r for r in about if r.verb == "create" and r.revision] or about
    return Explanation(subject, trace.why(made[-1].id) if made else [])


def sentence(record: Record) -> str:
    """Return one record as a sentence.

    >>> sentence(Record(1, 2.5, "kube-scheduler", "create binding", "Pod/default/web", 0))
    'at 2.500 s kube-scheduler bound Pod/default/web'
    """
    verb = PAST.get(record.verb, record.verb)
    detail = f" ({record.detail})" if record.detail else ""
    return f"at {record.time:.3f} s {record.component} {verb} {record.subject}{detail}"


def _of_the_past(cluster: Cluster, words: str) -> str:
    """Return the subject of an object that is no more, "" if it still is or never was."""
    resource, namespace, name = parse_name(words)
    subject = f"{resource.kind}/" + (f"{namespace}/" if namespace else "") + name
    gone = cluster.view.get(resource.type, name, namespace) is None
    return subject if gone and cluster.trace.about(subject) else ""


def _subject(cluster: Cluster, what: Any) -> str:
    obj = what
    if isinstance(what, str):
        subject = _of_the_past(cluster, what)
        if subject:
            return subject
        obj = named(cluster.view, what)
    if not isinstance(obj, Object):
        raise TypeError(f'expected "KIND/NAME", an object or a trace id, got {what!r}')
    meta = obj.metadata
    where = f"{meta.namespace}/" if meta.namespace else ""
    return f"{resource_for(obj).kind}/{where}{meta.name}"
