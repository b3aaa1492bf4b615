"""Breakpoints: time stops when something becomes true.

    cluster.break_on("Pod/* phase=Failed")
    cluster.run(3600)        # stops at the moment, and says why

Objects are named KIND/NAME or KIND/NAMESPACE/NAME, with * and ? for parts of names; what shall be
true of them is what `run_until` understands. A breakpoint stops once for each object that comes to
be so, not again while it stays so.

Rule of use: `run`, `settle` and `run_until` stop; a command goes on to its end.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api import scheme
from k8slab.cluster.conditions import holds
from k8slab.cluster.fork import halting
from k8slab.cluster.view import View
from k8slab.sim import Record

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster

PARTS = 3  # of KIND/NAMESPACE/NAME


class Stop(msgspec.Struct, frozen=True):
    """Time stopped: when, where, and what had become true."""

    time: float  # virtual seconds
    what: str
    record: Record | None = None  # the write that made it so

    def __str__(self) -> str:
        who = f", by {self.record.component}" if self.record is not None else ""
        return f"stopped at {self.time:.3f} s: {self.what}{who}"

    def __repr__(self) -> str:
        return str(self)


Test = Callable[["Cluster", list[Record]], Stop | None]


class Breakpoint:
    """One breakpoint of a cluster; `clear` takes it away."""

    def __init__(self, breakpoints: Breakpoints, what: str, test: Test) -> None:
        self._breakpoints = breakpoints
        self.what = what
        self.test = test

    def clear(self) -> None:
        """Never stop for this again."""
        if self in self._breakpoints.set:
            self._breakpoints.set.remove(self)

    def __repr__(self) -> str:
        return f"<break on {self.what}>"


class Breakpoints:
    """All breakpoints of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._seen = 0  # records that were looked at
        self.set: list[Breakpoint] = []
        self.last: Stop | None = None  # where time last stopped

    def add(self, what: str | Callable[[Cluster], object]) -> Breakpoint:
        """Stop when the words, or the function of the cluster, become true."""
        if isinstance(what, str):
            made = Breakpoint(self, what, on_words(what))
        else:
            name = getattr(what, "__name__", "a function")
            made = Breakpoint(self, name, on_function(self._cluster, what, name))
        self.set.append(made)
        return made

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Leave the block where a breakpoint is hit."""
        self.last = None
        self._seen = len(self._cluster.trace)
        if self.set:
            with halting(self._cluster.sim, lambda _: self._is_hit()):
                yield
        else:
            yield

    def _is_hit(self) -> bool:
        trace = self._cluster.trace
        if len(trace) > self._seen:
            fresh, self._seen = trace.since(self._seen), len(trace)
            for each in self.set:
                stop = each.test(self._cluster, fresh)
                if stop is not None:
                    self.last = stop
                    return True
        return False


def on_words(words: str) -> Test:
    """Return the test of "Pod/* phase=Failed"; raises ValueError with an example."""
    name, _, wanted = words.partition(" ")
    parts = name.split("/")
    resource = scheme.resolve(parts[0].lower()) if len(parts) in (2, PARTS) else None
    if resource is None or not wanted or " " in wanted:
        raise ValueError(
            f'expected an object and a condition such as "Pod/* phase=Failed", got {words!r}'
        )
    namespaced = resource.namespaced
    pattern = "/".join(
        [resource.kind, *(["*"] if namespaced and len(parts) == 2 else []), *parts[1:]]
    )

    def test(cluster: Cluster, fresh: list[Record]) -> Stop | None:
        for record in fresh:
            if record.revision and fnmatchcase(record.subject, pattern):
                now, before = (
                    _object(cluster, resource, record, revision)
                    for revision in (record.revision, record.revision - 1)
                )
                if holds(now, wanted) and not holds(before, wanted):
                    return Stop(cluster.now, f"{record.subject} {wanted}", record)
        return None

    return test


def on_function(cluster: Cluster, function: Callable[[Cluster], object], name: str) -> Test:
    """Return the test of a function that was false and is true."""
    was = bool(function(cluster))

    def test(cluster: Cluster, fresh: list[Record]) -> Stop | None:
        nonlocal was
        before, was = was, bool(function(cluster))
        return Stop(cluster.now, name) if was and not before else None

    return test


def _object(cluster: Cluster, resource: scheme.Resource, record: Record, revision: int) -> Any:
    namespace, _, name = record.subject.partition("/")[2].rpartition("/")
    return View(cluster.backend, revision, record.time).get(resource.type, name, namespace)
