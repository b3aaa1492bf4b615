"""The conversation that turns a manifest into a running Pod: who said what to whom, in order.

`converse(cluster, "deployment/web")` reads the trace and returns `Turn`s: calls to the API server,
news that watches bring, orders of a kubelet to its runtime, and decisions that nobody else hears.
Each turn bears the number of its step in `STEPS`; `FOLLOWS` and `SERVES` are work around the seven.

Rule of use: the turns are data; `sequence_diagram` draws them, others may read them aloud.

Upstream: none (the seven steps are told in https://kubernetes.io/docs/concepts/architecture/)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from k8slab.api.core import Pod
from k8slab.api.pods import is_pod_ready
from k8slab.api.scheme import resolve
from k8slab.sim import Record
from k8slab.viz.facts import ClusterLike, TraceLike, status_column
from k8slab.viz.traffic import API, ETCD, actor

FOLLOWS, SERVES = 0, 8  # steps beside the seven
STEPS: Mapping[int, str] = {
    1: "You send the manifest",
    2: "The API server checks it, etcd keeps it",
    FOLLOWS: "Controllers write what follows from it",
    3: "The scheduler picks a node",
    4: "The scheduler binds the Pod to it",
    5: "The kubelet of that node hears of its Pod",
    6: "The runtime does what the kubelet orders",
    7: "The kubelet reports",
    SERVES: "Slice and rules let its Services find it",
}
SEVEN = (1, 2, 3, 4, 5, 6, 7)
MOST = 40  # records, so that a Pod that never gets ready has an end
RUNTIME = {
    "sandbox": "RunPodSandbox: network {detail}",
    "pull": "PullImage: {image}, {detail}",
    "start": "StartContainer: {detail}",
    "exit": "{detail}",
}
NEWS = {"create": "created", "create binding": "bound to a node", "remove": "removed"}


class Turn(msgspec.Struct, frozen=True):
    """One thing said or done: "write", "news", "order", "report" or "thought"."""

    time: float  # virtual seconds
    source: str  # a component, as the lanes are named
    target: str  # the same component for a thought
    kind: str
    words: str
    step: int  # a key of STEPS
    record: int  # its id in the trace


def converse(
    cluster: ClusterLike, what: str, namespace: str = "default", *, rules: bool = False
) -> list[Turn]:
    """Return the turns from the command to Ready for "pod/NAME", or the first Pod of "kind/NAME".

    `rules=True` goes on to the EndpointSlice and the rules. Raises ValueError if there is no Pod.
    """
    trace = cluster.trace
    made = first_pod(trace, what, namespace)
    chain = list(reversed(trace.why(made.id)))
    records = [*chain, *_afterwards(cluster, made)]
    if rules:
        records += _served(trace, records[-1])
    return list(_turns(cluster, records, made))


def first_pod(trace: TraceLike, what: str, namespace: str) -> Record:
    """Return the record that created the Pod (the last time), or the first Pod of an object."""
    kind, _, name = what.rpartition("/")
    resource = resolve(kind or "pod")
    if resource is None or not name:
        raise ValueError(f'expected "pod/NAME" or "deployment/NAME", got {what!r}')
    subject = f"{resource.kind}/{namespace}/{name}"
    own = [record for record in trace.about(subject) if record.verb == "create"]
    if own and resource.kind == "Pod":
        return own[-1]
    start = f"Pod/{namespace}/"
    for record in trace:
        made = record.verb == "create" and record.subject.startswith(start)
        if made and any(cause.subject == subject for cause in trace.why(record.id)):
            return record
    raise ValueError(f"nothing in the trace created a Pod for {what} in namespace {namespace}")


def _afterwards(cluster: ClusterLike, made: Record) -> list[Record]:
    """Return what was done about the Pod after its creation, until it is ready."""
    found: list[Record] = []
    known = [made.id]
    for record in cluster.trace.since(made.id):
        about = record.subject == made.subject and record.verb != "event"
        if not about and not (record.verb == "pull" and record.cause in known):
            continue
        found.append(record)
        known.append(record.id)
        if len(found) == MOST or (record.verb.endswith("status") and _is_ready(cluster, record)):
            break
    return found


def _is_ready(cluster: ClusterLike, record: Record) -> bool:
    pod = _pod(cluster, record)
    return pod is not None and is_pod_ready(pod)


def _pod(cluster: ClusterLike, record: Record) -> Pod | None:
    _, namespace, name = record.subject.split("/")
    found: Pod | None = cluster.at(record.time).get(Pod, name, namespace)
    return found


def _served(trace: TraceLike, ready: Record) -> list[Record]:
    """Return how the news of a ready Pod became rules: decision, slice, one record a kube-proxy."""
    found: list[Record] = []
    causes = [ready.id]
    for record in trace.since(ready.id):
        wanted = (
            record.component == "endpointslice-controller"
            and (record.verb == "decide" or record.subject.startswith("EndpointSlice/"))
        ) or record.verb == "sync"
        if wanted and record.cause in causes:
            found.append(record)
            causes.append(record.id)
    return found


def _turns(cluster: ClusterLike, records: Sequence[Record], made: Record) -> Iterator[Turn]:
    """Put each record into words, and before it the news that set it off."""
    told: list[tuple[str, int]] = []
    ordered = False  # whether the runtime was given an order about this Pod yet
    for record in records:
        lane = lane_of(record)
        if record.verb == "sync" and any(lane == of for of, _ in told):
            continue  # every node's kube-proxy does the same; one is enough
        ordered = ordered or (record.verb == "sandbox" and record.subject == made.subject)
        step = _step(record, records[0], made, ordered)
        cause = cluster.trace[record.cause] if record.cause else None
        if cause is not None and _is_news(cause, record) and (lane, cause.id) not in told:
            told.append((lane, cause.id))
            yield Turn(record.time, API, lane, "news", f"watch: {_news(cause)}", step, cause.id)
        elif record.id > made.id and step in (3, 5) and not any(lane == of for of, _ in told):
            # Whoever starts afterwards lists what is there before it watches.
            told.append((lane, made.id))
            yield Turn(record.time, API, lane, "news", f"list: {_about(made)}", step, record.id)
        yield from _of(cluster, record, lane, step)


def lane_of(record: Record) -> str:
    """Return the lane of a record: a component, with its node where the node matters."""
    who = actor(record)
    return "kube-proxy" if who.startswith("kube-proxy/") else who


def _is_news(cause: Record, record: Record) -> bool:
    """Say whether somebody else's write set a record off; a runtime hears of none, it is told."""
    runtime = record.component.startswith("containerd/")
    return bool(cause.revision) and cause.component != record.component and not runtime


