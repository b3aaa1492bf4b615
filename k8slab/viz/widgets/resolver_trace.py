"""The resolver trace: a name, a namespace, ndots, a trailing dot, and the queries that follow.

    resolver_trace(cluster)

The learner sets the dials, predicts how many names are asked for and how it ends; then the name is
really resolved: each query travels to the cluster's DNS server and its answer comes back.

Rule of use: the resolv.conf above the guesses is all that one needs to predict the order.

Upstream: none (strace and tcpdump beside nslookup show this there)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

import msgspec

from k8slab.viz.drawing import Drawing, Text
from k8slab.viz.facts import count
from k8slab.viz.figure import Figure
from k8slab.viz.grid import NO, WARN, YES, Cell, Column, grid
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.style import MARGIN, SMALL, WIDTH
from k8slab.viz.widgets.trial import Dial, Trial
from k8slab.viz.widgets.widget import Drivable

COUNTS = ("1", "2", "3", "4", "5", "6 or more")
FOUND, UNKNOWN, SILENT = "an address", "no such name", "no answer"
ENDS = (FOUND, UNKNOWN, SILENT)
PLAIN, DOT = "without a dot at the end", "with a dot at the end"
COLUMNS = (Column("", 34), Column("name asked for", 436, mono=True), Column("A", 200),
           Column("AAAA", 190))  # fmt: skip


class Resolving(Drivable, Protocol):
    """A cluster in which names can be resolved."""

    def resolve(
        self, name: str, *, namespace: str = "default", ndots: int | None = None, libc: str = ""
    ) -> Any:
        """Resolve a name as a Pod of the namespace would."""

    def resolv_conf(self, *, namespace: str = "default", ndots: int | None = None) -> Any:
        """Return the resolv.conf of such a Pod."""


class Asked(msgspec.Struct, frozen=True):
    """One name that was asked for, and the two answers."""

    name: str
    a: str
    aaaa: str

    @property
    def found(self) -> bool:
        """Whether there is an address."""
        return self.a[:1].isdigit() or ":" in self.aaaa


def resolver_trace(cluster: Resolving, *, name: str = "kubernetes") -> ResolverTrace:
    """Return the resolver trace, with a name to begin with."""
    return ResolverTrace(cluster, name)


class ResolverTrace(Trial):
    """Dials of a look-up, and the queries that it took."""

    QUESTION = "How many names will be asked for, and how does it end?"
    GO = "Resolve"

    def __init__(self, cluster: Resolving, name: str) -> None:
        spaces = tuple(ns.metadata.name for ns in cluster.view.list("namespaces"))
        super().__init__(
            (
                Dial(name="name", words="name", value=name, width="330px"),
                Dial(name="dot", words="written", options=(PLAIN, DOT), width="250px"),
                Dial(name="namespace", words="asked in", options=spaces, width="230px"),
                Dial(name="ndots", words="ndots", options=("5", "1", "2", "3", "15")),
                Dial(name="libc", words="libc", options=("glibc", "musl")),
            ),
            (
                Dial(name="names", words="Names asked for", options=COUNTS, width="230px"),
                Dial(name="end", words="It ends with", options=ENDS, width="220px"),
            ),
        )  # fmt: skip
        self.cluster = cluster
        self.asked: tuple[Asked, ...] = ()
        self.end = ""
        self._of = ""  # what was asked

    @property
    def whole_name(self) -> str:
        """The name, with the dot at its end if the dial says so."""
        name = self.values["name"].strip().rstrip(".")
        return name + "." if self.values["dot"] == DOT else name

    def preview(self) -> str:
        """Return the resolv.conf."""
        return str(self._conf()).strip()

    def _conf(self) -> Any:
        ndots = int(self.values["ndots"])
        return self.cluster.resolv_conf(namespace=self.values["namespace"], ndots=ndots)

    def redraw(self) -> None:
        """Offer the namespaces that there are now, and draw."""
        spaces = [ns.metadata.name for ns in self.cluster.view.list("namespaces")]
        self.offer("namespace", spaces)
        super().redraw()

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Resolve the name and compare."""
        name, values = self.whole_name, self.values
        if not name.rstrip("."):
            raise ValueError("There is no name to resolve: write one into the field.")
        lookup = self.cluster.resolve(
            name, namespace=values["namespace"], ndots=int(values["ndots"]), libc=values["libc"]
        )
        self.asked = asked_of(lookup.queries)
        self.end = ", ".join(lookup.addresses) or lookup.error
        self._of = f"{name} in namespace {values['namespace']} ({values['libc']})"
        end = FOUND if lookup.addresses else SILENT if lookup.code == "EAI_AGAIN" else UNKNOWN
        verdict = _verdict(guesses, len(self.asked), end)
        order = why_this_order(name, int(values["ndots"]), values["libc"])
        return f"{verdict}\n{order}"

    # -- the picture

    def draw(self) -> Figure:
        """Draw the queries, in their order."""
        if not self.asked:
            return self._before()
        title = f"Queries for {self._of}"
        twice = sum(bool(each.a) + bool(each.aaaa) for each in self.asked)
        below = f"{count(len(self.asked), 'name')}, {twice} queries; in the end: {self.end}"
        rows = [
            (str(number), Cell(f"{each.name}.", bold=each.found), _answer(each.a),
             _answer(each.aaaa))
            for number, each in enumerate(self.asked, 1)
        ]  # fmt: skip
        table, y = grid(COLUMNS, rows, HEAD + 4)
        note = (
            "NXDOMAIN: there is no such name. NODATA: the name is there, with no address of "
            "this type."
        )
        items = [*heading(title, below), *table]
        items.append(Text(x=MARGIN, y=y + 16, text=note, size=SMALL, fill="muted"))
        lines = [f"  {n}  {each.name}. A {each.a} AAAA {each.aaaa}"
                 for n, each in enumerate(self.asked, 1)]  # fmt: skip
        text = "\n".join([title, *lines, f"in the end: {self.end}"])
        alt = f"{title}: {below}."
        return Figure(Drawing(WIDTH, y + 32, tuple(items)), alt=alt, text=text)

    def _before(self) -> Figure:
        conf = str(self._conf()).strip().splitlines()
        title = f"How a Pod of namespace {self.values['namespace']} resolves names"
        items = heading(title, "its /etc/resolv.conf:")
        for number, line in enumerate(conf):
            y = HEAD + 14 + 20 * number
            items.append(Text(x=MARGIN, y=y, text=line, size=SMALL, mono=True))
        height = HEAD + 20 * len(conf) + 16
        text = "\n".join([title, *(f"  {line}" for line in conf)])
        return Figure(Drawing(WIDTH, height, tuple(items)), alt=f"{title}.", text=text)


