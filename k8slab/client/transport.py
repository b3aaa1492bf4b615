"""What goes between a component and the API server: requests one way, objects and watches back.

`Request` is one call: verb, resource, namespace, name, body and options, and who asks. A
`Transport` carries it; the API server is the far end of one, and `cluster.py` puts latency,
refusals and partitions in between. A watch answers with a `WatchStream`, from which events come
in batches, each with its cause.

Rule of use: a transport raises `ApiError` (a Status from the server) or `ConnectionFailed`
(no server answered); callers decide by type, never by text.

Upstream: staging/src/k8s.io/client-go/rest, staging/src/k8s.io/apimachinery/pkg/watch
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Protocol, runtime_checkable

import msgspec

from k8slab.api.authentication import UserInfo
from k8slab.api.meta import Object
from k8slab.sim import Signal, Simulation

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

ADMIN, ANONYMOUS = "kubernetes-admin", "system:anonymous"


class Notes:
    """What the server says beside its answer: warnings for people, and that it made something new.

    A caller who wants to know hands one in with the request.
    """

    __slots__ = ("created", "warnings")

    def __init__(self) -> None:
        self.created = False
        self.warnings: list[str] = []


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One call to the API server."""

    verb: str  # get, list, watch, create, update, patch, delete, deletecollection
    resource: str  # plural, such as "pods"
    group: str = ""
    version: str = ""  # that the caller speaks, where a kind has several; "": the stored one
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    body: Any = None  # an object, a patch, DeleteOptions
    user: str = ADMIN
    token: str = ""  # a bearer token; then it says who asks
    impersonate: UserInfo | None = None  # as whom the caller wants to act
    who: UserInfo | None = None  # who asks, once the server has found out
    url: str = ""  # of a request that is about no object, such as /version
    label_selector: str = ""
    field_selector: str = ""
    resource_version: str = ""
    limit: int = 0
    continue_token: str = ""
    dry_run: bool = False
    field_manager: str = ""
    field_validation: str = "Strict"  # Strict, Warn or Ignore
    patch_type: str = ""
    force: bool = False  # of a server-side apply
    as_table: bool = False  # answer with a Table, as kubectl get asks for
    options: tuple[tuple[str, str], ...] = ()  # further query parameters, such as those of logs
    notes: Notes | None = None  # where the server's remarks go

    def warn(self, text: str) -> None:
        """Tell the caller something, once; the server's side."""
        if self.notes is not None and text not in self.notes.warnings:
            self.notes.warnings.append(text)

    def path(self) -> str:
        """Return the path of the URL that real clients would use."""
        root = f"/apis/{self.group}" if self.group else "/api"
        parts = [root, f"namespaces/{self.namespace}" if self.namespace else "", self.resource]
        return "/".join(part for part in (*parts, self.name, self.subresource) if part)


class WatchEvent(msgspec.Struct, frozen=True, gc=False):
    """What a watch reports: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR, and the object."""

    type: str
    object: Any
    cause: int = 0  # trace id of the write


class Listing(msgspec.Struct, frozen=True, gc=False):
    """The answer to a list: the objects, and the version from which to watch."""

    items: tuple[Any, ...]
    resource_version: str
    continue_token: str = ""
    remaining: int = 0


class ConnectionFailed(Exception):  # noqa: N818 (the name says what happened)
    """No API server answered: refused, partitioned or timed out."""


class Transport(Protocol):
    """The way to the API server."""

    async def request(self, request: Request) -> Any:
        """Return the object, the `Listing` or the `WatchStream` that the server answers with."""


@runtime_checkable
class TextStream(Protocol):
    """A text that is still being written, such as a followed log."""

    async def batch(self) -> str:
        """Return what is new, waiting for it; "" at the end."""


class Wire:
    """The way from a server to all its watchers, `delay` virtual seconds long.

    What is sent at one moment arrives as one entry of the queue, for however many watchers.
    """

    def __init__(self, sim: Simulation, delay: float) -> None:
        self._sim = sim
        self._delay = delay
        self._departed = -1.0
        self._latest: list[tuple[WatchStream, WatchEvent]] = []  # what departed then, in order

    def send(self, stream: WatchStream, event: WatchEvent) -> None:
        """Have the stream get the event; what is sent first arrives first."""
        now = self._sim.now
        if now != self._departed:
            self._departed, self._latest = now, []
            arrive = partial(self._arrive, self._latest)
            self._sim.after(self._delay, arrive, "watch events arrive")
        self._latest.append((stream, event))

    def _arrive(self, sent: list[tuple[WatchStream, WatchEvent]]) -> None:
        for stream, event in sent:
            stream.receive(event)
        if sent is self._latest:  # nothing is kept of what has arrived
            self._departed, self._latest = -1.0, []


class WatchStream:
    """Events on their way to one watcher, in order.

    Closed for good once `close` was called: by the watcher, or by a server that went away.
    """

    def __init__(self, sim: Simulation, wire: Wire) -> None:
        self._sim = sim
        self._wire = wire
        self._arrived: list[WatchEvent] = []
        self._news: Signal | None = None
        self.closed = False
        self._on_close: list[Callable[[], object]] = []

    def on_close(self, action: Callable[[], object]) -> None:
        """Call `action` when the stream is closed, by whomever; the server's side."""
        self._on_close.append(action)

    def push(self, event: WatchEvent) -> None:
        """Send an event; the server's side."""
        if not self.closed:
            self._wire.send(self, event)

    def receive(self, event: WatchEvent) -> None:
        """Take an event off the wire; on a broken connection it is lost."""
        if self.closed:
            return
        self._arrived.append(event)
        if self._news is not None:
            self._news.set()

    async def batch(self, timeout: float | None = None) -> list[WatchEvent]:
        """Return all events that have arrived, waiting for the first; none: closed or time-out."""
        if not self._arrived and not self.closed:
            self._news = Signal(self._sim, "watch event")
            await self._news.wait(timeout)
            self._news = None
        arrived, self._arrived = self._arrived, []
        return arrived

    def close(self) -> None:
        """End the stream; what has not arrived is lost."""
        self.closed = True
        if self._news is not None:
            self._news.set()
        actions, self._on_close = self._on_close, []
        for action in actions:
            action()


@lru_cache(maxsize=1 << 14)
def component_of(user: str) -> str:
    """Return the component that acts under a user name, as the trace calls it.

    >>> component_of("system:node:worker-1"), component_of("kubernetes-admin")
    ('kubelet/worker-1', 'you')
    """
    if user == ADMIN:
        return "you"
    if user.startswith("system:node:"):
        return "kubelet/" + user.removeprefix("system:node:")
    return user.rpartition(":")[2]


def key_of(obj: Object) -> str:
    """Return "namespace/name", or "name" for objects without a namespace.

    Upstream: MetaNamespaceKeyFunc in client-go/tools/cache
    """
    meta = obj.metadata
    return f"{meta.namespace}/{meta.name}" if meta.namespace else meta.name


def split_key(key: str) -> tuple[str, str]:
    """Return (namespace, name) of a key."""
    namespace, _, name = key.rpartition("/")
    return namespace, name