def _step(record: Record, first: Record, made: Record, ordered: bool) -> int:
    """Return which step a record belongs to."""
    who = record.component.partition("/")[0]
    if record is first and who == "you":
        return 1
    if record.id <= made.id:
        return FOLLOWS
    if who == "kube-scheduler":
        return 4 if record.verb == "create binding" else 3
    if who == "containerd":
        return 6
    if who == "kubelet":
        return 7 if ordered else 5
    return SERVES


def _of(cluster: ClusterLike, record: Record, lane: str, step: int) -> Iterator[Turn]:
    """Return the turns of one record: a write goes on to etcd."""
    time, number = record.time, record.id
    kept = f"revision {record.revision}"
    if lane.startswith("containerd/"):
        kubelet = lane.replace("containerd", "kubelet")
        words = RUNTIME.get(record.verb, record.verb + " {detail}")
        words = words.format(detail=record.detail, image=record.subject.rpartition("/")[2])
        ends = (lane, kubelet, "report") if record.verb == "exit" else (kubelet, lane, "order")
        yield Turn(time, *ends, words, step, number)
    elif not record.revision:
        words = record.detail or record.verb
        if lane == "kube-controller-manager":
            words = f"{record.component}: {words}"
        yield Turn(time, lane, lane, "thought", words, step, number)
    elif step == 1:
        yield Turn(time, lane, API, "write", _written(cluster, record), step, number)
        yield Turn(time, API, ETCD, "write", kept, 2, number)
    else:
        yield Turn(time, lane, API, "write", f"{_written(cluster, record)}, {kept}", step, number)


def _written(cluster: ClusterLike, record: Record) -> str:
    """Say what a write wrote, with the fields that matter."""
    kind, _, name = record.subject.partition("/")
    name = name.rpartition("/")[2]
    pod = _pod(cluster, record) if kind == "Pod" and record.verb != "create" else None
    if pod is None:
        return f"{record.verb} {kind} {name}"
    if record.verb == "create binding":
        return f"spec.nodeName = {pod.spec.nodeName}"
    if record.verb.endswith("status"):
        phase, column = pod.status.phase or "Pending", status_column(pod)
        ready = "ready" if is_pod_ready(pod) else "not ready"
        return f"status: {phase}, {ready}" + (f" ({column})" if column != phase else "")
    return f"{record.verb} {kind}"


def _news(cause: Record) -> str:
    """Say what a watch told."""
    return f"{_about(cause)} {NEWS.get(cause.verb, 'changed')}"


def _about(record: Record) -> str:
    """Name the object of a record: "Pod web"."""
    kind, _, name = record.subject.partition("/")
    return f"{kind} {name.rpartition('/')[2]}"
