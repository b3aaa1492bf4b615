"""Exercise 11.1: the probabilities that have been wiped off the rules of a Service.

How many endpoints there are is each learner's own. The check writes the learner's numbers into the
rules, and asks what share each endpoint gets.

Rule of use: the rules are the judge; whatever gives equal shares is right.

Upstream: none
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.ch11.cards import (
    STRANGER,
    Case,
    Packet,
    addresses,
    ends,
    reference,
    service_of,
    slice_of,
)
from k8slab.classroom.exercises.worlds import boot
from k8slab.classroom.variants import pick
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

KEY = "11.1"
COUNTS = (5, 4, 6, 8)  # endpoints
CLOSE = 0.005  # two digits will do
CHANCE = re.compile(r"(?<=--probability )[\d.]+")
FLEET = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: cabs}}
spec:
  replicas: {count}
  selector: {{matchLabels: {{app: cabs}}}}
  template:
    metadata: {{labels: {{app: cabs}}}}
    spec: {{containers: [{{name: main, image: "traefik/whoami:v1.11"}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: calls}}
spec: {{selector: {{app: cabs}}, ports: [{{port: 80}}]}}
"""


def world(count: int, seed: int) -> Cluster:
    """Return a fleet of so many cabs behind a Service."""
    return boot(seed, FLEET.format(count=count))


def shares(chances: Sequence[float]) -> list[float]:
    """Return what each endpoint gets if the rules have these probabilities."""
    count = len(chances)
    port = (("", 80, "TCP"),)
    rows = dict.fromkeys(addresses(count), True)
    case = Case("odds", service_of(port), (slice_of(1, port, rows),), ())
    written = iter(f"{chance:.10f}" for chance in chances)
    text = CHANCE.sub(lambda _: next(written), reference(case))
    found = ends(text, Packet(STRANGER, 80))
    got = {where: float(chance) for (_, where, _), chance in found.items()}
    return [got.get(f"{ip}:80", 0.0) for ip in rows]


def grade(count: int, answer: Any) -> Finding:
    """Judge the probabilities, from the first rule to the last."""
    expected = f"a list of {count} numbers from 0 to 1, the last of them 1"
    if not isinstance(answer, list | tuple) or len(answer) != count:
        return wrong_kind(expected, answer)
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in answer):
        return wrong_kind(expected, answer)
    chances = [float(one) for one in answer]
    if not all(0 <= one <= 1 for one in chances):
        return wrong_kind(expected, answer)
    got = shares(chances)
    text = ", ".join(f"{share:.3f}" for share in got)
    seen = (Evidence(0, 0.0, f"shares by your numbers: {text}"),)
    if chances[-1] < 1:
        return wrong(
            "The last rule has no dice: what comes there is all that is left. With a probability "
            "below 1 some packets would fall through, and end nowhere.",
            4,
            seen,
        )
    wrongs = [n for n, one in enumerate(chances) if abs(one - 1 / (count - n)) > CLOSE]
    if not wrongs:
        return right(
            f"Right: each of {count} gets 1/{count}. A rule's number is its share of what is left, "
            "and it grows as less is left.",
            seen,
        )
    if len(wrongs) == 1:
        return almost(f"One number is off: that of rule {wrongs[0] + 1}.", 4, seen)
    if all(abs(one - 1 / count) < CLOSE for one in chances[:-1]):
        return wrong(
            f"1/{count} is what each should get of *all*. The second rule sees only what the first "
            "has left, so with equal numbers the last endpoint gets most.",
            4,
            seen,
        )
    if all(a > b for a, b in pairwise(chances[:-1])):
        return wrong(
            "Your numbers fall. The further down, the less is left to share, and the fewer are "
            "there to share it: the numbers grow.",
            4,
            seen,
        )
    return wrong(f"{count - len(wrongs)} of {count} are right. Look at the shares below.", 4, seen)


def variant(count: int) -> Exercise:
    """Return the exercise with so many endpoints."""
    return Exercise(
        key=KEY,
        title="The faded numbers",
        points=2,
        hints=(
            "How many endpoints are left when a packet comes to the rule? One of them is its own.",
            f"The first of {count} rules takes 1/{count} of all. For the next one there are "
            f"{count - 1} left.",
            "1/n, 1/(n-1), ..., 1/2, 1.",
        ),
        grade=partial(grade, count),
        world=partial(world, count),
        task=f"your Service has {count} endpoints.",
        variant_for=variant_for,
    )


def variant_for(learner: str) -> Exercise:
    """Return the learner's own."""
    return variant(pick(learner, KEY, COUNTS))


EXERCISE = variant(COUNTS[0])
