"""The scale lens: from three Services to thousands, what they cost in rules and per packet.

    scale_lens(cluster)

Choose how many Services there are, predict how many rules the first packet of a connection meets in
both forms that kube-proxy can write, and measure: the rules are really rendered, and a packet is
really sent through them. Each measurement is a point of the picture.

Rule of use: the numbers are of rules, not of seconds: a kernel takes about as long for each.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from k8slab.viz.drawing import Drawing
from k8slab.viz.figure import Figure
from k8slab.viz.growth import rules_and_cost
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.style import WIDTH
from k8slab.viz.widgets.trial import Dial, Trial
from k8slab.viz.widgets.widget import Drivable

SIZES = ("3", "10", "30", "100", "300", "1000", "3000", "10000")
CONSTANT, EACH, ALL = "a few, always", "about one for each Service", "about all rules"
GROWTHS = (CONSTANT, EACH, ALL)
FEW = 40  # rules that are few
WRITTEN, IPTABLES, NFTABLES = "rules written", "met, iptables", "met, nftables"


class Costing(Drivable, Protocol):
    """A cluster that can be asked what rules would cost."""

    def cost_of_rules(self, services: int, endpoints: int = 3) -> Any:
        """Say how many rules so many Services would be."""


def scale_lens(cluster: Costing) -> ScaleLens:
    """Return the lens; nothing is put into the cluster."""
    return ScaleLens(cluster)


class ScaleLens(Trial):
    """Measurements, and the lines through them."""

    QUESTION = "How many rules does the first packet to the last Service meet?"
    GO = "Measure"

    def __init__(self, cluster: Costing) -> None:
        super().__init__(
            (
                Dial(name="services", words="Services", options=SIZES, width="180px"),
                Dial(name="endpoints", words="Pods of each", options=("1", "3", "10"), value="3",
                     width="180px"),
            ),
            (
                Dial(name="iptables", words="iptables", options=GROWTHS, width="270px"),
                Dial(name="nftables", words="nftables", options=GROWTHS, width="270px"),
            ),
        )  # fmt: skip
        self.cluster = cluster
        self.costs: dict[int, Any] = {}  # by number of Services, all with as many Pods each

    def buttons(self) -> Sequence[tuple[str, Callable[[], None], str]]:
        """Return the button that begins anew."""
        return (("Forget the points", self.clear, "Begin a new picture"),)

    def clear(self) -> None:
        """Begin a new picture."""
        self.costs = {}
        self.say(self.QUESTION)

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Measure and compare."""
        services, endpoints = int(self.values["services"]), int(self.values["endpoints"])
        if any(cost.endpoints != endpoints for cost in self.costs.values()):
            self.costs = {}  # of another shape: no line would lead through both
        cost = self.costs[services] = self.cluster.cost_of_rules(services, endpoints)
        return judge(guesses, cost)

    def draw(self) -> Figure:
        """Draw the points on logarithmic scales."""
        if not self.costs:
            title, below = "No measurement yet", "choose a number, predict, measure"
            items = tuple(heading(title, below))
            return Figure(Drawing(WIDTH, HEAD, items), alt=f"{title}.", text=f"{title}: {below}")
        costs = [self.costs[number] for number in sorted(self.costs)]
        measured = {
            WRITTEN: [(float(c.services), float(c.rules)) for c in costs],
            IPTABLES: [(float(c.services), float(c.iptables)) for c in costs],
            NFTABLES: [(float(c.services), float(c.nftables)) for c in costs],
        }
        each = costs[0].endpoints
        return rules_and_cost(measured, title=f"What more Services cost, {each} Pods each")


def growth_of(met: int, cost: Any) -> str:
    """Return the words of `GROWTHS` for a number of rules that a packet meets."""
    if met <= FEW and cost.services > FEW:
        return CONSTANT
    if met > cost.rules / 2 and cost.services > FEW:
        return ALL
    return EACH if cost.services > FEW else ""


def judge(guesses: Mapping[str, str], cost: Any) -> str:
    """Say what was met, and how the guesses came out where so few Services can tell."""
    said = (
        f"{cost.services} Services are {cost.rules} rules. The first packet meets "
        f"{cost.iptables} of them with iptables, {cost.nftables} with nftables."
    )
    truths = {
        "iptables": growth_of(cost.iptables, cost),
        "nftables": growth_of(cost.nftables, cost),
    }
    if not truths["iptables"]:
        return f"{said} So few cannot tell how it grows: measure with more."
    words = [
        f"{form}: right, {truth}."
        if guesses[form] == truth
        else f'{form}: you said "{guesses[form]}", it is {truth}.'
        for form, truth in truths.items()
    ]
    why = (
        "iptables tries the rules of KUBE-SERVICES one after the other; nftables looks the address "
        "up in one map."
    )
    return f"{said} {' '.join(words)} {why}"
