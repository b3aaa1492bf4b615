"""How a watch begins, and how it says that nothing was missed.

A watch without a version begins with what is there, each object as ADDED; one from a version with
what was written since. Who allows bookmarks is told now and then how far the watch has come, and,
after the objects that were there at the start, that these were all.

Rule of use: `begin` fills the stream; the caller adds the watcher to the cache at the same moment.

Upstream: staging/src/k8s.io/apiserver/pkg/storage/cacher/cacher.go
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from k8slab.api import errors
from k8slab.api.errors import ApiError
from k8slab.api.meta import ObjectMeta
from k8slab.api.scheme import Resource
from k8slab.client import Request, WatchEvent, WatchStream
from k8slab.control_plane.apiserver.cacher import Cache, Step, Watcher
from k8slab.control_plane.apiserver.storage import Storage
from k8slab.control_plane.etcd import Compacted, KeyValue
from k8slab.sim import Simulation

INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}
BOOKMARK_PERIOD = 60.0  # s, defaultBookmarkFrequency of the watch cache


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """With what a watch begins."""

    version: int = 0  # 0: with what is there
    initial: bool = False  # the objects that are there
    initial_end: bool = False  # a bookmark behind them
    bookmarks: bool = False  # now and then


def start_of(request: Request) -> Start:
    """Return with what the watch begins that a request asks for; raises ApiError.

    >>> start_of(Request(verb="watch", resource="pods", resource_version="7")).version
    7
    """
    text = request.resource_version
    if text and not (text.isascii() and text.isdigit()):
        why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        found = errors.invalid_value("resourceVersion", text, why)
        raise errors.invalid("", "", [found])
    options = dict(request.options)
    bookmarks = options.get("allowWatchBookmarks") in ("1", "true")
    asked = options.get("sendInitialEvents", "")
    initial = asked in ("1", "true") if asked else text in ("", "0")
    ends = bookmarks and initial and (bool(asked) or text == "0")
    version = 0 if initial else int(text or 0)
    return Start(version=version, initial=initial, initial_end=ends, bookmarks=bookmarks)


def begin(
    sim: Simulation,
    cache: Cache,
    storage: Storage,
    resource: Resource,
    watcher: Watcher,
    start: Start,
) -> None:
    """Send what a watch begins with; raises ApiError with reason Expired if it is forgotten."""
    current = storage.etcd.revision
    if start.initial:
        for obj in cache.list(watcher.wanted):
            watcher.push(WatchEvent("ADDED", obj, sim.cause))
        if start.initial_end:
            watcher.stream.push(bookmark(resource, current, INITIAL_EVENTS_END))
    elif start.version:
        _replay(sim, storage, resource, watcher, start.version)
        watcher.after = start.version if start.version > current else 0
    if start.bookmarks:
        _mark_now_and_then(sim, storage, resource, watcher.stream)


def bookmark(
    resource: Resource, revision: int, annotations: Mapping[str, str] | None = None
) -> WatchEvent:
    """Return the event that says how far a watch has come: an empty object with a version."""
    metadata = ObjectMeta(resourceVersion=str(revision), annotations=annotations or {})
    return WatchEvent("BOOKMARK", resource.type(metadata=metadata))


def _replay(
    sim: Simulation, storage: Storage, resource: Resource, watcher: Watcher, version: int
) -> None:
    """Send what was written after `version`; etcd remembers."""
    etcd = storage.etcd

    def tell(written: KeyValue) -> None:
        before = etcd.previous(written)
        old = before.value if before is not None else None
        watcher.tell(Step(old, written.value, written.mod_revision, sim.cause))

    try:
        etcd.watch(storage.prefix(resource), tell, version + 1)()
    except Compacted:
        raise too_old(version, etcd.revision) from None


def _mark_now_and_then(
    sim: Simulation, storage: Storage, resource: Resource, stream: WatchStream
) -> None:
    """Send bookmarks until the stream is closed."""
    label = f"bookmark for a watch of {resource.plural}"
    timer = sim.after(BOOKMARK_PERIOD, lambda: mark(), label)

    def mark() -> None:
        nonlocal timer
        stream.push(bookmark(resource, storage.etcd.revision))
        timer = sim.after(BOOKMARK_PERIOD, mark, label)

    stream.on_close(lambda: timer.cancel())


def too_old(version: int, current: int) -> ApiError:
    """Return the answer to a watch from a version that is no longer kept."""
    return errors.expired(f"too old resource version: {version} ({current})")
