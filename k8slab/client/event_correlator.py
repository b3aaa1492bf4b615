"""What keeps a component from flooding the API server with Events.

`correlate(event, now)` returns what shall be written, None for nothing. In this order:

- similar Events (the same but for the message) of one object become one when ten different
  messages came, no two of them more than ten minutes apart;
- the same Event again raises the count of the first;
- about one object a component may tell 25 things at once, then one each five minutes.

Rule of use: one correlator for each recorder, asked in the order in which things happened.

Upstream: staging/src/k8s.io/client-go/tools/record/events_cache.go
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

import msgspec
from msgspec.structs import replace

from k8slab.api.core import Event
from k8slab.api.meta import ObjectMeta, timestamp

MAX_REMEMBERED = 4096  # entries of each memory, maxLruCacheEntries
MAX_SIMILAR = 10  # different messages, defaultAggregateMaxEvents
SIMILAR_FOR = 600.0  # s since the last of them, defaultAggregateIntervalInSeconds
BURST = 25  # Events about one object, defaultSpamBurst
REFILL = 300.0  # s until one more may be written, 1 / defaultSpamQPS
COMBINED = "(combined from similar events): "

V = TypeVar("V")


class Correlated(msgspec.Struct, frozen=True):
    """What to write: a new Event, or the raised count of one that was written before."""

    event: Event
    is_new: bool


class EventCorrelator:
    """Remembers what one component told of each object lately; unlimited, it only counts."""

    def __init__(self, *, limited: bool = True) -> None:
        self._limited = limited
        self._similar: Remembered[_Similar] = Remembered()
        self._written: Remembered[Event] = Remembered()
        self._buckets: Remembered[TokenBucket] = Remembered()

    def correlate(self, event: Event, now: float) -> Correlated | None:
        """Return what to write of an Event; a withheld one is counted all the same."""
        key: Hashable = (*_kind(event), event.involvedObject.fieldPath, event.message)
        if self._limited and self._are_many(event, now):
            event, key = _combined(event, now), _kind(event)
        first = self._written.get(key)
        if first is not None:
            event = replace(
                event,
                metadata=first.metadata,
                firstTimestamp=first.firstTimestamp,
                count=first.count + 1,
            )
        self._written.put(key, event)
        if self._limited and not self._has_room(event, now):
            return None
        return Correlated(event, is_new=first is None)

    def _are_many(self, event: Event, now: float) -> bool:
        """Note the message; say whether so many different ones came lately that they become one."""
        kind = _kind(event)
        similar = self._similar.get(kind)
        if similar is None or now - similar.last > SIMILAR_FOR:
            similar = _Similar()
        similar.last = now
        similar.messages[event.message] = None
        self._similar.put(kind, similar)
        if len(similar.messages) < MAX_SIMILAR:
            return False
        del similar.messages[next(iter(similar.messages))]
        return True

    def _has_room(self, event: Event, now: float) -> bool:
        about = _object(event)
        bucket = self._buckets.get(about)
        if bucket is None:
            bucket = TokenBucket(BURST, REFILL, now)
        self._buckets.put(about, bucket)
        return bucket.take(now)


class TokenBucket:
    """Lets a burst through, then one for each `refill` seconds.

    >>> bucket = TokenBucket(burst=2, refill=300.0, now=0.0)
    >>> [bucket.take(now) for now in (0.0, 1.0, 2.0, 300.0, 301.0)]
    [True, True, False, True, False]
    """

    def __init__(self, burst: int, refill: float, now: float) -> None:
        self._burst = float(burst)
        self._refill = refill
        self._tokens = self._burst
        self._counted = now

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        grown = self._tokens + (now - self._counted) / self._refill
        self._tokens, self._counted = min(self._burst, grown), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Remembered(Generic[V]):
    """The newest entries by key; what was used longest ago goes first.

    >>> memory = Remembered[int](size=2)
    >>> for key in "aba": memory.put(key, memory.get(key) or 0)
    >>> memory.put("c", 1)
    >>> [memory.get(key) for key in "abc"]
    [0, None, 1]
    """

    def __init__(self, size: int = MAX_REMEMBERED) -> None:
        self._size = size
        self._entries: dict[Hashable, V] = {}

    def get(self, key: Hashable) -> V | None:
        """Return the entry; None if there is none."""
        return self._entries.get(key)

    def put(self, key: Hashable, value: V) -> None:
        """Keep an entry as the newest."""
        self._entries.pop(key, None)
        self._entries[key] = value
        if len(self._entries) > self._size:
            del self._entries[next(iter(self._entries))]


class _Similar:
    """The different messages of one kind of Event about one object, and when the last one came."""

    def __init__(self) -> None:
        self.messages: dict[str, None] = {}
        self.last = 0.0


def _combined(event: Event, now: float) -> Event:
    """Return the Event that stands for all of its kind."""
    time = timestamp(now)
    return Event(
        metadata=ObjectMeta(name=event.metadata.name, namespace=event.metadata.namespace),
        involvedObject=event.involvedObject,
        type=event.type,
        reason=event.reason,
        message=COMBINED + event.message,
        source=event.source,
        firstTimestamp=time,
        lastTimestamp=time,
        count=1,
    )


def _kind(event: Event) -> tuple[str, ...]:
    return (*_object(event), event.type, event.reason)


def _object(event: Event) -> tuple[str, ...]:
    about = event.involvedObject
    return about.kind, about.namespace, about.name, about.uid, about.apiVersion
