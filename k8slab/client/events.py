"""Events: what a component tells people about an object, as `kubectl describe` shows it.

`recorder.event(pod, "Normal", "Pulled", "...")` returns at once; a task of its own writes the
Event. The same words about the same object again only raise the count of the first Event.
Controllers must not act on Events, and nothing waits for one to be written.

Rule of use: reasons are CamelCase words of Kubernetes, messages are its sentences.

Upstream: staging/src/k8s.io/client-go/tools/record
"""

from __future__ import annotations

from k8slab.api.core import Event, EventSource, ObjectReference
from k8slab.api.errors import ApiError
from k8slab.api.meta import Object, ObjectMeta, timestamp
from k8slab.client.client import Client
from k8slab.client.transport import MERGE_PATCH, ConnectionFailed, component_of
from k8slab.sim import Queue, Simulation

NORMAL, WARNING = "Normal", "Warning"
MAX_TRIES, RETRY_AFTER = (
    12,
    10.0,
)  # attempts, s between them: maxTriesPerEvent, defaultSleepDuration
MAX_REMEMBERED = 4096  # Events whose count can still be raised, client-go maxLruCacheEntries


class EventRecorder:
    """Writes Events for one component, in order."""

    def __init__(self, sim: Simulation, client: Client, component: str, host: str = "") -> None:
        self._sim = sim
        self._client = client
        self._source = EventSource(component=component, host=host)
        self._queue: Queue[tuple[int, Event]] | None = None
        self._written: dict[tuple[str, ...], Event] = {}

    def event(self, obj: Object, type_: str, reason: str, message: str) -> None:
        """Tell that `reason` happened to `obj`; `type_` is "Normal" or "Warning"."""
        self.event_about(reference_to(obj), type_, reason, message)

    def event_about(self, about: ObjectReference, type_: str, reason: str, message: str) -> None:
        """Tell it of an object that is only named, such as one container of a Pod."""
        now = timestamp(self._sim.now)
        event = Event(
            metadata=ObjectMeta(
                name=f"{about.name}.{self._unique():x}",
                namespace=about.namespace or "default",
            ),
            involvedObject=about,
            type=type_,
            reason=reason,
            message=message,
            source=self._source,
            reportingComponent=self._source.component,
            reportingInstance=self._source.host,
            firstTimestamp=now,
            lastTimestamp=now,
            count=1,
        )
        self._sim.trace.add(
            component_of(self._client.user),
            "event",
            f"{about.kind}/{about.name}",
            f"{reason}: {message}",
        )
        if self._queue is None:
            self._queue = Queue(self._sim, f"{self._client.user}: events")
            self._sim.spawn(self._run(self._queue), f"{self._client.user}: events")
        self._queue.put((self._sim.cause, event))

    def _unique(self) -> int:
        """Return a number that rises with time, as upstream's nanoseconds do."""
        return int(self._sim.now * 1e9) + (1_767_225_600 * 10**9) + len(self._sim.trace)

    async def _run(self, queue: Queue[tuple[int, Event]]) -> None:
        while True:
            self._sim.cause, event = await queue.get()
            for _ in range(MAX_TRIES):
                try:
                    await self._write(event)
                    break
                except ApiError:
                    break  # an Event that the server refuses is dropped
                except ConnectionFailed:
                    await self._sim.sleep(RETRY_AFTER, f"{self._client.user}: events")

    async def _write(self, event: Event) -> None:
        about = event.involvedObject
        where = (about.kind, about.namespace, about.name, about.uid, about.fieldPath)
        key = (*where, event.type, event.reason, event.message)
        first = self._written.get(key)
        if first is None:
            written = await self._client.create(event)
        else:
            change = {"count": first.count + 1, "lastTimestamp": event.lastTimestamp}
            written = await self._client.patch(
                Event, first.metadata.name, change, about.namespace, patch_type=MERGE_PATCH
            )
        if len(self._written) >= MAX_REMEMBERED:
            del self._written[next(iter(self._written))]
        self._written[key] = written


def reference_to(obj: Object, field_path: str = "") -> ObjectReference:
    """Return the reference that Events, bindings and endpoints use to name an object."""
    meta = obj.metadata
    return ObjectReference(
        apiVersion=obj.apiVersion,
        kind=obj.kind,
        name=meta.name,
        namespace=meta.namespace,
        uid=meta.uid,
        resourceVersion=meta.resourceVersion,
        fieldPath=field_path,
    )
