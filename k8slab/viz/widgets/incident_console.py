"""The incident console: a pager, a terminal, a map, and a budget of looks.

    incident_console(cluster)             # a cluster of its own, for it gets broken
    incident_console(cluster, number=3)   # another incident

A look is a kubectl command that changes nothing, a request from inside, or a command on a node.
Each costs one of the budget. Name the layer of the cause when the evidence tells it.

Rule of use: the console breaks the cluster that it is given.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from k8slab.viz.architecture import architecture_map
from k8slab.viz.drawing import Drawing
from k8slab.viz.facts import count
from k8slab.viz.figure import Figure
from k8slab.viz.grid import Column, grid
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.stack import stack
from k8slab.viz.style import WIDTH
from k8slab.viz.widgets.incidents import INCIDENTS, LAYERS, PAGER, Stoppable, begin
from k8slab.viz.widgets.trial import Dial, Trial

BUDGET = 10  # looks
READING = ("get", "describe", "logs", "events", "top", "explain", "exec", "api-resources")
FIRST_LOOK = "request pod/client http://shop"
COLUMNS = (Column("", 30), Column("look", 380), Column("its first line", 450))


class Breakable(Stoppable, Protocol):
    """A cluster that can be asked in every way."""

    def request(self, /, source: str, url: str, **options: Any) -> Any:
        """Send one request and return its whole journey."""

    def node(self, name: str) -> Any:
        """Return a shell on a machine."""


class Look(msgspec.Struct, frozen=True):
    """One observation."""

    command: str
    output: str

    @property
    def gist(self) -> str:
        """Its first line that is no head of a table."""
        lines = self.output.splitlines()
        return lines[1] if lines[0].startswith("NAME") and len(lines) > 1 else lines[0]


def incident_console(
    cluster: Breakable, *, number: int = 0, budget: int = BUDGET
) -> IncidentConsole:
    """Break the cluster in one way, and return the console from which to find out how."""
    return IncidentConsole(cluster, number, budget)


class IncidentConsole(Trial):
    """Looks, and what they cost."""

    QUESTION = "In which layer is the cause?"
    GO = "Name the cause"

    def __init__(self, cluster: Breakable, number: int, budget: int) -> None:
        super().__init__(
            (Dial(name="look", words="look", value=FIRST_LOOK, width="640px"),),
            (Dial(name="layer", words="The cause is in", options=LAYERS, width="380px"),),
        )
        self.cluster = cluster
        self.incident = INCIDENTS[number % len(INCIDENTS)]
        self.budget = budget
        self.looks: list[Look] = []
        self.solved = False
        begin(cluster, self.incident)
        self.said = f"{PAGER} {self.QUESTION}"

    def preview(self) -> str:
        """Return what the last look showed."""
        return f"$ {self.looks[-1].command}\n{self.looks[-1].output}" if self.looks else PAGER

    def buttons(self) -> Sequence[tuple[str, Callable[[], None], str]]:
        """Return the button that looks."""
        return (("Look", self.look, "It costs one look of the budget"),)

    @property
    def left(self) -> int:
        """How many looks are left."""
        return self.budget - len(self.looks)

    def look(self) -> None:
        """Do what the field says, if it only looks and a look is left."""
        command = self.values["look"].strip()
        if not self.left:
            self.say(f"The budget is used up. {self.QUESTION}")
            return
        try:
            output = self._output(command)
        except (ValueError, LookupError) as error:
            self.say(str(error).strip("'\""))  # it showed nothing, and costs nothing
            return
        self.looks.append(Look(command, output.rstrip() or "(nothing)"))
        self.say(f"{count(self.left, 'look')} left. {self.QUESTION}")

    def _output(self, command: str) -> str:
        first, _, rest = command.partition(" ")
        if first == "request":
            source, _, url = rest.partition(" ")
            return str(self.cluster.request(source, url.strip()))
        if first == "kubectl":
            if rest.split()[:1] and rest.split()[0] in READING:
                return str(self.cluster.kubectl(rest))
            raise ValueError(f"Look, do not touch: kubectl {', '.join(READING)}.")
        if first.endswith(":"):
            return str(self.cluster.node(first[:-1]).shell(rest))
        raise ValueError(
            'A look is "kubectl get pods", "request pod/client http://shop" or '
            '"worker-1: iptables-save -t nat".'
        )

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Compare the layer with the cause; a wrong one leaves the case open."""
        incident = self.incident
        if guesses["layer"] != incident.layer:
            return f"Not {guesses['layer']}. What have you seen that speaks for it? Look again."
        self.solved = True
        used = count(len(self.looks), "look")
        seen = any(incident.evidence == look.command for look in self.looks)
        best = "and the best of them was among yours" if seen else f"best seen: {incident.evidence}"
        return f"Right, after {used}. {incident.cause} {best[0].upper()}{best[1:]}."

    # -- the picture

    def draw(self) -> Figure:
        """Draw the log of looks, and the map below it."""
        title = "Incident: the shop does not answer"
        state = "solved" if self.solved else f"{count(self.left, 'look')} of {self.budget} left"
        rows = [(str(number), look.command, look.gist) for number, look in enumerate(self.looks, 1)]
        table, y = grid(COLUMNS, rows, HEAD + 4)
        map_ = architecture_map(self.cluster, since=len(self.cluster.trace), namespace="default")
        log = Drawing(WIDTH, y + 8, (*heading(title, state), *table))
        lines = [f"{title}; {state}"]
        for look in self.looks:
            lines += [f"$ {look.command}", *(f"  {line}" for line in look.output.splitlines())]
        return Figure(
            stack(log, map_.drawing),
            alt=f"{title}: {count(len(self.looks), 'look')}, {state}.",
            text="\n".join([*lines, map_.text]),
        )
