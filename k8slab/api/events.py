"""Events in the group events.k8s.io: the same objects as the core group's, with other names.

``to_core`` and ``from_core`` lose nothing: what the new form has no use for it calls deprecated.

Rule: the API server stores the core form, so ``kubectl get events`` shows both.

Upstream: staging/src/k8s.io/api/events/v1/types.go, pkg/apis/events/v1/conversion.go
"""

from k8slab.api.core.event import Event as CoreEvent
from k8slab.api.core.event import EventSeries, EventSource
from k8slab.api.core.references import ObjectReference
from k8slab.api.meta import Object
from k8slab.api.struct import MicroTime, Time, always


class Event(Object):
    """A report of something that happened to an object, or that somebody did with it."""

    apiVersion: str = always("events.k8s.io/v1")
    kind: str = always("Event")
    eventTime: MicroTime | None = always(None)
    series: EventSeries | None = None
    reportingController: str = ""
    reportingInstance: str = ""
    action: str = ""
    reason: str = ""
    regarding: ObjectReference = always(ObjectReference())
    related: ObjectReference | None = None
    note: str = ""
    type: str = ""
    deprecatedSource: EventSource = always(EventSource())
    deprecatedFirstTimestamp: Time | None = always(None)
    deprecatedLastTimestamp: Time | None = always(None)
    deprecatedCount: int = 0


def to_core(event: Event) -> CoreEvent:
    """Return the event in the form in which it is stored."""
    return CoreEvent(
        metadata=event.metadata,
        involvedObject=event.regarding,
        action=event.action,
        count=event.deprecatedCount,
        eventTime=event.eventTime,
        firstTimestamp=event.deprecatedFirstTimestamp,
        lastTimestamp=event.deprecatedLastTimestamp,
        message=event.note,
        reason=event.reason,
        related=event.related,
        reportingComponent=event.reportingController,
        reportingInstance=event.reportingInstance,
        series=event.series,
        source=event.deprecatedSource,
        type=event.type,
    )


def from_core(event: CoreEvent) -> Event:
    """Return a stored event in the form of events.k8s.io.

    >>> from_core(CoreEvent(message="Started", reportingComponent="kubelet")).reportingController
    'kubelet'
    """
    return Event(
        metadata=event.metadata,
        eventTime=event.eventTime,
        series=event.series,
        reportingController=event.reportingComponent,
        reportingInstance=event.reportingInstance,
        action=event.action,
        reason=event.reason,
        regarding=event.involvedObject,
        related=event.related,
        note=event.message,
        type=event.type,
        deprecatedSource=event.source,
        deprecatedFirstTimestamp=event.firstTimestamp,
        deprecatedLastTimestamp=event.lastTimestamp,
        deprecatedCount=event.count,
    )
