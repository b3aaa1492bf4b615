"""The Events at the end of a description: what happened to the object, the oldest first.

Rule of use: an Event that was seen often is "4s (x3 over 10s)": last time, how often, since when.

Upstream: DescribeEvents in staging/src/k8s.io/kubectl/pkg/describe/describe.go
"""

from __future__ import annotations

from collections.abc import Iterable

from k8slab.api.core import Event
from k8slab.api.duration import age
from k8slab.api.meta import Object
from k8slab.kubectl.describe.writer import Writer
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.resources import list_objects

MIRROR = "kubernetes.io/config.mirror"


async def events_of(call: Invocation, obj: Object) -> list[Event]:
    """Return the Events about an object, the oldest first."""
    meta = obj.metadata
    # Events about objects without a namespace are kept in "default".
    events: tuple[Event, ...] = await list_objects(
        call, "Event", meta.namespace, fields=f"involvedObject.name={meta.name}"
    )
    mine = [event for event in events if _is_about(event, obj)]
    return sorted(mine, key=last_seen)


def _is_about(event: Event, obj: Object) -> bool:
    about, meta = event.involvedObject, obj.metadata
    if about.kind != obj.kind or about.namespace != meta.namespace:
        return False
    # A kubelet tells of a static Pod under the uid that it runs it by.
    known = meta.annotations.get(MIRROR, meta.uid) if obj.kind == "Pod" else meta.uid
    return about.uid in ("", known) or (obj.kind == "Node" and about.uid == meta.name)


def last_seen(event: Event) -> str:
    """Return when an Event happened last (timestamp)."""
    if event.series is not None and event.series.lastObservedTime:
        return event.series.lastObservedTime
    return event.lastTimestamp or event.firstTimestamp or event.eventTime or ""


def interval(event: Event, now: float) -> str:
    """Write how long ago an Event happened, and how often."""
    first = age(event.eventTime or event.firstTimestamp, now)
    if event.series is not None:
        return f"{age(event.series.lastObservedTime, now)} (x{event.series.count} over {first})"
    if event.count > 1:
        return f"{age(event.lastTimestamp, now)} (x{event.count} over {first})"
    return first


def _message(event: Event) -> str:
    """Write what an Event says, with the container that it is about."""
    part = event.involvedObject.fieldPath
    return f"{part}: {event.message.strip()}" if part else event.message.strip()


def describe_events(writer: Writer, events: Iterable[Event], now: float) -> None:
    """Write the table of Events."""
    rows = [
        (
            event.type,
            event.reason,
            interval(event, now),
            event.source.component or event.reportingComponent,
            _message(event),
        )
        for event in events
    ]
    if not rows:
        writer.field("Events", "<none>")
        return
    writer.line("Events:")
    writer.line("Type\tReason\tAge\tFrom\tMessage", 1)
    writer.line("----\t------\t----\t----\t-------", 1)
    for row in rows:
        writer.line("\t".join(row), 1)
