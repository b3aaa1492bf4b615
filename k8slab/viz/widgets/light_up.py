"""The light-up map: a kubectl command, and the boxes of the architecture that act because of it.

    light_up(cluster)

Write a command, predict who acts first after the API server and who stays dark; then it is run, a
few virtual seconds pass, and the map shows who talked to whom: never component to component.

Rule of use: only what leaves a record lights up; reading changes nothing, so it lights nothing.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8slab.sim import Record
from k8slab.viz.architecture import architecture_map
from k8slab.viz.facts import clock
from k8slab.viz.figure import Figure
from k8slab.viz.traffic import API, actor
from k8slab.viz.widgets.trial import Dial, Trial
from k8slab.viz.widgets.widget import Drivable

SECONDS = 6.0  # virtual, in which a command has its effects
COMMAND = "create deployment web --image=nginx --replicas=2"
NOBODY = "nobody"
ACTORS = (
    *("kube-controller-manager", "kube-scheduler", "kubelet", "containerd", "kube-proxy"),
    *("kindnet", "coredns"),
)


def light_up(cluster: Drivable, *, namespace: str = "default") -> LightUp:
    """Return the map; `namespace` limits the Pods and Services on it."""
    return LightUp(cluster, namespace)


class LightUp(Trial):
    """A command, and the boxes that it lights."""

    QUESTION = "Who acts first after the API server, and who stays dark?"
    GO = "Run the command"

    def __init__(self, cluster: Drivable, namespace: str) -> None:
        super().__init__(
            (Dial(name="command", words="kubectl", value=COMMAND, width="560px"),),
            (
                Dial(name="first", words="Acts first", options=(*ACTORS, NOBODY), width="280px"),
                Dial(name="dark", words="Stays dark", options=(*ACTORS, NOBODY), width="280px"),
            ),
        )
        self.cluster = cluster
        self.namespace = namespace
        self.since = len(cluster.trace)

    def preview(self) -> str:
        """Return the command as one would type it."""
        return f"kubectl {self._command()}"

    def _command(self) -> str:
        return self.values["command"].strip().removeprefix("kubectl ")

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Run the command, let time pass, and say who acted."""
        self.since = len(self.cluster.trace)
        said = self.cluster.kubectl(self._command()).strip()
        self.cluster.run(SECONDS)
        chain = caused(self.cluster.trace, self.since)
        return f"{judge(guesses, chain)}\nkubectl said: {said.partition(chr(10))[0]}"

    def draw(self) -> Figure:
        """Draw the map, with the messages since the command."""
        return architecture_map(self.cluster, since=self.since, namespace=self.namespace)


def caused(trace: Any, since: int) -> list[Record]:
    """Return the records after `since` that go back to something that you did after it.

    A runtime is told without a record, so what it does to a Pod of the chain belongs there too.
    """
    roots: dict[int, None] = {}
    subjects: dict[str, None] = {}
    found: list[Record] = []
    for record in trace.since(since):
        told = record.component.startswith("containerd/") and record.subject in subjects
        if record.component == "you" or record.cause in roots or told:
            roots[record.id] = None
            subjects[record.subject] = None
            found.append(record)
    return found


def judge(guesses: Mapping[str, str], chain: list[Record]) -> str:
    """Say who acted first and who did not, and why."""
    acting = [(actor(r).partition("/")[0], r) for r in chain]
    others = [(who, record) for who, record in acting if who in ACTORS]
    order = list(dict.fromkeys(who for who, _ in others))
    dark = [who for who in ACTORS if who not in order]
    first = order[0] if order else NOBODY
    lines = ["Right." if guesses["first"] == first else f"First: not {guesses['first']}."]
    if others:
        record = others[0][1]
        lines.append(
            f"{first} acted first, at {clock(record.time)}: {record.verb} {record.subject}. "
            f"It heard of it from the {_words(API)}, as all the others did."
        )
    elif any(record.revision for record in chain):
        written = next(record for record in chain if record.revision)
        lines.append(f"You did {written.verb} {written.subject}; nobody found anything to do.")
    else:
        lines.append("Nothing was written, so no watch had news, and nobody acted.")
    right = guesses["dark"] in dark or (guesses["dark"] == NOBODY and not dark)
    named = ", ".join(dark) or NOBODY
    verdict = "Right" if right else f"{guesses['dark']} does act"
    lines.append(f"{verdict}: dark stayed {named}; lit were, in this order, {_listed(order)}.")
    return " ".join(lines)


def _listed(order: list[str]) -> str:
    return ", ".join(order) or "none but the API server"


def _words(name: str) -> str:
    return "API server" if name == API else name
