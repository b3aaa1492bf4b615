"""What a benchmark is made of: rows of a table, and stop-watches that give the same answer twice.

A module `bench_*.py` defines `rows()`, which gives one `Row` a measurement. Where the lab has a
peer, both are measured in turn in one process, so that a busy machine slows both.
"""

import gc
import time
import tracemalloc
from collections.abc import Callable
from typing import NamedTuple


class Row(NamedTuple):
    """One measurement, with the peer's beside it when there is one."""

    name: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None


def seconds(work: Callable[[], object], rounds: int = 5) -> float:
    """Give the wall time of the best of some rounds, in seconds."""
    return min(once(work) for _ in range(rounds))


def compared(
    name: str,
    ours: Callable[[], object],
    peer: str,
    theirs: Callable[[], object],
    *,
    count: int,
    rounds: int = 5,
) -> Row:
    """Measure two ways to do the same `count` things, in turn; in microseconds each."""
    times = [(once(ours), once(theirs)) for _ in range(rounds)]
    per_thing = [min(column) / count * 1e6 for column in zip(*times, strict=True)]
    return Row(name, per_thing[0], "us", peer, per_thing[1])


def once(work: Callable[[], object]) -> float:
    """Give the wall time of one run, in seconds, with other runs' garbage gone."""
    gc.collect()
    return timed(work)


def timed(work: Callable[[], object]) -> float:
    """Give the wall time of one run, in seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def bytes_kept(work: Callable[[], object]) -> int:
    """Give the memory that the result of some work keeps, in bytes."""
    gc.collect()
    tracemalloc.start()
    kept = work()
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return size
