"""A queue of keys that have to be looked at, each once however often it was added.

A key that is added while it is being worked on comes back when that is done; a key that fails
comes back later, each time twice as late. The queue remembers what caused a key to be added, and
hands that cause to whoever takes it: so a controller's writes know which change set them off.

    add a, add b, add a   ->  a b        (a waits only once)
    get -> a; add a       ->  b          (a is being worked on)
    done a                ->  b a

Rule of use: level, not edge: a key says "look again", never what happened.

Upstream: staging/src/k8s.io/client-go/util/workqueue
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

from k8slab.api.errors import ApiError
from k8slab.client.transport import ConnectionFailed
from k8slab.sim import Signal, Simulation, Timer

BASE_DELAY = 0.005  # s, client-go DefaultTypedControllerRateLimiter
MAX_DELAY = 1000.0  # s


class WorkQueue:
    """Keys to look at, in order, without repetition; at most one worker per key at a time."""

    def __init__(self, sim: Simulation, name: str) -> None:
        self._sim = sim
        self.name = name
        self._waiting: deque[str] = deque()
        self._causes: dict[str, int] = {}  # of keys that wait or must be looked at again
        self._working: dict[str, None] = {}
        self._failures: dict[str, int] = {}
        self._later: dict[str, Timer] = {}
        self._idle: deque[Signal] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: str) -> None:
        """Have the key looked at; the first cause since its last turn counts."""
        if key in self._causes:
            return
        self._causes[key] = self._sim.cause
        if key not in self._working:
            self._enqueue(key)

    def add_after(self, key: str, delay: float) -> None:
        """Have the key looked at in `delay` virtual seconds, sooner if it was to be so."""
        if delay <= 0:
            self.add(key)
            return
        when = self._sim.now + delay
        planned = self._later.get(key)
        if planned is not None:
            if planned.when <= when:
                return
            planned.cancel()
        self._later[key] = self._sim.at(when, lambda: self._due(key), f"{self.name}: {key}")

    def add_rate_limited(self, key: str) -> None:
        """Have a key that failed looked at again, each time after twice the time."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_after(key, min(BASE_DELAY * 2.0**failures, MAX_DELAY))

    def forget(self, key: str) -> None:
        """Start the key's waiting times anew: it succeeded."""
        self._failures.pop(key, None)

    async def get(self) -> str:
        """Return the next key; what runs from here on is caused by what had it added."""
        while not self._waiting:
            idle = Signal(self._sim, f"{self.name}: work")
            self._idle.append(idle)
            await idle.wait()
        key = self._waiting.popleft()
        self._sim.cause = self._causes.pop(key)
        self._working[key] = None
        return key

    def done(self, key: str) -> None:
        """Say that work on the key is over for now."""
        del self._working[key]
        if key in self._causes:
            self._enqueue(key)

    async def run(self, sync: Callable[[str], Awaitable[None]]) -> None:
        """Look at keys for ever: `sync` one after the other, a failed one again later."""
        while True:
            key = await self.get()
            try:
                await sync(key)
            except (ApiError, ConnectionFailed):
                self.add_rate_limited(key)
            else:
                self.forget(key)
            finally:
                self.done(key)

    def _due(self, key: str) -> None:
        del self._later[key]
        self.add(key)

    def _enqueue(self, key: str) -> None:
        self._waiting.append(key)
        if self._idle:
            self._idle.popleft().set()
