"""The rule debugger: a packet walks the real rule text of a node, line by line.

    rule_debugger(cluster)

Choose a node, a client and a Service, predict what becomes of the packet, send it, and step: which
lines it met, which of them matched, where its destination was rewritten. Then edit the text (it is
that of iptables-save), send again, and undo.

Rule of use: the text here is a copy; the node keeps its own rules.

Upstream: none (iptables -j TRACE shows the matches of one real packet)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from k8slab.api.core import Node, Pod, Service
from k8slab.viz.drawing import Drawing, Text
from k8slab.viz.facts import count
from k8slab.viz.figure import Figure
from k8slab.viz.grid import NO, NONE, YES, Cell, Column, grid
from k8slab.viz.ladder import short_rule
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.rule_walk import RuleLine, chains_of, walked
from k8slab.viz.style import MARGIN, SMALL, WIDTH
from k8slab.viz.widgets.trial import Dial, Trial
from k8slab.viz.widgets.widget import Drivable

POD, REWRITTEN, PLAIN = "a Pod", "rewritten to a Pod", "accepted as it is"
REFUSED, DROPPED = "refused at once (REJECT)", "never answered (DROP)"
ENDS = (REWRITTEN, PLAIN, REFUSED, DROPPED)
WAYS = ("1", "2", "3", "4", "5 or more")
OUTSIDE = "outside 203.0.113.7"
SHOWN = 18  # lines
COLUMNS = (Column("", 28), Column("table", 60), Column("line", 772))


class Ruled(Drivable, Protocol):
    """A cluster whose nodes have rules."""

    def node(self, name: str) -> Any:
        """Return a shell on a machine."""

    def trace_rules(
        self,
        rules: str,
        source: str,
        destination: str,
        port: int,
        *,
        protocol: str = "tcp",
        local: tuple[str, ...] = (),
    ) -> Any:
        """Walk a new connection through the text of iptables-save."""


def rule_debugger(cluster: Ruled, *, node: str = "", rules: str = "") -> RuleDebugger:
    """Return the debugger of a node's rules, by default of the first worker's, or of a text."""
    return RuleDebugger(cluster, node, rules)


class RuleDebugger(Trial):
    """Rule text, a packet, and how far it has come."""

    QUESTION = "What becomes of the packet, and in how many ways can the dice fall?"
    GO = "Send a packet"

    def __init__(self, cluster: Ruled, node: str, rules: str) -> None:
        self.cluster = cluster
        nodes = [each.metadata.name for each in cluster.view.list(Node)]
        start = node or next((n for n in nodes if n != "control-plane"), nodes[0])
        self._given = rules
        self.past: list[str] = []  # texts of before
        self.branch, self.place = 0, 0
        self.trace: Any = None
        self.lines: list[RuleLine] = []
        super().__init__(
            (
                Dial(name="node", words="rules of", options=tuple(nodes), value=start,
                     width="230px"),
                Dial(name="source", words="packet from", options=self._sources(), width="300px"),
                Dial(name="to", words="to", options=self._services(), width="330px"),
                Dial(name="rules", words="rules", value=rules or self._saved(start), lines=10,
                     tip="The rules, as iptables-save prints them", width="860px"),
            ),
            (
                Dial(name="end", words="It is", options=ENDS, width="260px"),
                Dial(name="ways", words="Ways", options=WAYS, width="150px"),
            ),
        )  # fmt: skip
        self._sent = self.values["rules"]

    def _saved(self, node: str) -> str:
        return str(self.cluster.node(node).shell("iptables-save")).strip()

    def _sources(self) -> tuple[str, ...]:
        view = self.cluster.view
        pods = [f"{p.metadata.name} {p.status.podIP}" for p in view.list(Pod, "default")
                if p.status.podIP and not p.spec.hostNetwork]  # fmt: skip
        nodes = [f"{n.metadata.name} {address_of(n)}" for n in view.list(Node)]
        return (*pods, "another-pod 10.244.9.9", *nodes, OUTSIDE)

    def _services(self) -> tuple[str, ...]:
        found = [
            f"{s.metadata.name} {s.spec.clusterIP}:{port.port}/{(port.protocol or 'TCP').lower()}"
            for s in self.cluster.view.list(Service)
            if s.spec.clusterIP not in ("", "None")
            for port in s.spec.ports
        ]
        return tuple(sorted(found, key=lambda words: words.startswith(("kubernetes ", "kube-dns"))))

    # -- what a learner does

    def buttons(self) -> Sequence[tuple[str, Callable[[], None], str]]:
        """Return the buttons that step, throw the dice again, undo and begin anew."""
        return (
            ("Next line", self.next_line, "Go on to the next line that the packet meets"),
            ("Line back", self.line_back, "Go back by one line"),
            ("To the end", self.to_the_end, "Go on to the last line"),
            ("Other dice", self.other_dice, "The next way in which the dice can fall"),
            ("Undo", self.undo, "Take the last edit back"),
            ("The node's own rules", self.reset, "Forget all edits"),
        )

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Send the packet through the text as it stands there now."""
        if not self.values["to"]:
            raise ValueError("There is no Service with an address here: create one first.")
        edited = self.values["rules"]
        trace = self._walk(edited)
        if edited != self._sent:
            self.past.append(self._sent)
            self._sent = edited
        self.trace = trace
        self.branch = 0
        self._take_branch()
        return judge(guesses, trace)

    def _walk(self, rules: str) -> Any:
        address, _, protocol = self.values["to"].rpartition(" ")[2].partition("/")
        ip, _, port = address.rpartition(":")
        node = self.cluster.view.get(Node, self.values["node"])
        source = self.values["source"].rpartition(" ")[2]
        return self.cluster.trace_rules(
            rules, source, ip, int(port), protocol=protocol, local=(address_of(node),)
        )

    def _take_branch(self) -> None:
        visited = self.trace.branches[self.branch].visited
        self.lines = walked(chains_of(self._sent), visited)
        self.place = 1 if self.lines else 0

    def next_line(self) -> None:
        """Go on by one line."""
        self._go_to(self.place + 1)

    def line_back(self) -> None:
        """Go back by one line."""
        self._go_to(self.place - 1)

    def to_the_end(self) -> None:
        """Go on to the last line."""
        self._go_to(len(self.lines))

    def _go_to(self, place: int) -> None:
        if self.trace is None:
            self.say(f"Send a packet first. {self.QUESTION}")
            return
        self.place = min(max(place, 1), len(self.lines))
        self.say(self._of_line())

    def other_dice(self) -> None:
        """Look at the next way in which the dice can fall."""
        if self.trace is None:
            self.say(f"Send a packet first. {self.QUESTION}")
            return
        self.branch = (self.branch + 1) % len(self.trace.branches)
        self._take_branch()
        branch = self.trace.branches[self.branch]
        self.say(f"With probability {branch.probability}: {_end(branch)}.")

    def undo(self) -> None:
        """Bring back the text of before the last edit."""
        edited = self.values["rules"] != self._sent
        if not edited and not self.past:
            self.say("There is no edit to take back.")
            return
        if not edited:
            self._sent = self.past.pop()
        self._forget(self._sent, "The text is as it was before. Send the packet again.")

    def reset(self) -> None:
        """Read the node's rules again."""
        self.past = []
        self._sent = self._given or self._saved(self.values["node"])
        self._forget(self._sent, f"These are the rules of {self.values['node']}. {self.QUESTION}")

    def turned(self, name: str) -> None:
        """Read the rules of another node when it is chosen."""
        if name == "node" and not self._given:
            self.reset()

    def _forget(self, rules: str, words: str) -> None:
        self.trace, self.lines, self.place = None, [], 0
        self.turn(rules=rules)
        self.say(words)

    def _of_line(self) -> str:
        line = self.lines[self.place - 1]
        verdict = "matches" if line.matched else "does not match: on to the next line"
        if self.place == len(self.lines):
            verdict += f". The end: {_end(self.trace.branches[self.branch])}"
        return f"Line {self.place} of {len(self.lines)} {verdict}."

    # -- the picture

    def draw(self) -> Figure:
        """Draw the lines that the packet has met so far."""
        if self.trace is None:
            return self._before()
        branch = self.trace.branches[self.branch]
        ways = len(self.trace.branches)
        title = f"{self.values['source'].rpartition(' ')[0]} to {self.values['to']}"
        at_end = self.place == len(self.lines)
        end = _end(branch) if at_end else "on its way"
        below = (
            f"way {self.branch + 1} of {ways}, probability {branch.probability}; "
            f"line {self.place} of {len(self.lines)}: {end}"
        )
        first = max(self.place - SHOWN, 0)
        seen = self.lines[first : self.place]
        rows = [(Cell(look=YES if line.matched else NONE), line.table,
                 Cell(short_rule(line.text), bold=False, muted=not line.matched))
                for line in seen]  # fmt: skip
        table, y = grid(COLUMNS, rows, HEAD + 4, lit=(len(rows) - 1,))
        note = "tick: the line matched; dot: it was looked at and did not match"
        items = [*heading(title, below), *table]
        items.append(Text(x=MARGIN, y=y + 16, text=note, size=SMALL, fill="muted"))
        text = "\n".join([f"{title}: {below}", *map(_told, self.lines[: self.place])])
        alt = f"Rule debugger: {title}; {below}."
        return Figure(Drawing(WIDTH, y + 32, tuple(items)), alt=alt, text=text)

    def _before(self) -> Figure:
        chains = chains_of(self._sent)
        rules = sum(map(len, chains.values()))
        title = f"The rules of {self.values['node']}"
        below = f"{count(rules, 'rule')} in {count(len(chains), 'chain')}; no packet sent yet"
        services = [chain for _, chain in chains if chain.startswith("KUBE-SVC-")]
        rows = [
            (Cell(look=YES if chains[key] else NO), key[0], f"{key[1]} ({len(chains[key])})")
            for key in chains
            if key[1] in ("KUBE-SERVICES", *services)
        ][:SHOWN]
        table, y = grid((COLUMNS[0], COLUMNS[1], Column("chain (rules)", 762, mono=True)), rows,
                        HEAD + 4)  # fmt: skip
        items = (*heading(title, below), *table)
        lines = [f"  {table} {chain}" for _, table, chain in rows]
        return Figure(Drawing(WIDTH, y + 12, items), alt=f"{title}: {below}.",
                      text="\n".join([f"{title}: {below}", *map(str, lines)]))  # fmt: skip


