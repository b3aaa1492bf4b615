"""The CPU time of a container: how long work takes, what was used by when."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.node.runtime.cpu import Cpu


@pytest.mark.parametrize(
    ("limit", "ends"),
    [
        (0, [0.1, 0.1, 0.1]),  # no limit: side by side
        (1000, [0.1, 0.2, 0.3]),  # one CPU: one after the other
        (2000, [0.1, 0.1, 0.2]),
        (500, [0.15, 0.35, 0.55]),  # half a CPU: 50 ms in each 100
    ],
)
def test_work_that_comes_at_once_shares_the_limit(limit: int, ends: list[float]) -> None:
    cpu = Cpu()
    found = [cpu.begin(0.0, 0.1, limit).end for _ in ends]
    assert found == pytest.approx(ends)


def test_work_counts_as_far_as_it_is_done() -> None:
    cpu = Cpu()
    work = cpu.begin(10.0, 2.0, 0)
    assert [cpu.used(t) for t in (10.0, 11.0, 12.0)] == [0.0, 1.0, 2.0]
    cpu.finish(work, 11.5)  # killed
    assert cpu.used(20.0) == 1.5


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.001, 2)), max_size=20), st.integers(50, 950))
def test_a_limited_container_never_gets_more_than_its_share(
    pieces: list[tuple[float, float]], limit: int
) -> None:
    cpu, now = Cpu(), 0.0
    for pause, seconds in pieces:
        now += pause
        cpu.begin(now, seconds, limit)
    for moment in (now, now + 1, now + 10):
        # a burst may take one period's quota at once
        assert cpu.used(moment) <= moment * limit / 1000 + 0.1 * limit / 1000 + 1e-6
