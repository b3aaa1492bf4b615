"""Provenance: who wrote each version of an object, which fields, and what had set the writer off.

    provenance(cluster, "pod/web-6f7d8c9b4-x2k9p")
    provenance(cluster, "deployment/web", since=30)

Left the writers, in the middle the object's versions in their order, right the triggers: what each
writer had heard of before it wrote. An object has many writers, and each minds its own fields.

Rule of use: it is about one object; `why_graph` follows the causes of one write to the beginning.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.sim import Record
from k8slab.viz.drawing import Box, Drawing, Item, Line, Text, arrow
from k8slab.viz.facts import ClusterLike, clock, count
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.placement import mean, spread
from k8slab.viz.shapes import mark
from k8slab.viz.style import MARGIN, SMALL, WIDTH, component_key, component_look
from k8slab.viz.text_width import clip, fit, text_width, wrap
from k8slab.viz.writes import Write, writes_of

SIDE, MIDDLE = 206.0, 330.0  # px: widths of the columns
CARD, PITCH, PLATE = 56.0, 68.0, 54.0  # px: a version, to the next one, a writer or a trigger
MOST = 12  # versions, the newest


def provenance(
    cluster: ClusterLike, what: str, *, namespace: str = "default", since: float = 0.0
) -> Figure:
    """Draw who wrote "KIND/NAME" and why; writes before `since`, in virtual s, are left out.

    Raises ValueError if nobody wrote it.
    """
    writes = writes_of(cluster, what, namespace, since)
    if not writes:
        raise ValueError(f"nobody wrote {what} in namespace {namespace} since {since:g} s")
    shown = writes[-MOST:]
    writers = list(dict.fromkeys(write.record.component for write in writes))
    title = f"Who wrote {what}, and why"
    below = f"{count(len(writes), 'version')} by {count(len(writers), 'writer')}"
    if any(write.trigger is None for write in shown):
        below += "; where there is no trigger, it began"
    if len(shown) < len(writes):
        below += f"; {count(len(writes) - len(shown), 'earlier version')} left out"
    alt = f"Provenance of {what}: {count(len(writes), 'version')}, by {', '.join(writers)}."
    return Figure(draw(shown, title, below), alt=alt, text=_text(writes, title))


def fields_of(write: Write) -> str:
    """Say what a write wrote."""
    if write.record.verb == "remove":
        return "the object is gone"
    return "the whole object" if write.whole else ", ".join(write.fields) or "nothing that matters"


def did(record: Record) -> tuple[str, str]:
    """Say what somebody did, and to what: ("create Pod", "web-x"), ("start container web", "")."""
    kind, _, name = record.subject.partition("/")
    if record.detail and not record.revision:
        return f"{record.verb} {record.detail}", ""
    return f"{record.verb} {kind}", name.rpartition("/")[2]


def _text(writes: Sequence[Write], title: str) -> str:
    lines = [f"{title}:"]
    for write in writes:
        record, cause = write.record, write.trigger
        lines.append(
            f"  revision {record.revision} at {clock(record.time)} by {record.component} "
            f"({record.verb}): {fields_of(write)}"
        )
        told = "nothing: it began here"
        if cause is not None:
            told = f"{cause.component}: {' '.join(did(cause)).strip()} at {clock(cause.time)}"
        lines.append(f"    set off by {told}")
    return "\n".join(lines)


def draw(writes: Sequence[Write], title: str, below: str) -> Drawing:
    """Lay the three columns out, writers and triggers beside what they have to do with."""
    top = HEAD + 22
    middle, right = (WIDTH - MIDDLE) / 2, WIDTH - MARGIN - SIDE
    ys = [top + place * PITCH + CARD / 2 for place in range(len(writes))]
    items = heading(title, below)
    heads = (
        (MARGIN, "writers"),
        (middle, "versions: the fields that changed"),
        (right, "triggers"),
    )
    items += [Text(x=x, y=HEAD + 8, text=text, size=SMALL, fill="muted") for x, text in heads]
    writers = [write.record.component for write in writes]
    triggers = [str(write.trigger.id) if write.trigger is not None else "" for write in writes]
    found = {str(write.trigger.id): write.trigger for write in writes if write.trigger is not None}
    cards: list[Item] = []
    for name, y in spots(writers, ys).items():
        cards += _plate((name.partition("/")[0], name.partition("/")[2]), name, MARGIN, y)
        for other, at in zip(writers, ys, strict=True):
            if other == name:
                items += arrow([(MARGIN + SIDE, y), (middle, at)], line=1.6)
    for number, y in spots(triggers, ys).items():
        cause = found[number]
        lines = (cause.component.partition("/")[0], *did(cause))
        cards += _plate(lines, cause.component, right, y, f"{cause.time:.3f}")
        for other, at in zip(triggers, ys, strict=True):
            if other == number:
                ends = ((middle + MIDDLE, at), (right, y))
                items.append(Line(points=ends, stroke="muted", line=1.4, dashed=True))
    for write, y in zip(writes, ys, strict=True):
        cards += _card(write, middle, y - CARD / 2)
    parts = [component_key(r.component) for r in (*(w.record for w in writes), *found.values())]
    signs, end = legend(top + PITCH * len(writes) + 2, components=parts)
    return Drawing(WIDTH, end + 10, (*items, *cards, *signs))


def spots(names: Sequence[str], ys: Sequence[float]) -> dict[str, float]:
    """Return a place for each name that is not "": beside its rows, none on another.

    >>> spots(["a", "b", "a"], [100, 110, 120])
    {'a': 110.0, 'b': 170.0}
    """
    near: dict[str, list[float]] = {}
    for name, y in zip(names, ys, strict=True):
        if name:
            near.setdefault(name, []).append(y)
    wanted = [mean(own, 0.0) for own in near.values()]
    return dict(zip(near, spread(wanted, PLATE + 6, 0.0), strict=True))


def _plate(
    lines: Sequence[str], component: str, x: float, y: float, moment: str = ""
) -> list[Item]:
    """Draw a component with up to three lines; the time stands beside the last one."""
    look = component_look(component)
    shown = [text for text in lines if text or (moment and text is lines[-1])]
    items: list[Item] = [
        Box(x=x, y=y - PLATE / 2, width=SIDE, height=PLATE, fill="panel", stroke=look.fill, line=2,
            tip=f"{component}: {' '.join(lines[1:])}"),
        *mark(look.shape, x + 16, y, 6, look.fill),
    ]  # fmt: skip
    for place, text in enumerate(shown):
        middle = y + 15 * (place - (len(shown) - 1) / 2)
        last = moment and place == len(shown) - 1
        room = SIDE - 40 - (text_width(moment, SMALL) + 8 if last else 0)
        words = clip(text, room, SMALL) if place == 1 else fit(text, room, SMALL, bold=not place)
        items.append(Text(x=x + 32, y=middle, text=words, size=SMALL, bold=not place))
        if last:
            right = x + SIDE - 8
            items.append(
                Text(x=right, y=middle, text=moment, size=SMALL, fill="muted", anchor="end")
            )
    return items


def _card(write: Write, x: float, y: float) -> list[Item]:
    """Draw a version: its revision, and up to two lines of fields."""
    record = write.record
    look = component_look(record.component)
    moment = clock(record.time)
    head = fit(f"{record.verb}, revision {record.revision}", MIDDLE - 80, SMALL, bold=True)
    items: list[Item] = [
        Box(x=x, y=y, width=MIDDLE, height=CARD, fill="panel", stroke=look.fill, line=2,
            tip=f"{record.component}: {fields_of(write)}"),
        Text(x=x + 10, y=y + 13, text=head, size=SMALL, bold=True),
        Text(x=x + MIDDLE - 10, y=y + 13, text=moment, size=SMALL, fill="muted", anchor="end"),
    ]  # fmt: skip
    for row, line in enumerate(_two_lines(fields_of(write), MIDDLE - 20)):
        items.append(Text(x=x + 10, y=y + 29 + 14 * row, text=line, size=SMALL))
    return items


def _two_lines(text: str, width: float) -> list[str]:
    """Break a list of fields into at most two lines."""
    first, *rest = wrap(text, width, SMALL)
    return [first, clip(" ".join(rest), width, SMALL)] if rest else [first]
