"""Two runs side by side: the first record in which they differ, and how each went on.

    cluster.kill("kube-scheduler")
    print(diff(cluster, cluster.fork(at=t)))

Records are equal if they say the same of the same moment. After the first that differs nothing is
compared any more: everything may follow from it.

Rule of use: two runs of the same seed; with different seeds they part at once.

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from k8slab.sim import Record

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster

SHOWN = 12  # records of each run after they part
WIDTH = 62  # characters of each column


class Difference(msgspec.Struct, frozen=True):
    """Where two runs part; `left` and `right` are how each went on, empty where nothing did."""

    common: int  # records that both have
    left: tuple[Record, ...]
    right: tuple[Record, ...]

    @property
    def same(self) -> bool:
        """Whether neither has a record that the other has not."""
        return not self.left and not self.right

    @property
    def first(self) -> tuple[Record | None, Record | None]:
        """The first records that differ, None where that run had ended."""
        return next(iter(self.left), None), next(iter(self.right), None)

    @property
    def time(self) -> float | None:
        """The virtual time at which they part, None if they do not."""
        return min((each.time for each in self.first if each is not None), default=None)

    @property
    def rows(self) -> list[tuple[Record | None, Record | None]]:
        """The records after the parting, by time: both in a row where they say the same."""
        return side_by_side(self.left, self.right)

    @property
    def text(self) -> str:
        """The first rows, in two columns."""
        if self.time is None:
            return f"The runs are the same: {self.common} records."
        head = f"The runs part at {self.time:.3f} s, after {self.common} records in common."
        lines = [f"{_cell(a):<{WIDTH}} | {_cell(b)}".rstrip() for a, b in self.rows[:SHOWN]]
        more = len(self.rows) - SHOWN
        return "\n".join([head, *lines, *([f"... and {more} rows more"] if more > 0 else [])])

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def diff(a: Cluster, b: Cluster) -> Difference:
    """Return where two runs part, and how each went on."""
    return difference(list(a.trace), list(b.trace))


def difference(a: list[Record], b: list[Record]) -> Difference:
    """Return where two traces part.

    >>> one = Record(1, 0.5, "you", "create", "Pod/default/web", 0)
    >>> print(difference([one], [one]))
    The runs are the same: 1 records.
    """
    pairs = zip(a, b, strict=False)
    common = next((n for n, (x, y) in enumerate(pairs) if x != y), min(len(a), len(b)))
    return Difference(common, tuple(a[common:]), tuple(b[common:]))


def side_by_side(
    left: tuple[Record, ...], right: tuple[Record, ...]
) -> list[tuple[Record | None, Record | None]]:
    """Return the records of both in the order of time, those that say the same in one row."""
    rows: list[tuple[Record | None, Record | None]] = []
    i = j = 0
    while i < len(left) or j < len(right):
        a = left[i] if i < len(left) else None
        b = right[j] if j < len(right) else None
        if a is not None and b is not None and a.time != b.time:
            a, b = (a, None) if a.time < b.time else (None, b)
        elif a is not None and b is not None and says(a) != says(b):
            b = None  # the other one comes in the next row
        rows.append((a, b))
        i += a is not None
        j += b is not None
    return rows


def says(record: Record) -> tuple[float, str, str, str, str]:
    """Return what a record tells, without the numbers that depend on what came before it."""
    return (record.time, record.component, record.verb, record.subject, record.detail)


def _cell(record: Record | None) -> str:
    if record is None:
        return ""
    text = f"{record.time:.3f} {record.component} {record.verb} {record.subject} {record.detail}"
    return text.rstrip() if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."
