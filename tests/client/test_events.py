"""Events: counted, combined, held back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.core import Event, ObjectReference
from k8slab.api.meta import ObjectMeta, timestamp
from k8slab.client import Client, ConnectionFailed, EventRecorder, Request
from k8slab.client.event_correlator import BURST, COMBINED, EventCorrelator
from k8slab.sim import Simulation
from tests.kubectl.desk import Desk

WEB = ObjectReference(apiVersion="v1", kind="Pod", namespace="default", name="web", uid="1")


def event(message: str, now: float = 0.0, reason: str = "Failed", name: str = "web") -> Event:
    about = ObjectReference(apiVersion="v1", kind="Pod", namespace="default", name=name, uid="1")
    return Event(
        metadata=ObjectMeta(name=f"{name}.{message}", namespace="default"),
        involvedObject=about,
        type="Warning",
        reason=reason,
        message=message,
        firstTimestamp=timestamp(now),
        lastTimestamp=timestamp(now),
        count=1,
    )


def written(correlator: EventCorrelator, events: list[Event], now: float = 0.0) -> list[Event]:
    found = [correlator.correlate(each, now) for each in events]
    return [each.event for each in found if each is not None]


def test_the_same_event_again_raises_the_count_of_the_first() -> None:
    correlator = EventCorrelator()
    first, again = (correlator.correlate(event("a", now), now) for now in (0.0, 60.0))
    assert first is not None
    assert again is not None
    assert (first.is_new, again.is_new) == (True, False)
    assert again.event.metadata.name == first.event.metadata.name
    assert (again.event.count, again.event.firstTimestamp) == (2, timestamp(0.0))
    assert again.event.lastTimestamp == timestamp(60.0)


def test_the_tenth_different_message_stands_for_all_similar_events() -> None:
    messages = [f"m{n}" for n in range(12)]
    texts = [each.message for each in written(EventCorrelator(), [*map(event, messages)])]
    assert texts == [*messages[:9], *(COMBINED + text for text in messages[9:])]


def test_combined_events_are_one_whose_words_are_the_latest() -> None:
    found = written(EventCorrelator(), [event(f"m{n}") for n in range(12)])[9:]
    assert [each.count for each in found] == [1, 2, 3]
    assert {each.metadata.name for each in found} == {"web.m9"}


def test_other_reasons_and_objects_are_not_similar() -> None:
    correlator = EventCorrelator()
    for n in range(9):
        correlator.correlate(event(f"m{n}"), 0.0)
    others = [event("x", reason="Other"), event("x", name="db")]
    assert [each.message for each in written(correlator, others)] == ["x", "x"]


@pytest.mark.parametrize(("pause", "combined"), [(600.0, True), (600.5, False)])
def test_after_ten_quiet_minutes_events_are_no_longer_similar(pause: float, combined: bool) -> None:
    correlator = EventCorrelator()
    for n in range(9):
        correlator.correlate(event(f"m{n}"), 0.0)
    (late,) = written(correlator, [event("late")], pause)
    assert late.message.startswith(COMBINED) is combined


def test_an_object_may_be_told_of_25_times_then_once_in_five_minutes() -> None:
    correlator = EventCorrelator()
    assert len(written(correlator, [event("a")] * 40)) == BURST
    assert written(correlator, [event("a")], 299.0) == []
    (late,) = written(correlator, [event("a")], 301.0)
    assert late.count == 42  # what was held back is counted


def test_an_unlimited_recorder_only_counts() -> None:
    found = written(EventCorrelator(limited=False), [event(f"m{n % 20}") for n in range(60)])
    assert [each.count for each in found] == [1] * 20 + [2] * 20 + [3] * 20


@given(st.lists(st.tuples(st.sampled_from("abcdefghijklmnop"), st.floats(0, 400)), max_size=60))
def test_no_object_is_told_of_more_often_than_the_bucket_allows(
    steps: list[tuple[str, float]],
) -> None:
    correlator, now, count = EventCorrelator(), 0.0, 0
    for message, pause in steps:
        now += pause
        count += correlator.correlate(event(message, now), now) is not None
    assert count <= BURST + now / 300.0


class Recording:
    """A recorder in front of an API server."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.sim: Simulation = self.desk.sim
        self.recorder = EventRecorder(self.sim, Client(self.desk, "system:node:n"), "kubelet", "n")

    def tell(self, message: str) -> None:
        self.recorder.event_about(WEB, "Warning", "Failed", message)
        self.sim.run(self.sim.now + 1.0)

    def events(self) -> list[Event]:
        request = Request(verb="list", resource="events", namespace="default")
        return list(self.desk.server.handle(request).items)


def test_an_event_that_has_ended_its_time_is_written_anew_with_its_count() -> None:
    lab = Recording()
    lab.tell("a")
    (first,) = lab.events()
    name = first.metadata.name
    lab.desk.server.handle(
        Request(verb="delete", resource="events", namespace="default", name=name)
    )
    lab.tell("a")
    assert [(each.metadata.name, each.count) for each in lab.events()] == [(name, 2)]


def test_events_wait_for_the_api_server_and_are_counted_once() -> None:
    lab = Recording()
    lab.desk.failure = ConnectionFailed("connection refused")
    lab.tell("a")
    lab.desk.failure = None
    lab.sim.run(lab.sim.now + 30.0)
    assert [each.count for each in lab.events()] == [1]
