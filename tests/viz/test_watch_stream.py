"""The watch stream: what a counter of events and a reader of state believe, and that both are told.

The cluster is a real one: the events are those that its API server sends.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.cluster.watching import Heard
from k8slab.viz import watch_stream
from k8slab.viz.widgets.watch_readers import (
    BOTH,
    COUNTER,
    LOST,
    NEITHER,
    READER,
    TWICE,
    readings,
)
from tests.viz import legibility

TYPES = {"+": "ADDED", "~": "MODIFIED", "-": "DELETED"}


def stream(types: str) -> list[Heard]:
    heard, there = [], 0
    for number, sign in enumerate(types, 1):
        there += {"+": 1, "~": 0, "-": -1}[sign]
        heard.append(Heard(number, TYPES[sign], f"p{number}", str(number), 0, there))
    return heard


@pytest.mark.parametrize(
    ("types", "fates", "looks", "wrong"),
    [
        ("++-", {}, (), NEITHER),
        ("++~", {2: LOST}, (), COUNTER),  # the reader looks at the next event
        ("++", {2: LOST}, (), BOTH),  # nothing has come since
        ("++", {2: LOST}, (2,), COUNTER),  # a resync mends the reader alone
        ("+~", {2: LOST}, (), NEITHER),
        ("+~", {2: TWICE}, (), NEITHER),
        ("+", {1: TWICE}, (), COUNTER),
        ("+-+", {1: LOST, 2: LOST, 3: LOST}, (), BOTH),
        ("++-", {2: LOST, 3: LOST}, (), NEITHER),
        ("+-+-", {2: TWICE, 3: TWICE, 4: LOST}, (), BOTH),
        ("+++--", {1: LOST, 4: LOST, 5: LOST}, (), BOTH),
        ("++-", {1: TWICE, 3: LOST}, (1,), BOTH),
        ("+-", {1: LOST, 2: LOST}, (), NEITHER),
        ("++-", {1: LOST, 2: TWICE, 3: LOST}, (2,), BOTH),
    ],
)
def test_who_is_wrong_at_the_end(types, fates, looks, wrong) -> None:
    assert readings(0, stream(types), fates, looks)[-1].wrong == wrong


def test_a_lucky_counter_beside_a_reader_that_did_not_look() -> None:
    assert readings(0, stream("++-"), {1: LOST, 3: LOST})[-1].wrong == READER


@given(st.text("+~", min_size=2, max_size=12), st.data())
def test_the_reader_is_right_after_every_event_that_arrives(types, data) -> None:
    lost = data.draw(st.sets(st.integers(1, len(types))))
    found = readings(3, stream(types), dict.fromkeys(lost, LOST))
    for number, reading in enumerate(found, 1):
        assert number in lost or reading.reader == reading.truth


@pytest.fixture
def live():
    widget = watch_stream(Cluster(workers=2, seed=5))
    widget.command()
    return widget


def test_the_events_are_those_of_a_real_watch(live) -> None:
    assert [event.type for event in live.watching.events[:3]] == ["ADDED"] * 3
    assert "counter 3, reader 3, there are 3: wrong is neither" in live.text


def test_a_lost_addition_misleads_the_counter_alone(live) -> None:
    live.turn(event=live.dials["event"].options[1], fate=LOST)
    said = live.guess(wrong=NEITHER)
    assert said.startswith('You said "neither". The counter says 2, the reader 3; there are 3.')
    assert "no later event makes good for this one" in said
    assert ", lost: counter 1, reader 1, there are 2" in live.text


def test_a_reader_that_looks_again_is_right_again(live) -> None:
    live.turn(event=live.dials["event"].options[-1], fate=LOST)
    live.guess(wrong=READER)
    live.look()
    assert live.readings()[-1].wrong == NEITHER
    live.clear()
    assert live.fates == {}


def test_nothing_gets_lost_before_a_prediction(live) -> None:
    assert live.guess().startswith("Predict first: Wrong at the end.")
    assert live.fates == {}


def test_before_the_first_event_it_says_what_to_do() -> None:
    widget = watch_stream(Cluster(workers=1, seed=5))
    assert "run a command first" in widget.guess(wrong=BOTH)


def test_the_widget_works_by_its_controls(live) -> None:
    assert live.box
    live._controls["fate"].value = TWICE
    live._answers["wrong"].value = COUNTER
    live._go()
    assert live._feedback.value.count("Right.") == 1
    assert "2x" in live._live.value


def test_every_letter_can_be_read(live) -> None:
    assert legibility.faults(live.figure().drawing) == []
