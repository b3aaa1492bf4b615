"""Events: what components say about objects.

Interface: ``Event``. Events are for people: no component acts on them, they are kept for an hour,
and equal ones are counted instead of repeated.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from k8slab.api.core.references import ObjectReference
from k8slab.api.meta import Object
from k8slab.api.struct import MicroTime, Part, Time, always


class EventSeries(Part):
    """How often the event has happened again."""

    count: int = 0
    lastObservedTime: MicroTime | None = always(None)


class EventSource(Part):
    """Which component on which host said it."""

    component: str = ""
    host: str = ""


class Event(Object):
    """A report of something that happened to an object."""

    apiVersion: str = always("v1")
    kind: str = always("Event")
    involvedObject: ObjectReference = always(ObjectReference())
    action: str = ""
    count: int = 0
    eventTime: MicroTime | None = always(None)
    firstTimestamp: Time | None = always(None)
    lastTimestamp: Time | None = always(None)
    message: str = ""
    reason: str = ""
    related: ObjectReference | None = None
    reportingComponent: str = always("")
    reportingInstance: str = always("")
    series: EventSeries | None = None
    source: EventSource = always(EventSource())
    type: str = ""
