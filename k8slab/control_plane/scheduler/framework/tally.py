"""Sums over all nodes that are kept from one decision to the next.

Spreading and affinity ask how many Pods of some kind are in each zone. A walk over all nodes
would answer it; but between two decisions only a node or two change. A `Tally` remembers what
each node contributed, reads in the snapshot's `Journal` which nodes have changed, and counts those
alone anew.

Rule of use: what a node contributes may depend on that node, its Pods and the question; whatever
else it depends on belongs into the question's text. Nobody changes the counts that they are given.

Upstream: pkg/scheduler/backend/cache/cache.go (UpdateSnapshot by generation, in spirit)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from k8slab.control_plane.scheduler.framework.snapshot import Snapshot
    from k8slab.control_plane.scheduler.framework.types import NodeInfo

D = TypeVar("D")  # what is told apart: a domain

MAX_ENTRIES = 20_000  # of a journal; who has not looked for so long counts everything anew
MAX_TALLIES = 50  # questions a plugin remembers, the latest ones


class Journal:
    """Which nodes have changed, in order."""

    __slots__ = ("_entries", "_forgotten")

    def __init__(self) -> None:
        self._entries: list[NodeInfo] = []
        self._forgotten = 0  # how many came before those

    def note(self, info: NodeInfo) -> None:
        """Note that the node, or a Pod on it, is not what it was."""
        self._entries.append(info)
        if len(self._entries) > MAX_ENTRIES:
            half = MAX_ENTRIES // 2
            del self._entries[:half]
            self._forgotten += half

    @property
    def end(self) -> int:
        """The position after the last entry."""
        return self._forgotten + len(self._entries)

    def since(self, position: int) -> list[NodeInfo] | None:
        """Return the nodes noted from a position on; None if not all of them are known any more."""
        if position < self._forgotten:
            return None
        return self._entries[position - self._forgotten :]


class Tally(Generic[D]):
    """The sums of one question."""

    def __init__(self, snapshot: Snapshot, count: Callable[[NodeInfo], Mapping[D, int]]) -> None:
        self._snapshot = snapshot
        self._count = count
        self._position = -1
        self._forget()

    def counts(self) -> dict[D, int]:
        """Return the sums as they are now; a domain is in there if any node names it."""
        journal = self._snapshot.journal
        changed: Iterable[NodeInfo] | None = journal.since(self._position)
        if changed is None or self._position < 0:
            self._forget()
            changed = self._snapshot.order
        self._position = journal.end
        for name in dict.fromkeys(info.name for info in changed):
            info = self._snapshot.nodes.get(name)
            self._replace(name, self._count(info) if info is not None else {})
        return self._sums

    def _forget(self) -> None:
        self._sums: dict[D, int] = {}
        self._holders: dict[D, int] = {}  # how many nodes name a domain
        self._parts: dict[str, Mapping[D, int]] = {}

    def _replace(self, name: str, part: Mapping[D, int]) -> None:
        """Put one node's contribution in the place of its last one."""
        sums, holders = self._sums, self._holders
        before = self._parts.pop(name, None)
        if part:
            self._parts[name] = part
        for domain, count in part.items():
            sums[domain] = sums.get(domain, 0) + count
            holders[domain] = holders.get(domain, 0) + 1
        for domain, count in before.items() if before else ():
            sums[domain] -= count
            holders[domain] -= 1
            if not holders[domain]:
                del sums[domain], holders[domain]


class Tallies(Generic[D]):
    """The tallies of a plugin, by question."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._known: dict[str, Tally[D]] = {}

    def counts(self, question: str, count: Callable[[NodeInfo], Mapping[D, int]]) -> dict[D, int]:
        """Return the sums of a question over all nodes; `count` tells what one contributes."""
        tally = self._known.pop(question, None) or Tally(self._snapshot, count)
        self._known[question] = tally  # the latest is the last
        if len(self._known) > MAX_TALLIES:
            del self._known[next(iter(self._known))]
        return tally.counts()
