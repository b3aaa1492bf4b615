from __future__ import annotations

from k8slab import Cluster
from k8slab.cluster.diff import side_by_side
from k8slab.sim import Record


def record(number: int, time: float, subject: str) -> Record:
    return Record(number, time, "you", "create", subject, 0)


def test_two_runs_part_where_one_was_broken() -> None:
    cluster = Cluster(workers=1)
    moment = cluster.now
    cluster.kill("kube-scheduler")
    cluster.run(30)
    other = cluster.fork(at=moment)
    other.run(30)
    found = cluster.diff(other)
    assert [each.verb for each in found.left[:2]] == ["kill", "exit"]
    assert moment <= found.left[0].time < moment + 1
    assert found.text.startswith(f"The runs part at {found.time:.3f} s, after {found.common}")
    assert not found.same


def test_equal_runs_have_no_difference() -> None:
    cluster = Cluster(workers=1)
    found = cluster.diff(cluster.fork())
    assert found.same
    assert found.time is None
    assert found.text == f"The runs are the same: {len(cluster.trace)} records."


def test_what_both_say_stands_in_one_row_whatever_its_number() -> None:
    a = (record(5, 1.0, "a"), record(6, 2.0, "b"))
    b = (record(5, 2.0, "b"), record(6, 2.0, "c"))
    assert side_by_side(a, b) == [(a[0], None), (a[1], b[0]), (None, b[1])]
