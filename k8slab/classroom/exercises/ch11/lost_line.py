"""Exercise 11.3: four nodes have lost a line each, and only what becomes of packets is known.

A Service has four endpoints. Whoever says which line is missing is judged by the rules: without
that line, packets must end as they do on the node.

Rule of use: `LOST` is what was deleted; everything else follows from the text of the rules.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

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
from k8slab.classroom.exercises.ch11.odds import world
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

COUNT = 4
LOST: Mapping[str, str] = {"north": "2", "east": "service", "south": "4", "west": "1"}
LINES = ("service", *(str(place + 1) for place in range(COUNT)))


@cache
def outcome(line: str) -> tuple[float, ...]:
    """Return the share of each endpoint, and of packets that get lost, without a line."""
    port = (("", 80, "TCP"),)
    ips = addresses(COUNT)
    case = Case("lost", service_of(port), (slice_of(1, port, dict.fromkeys(ips, True)),), ())
    marks = ["cluster IP", *(f"--to-destination {ip}:80" for ip in ips)]
    gone = marks[LINES.index(line)]
    rules = reference(case).splitlines()
    # The Service's line is the one that leads into its chain, not the one that marks.
    kept = [r for r in rules if gone not in r or (line == "service" and "KUBE-MARK" in r)]
    found = ends("\n".join(kept) + "\n", Packet(STRANGER, 80))
    by_place = {where: float(chance) for (_, where, _), chance in found.items()}
    got = [by_place.get(f"{ip}:80", 0.0) for ip in ips]
    return (*got, 1 - sum(got))


def grade(answer: Any) -> Finding:
    """Judge a mapping of nodes to lines."""
    expected = f"one of {', '.join(LINES)} for each of {', '.join(LOST)}"
    if not isinstance(answer, Mapping) or set(answer) != set(LOST):
        return wrong_kind(expected, answer)
    given = {node: str(line).strip().lower() for node, line in answer.items()}
    if any(line not in LINES for line in given.values()):
        return wrong_kind(expected, answer)
    wrongs = [node for node in LOST if outcome(given[node]) != outcome(LOST[node])]
    if not wrongs:
        return right("Right. Who is never heard names the line, and what gets lost its place.")
    node = wrongs[0]
    seen = tuple(
        Evidence(0, 0.0, f"{words}: {', '.join(f'{share:.3f}' for share in outcome(line))}")
        for words, line in ((f"on {node}", LOST[node]), (f"without {given[node]}", given[node]))
    )
    verdict = almost if len(wrongs) == 1 else wrong
    count = f"{len(LOST) - len(wrongs)} of {len(LOST)} are right. "
    return verdict(f"{count}{_why(node, given[node])}", 4, seen)


def _why(node: str, given: str) -> str:
    """Say what does not fit about an answer."""
    if LOST[node] == "service":
        return f"On {node} nobody is ever heard: packets do not even come to the dice."
    if given == "service":
        return f"On {node} somebody is heard, so the line with the Service's address is there."
    if LOST[node] == LINES[-1]:
        return f"On {node} packets get lost. Only below the last line there is no other."
    return f"On {node} one endpoint is never heard. Is it the one that you named?"


EXERCISE = Exercise(
    key="11.3",
    title="The lost line",
    points=2,
    hints=(
        "Who is never heard? If it is one, its own line is gone; if it is everybody, look above.",
        "A packet that comes back from a chain reads on below. Where is there nothing below?",
        "Place by place: the endpoint with the share 0 is the line that is missing.",
    ),
    grade=grade,
    world=partial(world, COUNT),
)
