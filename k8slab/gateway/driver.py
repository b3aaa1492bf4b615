"""The clock while the cluster is served: virtual time follows the wall clock.

One thread at a time moves the simulation: whoever holds the lock. The server's thread does so a
little at a time; a notebook cell that calls `cluster.run` holds the lock meanwhile. Requests are
handed in as coroutines and run inside the simulation like everything else.

    speed 1       a virtual second takes a second
    speed 10      ten virtual seconds take a second
    speed inf     no waiting while something happens; a quiet minute takes a second

Rule of use: `submit` and `post` from the server's thread; they take effect at the driver's next
turn.

Upstream: none
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from k8slab.sim import Simulation, Task

T = TypeVar("T")

SLICE = 0.002  # s of wall time that one turn may take before the sockets have theirs
MOST_OWED = 0.1  # s of wall time; a machine that is too slow for its speed falls behind
HAND_OVER = 3  # turns of the loop until an answer is on its socket
TICK = 0.05  # s of wall time after which the queue is looked at again, for cells may change it
RETRY = 0.002  # s of wall time between attempts to get the lock
CHECK_EVERY = 64  # events between looks at the wall clock
QUIET = 5.0  # virtual seconds without a trace record after which nothing happens
QUIET_SPEED = 60.0  # at speed inf, when nothing happens


class Driver:
    """Moves a simulation with the wall clock, from the thread of an asyncio loop."""

    def __init__(self, sim: Simulation, lock: threading.RLock, speed: float = 1.0) -> None:
        if not speed > 0:
            raise ValueError(f"a speed is above 0, got {speed:g}")
        self.sim = sim
        self._lock = lock
        self._speed = speed
        self._posted: deque[Callable[[], object]] = deque()
        self._unstarted: dict[Coroutine[Any, Any, Any], None] = {}
        self._over = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: asyncio.Event | None = None
        self._records = 0  # in the trace, when something last happened
        self._busy_until = 0.0  # virtual
        self._answered = False  # something is there to be sent
        self._owed = 0.0  # s of wall time that were not lived through yet
        self.failure: Exception | None = None  # the first defect that a program of the lab showed

    # -- for the server

    def submit(
        self, coroutine: Coroutine[Any, Any, T], name: str
    ) -> tuple[asyncio.Future[T], Callable[[], None]]:
        """Run a coroutine inside the simulation; return its future result, and how to kill it."""
        assert self._loop is not None
        loop, future = self._loop, self._loop.create_future()
        started: list[Task[T]] = []
        if self._over:
            coroutine.close()
            future.cancel()
            return future, lambda: None
        self._unstarted[coroutine] = None

        def start() -> None:
            del self._unstarted[coroutine]
            task = self.sim.spawn(coroutine, name)
            started.append(task)
            task.on_done(self._let_sockets_work)
            task.on_done(lambda: loop.call_soon_threadsafe(_settle, future, task))

        def kill() -> None:
            for task in started:
                task.kill()

        self.post(start)
        return future, lambda: self.post(kill)

    def _let_sockets_work(self) -> None:
        self._answered = True

    def post(self, action: Callable[[], object]) -> None:
        """Have something done inside the simulation, at its present moment."""
        self._posted.append(action)
        if self._news is not None:
            self._news.set()

    async def run(self) -> None:
        """Move the clock until cancelled; what was not begun by then never happens."""
        try:
            await self._run()
        finally:
            self._over = True
            self._posted.clear()
            for coroutine in self._unstarted:
                coroutine.close()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        last = time.monotonic()
        while True:
            while not self._lock.acquire(blocking=False):
                await asyncio.sleep(RETRY)
            try:
                self._news.clear()
                now = time.monotonic()
                pause = self._turn(now - last + self._owed)
                last = now
            finally:
                self._lock.release()
            await self._wait(pause)

    # -- inside

    def _turn(self, elapsed: float) -> float:
        """Let the virtual time of `elapsed` wall seconds pass; return how long to wait now."""
        sim = self.sim
        try:
            while self._posted:
                self._posted.popleft()()
            speed = self._present_speed()
            target = sim.now + (elapsed * speed if speed < math.inf else math.inf)
            done = self._advance(target)
            self._owed = min((target - sim.now) / speed, MOST_OWED) if speed < math.inf else 0.0
            if not done:
                return 0.0
        except Exception as error:
            self.failure = self.failure or error
            return 0.0
        due = sim.next_time()
        if due is None or due - sim.now > TICK * self._present_speed():
            return TICK
        return max(0.0, (due - sim.now) / self._present_speed())

    def _advance(self, target: float) -> bool:
        """Run what is due until `target`; False if the time for one turn was not enough."""
        sim = self.sim
        stop = time.monotonic() + SLICE
        count = 0
        while (due := sim.next_time()) is not None and due <= target:
            sim.step()
            count += 1
            if self._answered:
                return False
            if count % CHECK_EVERY == 0:
                if self._posted or time.monotonic() > stop:
                    return False
                if target == math.inf and self._present_speed() < math.inf:
                    return True
        if target < math.inf:
            sim.now = max(sim.now, target)
        return True

    def _present_speed(self) -> float:
        if self._speed < math.inf:
            return self._speed
        records = len(self.sim.trace)
        if records != self._records:
            self._records = records
            self._busy_until = self.sim.now + QUIET
        return math.inf if self.sim.now < self._busy_until else QUIET_SPEED

    async def _wait(self, seconds: float) -> None:
        assert self._news is not None
        if self._answered:
            self._answered = False
            for _ in range(HAND_OVER):
                await asyncio.sleep(0)
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return


def _settle(future: asyncio.Future[Any], task: Task[Any]) -> None:
    """Hand the result of a task over to whoever waits for it, if anybody still does."""
    if future.done():
        return
    if task.error is None:
        future.set_result(task.result())
    elif isinstance(task.error, Exception):
        future.set_exception(task.error)
    else:  # killed
        future.cancel()
