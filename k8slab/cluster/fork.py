"""Replaying a run: the same machines, the same seed, the same inputs, so the same bytes.

`fork` makes a second cluster with the past of the first. Nothing is copied: the second lives
through that past itself. So both go on independently, and their traces are equal as far as it goes.

    cluster.kubectl("delete node worker-2")
    what_if = cluster.fork(at=t)     # a cluster in which that has not happened

Rule of use: an act at exactly `at` is not yet done there; without `at` everything is.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from typing import TYPE_CHECKING

from k8slab.cluster.recording import Input, Position
from k8slab.sim import Halted

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster
    from k8slab.sim import Simulation


class ReplayError(Exception):
    """A run cannot be replayed, or came out differently."""


def fork(parent: Cluster, at: float | None = None) -> Cluster:
    """Return a new cluster with the parent's past up to `at` (virtual seconds, None: now)."""
    if at is not None and not 0 <= at <= parent.now:
        raise ValueError(f"a run can be forked from 0 to {parent.now:.3f} s, got {at:g}")
    recording = parent.recording
    if recording.spoiled and (at is None or at > recording.spoiled[0]):
        when, why = recording.spoiled
        raise ReplayError(f"the run can be replayed up to {when:.3f} s only: then {why}")
    child = again(parent)
    try:
        if at is None:
            replay(child, recording.inputs, recording.position)
        else:
            replay_until(child, recording.inputs, at)
    finally:
        _compare(parent, child)  # says more than that a position was not reached
    return child


def again(parent: Cluster) -> Cluster:
    """Return a cluster of the same machines, not booted, that can pull the same images."""
    child = type(parent)(**parent.made_of, boot=False)
    child.world.registry.adopt(parent.world.registry)
    return child


def replay(child: Cluster, inputs: Iterable[Input], end: Position) -> None:
    """Do all that was done, each at its moment, and let time pass until `end`."""
    for each in inputs:
        move(child.sim, each.at)
        act(child, each)
    move(child.sim, end)


def replay_until(child: Cluster, inputs: Iterable[Input], time: float) -> None:
    """Do what was done before `time`; an act that was going on then goes on when time does."""
    done = list(takewhile(lambda each: each.at.now < time, inputs))
    rest = next((each for each in inputs if each.at.now == time), None)
    if rest is not None:
        # Of the events of that very moment, those happened that came before the act.
        replay(child, done, rest.at)
        return
    for each in done[:-1]:
        move(child.sim, each.at)
        act(child, each)
    with halting(child.sim, lambda when: when > time):
        if done:
            move(child.sim, done[-1].at)
            act(child, done[-1])
        child.sim.run(time)
    child.sim.now = time


def move(sim: Simulation, position: Position) -> None:
    """Let events happen until a position; raises ReplayError if it is never reached."""
    while sim.events < position.events:
        if sim.step() is None:
            break
    if sim.events != position.events or sim.now > position.now:
        raise ReplayError(
            f"at {position.now:.3f} s the replay had {sim.events} events, "
            f"the run {position.events}: something was done that was not recorded"
        )
    sim.now = position.now


def act(child: Cluster, each: Input) -> None:
    """Do what was done; what was refused then is refused again."""
    left = each.left
    child.recording.given = each.files
    try:
        if left is None:
            _do(child, each)
        else:
            with halting(child.sim, lambda _: child.sim.events >= left.events):
                _do(child, each)
            child.sim.now = left.now
    finally:
        child.recording.given = None


def _do(child: Cluster, each: Input) -> None:
    method = child.node(each.args[0]).shell if each.do == "shell" else getattr(child, each.do)
    args = each.args[1:] if each.do == "shell" else each.args
    with suppress(Exception):  # the learner saw it, and went on
        method(*args, **each.options)


@contextmanager
def halting(sim: Simulation, halt: Callable[[float], bool]) -> Iterator[None]:
    """Leave the block before the first event at which `halt(time)` says so."""
    before, sim.halt = sim.halt, halt
    try:
        yield
    except Halted:
        pass
    finally:
        sim.halt = before


def _compare(parent: Cluster, child: Cluster) -> None:
    """Raise ReplayError where the replay differs from the run."""
    for ours, theirs in zip(child.trace, parent.trace, strict=False):
        if ours != theirs:
            raise ReplayError(
                f"the replay differs from the run at {theirs.time:.3f} s: something was done that "
                f"was not recorded.\n  run     {theirs}\n  replay  {ours}"
            )
    if len(child.trace) > len(parent.trace):
        raise ReplayError("the replay has more records than the run: was something done past it?")
