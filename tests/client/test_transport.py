"""Watch events on their way: in order, each its time, and lost with the connection."""

from __future__ import annotations

import pytest

from k8slab.client import WatchEvent, WatchStream, Wire
from k8slab.sim import Simulation

DELAY = 0.002


@pytest.fixture
def sim() -> Simulation:
    return Simulation()


def taken(sim: Simulation, stream: WatchStream) -> list[str]:
    return [event.type for event in sim.complete(stream.batch(timeout=1), "batch", timeout=2)]


def test_what_is_sent_at_one_moment_arrives_as_one_entry_of_the_queue(sim: Simulation) -> None:
    wire = Wire(sim, DELAY)
    streams = [WatchStream(sim, wire) for _ in range(3)]
    for stream in streams:
        stream.push(WatchEvent("ADDED", None))
        stream.push(WatchEvent("MODIFIED", None))
    assert [timer.when for timer in sim.pending()] == [DELAY]
    sim.run(DELAY)
    assert [taken(sim, stream) for stream in streams] == [["ADDED", "MODIFIED"]] * 3


def test_what_is_sent_later_arrives_later(sim: Simulation) -> None:
    stream = WatchStream(sim, Wire(sim, DELAY))
    stream.push(WatchEvent("ADDED", None))
    sim.run(DELAY / 2)
    stream.push(WatchEvent("MODIFIED", None))
    sim.run(DELAY)
    assert taken(sim, stream) == ["ADDED"]
    assert taken(sim, stream) == ["MODIFIED"]


def test_what_was_under_way_is_lost_with_the_connection(sim: Simulation) -> None:
    stream = WatchStream(sim, Wire(sim, DELAY))
    stream.push(WatchEvent("ADDED", None))
    stream.close()
    stream.push(WatchEvent("MODIFIED", None))
    assert taken(sim, stream) == []
