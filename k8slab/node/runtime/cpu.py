"""The CPU time of a container: what its processes have used, and how long work takes.

A piece of work of `seconds` CPU seconds takes that long on a free CPU. Under a limit it takes
longer (in each period of 100 ms its quota, then a pause), and pieces that come at once wait for
one another, so that all together never get more than the limit.

Rule of use: `begin` a piece of work, sleep until its `end`, then `finish` it, whatever happened.

Upstream: Linux kernel/sched/fair.c (CFS bandwidth), cgroup cpu.stat
"""

from __future__ import annotations

from math import ceil

import msgspec

CFS_PERIOD = 0.1  # s, kubelet --cpu-cfs-quota-period


class Work(msgspec.Struct, gc=False, eq=False):
    """A piece of work: from when to when it is on the CPU, and how much of it."""

    start: float
    end: float
    seconds: float

    def done(self, now: float) -> float:
        """Return the CPU seconds that it has had by `now`."""
        if now >= self.end:
            return self.seconds
        share = (now - self.start) / (self.end - self.start)
        return self.seconds * max(share, 0.0)


class Cpu:
    """A container's account of CPU time."""

    def __init__(self) -> None:
        self._finished = 0.0
        self._running: list[Work] = []
        self._free: list[float] = []  # when each CPU of its limit has paid for its work

    def begin(self, now: float, seconds: float, limit: int) -> Work:
        """Put work on the CPU under a limit in millicores (0: none) and say when it ends."""
        start = now
        if limit > 0 and seconds > 0:
            cpus = max(limit // 1000, 1)
            share = limit / cpus
            free = self._free = sorted(self._free)[-cpus:]
            if len(free) == cpus:
                start = max(now, free.pop(0))
            free.append(start + seconds * 1000 / min(share, 1000))
            limit = min(int(share), 1000)
        work = Work(start, start + throttled(seconds, limit), seconds)
        self._running.append(work)
        return work

    def finish(self, work: Work, now: float) -> None:
        """Take work off the CPU, done or not."""
        self._running.remove(work)
        self._finished += work.done(now)

    def used(self, now: float) -> float:
        """Return the CPU seconds used so far."""
        return self._finished + sum(work.done(now) for work in self._running)


def throttled(seconds: float, cpu_limit: int) -> float:
    """Return how long `seconds` of one CPU take under a limit in millicores (0: none).

    In each period of 100 ms the process may use its quota and then waits for the next.

    >>> round(throttled(0.3, 500), 6)
    0.55
    """
    quota = CFS_PERIOD * cpu_limit / 1000
    if not 0 < quota < CFS_PERIOD or seconds <= 0:
        return seconds
    full_periods = ceil(seconds / quota - 1e-9) - 1
    return full_periods * CFS_PERIOD + seconds - full_periods * quota
