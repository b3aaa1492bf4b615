"""Exercise 14.1: how many rules the first packet meets, and from where on choosing costs more.

Each learner has another node: so many Services, so many Pods each, and a Service somewhere in the
list. The check renders the rules of that node and sends a packet through them.

Rule of use: the rules are the judge; nothing here knows how many they are.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.worlds import boot
from k8slab.classroom.variants import pick
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.cluster.scale import cost_of_rules

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

KEY = "14.1"
FIRST, LAST, MAP, CROSSING = "first Pod", "last Pod", "nftables", "crossing"
ASKED = (FIRST, LAST, MAP, CROSSING)
EXPECTED = 'a dict of four whole numbers, such as {"first Pod": 20, "last Pod": 22, ...}'


class Node(msgspec.Struct, frozen=True):
    """A node whose rules are asked about."""

    services: int
    place: int  # of the Service in the list, from 1
    pods: int  # of each Service


VARIANTS = tuple(
    Node(services, place, pods)
    for services, place in ((400, 250), (500, 180), (300, 210), (450, 320), (350, 140))
    for pods in (12, 20, 30)
)


SMALL = Node(10, 10, 3)  # what is shown to whoever is wrong


class Truth(msgspec.Struct, frozen=True):
    """What is so on the node."""

    numbers: Mapping[str, int]
    written: int  # rules in all


def world(seed: int) -> Cluster:
    """Return a cluster with nothing in it: `cost_of_rules` needs no more."""
    return boot(seed)


@cache
def truth(node: Node) -> Truth:
    """Render and send; what stands behind the Service in the list is never met."""
    cost = cost_of_rules(node.place, node.pods)
    written = cost_of_rules(node.services, node.pods).rules
    return Truth(
        {
            FIRST: cost.iptables,
            LAST: cost.iptables_last,
            MAP: cost.nftables,
            CROSSING: crossing(node.place),
        },
        written,
    )


def crossing(place: int) -> int:
    """Return with how many Pods the last one's packet meets more rules than it met on the search.

    The search meets a rule for each place; a Service's own chain has one rule before the choices.
    """
    base = cost_of_rules(place, 1)
    own = 1 + base.iptables_last - base.iptables  # choices met with one Pod
    return max(place - own + 1, 1)


def grade(node: Node, answer: Any) -> Finding:
    """Judge four numbers."""
    if not isinstance(answer, dict) or set(answer) != set(ASKED):
        return wrong_kind(EXPECTED, answer)
    if any(isinstance(n, bool) or not isinstance(n, int) for n in answer.values()):
        return wrong_kind(EXPECTED, answer)
    facts = truth(node)
    off = [name for name in ASKED if answer[name] != facts.numbers[name]]
    if not off:
        return right(
            "Right, all four. A list is read from its top, and so are the dice; a map is asked "
            "once, whatever is in it.",
            (_seen(node, FIRST, facts), _seen(node, MAP, facts)),
        )
    name = off[0]
    evidence = (_seen(SMALL, name, truth(SMALL)),) if name != CROSSING else ()
    message, misconception = _why(node, name, answer, facts)
    near = len(off) == 1 and abs(answer[name] - facts.numbers[name]) <= 1
    return (almost if near else wrong)(message, misconception, evidence)


def _why(node: Node, name: str, given: Mapping[str, int], facts: Truth) -> tuple[str, int]:
    """Return what to say about a wrong number, and the misunderstanding behind it."""
    said = given[name]
    if name == FIRST:
        return _about_first(node, said, facts), 0
    if name == LAST:
        return _about_last(node, said, given), 4
    if name == MAP:
        return _about_map(said, facts), 0
    return _about_crossing(node, said, given, facts)


def _about_first(node: Node, said: int, facts: Truth) -> str:
    to_the_end = facts.numbers[FIRST] - node.place + node.services
    if abs(said - to_the_end) <= 1 or said == node.services:
        return (
            f"{said} is the way to the last of {node.services} Services. Yours is number "
            f"{node.place}: what stands behind it in the list is never met."
        )
    if said > facts.written // 2:
        return (
            f"There are {facts.written} rules, and most of them stand in chains of other "
            "Services. A packet enters only the chain to which a rule sends it."
        )
    if said == node.place:
        return (
            f"{node.place} is the search alone. Other chains are met before and after: measure "
            "the way to Service 1 with `cost_of_rules(1)`, and see what it costs."
        )
    return (
        f"`first Pod` is not {said}. The packet meets one rule for each Service until its own, "
        "and some that every packet meets. Measure with 1 and with 10 Services."
    )


def _about_last(node: Node, said: int, given: Mapping[str, int]) -> str:
    if said == given[FIRST]:
        return (
            "The choice among Pods is made by rules as well: each one throws its dice, and the "
            "last Pod's packet has met the rules of all the others."
        )
    return (
        f"`last Pod` is not {said}. The packet has met one more rule for each Pod that was not "
        f"chosen, and a Service has {node.pods} Pods."
    )


def _about_map(said: int, facts: Truth) -> str:
    if said >= facts.numbers[FIRST] // 2:
        return (
            "A map is asked once, with address, protocol and port together. Nothing is searched, "
            "however many Services there are."
        )
    return f"`nftables` is not {said}. Measure any number of Services: it is the same."


def _about_crossing(
    node: Node, said: int, given: Mapping[str, int], facts: Truth
) -> tuple[str, int]:
    if said == given[FIRST]:
        return (
            "Compare like with like: rules of the Service's own chain on one side, rules of "
            "KUBE-SERVICES on the other. What every packet meets is on neither."
        ), 0
    if abs(said - 2 * facts.numbers[CROSSING]) <= 2:
        return (
            "That is so on average, when a packet meets half of the choices. Asked is the packet "
            "that draws the last Pod."
        ), 4
    return (
        f"`crossing` is not {said}. The search has met {node.place} rules of KUBE-SERVICES. In its "
        "own chain the packet meets one rule that marks strangers, and one for each Pod."
    ), 0


def _seen(node: Node, name: str, facts: Truth) -> Evidence:
    text = f"{node.services} Services with {node.pods} Pods each, place {node.place}: "
    return Evidence(
        0, 0.0, f"{text}{facts.written} rules in all; `{name}` is {facts.numbers[name]}"
    )


def exercise(learner: str = "") -> Exercise:
    """Return the exercise about the learner's own node."""
    node = pick(learner, KEY, VARIANTS)
    return Exercise(
        key=KEY,
        title="The first packet",
        points=3,
        task=f"Your node has rules for {node.services} Services with {node.pods} Pods each. The "
        f"packet goes to Service number {node.place} of the list.",
        hints=(
            "`cluster.cost_of_rules(10, 3)` sends a packet to the last of ten Services. Compare "
            "it with `cost_of_rules(11, 3)` and with `cost_of_rules(10, 4)`.",
            "What stands behind a Service in the list is not met. So the way to Service 10 of 500 "
            "is that to the last of ten.",
            "crossing: the search meets as many rules of KUBE-SERVICES as the place says. The own "
            "chain has one rule, and then one for each Pod; from which number is that more?",
        ),
        grade=partial(grade, node),
        world=world,
        variant_for=exercise,
    )


EXERCISE = exercise()
