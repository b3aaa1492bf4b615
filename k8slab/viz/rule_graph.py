"""The rules of a Service as a graph: chain after chain, the chances, and how often each was hit.

    rule_chains(cluster.node("worker-1").shell("iptables-save -c"), "web")

Left, where connections come in; right, the endpoints. Each rule takes its probability of what the
rules before it left over, so 1/3, 1/2 and 1 are fair. The bar of an endpoint is the share that it
got, the mark on it the share that it should get: with more connections they come closer.

Rule of use: the counters count connections, not packets; only the first packet meets the nat table.

Upstream: pkg/proxy/iptables/proxier.go
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from k8slab.viz.drawing import Box, Drawing, Item, Line, Text, arrow
from k8slab.viz.facts import count
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.placement import mean, spread
from k8slab.viz.rule_text import Chain, Jump, Rules, read
from k8slab.viz.style import BLUE, MARGIN, SMALL, VERMILLION, WIDTH, Look
from k8slab.viz.text_width import clip, fit, wrap

GAP, LINE, CARD, PITCH = 40.0, 15.0, 68.0, 80.0  # px
MOST = 10  # chains side by side; the rest is counted
Places = dict[str, tuple[float, float]]
REFUSALS = ("REJECT", "DROP")
GOT = Look(BLUE, "bar", "share of the connections that it got; the mark: that it should get")
ENTRANCES = {
    "KUBE-SERVICES": "every new connection comes by",
    "KUBE-NODEPORTS": "those to an address of the node",
}


def rule_chains(rules: Any, service: str, *, namespace: str = "default") -> Figure:
    """Draw the iptables rules of a Service; raises ValueError if there are none about it.

    `rules` is text of `iptables-save`, with `-c` for the counters, or a Ruleset.
    """
    found = read(str(rules), service, namespace)
    ends = [chain for chain in found.chains.values() if chain.destination]
    title = f"Rules of Service {namespace}/{service}"
    below = f"{count(len(found.chains), 'chain')}, {count(len(ends), 'endpoint')}"
    refused = [jump.target for jump in found.jumps if jump.target in REFUSALS]
    if refused:
        below += f"; some packets meet {refused[0]}"
    alt = f"Graph of the iptables rules of Service {namespace}/{service}: {below}."
    return Figure(draw(found, title, below), alt=alt, text=_text(found, title))


def columns(rules: Rules) -> list[list[str]]:
    """Return the chains in columns: each right of all that lead to it."""
    import networkx

    graph: Any = networkx.DiGraph()
    graph.add_nodes_from(rules.chains)
    graph.add_edges_from((jump.source, jump.target) for jump in rules.jumps)
    order = list(rules.chains)
    layers = [sorted(layer, key=order.index) for layer in networkx.topological_generations(graph)]
    depth = {name: place for place, layer in enumerate(layers) for name in layer}
    last = len(layers) - 1
    ends = [name for name in order if rules.chains[name].destination]
    depth.update({name: last for name in ends})  # endpoints stand in one column
    return [[name for name in order if depth[name] == place] for place in range(len(layers))]


def share_of(rules: Rules, name: str) -> Fraction | None:
    """Return the share of a Service's connections that an endpoint's chain should get."""
    shares = [jump.share for jump in rules.into(name)]
    return shares[0] if shares else None


def hits(rules: Rules, name: str) -> int | None:
    """Return how often a chain was jumped to, None if the text has no counters."""
    counted = [jump.rule.packets for jump in rules.into(name) if jump.rule.packets is not None]
    return sum(counted) if counted else None


def got(rules: Rules, name: str) -> Fraction | None:
    """Return the share that an endpoint's chain got of its port's connections, None of none."""
    sources = [jump.source for jump in rules.into(name)]
    total = sum(jump.rule.packets or 0 for jump in rules.jumps if jump.source in sources)
    return Fraction(hits(rules, name) or 0, total) if total else None


def _text(rules: Rules, title: str) -> str:
    lines = [f"{title}:"]
    for name, chain in rules.chains.items():
        told = f"  {name}"
        if chain.destination:
            told += f": DNAT to {chain.destination}"
        number = hits(rules, name)
        if number is not None:
            told += f", {count(number, 'hit')}"
        lines.append(told + (", marks for masquerade" if chain.marks else ""))
        for jump in rules.jumps:
            if jump.source == name:
                lines.append(f"    {_jump(jump)} -> {jump.target}")
    return "\n".join(lines)


def _jump(jump: Jump) -> str:
    """Say when a jump is taken: "1/2 of the rest: 1/3 of all", or for which packets."""
    if jump.rule.condition:
        return jump.rule.condition
    if jump.share is None:
        return "otherwise"
    chance = jump.rule.chance
    if chance == jump.share:
        return "all" if chance == 1 else f"{chance} of all"
    return f"{'the rest' if chance == 1 else f'{chance} of the rest'}: {jump.share} of all"


def draw(rules: Rules, title: str, below: str) -> Drawing:
    """Lay the columns out, each chain beside those that it leads to."""
    layers = columns(rules)
    width = (WIDTH - 2 * MARGIN - GAP * (len(layers) - 1)) / len(layers)
    places = _places(rules, layers, width)
    items = heading(title, below)
    cards: list[Item] = []
    for name, (x, y) in places.items():
        cards += _card(rules, name, (x, y), width)
    for jump in rules.jumps:
        if jump.source in places and jump.target in places:
            (x0, y0), (x1, y1) = places[jump.source], places[jump.target]
            taken = bool(jump.rule.packets)
            items += arrow(
                [(x0 + width, y0), (x1, y1)], stroke="ink" if taken else "muted",
                line=2.0 if taken else 1.2, tip=_jump(jump),
            )  # fmt: skip
    bottom = max(y for _, y in places.values()) + CARD / 2
    most = max(len(layer) for layer in layers)
    if most > MOST:
        text = f"and {count(most - MOST, 'chain')} more that the text lists"
        items.append(Text(x=WIDTH - MARGIN, y=bottom + 14, text=text, size=SMALL, fill="muted",
                          anchor="end"))  # fmt: skip
        bottom += 20
    shown = any(got(rules, name) is not None for name in rules.chains)
    signs, end = legend(bottom + 12, extra=(GOT,) if shown else ())
    return Drawing(WIDTH, end + 10, (*items, *cards, *signs))


def _places(rules: Rules, layers: Sequence[Sequence[str]], width: float) -> Places:
    """Return (left edge, middle) of each chain: beside those that lead to it, none on another."""
    tall = max(min(len(layer), MOST) for layer in layers) * PITCH
    places: Places = {}
    for column, layer in enumerate(layers):
        x, shown = MARGIN + column * (width + GAP), layer[:MOST]
        free = HEAD + 6 + CARD / 2 + (tall - len(shown) * PITCH) / 2
        if column == len(layers) - 1 or not column:
            places.update({name: (x, free + row * PITCH) for row, name in enumerate(shown)})
            continue
        near = [[places[j.source][1] for j in rules.into(name) if j.source in places]
                for name in shown]  # fmt: skip
        wanted = [mean(own, free) for own in near]
        # Those that want the same place stand around it.
        wanted = [y + PITCH * (wanted[:row].count(y) - (wanted.count(y) - 1) / 2)
                  for row, y in enumerate(wanted)]  # fmt: skip
        ys = spread(wanted, PITCH, HEAD + 6 + CARD / 2)
        places.update({name: (x, y) for name, y in zip(shown, ys, strict=True)})
    return places


def _card(rules: Rules, name: str, spot: tuple[float, float], width: float) -> list[Item]:
    """Draw a chain: its name, when it is entered, what it does, how often."""
    x, middle = spot
    y = middle - CARD / 2
    chain = rules.chains[name]
    refuses = name in REFUSALS
    edge = VERMILLION if refuses else BLUE if chain.destination else "muted"
    lines = _lines(rules, chain, width - 20)
    items: list[Item] = [
        Box(x=x, y=y, width=width, height=CARD, fill="panel", stroke=edge, line=2, tip=name),
        Text(x=x + 10, y=y + 12, text=fit(name, width - 20, SMALL, bold=True), size=SMALL,
             bold=True, tip=name),
    ]  # fmt: skip
    for row, text in enumerate(lines):
        items.append(
            Text(x=x + 10, y=y + 12 + LINE * (row + 1), text=clip(text, width - 20, SMALL),
                 size=SMALL, tip=text)
        )  # fmt: skip
    share, due = got(rules, name), share_of(rules, name)
    if chain.destination and share is not None:
        items += _bar(x + 10, y + CARD - 9, width - 20, share, due)
    return items


def _lines(rules: Rules, chain: Chain, width: float) -> list[str]:
    """Return at most three lines about a chain."""
    number = hits(rules, chain.name)
    counted = "" if number is None else count(number, "hit")
    ways = rules.into(chain.name)
    when = _jump(ways[0]) if ways else ""
    if not ways:
        return wrap(ENTRANCES.get(chain.name, ""), width, SMALL)
    if chain.destination:
        return [when, ", ".join(text for text in (f"to {chain.destination}", counted) if text)]
    marks = "marks for masquerade" if chain.marks else ""
    return [text for text in (when, marks, counted) if text][:3]


def _bar(x: float, y: float, width: float, share: Fraction, due: Fraction | None) -> list[Item]:
    """Draw the share that was got, and a mark at the share that was due."""
    items: list[Item] = [
        Box(x=x, y=y - 3, width=width, height=6, fill="paper", stroke="rule", radius=2),
        Box(x=x, y=y - 3, width=max(width * float(share), 1), height=6, fill=BLUE, radius=2),
    ]
    if due is not None:
        at = x + width * float(due)
        items.append(Line(points=((at, y - 6), (at, y + 6)), stroke="ink", line=2))
    return items
