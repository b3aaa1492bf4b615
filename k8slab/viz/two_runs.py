"""Two runs below one another: the same deeds at other times, or other deeds.

    two_timelines({"no preStop": one, "preStop 10 s": other}, about=("Pod/*/web-*", "rules"),
                  since=(40.0, 40.0), seconds=15)

A lane for each component and a mark for each deed, on the same scale of time, counted from the
beginning that you chose for each run; below, the deeds as two lists. The first pair that differs
is in bold: up to there the two runs are one.

Rule of use: `about` holds patterns of the trace's subjects ("Pod/default/web-*", "rules").

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from k8slab.sim import Record
from k8slab.viz.chart import Axes
from k8slab.viz.drawing import Drawing, Item, Line, Text
from k8slab.viz.facts import ClusterLike, count
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.shapes import mark
from k8slab.viz.style import BODY, COMPONENTS, MARGIN, SMALL, WIDTH, component_look, lane_label
from k8slab.viz.text_width import clip
from k8slab.viz.traffic import actor

LEFT, LANE, CAPTION, STEP = 128.0, 22.0, 28.0, 17.0  # px
MOST = 16  # deeds of each list
ALIKE = 0.1  # s between two deeds that count as simultaneous


class Run(msgspec.Struct, frozen=True):
    """The deeds of one run, with the seconds since its beginning."""

    name: str
    deeds: tuple[tuple[float, Record], ...]


def two_timelines(
    runs: Mapping[str, ClusterLike],
    *,
    about: Sequence[str],
    since: Sequence[float] = (0.0, 0.0),
    seconds: float = 60.0,
    title: str = "",
) -> Figure:
    """Draw the deeds of two runs about some subjects, from a virtual time of each on.

    Raises ValueError unless there are two runs, and something happened in one of them.
    """
    if len(runs) != 2:
        raise ValueError(
            f'two runs are compared: {{"one": cluster, "other": fork}}, got {len(runs)}'
        )
    read = [
        deeds_of(name, cluster, about, (start, start + seconds))
        for (name, cluster), start in zip(runs.items(), since, strict=True)
    ]
    if not any(run.deeds for run in read):
        raise ValueError(f"nothing about {', '.join(about)} in these {seconds:g} s of either run")
    title = title or f"{read[0].name}, and {read[1].name}"
    place = parting(*read)
    below = (
        "the same deeds at the same times"
        if place is None
        else f"they differ from deed {place + 1} on"
    )
    counts = ", ".join(f"{run.name} has {count(len(run.deeds), 'deed')}" for run in read)
    alt = f"Two timelines of {seconds:g} s: {counts}; {below}."
    drawing = draw(read, seconds, place, (title, f"{counts}; {below}"))
    return Figure(drawing, alt=alt, text=_text(read, title, place))


def deeds_of(
    name: str, cluster: ClusterLike, about: Sequence[str], span: tuple[float, float]
) -> Run:
    """Return what was done about some subjects between two virtual times; Events are left out."""
    found = [
        (record.time - span[0], record)
        for record in cluster.trace
        if span[0] <= record.time <= span[1]
        and record.verb != "event"
        and any(fnmatchcase(record.subject, pattern) for pattern in about)
    ]
    return Run(name, tuple(found))


def told(record: Record) -> str:
    """Say what was done: "kubelet/worker-1: update status Pod web"."""
    kind, _, name = record.subject.partition("/")
    what = f"{kind} {name.rpartition('/')[2]}".strip()
    detail = f" ({record.detail})" if record.detail else ""
    return f"{record.component}: {record.verb} {what}{detail}"


def parting(one: Run, other: Run) -> int | None:
    """Return the place of the first deed that is another one, or comes at another time."""
    for place, (left, right) in enumerate(zip(one.deeds, other.deeds, strict=False)):
        if told(left[1]) != told(right[1]) or abs(left[0] - right[0]) > ALIKE:
            return place
    shorter, longer = sorted((len(one.deeds), len(other.deeds)))
    return shorter if shorter != longer else None


def _text(runs: Sequence[Run], title: str, place: int | None) -> str:
    lines = [f"{title}:"]
    for run in runs:
        lines.append(f"  {run.name}:")
        for number, (time, record) in enumerate(run.deeds):
            sign = "*" if number == place else " "
            lines.append(f"   {sign}{time:+9.3f}  {told(record)}")
    if place is not None:
        lines.append(f"  from deed {place + 1} on (*) the runs differ")
    return "\n".join(lines)


def draw(runs: Sequence[Run], seconds: float, place: int | None, words: tuple[str, str]) -> Drawing:
    """Lay out the lanes of both runs, then their lists side by side."""
    order = list(COMPONENTS)
    who = dict.fromkeys(lane(record) for run in runs for _, record in run.deeds)
    lanes = sorted(who, key=lambda name: order.index(name))
    items = heading(*words)
    y = HEAD
    for run in runs:
        text = clip(run.name, WIDTH - 2 * MARGIN, BODY)
        items.append(Text(x=MARGIN, y=y + CAPTION / 2, text=text, size=BODY, bold=True))
        y += CAPTION
        axes = Axes(LEFT, y, WIDTH - LEFT - MARGIN - 16, LANE * len(lanes), 0.0, seconds, 1.0)
        items += _lanes(run, lanes, axes)
        y += LANE * len(lanes) + 6
    items += Axes(axes.left, axes.top, axes.width, axes.height, 0.0, seconds, 1.0).time_axis()
    y += 32
    half = (WIDTH - 2 * MARGIN - 20) / 2
    for column, run in enumerate(runs):
        items += _list(run, MARGIN + column * (half + 20), y, half, place)
    longest = max(min(len(run.deeds), MOST) + (len(run.deeds) > MOST) for run in runs)
    return Drawing(WIDTH, y + 22 + STEP * longest + 10, tuple(items))


def lane(record: Record) -> str:
    """Return the lane of a record: one for all nodes."""
    return actor(record).partition("/")[0]


def _lanes(run: Run, lanes: Sequence[str], axes: Axes) -> list[Item]:
    items: list[Item] = []
    for row, name in enumerate(lanes):
        middle = axes.top + (row + 0.5) * LANE
        look = component_look(name)
        items += [
            Line(points=((LEFT, middle), (axes.left + axes.width, middle)), stroke="rule"),
            *mark(look.shape, MARGIN + 6, middle, 6, look.fill),
            Text(x=MARGIN + 18, y=middle, text=clip(lane_label(name), 84, SMALL), size=SMALL),
        ]
        for time, record in run.deeds:
            if lane(record) == name:
                items += mark(look.shape, axes.x(time), middle, 5.5, look.fill, "ink")
    return items


def _list(run: Run, x: float, y: float, width: float, place: int | None) -> list[Item]:
    """Write the deeds of a run, around the one where the runs part if there are too many."""
    first = max(0, min((place or 0) - MOST // 2, len(run.deeds) - MOST))
    shown = run.deeds[first : first + MOST]
    head = clip(run.name + (f", from deed {first + 1} on" if first else ""), width - 20, SMALL)
    items: list[Item] = [Text(x=x, y=y + 8, text=head, size=SMALL, fill="muted")]
    for row, (time, record) in enumerate(shown):
        middle = y + 24 + row * STEP
        bold = first + row == place
        # Bold letters are wider by a tenth.
        words = clip(told(record), (width - 62) * (0.88 if bold else 1), SMALL)
        items += [
            Text(x=x + 50, y=middle, text=f"{time:+.3f}", size=SMALL, fill="muted", anchor="end"),
            Text(x=x + 58, y=middle, text=words, size=SMALL, bold=bold, tip=told(record)),
        ]
    more = len(run.deeds) - first - len(shown)
    if more > 0:
        middle = y + 24 + len(shown) * STEP
        text = f"and {count(more, 'more deed')}"
        items.append(Text(x=x + 58, y=middle, text=text, size=SMALL, fill="muted"))
    return items
