"""The packet card: one request, hop by hop, with its addresses before and after each.

    packet_card(cluster)

Choose a client and a URL, predict how it ends and what is rewritten; the request is then really
sent. Step through its hops, there and back: where the packet is, what was changed, by which rule or
by which entry of conntrack.

Rule of use: the card shows the first packet and the answer to it; the others fare alike.

Upstream: pwru and conntrack -L show this of a real kernel
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from k8slab.api.core import Node, Pod, Service
from k8slab.viz.drawing import Box, Drawing, Item, Text, arrow
from k8slab.viz.facts import SYSTEM, count
from k8slab.viz.figure import Figure
from k8slab.viz.grid import NONE, WARN, YES, Cell, Column, grid
from k8slab.viz.ladder import first_exchange, reason
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.style import BODY, MARGIN, ORANGE, SMALL, WIDTH, text_on
from k8slab.viz.text_width import clip, wrap
from k8slab.viz.widgets.trial import Dial, Trial
from k8slab.viz.widgets.widget import Drivable

OUTCOMES = ("answered", "refused", "timed out", "unresolved", "unreachable")
OWN, OTHER, NEVER = "the client's own", "another one", "no server sees it"
SEEN = (OWN, OTHER, NEVER)
SHOWN = 14  # hops of the list
FIELDS = ("source", "port of source", "destination", "port of destination")
COLUMNS = (Column("", 24), Column("hop", 40), Column("where", 190), Column("point", 130),
           Column("packet", 476))  # fmt: skip


class Asking(Drivable, Protocol):
    """A cluster in which requests can be sent."""

    def request(self, /, source: str, url: str, **options: Any) -> Any:
        """Send one request and return its whole journey."""


def packet_card(cluster: Asking, *, url: str = "") -> PacketCard:
    """Return the card of a request, by default to the first Service of namespace default."""
    return PacketCard(cluster, url)


class PacketCard(Trial):
    """A request, and the hop that is looked at."""

    QUESTION = "How does it end, and whose address does the server see?"
    GO = "Send the request"

    def __init__(self, cluster: Asking, url: str) -> None:
        self.cluster = cluster
        self.answer: Any = None
        self.hops: list[Any] = []
        self.place = 0
        super().__init__(
            (
                Dial(name="source", words="from", options=self._sources(), width="300px"),
                Dial(name="url", words="to", value=url or self._url(), width="330px"),
            ),
            (
                Dial(name="outcome", words="It is", options=OUTCOMES, width="200px"),
                Dial(name="seen", words="The server sees", options=SEEN, width="290px"),
            ),
        )

    def _sources(self) -> tuple[str, ...]:
        """Return who may ask: Pods behind no Service first, for a Pod may be sent to itself."""
        view = self.cluster.view
        selectors = [s.spec.selector for s in view.list(Service, "default") if s.spec.selector]
        pods = [pod for pod in view.list(Pod, "default") if pod.status.podIP]
        pods.sort(key=lambda pod: any(s.items() <= pod.metadata.labels.items() for s in selectors))
        names = [f"pod/{pod.metadata.name}" for pod in pods]
        return (*names, *(f"node/{n.metadata.name}" for n in view.list(Node)), "outside")

    def _url(self) -> str:
        services = [s.metadata.name for s in self.cluster.view.list(Service, "default")]
        named = [name for name in services if name != "kubernetes"]
        return f"http://{named[0]}" if named else "https://kubernetes"

    # -- what a learner does

    def buttons(self) -> Sequence[tuple[str, Callable[[], None], str]]:
        """Return the buttons that step from hop to hop."""
        return (
            ("Next hop", self.next_hop, "Go on to the next hop"),
            ("Hop back", self.hop_back, "Go back by one hop"),
            ("Next change", self.next_change, "Go on to the next hop that rewrites an address"),
        )

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Send the request and compare."""
        try:
            self.answer = self.cluster.request(self.values["source"], self.values["url"].strip())
        except LookupError as error:
            raise ValueError(str(error).strip("'\"")) from None
        self.hops = first_exchange(self.answer.hops)
        self.place = 0
        return judge(guesses, self.answer, self.hops)

    def next_hop(self) -> None:
        """Go on by one hop."""
        self._go_to(self.place + 1)

    def hop_back(self) -> None:
        """Go back by one hop."""
        self._go_to(self.place - 1)

    def next_change(self) -> None:
        """Go on to the next hop at which an address is rewritten."""
        later = range(self.place + 1, len(self.hops))
        self._go_to(next((n for n in later if self.hops[n].changed), len(self.hops) - 1))

    def _go_to(self, place: int) -> None:
        if not self.hops:
            self.say(f"No packet is on its way. {self.QUESTION}")
            return
        self.place = min(max(place, 0), len(self.hops) - 1)
        hop = self.hops[self.place]
        why = f" {_why(hop)}." if _why(hop) else ""
        self.say(f"Hop {self.place + 1} of {len(self.hops)}: {hop.namespace} {hop.point}.{why}")

    def redraw(self) -> None:
        """Offer the clients that there are now, and draw."""
        self.offer("source", self._sources())
        super().redraw()

    # -- the picture

    def draw(self) -> Figure:
        """Draw the card of the hop, and the list of hops below it."""
        if self.answer is None:
            title, below = "No request yet", "choose a client and a URL, predict, send"
            items = tuple(heading(title, below))
            return Figure(Drawing(WIDTH, HEAD, items), alt=f"{title}.", text=f"{title}: {below}")
        title = f"{self.answer.source} to {self.answer.url}: {self.answer.outcome}"
        if not self.hops:
            below = self.answer.error or "no packet was sent to it"
            items = tuple(heading(title, below))
            return Figure(Drawing(WIDTH, HEAD, items), alt=f"{title}.", text=f"{title}: {below}")
        hop = self.hops[self.place]
        way = "there" if hop.direction == "request" else "back"
        below = f"hop {self.place + 1} of {len(self.hops)}, on the way {way}: {hop.namespace}"
        card, y = _card(hop, HEAD + 4)
        first = min(max(self.place - SHOWN // 2, 0), max(len(self.hops) - SHOWN, 0))
        rows = [_row(n, self.hops[n]) for n in range(first, min(first + SHOWN, len(self.hops)))]
        table, y = grid(COLUMNS, rows, y + 10, lit=(self.place - first,))
        drawing = Drawing(WIDTH, y + 14, (*heading(title, below), *card, *table))
        lines = [f"{title}; {below}", *_lines(hop), "all hops:"]
        lines += [f"  {_told(each)}" for each in self.hops]
        return Figure(drawing, alt=f"Packet card: {title}; {below}.", text="\n".join(lines))


def _sides(hop: Any) -> list[tuple[str, str, str]]:
    """Return (field, before, after) of the four fields that may be rewritten."""
    a, b = hop.before, hop.after
    pairs = ((a.src, b.src), (a.sport, b.sport), (a.dst, b.dst), (a.dport, b.dport))
    return [(name, str(x), str(y)) for name, (x, y) in zip(FIELDS, pairs, strict=True)]


def _card(hop: Any, y: float) -> tuple[list[Item], float]:
    """Draw the four fields before and after, a changed one on a coloured plate."""
    height, line = 132.0, 22.0
    items: list[Item] = [
        Box(x=MARGIN, y=y, width=WIDTH - 2 * MARGIN, height=height + 40, fill="panel", radius=10),
        Text(x=MARGIN + 16, y=y + 18, text=hop.point, size=BODY, bold=True),
        Text(x=MARGIN + 250, y=y + 18, text="before", size=SMALL, fill="muted"),
        Text(x=MARGIN + 540, y=y + 18, text="after", size=SMALL, fill="muted"),
    ]
    for place, (name, before, after) in enumerate(_sides(hop)):
        middle = y + 42 + line * place
        changed = before != after
        items.append(Text(x=MARGIN + 16, y=middle, text=name, size=SMALL, fill="muted"))
        items.append(Text(x=MARGIN + 250, y=middle, text=before, size=BODY, mono=True))
        if changed:
            items.append(Box(x=MARGIN + 530, y=middle - 9, width=170, height=18, fill=ORANGE))
            items += arrow([(MARGIN + 440, middle), (MARGIN + 520, middle)], line=1.5)
        ink = text_on(ORANGE) if changed else "ink"
        items.append(
            Text(x=MARGIN + 540, y=middle, text=after, size=BODY, mono=True, fill=ink,
                 bold=changed)
        )  # fmt: skip
    for place, words in enumerate(wrap(_why(hop), WIDTH - 2 * MARGIN - 40, SMALL)[:2]):
        items.append(Text(x=MARGIN + 16, y=y + height + 6 + 16 * place, text=words, size=SMALL))
    return items, y + height + 40


def _why(hop: Any) -> str:
    """Say what decided at a hop."""
    entry = " ".join(hop.connection.split())
    words = [reason(hop), hop.note, f"conntrack: {entry}" if entry else ""]
    return "; ".join(word for word in words if word)


def _row(number: int, hop: Any) -> tuple[Cell | str, ...]:
    look = WARN if reason(hop) and not hop.changed else YES if hop.changed else NONE
    sign = "->" if hop.direction == "request" else "<-"
    where = hop.namespace.removeprefix("default/").removeprefix(f"{SYSTEM}/")
    packet = clip(f"{sign} {hop.after}", 460, SMALL)
    return Cell(look=look), str(number + 1), where, hop.point, Cell(packet, bold=hop.changed)


def _lines(hop: Any) -> list[str]:
    lines = [f"  {hop.point}"]
    for name, before, after in _sides(hop):
        lines.append(f"  {name}: {before}" + (f" -> {after}" if before != after else ""))
    return lines + ([f"  {_why(hop)}"] if _why(hop) else [])


def _told(hop: Any) -> str:
    sign = "->" if hop.direction == "request" else "<-"
    return f"{sign} {hop.namespace} {hop.point}: {hop.after}{' (rewritten)' if hop.changed else ''}"


def seen_by_server(hops: Sequence[Any]) -> str:
    """Return whose address the request bears where it arrives, in the words of `SEEN`."""
    there = [hop for hop in hops if hop.direction == "request"]
    back = any(hop.direction == "reply" for hop in hops)
    if not there or not back:
        return NEVER
    return OWN if there[-1].after.src == there[0].before.src else OTHER


def judge(guesses: Mapping[str, str], answer: Any, hops: Sequence[Any]) -> str:
    """Say how the guesses came out, and what was rewritten."""
    seen = seen_by_server(hops) if answer.outcome == "answered" else NEVER
    first = "Right" if guesses["outcome"] == answer.outcome else f"You said {guesses['outcome']}"
    second = "right" if guesses["seen"] == seen else f'you said "{guesses["seen"]}"'
    changes = {way: sum(h.changed for h in hops if h.direction == way)
               for way in ("request", "reply")}  # fmt: skip
    error = f" {answer.error}." if answer.error else ""
    return (
        f"{first}: it is {answer.outcome}.{error} The address that the server sees: {seen}, "
        f"{second}. {count(changes['request'], 'rewrite')} on the way there, "
        f"{changes['reply']} on the way back."
    )