def address_of(node: Node | None) -> str:
    """Return a node's InternalIP."""
    found = node.status.addresses if node is not None else ()
    return next((a.address for a in found if a.type == "InternalIP"), "")


def _told(line: RuleLine) -> str:
    return f"  {'+' if line.matched else ' '} {line.table}: {short_rule(line.text)}"


def _end(branch: Any) -> str:
    if branch.verdict != "ACCEPT":
        return REFUSED if branch.verdict == "REJECT" else DROPPED
    masked = f", as if from {branch.source}" if branch.masqueraded else ""
    where = f"rewritten to {branch.ip}:{branch.port}" if branch.translated else PLAIN
    return where + masked


def kind_of(branch: Any) -> str:
    """Return the end of a branch in the words of `ENDS`."""
    if branch.verdict == "REJECT":
        return REFUSED
    if branch.verdict == "DROP":
        return DROPPED
    return REWRITTEN if branch.translated else PLAIN


def judge(guesses: Mapping[str, str], trace: Any) -> str:
    """Say how the guesses came out, and what decided."""
    ends = list(dict.fromkeys(kind_of(branch) for branch in trace.branches))
    ways = len(trace.branches)
    number = str(ways) if ways < len(WAYS) else WAYS[-1]
    first = "Right" if guesses["end"] in ends else f'You said "{guesses["end"]}"'
    second = "right" if guesses["ways"] == number else f"you said {guesses['ways']}"
    shares = ", ".join(f"{b.probability} {_end(b)}" for b in trace.branches[:6])
    more = f" and {ways - 6} more" if ways > 6 else ""
    unknown = f" Not judged: {', '.join(trace.uncertain)}." if trace.uncertain else ""
    return (
        f"{first}: it is {' or '.join(ends)}. {count(ways, 'way')}: {second}. "
        f"They are: {shares}{more}.{unknown}"
    )
