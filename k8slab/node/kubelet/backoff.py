"""Waiting longer each time: the back-off of restarting containers and of pulling images.

    first failure   wait 10 s       (a container's first restart does not wait at all)
    next ones       20, 40, 80, 160, 300, 300 ... s
    600 s without   10 s again

Rule of use: ask `remaining(...)`; when it is 0, act and call `next(...)`.

Upstream: staging/src/k8s.io/client-go/util/flowcontrol/backoff.go
"""

from __future__ import annotations

import msgspec

INITIAL_BACKOFF = 10.0  # s, kubelet.go initialCrashLoopBackOff, imageBackOffPeriod
MAX_BACKOFF = 300.0  # s, kubelet.go MaxCrashLoopBackOff, MaxImageBackOff


class Entry(msgspec.Struct):
    """How long to wait after the next failure, and when that was decided."""

    backoff: float
    updated: float


class Backoff:
    """Back-off by key; entries untouched for twice the longest wait count as new."""

    def __init__(self, initial: float = INITIAL_BACKOFF, longest: float = MAX_BACKOFF) -> None:
        self.initial = initial
        self.longest = longest
        self._entries: dict[str, Entry] = {}

    def get(self, key: str) -> float:
        """Return the present wait in seconds, 0 if the key never failed."""
        entry = self._entries.get(key)
        return entry.backoff if entry is not None else 0.0

    def remaining(self, key: str, event: float, now: float) -> float:
        """Return the seconds from `now` to the end of the wait that began at `event`."""
        entry = self._entries.get(key)
        if entry is None or self._expired(entry, event):
            return 0.0
        return max(0.0, event + entry.backoff - now)

    def remaining_since_update(self, key: str, now: float) -> float:
        """Return the rest of the wait that began with the last call of `next`."""
        entry = self._entries.get(key)
        return max(0.0, entry.updated + entry.backoff - now) if entry is not None else 0.0

    def next(self, key: str, event: float, now: float) -> None:
        """Double the wait of the key, or begin it."""
        entry = self._entries.get(key)
        if entry is None or self._expired(entry, event):
            self._entries[key] = Entry(self.initial, now)
        else:
            entry.backoff = min(entry.backoff * 2, self.longest)
            entry.updated = now

    def forget(self, prefix: str) -> None:
        """Drop the keys that begin so: their Pod is gone."""
        for key in [key for key in self._entries if key.startswith(prefix)]:
            del self._entries[key]

    def _expired(self, entry: Entry, event: float) -> bool:
        return event - entry.updated > 2 * self.longest
