"""The back-off of restarts and of image pulls."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.duration import go_duration
from k8slab.node.kubelet.backoff import Backoff


def test_the_first_restart_is_immediate_and_then_waits_double_up_to_five_minutes() -> None:
    backoff, now, waits = Backoff(), 0.0, []
    for _ in range(8):
        finished = now  # the container exits at once
        wait = backoff.remaining("web", finished, now)
        waits.append(wait)
        now += wait
        backoff.next("web", finished, now)
    assert waits == [0, 10, 20, 40, 80, 160, 300, 300]


def test_ten_minutes_without_trouble_start_the_back_off_anew() -> None:
    backoff = Backoff()
    for now in (0.0, 10.0, 30.0):
        backoff.next("web", now, now)
    assert backoff.get("web") == 40
    assert backoff.remaining("web", 631.0, 631.0) == 0
    backoff.next("web", 631.0, 631.0)
    assert backoff.get("web") == 10


def test_keys_do_not_disturb_one_another_and_can_be_forgotten() -> None:
    backoff = Backoff()
    backoff.next("uid_a", 0.0, 0.0)
    assert backoff.remaining("uid_b", 0.0, 0.0) == 0
    backoff.forget("uid_")
    assert backoff.get("uid_a") == 0


@given(st.lists(st.floats(0, 2000), min_size=1, max_size=30))
def test_a_wait_is_never_longer_than_five_minutes(gaps: list[float]) -> None:
    backoff, now = Backoff(), 0.0
    for gap in gaps:
        now += gap
        assert 0 <= backoff.remaining("k", now, now) <= 300.001
        backoff.next("k", now, now)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.0004, "0s"), (0.5, "500ms"), (1.234, "1.234s"), (160, "2m40s"), (300, "5m0s")],
)
def test_durations_are_written_as_go_does(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text
