"""Why something is as it is: the chain of causes, in sentences.

Every write to the API server carries the id of the trace record that set its writer off. `explain`
finds the record in which an object came to be and walks back: from the Pod to the ReplicaSet
controller's decision, to the ReplicaSet, to the Deployment, to what you typed. If the object is in
trouble, that comes first: `why_pod`, `why_node`, `why_service` and `why_request` know how it looks.

    cluster.why("pod/web-x")                          # why it is there, and what is wrong with it
    cluster.why("pod/web-x", field="spec.nodeName")   # why a field has its value
    cluster.why(answer)                               # why a request came out as it did

Rule of use: the answer is text, a list of records, a figure, and the source of the decisions.

Upstream: none (kubectl describe and the audit log come closest)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api.core import Pod, Service
from k8slab.api.meta import Object
from k8slab.api.scheme import resource_for
from k8slab.cluster import why_pod, why_service
from k8slab.cluster.explanation import Explanation, Finding
from k8slab.cluster.names import named, parse_name
from k8slab.cluster.requests import Answer
from k8slab.cluster.why_node import explain_node
from k8slab.sim import Record

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster


def explain(cluster: Cluster, what: Any, field: str = "") -> Explanation:
    """Return why: of "pod/web", an object, an `Answer`, or the id of a trace record.

    With `field` ("spec.nodeName"), why that field of the object has its value.
    """
    trace = cluster.trace
    if isinstance(what, int):
        return chain(cluster, trace[what].subject, trace[what])
    if isinstance(what, Answer):
        from k8slab.cluster.why_request import explain_answer

        return explain_answer(cluster, what)
    subject = subject_of(cluster, what)
    if field:
        return explain_field(cluster, subject, field)
    kind, _, name = subject.partition("/")
    found = explain_node(cluster, name) if kind == "Node" else None
    if found is not None:
        return found
    about = trace.about(subject)
    made = [r for r in about if r.verb == "create" and r.revision] or about
    return chain(cluster, subject, made[-1] if made else None, _trouble(cluster, subject))


def chain(
    cluster: Cluster, subject: str, record: Record | None, findings: tuple[Finding, ...] = ()
) -> Explanation:
    """Return the explanation whose chain ends in a record."""
    records = cluster.trace.why(record.id) if record is not None else []
    return Explanation(subject, records, findings, typed_at(cluster, records))


def typed_at(cluster: Cluster, records: list[Record]) -> str:
    """Return what the learner typed to begin a chain, "" if they did not begin it."""
    if not records or records[-1].component != "you":
        return ""
    found = cluster.recording.behind(records[-1].id)
    return found.call if found is not None else ""


# -- fields


def explain_field(cluster: Cluster, subject: str, field: str) -> Explanation:
    """Return why a field has its value: the write in which it got it, and what led to that."""
    versions = _versions(cluster, subject)
    if not versions:
        raise LookupError(f"{subject} is not there, so it has no {field}")
    value = _value(versions[-1].value, field)
    got = versions[-1]
    for version in reversed(versions[:-1]):
        if version.value is None or _value(version.value, field) != value:
            break
        got = version
    record = next((r for r in cluster.trace.about(subject) if r.revision == got.mod_revision), None)
    shown = value if value not in ("", None, ()) else "not set"
    finding = Finding(
        text=f"{field} is {shown}, since revision {got.mod_revision}",
        objects=(subject,),
        decided_by=record.component if record is not None else "",
    )
    return chain(cluster, subject, record, (finding,))


def _versions(cluster: Cluster, subject: str) -> list[Any]:
    kind, _, rest = subject.partition("/")
    namespace, _, name = rest.rpartition("/")
    resource, _, _ = parse_name(cluster.view, f"{kind.lower()}/{name}")
    where = f"{namespace}/" if namespace else ""
    versions = cluster.backend.keys.get(f"{resource.key_prefix}{where}{name}", [])
    return [] if not versions or versions[-1].value is None else versions


def _value(obj: Any, field: str) -> Any:
    """Return the value at a path such as "spec.containers[0].image", None where nothing is.

    Raises LookupError if the kind has no such field.
    """
    at, steps = obj, field.replace("[", ".").replace("]", "").split(".")
    for number, step in enumerate(steps):
        if isinstance(at, Mapping):
            rest = ".".join(steps[number:])  # keys of labels have dots in them
            if rest in at or number == len(steps) - 1:
                return at.get(rest)
            at = at.get(step)
            continue
        if isinstance(at, tuple):
            at = at[int(step)] if step.isdigit() and int(step) < len(at) else None
        elif isinstance(at, msgspec.Struct):
            names = {each.encode_name: each.name for each in msgspec.structs.fields(at)}
            if step not in names:
                raise LookupError(
                    f"{field}: there is no field {step!r}; there are {', '.join(names)}"
                )
            at = getattr(at, names[step])
        else:
            return None
    return at


# -- objects


def _trouble(cluster: Cluster, subject: str) -> tuple[Finding, ...]:
    kind, _, rest = subject.partition("/")
    namespace, _, name = rest.rpartition("/")
    resource, _, _ = parse_name(cluster.view, f"{kind.lower()}/{name}")
    obj = cluster.view.get(resource.type, name, namespace)
    if isinstance(obj, Pod):
        return why_pod.trouble(cluster, obj)
    if isinstance(obj, Service):
        return why_service.trouble(cluster.view, obj)
    return why_pod.trouble_of_workload(cluster, obj) if obj is not None else ()


def subject_of(cluster: Cluster, what: Any) -> str:
    """Return how the trace names what is meant: "Pod/default/web"."""
    obj = what
    if isinstance(what, str):
        subject = _of_the_past(cluster, what)
        if subject:
            return subject
        obj = named(cluster.view, what)
    if not isinstance(obj, Object):
        raise TypeError(f'expected "KIND/NAME", an object, an answer or a trace id, got {what!r}')
    meta = obj.metadata
    where = f"{meta.namespace}/" if meta.namespace else ""
    return f"{resource_for(obj).kind}/{where}{meta.name}"


def _of_the_past(cluster: Cluster, words: str) -> str:
    """Return the subject of an object that is no more, "" if it still is or never was."""
    resource, namespace, name = parse_name(cluster.view, words)
    subject = f"{resource.kind}/" + (f"{namespace}/" if namespace else "") + name
    gone = cluster.view.get(resource.type, name, namespace) is None
    return subject if gone and cluster.trace.about(subject) else ""
