"""What happened to one Pod, in order: who did what, and how the Pod was after it.

`tell(cluster, name, namespace)` reads the trace for the deeds and `cluster.at` for the four things
that people mix up: the phase, the Ready condition, the containers' states, the STATUS column.

Rule of use: the story is data; `event_lane` draws it and writes it down.

Upstream: none (kubectl describe shows the Events of it, and no past)
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from k8slab.api.core import Pod
from k8slab.api.pods import is_pod_ready
from k8slab.sim import Record
from k8slab.viz.facts import ClusterLike, container_state, pod_state, status_column, statuses
from k8slab.viz.traffic import actor

DEEDS = {
    "create": "created it",
    "create binding": "bound it to {node}",
    "create eviction": "evicted it",
    "update": "changed it",
    "patch": "changed it",
    "update status": "wrote its status: {status}",
    "patch status": "wrote its status: {status}",
    "delete": "marked it for deletion",
    "remove": "removed it",
    "decide": "decided: {detail}",
    "event": "Event {detail}",
    "sandbox": "made its network, {detail}",
    "start": "started {detail}",
    "exit": "saw the end of {detail}",
}


class Moment(msgspec.Struct, frozen=True):
    """How a Pod was: what four columns would say."""

    state: str  # a row of POD_STATES, "" when there is no Pod
    status: str
    phase: str
    ready: str
    containers: str
    node: str


class Deed(msgspec.Struct, frozen=True):
    """Something that was done to a Pod, and how it was afterwards."""

    number: int
    time: float
    who: str  # the lane: a component, with its node
    component: str  # as the trace names it
    words: str
    after: Moment


NOTHING = Moment("", "", "", "", "", "")


def tell(cluster: ClusterLike, name: str, namespace: str, since: float, until: float) -> list[Deed]:
    """Return the deeds in a stretch of virtual time, oldest first."""
    subjects = (f"Pod/{namespace}/{name}", f"Pod/{name}")  # Events name no namespace
    records = [record for subject in subjects for record in cluster.trace.about(subject)]
    records.sort(key=lambda record: record.id)
    deeds: list[Deed] = []
    for record in records:
        if since <= record.time <= until:
            after = _moment(cluster.at(record.time).get(Pod, name, namespace))
            words = _words(record, after)
            deeds.append(
                Deed(len(deeds) + 1, record.time, actor(record), record.component, words, after)
            )
    return deeds


def _moment(pod: Pod | None) -> Moment:
    if pod is None:
        return NOTHING
    states = [container_state(status) for status in statuses(pod)]
    return Moment(
        pod_state(pod),
        status_column(pod),
        pod.status.phase or "Pending",
        "True" if is_pod_ready(pod) else "False",
        ", ".join(dict.fromkeys(states)) or "none yet",
        pod.spec.nodeName,
    )


def _words(record: Record, after: Moment) -> str:
    status = after.status or "gone"
    if after.ready == "True":
        status += ", ready"
    deed = DEEDS.get(record.verb, record.verb + " {detail}")
    return deed.format(node=after.node or "a node", status=status, detail=record.detail).rstrip(
        " :,"
    )


def spans(deeds: Sequence[Deed], column: str) -> list[tuple[int, int, str, str]]:
    """Return (first deed, deed after the last, value, state) while one column says the same."""
    found: list[tuple[int, int, str, str]] = []
    for place, deed in enumerate(deeds):
        value = getattr(deed.after, column)
        if (
            found
            and found[-1][2] == value
            and (column != "status" or found[-1][3] == deed.after.state)
        ):
            found[-1] = (found[-1][0], place + 1, value, deed.after.state)
        else:
            found.append((place, place + 1, value, deed.after.state))
    return [span for span in found if span[2]]
