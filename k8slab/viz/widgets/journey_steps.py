"""The journey of a request on the map, step by step: guess what happens to the packet, and go on.

    journey_steps(cluster, cluster.request("pod/client", "http://web"))

The map shows the way up to here. The reader says what happens next: does the packet move on, is its
receiver or its sender rewritten, or is it stopped? Then the step is drawn, and told.

Rule of use: the request has been sent before; nothing here moves the clock.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from k8slab.viz.drawing import Drawing
from k8slab.viz.facts import ClusterLike
from k8slab.viz.figure import Figure
from k8slab.viz.ladder import first_exchange, headline
from k8slab.viz.route_map import Place, Step, draw, places_of, steps_of, where
from k8slab.viz.widgets.trial import Dial, Trial

MOVES, RECEIVER, SENDER, STOPS = (
    "it moves on", "its receiver is rewritten", "its sender is rewritten", "it is stopped"
)  # fmt: skip


def journey_steps(cluster: ClusterLike, answer: Any) -> JourneySteps:
    """Return the steps of an answer's first packet; raises ValueError if nothing was sent."""
    hops = first_exchange(list(answer.hops))
    if not hops:
        raise ValueError("this journey has no hops: the name was not resolved, or nothing was sent")
    return JourneySteps(places_of(hops, cluster.view), steps_of(hops), *headline(answer))


class JourneySteps(Trial):
    """The steps, and how many of them the reader has seen."""

    QUESTION = "What happens to the packet next?"
    GO = "Guess, then go on"

    def __init__(
        self, places: Sequence[Place], steps: Sequence[Step], title: str, outcome: str
    ) -> None:
        self.places, self.steps = places, steps
        self.title, self.outcome = title, outcome
        self.seen = 0
        self.hits = 0
        options = (MOVES, RECEIVER, SENDER, STOPS)
        super().__init__(
            (), (Dial(name="next", words="Next", options=options, width="280px"),)
        )  # fmt: skip

    def buttons(self) -> Sequence[tuple[str, Callable[[], None], str]]:
        """Return the button that goes back to the beginning."""
        return (("Begin again", self.begin, "Take all steps away again"),)

    def begin(self) -> None:
        """Go back to where the packet has not been sent yet."""
        self.seen = self.hits = 0
        self.say(self.QUESTION)

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Go on by a step, and compare."""
        if self.seen == len(self.steps):
            return f"This is the end: {self.outcome}. {self._score()}"
        step = self.steps[self.seen]
        self.seen += 1
        right = guesses["next"] == kind_of(step)
        self.hits += right
        because = f" Why: {step.why}." if step.why else ""
        end = f" {self._score()}" if self.seen == len(self.steps) else ""
        told = f"{where(step, self.places)}: {step.packet}"
        return f"{'Right' if right else f'No: {kind_of(step)}'}. {told}.{because}{end}"

    def _score(self) -> str:
        return f"You foresaw {self.hits} of {len(self.steps)} steps."

    def draw(self) -> Figure:
        """Draw the map with the steps so far."""
        below = f"step {self.seen} of {len(self.steps)}"
        drawing: Drawing = draw(self.places, self.steps, self.title, below, self.seen)
        lines = [f"{self.title}: {below}"]
        for number, step in enumerate(self.steps[: self.seen], 1):
            lines.append(f"  {number}. {where(step, self.places)}: {step.packet}")
        return Figure(drawing, alt=f"Map of {self.title}: {below}.", text="\n".join(lines))


def kind_of(step: Step) -> str:
    """Return what happens to the packet in a step, in the words of the guesses."""
    if step.refused:
        return STOPS
    if step.source != step.target:
        return MOVES
    return SENDER if step.rewrites == "sender" else RECEIVER
