"""Events: what a component tells people about an object, as `kubectl describe` shows it.

`recorder.event(pod, "Normal", "Pulled", "...")` returns at once; a task of its own writes the
Event. The same words about the same object again only raise the count of the first Event, and who
tells too much is cut short (`EventCorrelator`). Controllers must not act on Events, and nothing
waits for one to be written.

Rule of use: reasons are CamelCase words of Kubernetes, messages are its sentences.

Upstream: staging/src/k8s.io/client-go/tools/record
"""

from __future__ import annotations

from k8slab.api.core import Event, EventSource, ObjectReference
from k8slab.api.errors import ApiError
from k8slab.api.meta import Object, ObjectMeta, timestamp
from k8slab.client.client import Client
from k8slab.client.event_correlator import Correlated, EventCorrelator
from k8slab.client.transport import MERGE_PATCH, ConnectionFailed, component_of
from k8slab.sim import Queue, Simulation

NORMAL, WARNING = "Normal", "Warning"
MAX_TRIES = 12  # maxTriesPerEvent
RETRY_AFTER = 10.0  # s, defaultSleepDuration


class EventRecorder:
    """Writes Events for one component, in order.

    Components that write through events.k8s.io (scheduler, kube-proxy) are not `limited`.
    """

    def __init__(
        self,
        sim: Simulation,
        client: Client,
        component: str,
        host: str = "",
        *,
        limited: bool = True,
    ) -> None:
        self._sim = sim
        self._client = client
        self._source = EventSource(component=component, host=host)
        self._queue: Queue[tuple[int, Event]] | None = None
        self._correlator = EventCorrelator(limited=limited)

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
            found = self._correlator.correlate(event, self._sim.now)
            if found is not None:
                await self._record(found)

    async def _record(self, found: Correlated) -> None:
        """Write it, however long the API server cannot be reached; what it refuses is dropped."""
        for _ in range(MAX_TRIES):
            try:
                await self._write(found)
                return
            except ApiError:
                return
            except ConnectionFailed:
                await self._sim.sleep(RETRY_AFTER, f"{self._client.user}: events")

    async def _write(self, found: Correlated) -> None:
        event = found.event
        if not found.is_new:
            change = {
                "count": event.count,
                "message": event.message,
                "lastTimestamp": event.lastTimestamp,
            }
            name, namespace = event.metadata.name, event.metadata.namespace
            try:
                await self._client.patch(Event, name, change, namespace, patch_type=MERGE_PATCH)
                return
            except ApiError as error:
                if error.reason != "NotFound":  # it may have ended its time: Events last an hour
                    raise
        await self._client.create(event)


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