def asked_of(queries: Sequence[Any]) -> tuple[Asked, ...]:
    """Return the names in the order in which they were asked, with both answers.

    A name that is asked again, of another server or after silence, stands there again.
    """
    found: list[Asked] = []
    for name, group in groupby(queries, key=lambda query: query.name):
        answers: dict[str, str] = {}
        for query in group:
            if query.type in answers:
                found.append(Asked(name, answers.get("A", ""), answers.get("AAAA", "")))
                answers = {}
            answers[query.type] = _words(query)
        found.append(Asked(name, answers.get("A", ""), answers.get("AAAA", "")))
    return tuple(found)


def _words(query: Any) -> str:
    if query.addresses:
        return " ".join(query.addresses)
    return "NODATA" if query.rcode == "NOERROR" else str(query.rcode)


def _answer(words: str) -> Cell:
    if words in ("NXDOMAIN", "TIMEOUT", "SERVFAIL", "REFUSED"):
        return Cell(words, look=NO)
    return Cell(words, look=WARN if words == "NODATA" else YES if words else None)


def _verdict(guesses: Mapping[str, str], names: int, end: str) -> str:
    number = str(names) if names < len(COUNTS) else COUNTS[-1]
    first = "Right" if guesses["names"] == number else f"You said {guesses['names']}"
    second = "right" if guesses["end"] == end else f'you said "{guesses["end"]}"'
    return f"{first}: {count(names, 'name')}. It ends with {end}: {second}."


def why_this_order(name: str, ndots: int, libc: str) -> str:
    """Say in one sentence why the names are asked for in this order."""
    dots = name.rstrip(".").count(".")
    if name.endswith("."):
        return "The dot at the end says that the name is whole: the search list is not used."
    few = f"{name} has {count(dots, 'dot')}"
    if dots < ndots:
        return (
            f"{few}, fewer than ndots:{ndots}: every entry of the search list is tried first, "
            "the name itself last."
        )
    if libc == "musl":
        return f"{few}, at least ndots:{ndots}: musl asks for the name itself, and nothing else."
    return (
        f"{few}, at least ndots:{ndots}: the name itself is tried first, the search list only if "
        "that fails."
    )
