"""Two clients while Pods come and go: how many of their requests fail, over time.

    churn_plot({"10.244.1.2:80": [(20.0, True), (20.5, False)], "http://web": [(20.0, True)]},
               events=[(20.3, "Pod deleted")])

A panel for each client: a tick for each request (above: answered, below: failed) and the error
rate of each interval. The clients share the time axis and the marks of what happened.

Rule of use: samples are data, (virtual second, answered?); whoever measured them says how.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8slab.viz.chart import Axes, ticks
from k8slab.viz.drawing import Box, Drawing, Item, Line, Text
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.shapes import mark
from k8slab.viz.style import BLUE, BODY, MARGIN, SMALL, VERMILLION, WIDTH
from k8slab.viz.text_width import clip, text_width

Samples = Sequence[tuple[float, bool]]
PANEL, RUG, BETWEEN, LEFT = 84.0, 22.0, 44.0, 74.0  # px
MOST_ROWS = 3  # of words about events
INTERVALS = 30  # of the time axis, at most


def churn_plot(
    samples: Mapping[str, Samples],
    *,
    events: Sequence[tuple[float, str]] = (),
    title: str = "Failed requests while Pods come and go",
) -> Figure:
    """Draw the error rate of each client, in the order given; times are virtual seconds."""
    everything = [time for requests in samples.values() for time, _ in requests]
    if not everything:
        raise ValueError("a churn plot needs samples: {client: [(time, answered), ...]}")
    start, end = min(everything), max(everything)
    text = _text(samples, events, title)
    worst = max(samples, key=lambda client: error_rate(samples[client]))
    rate = error_rate(samples[worst])
    alt = f"Error rates of {len(samples)} clients; {worst} fails most, {rate:.0%} of its requests."
    return Figure(draw(samples, events, title, (start, end)), alt=alt, text=text)


def error_rate(requests: Samples) -> float:
    """Return the share of requests that failed, 0 to 1."""
    return sum(not answered for _, answered in requests) / len(requests) if requests else 0.0


def outages(requests: Samples) -> list[tuple[float, float, int]]:
    """Return (first, last, how many) of each run of failed requests.

    >>> outages([(1, True), (2, False), (3, False), (4, True)])
    [(2, 3, 2)]
    """
    found: list[tuple[float, float, int]] = []
    failing = False
    for time, answered in sorted(requests):
        if answered:
            failing = False
        elif failing:
            first, _, number = found[-1]
            found[-1] = (first, time, number + 1)
        else:
            found.append((time, time, 1))
            failing = True
    return found


def rates(requests: Samples, start: float, end: float) -> list[tuple[float, float, float]]:
    """Return (from, to, error rate) of each interval in which there were requests."""
    step = _interval(start, end)
    count = int((end - start) / step) + 1
    asked, failed = [0] * count, [0] * count
    for time, answered in requests:
        place = min(int((time - start) / step), count - 1)
        asked[place] += 1
        failed[place] += not answered
    return [
        (start + place * step, min(start + (place + 1) * step, end), failed[place] / asked[place])
        for place in range(count)
        if asked[place]
    ]


def _interval(start: float, end: float) -> float:
    numbers = ticks(0.0, max(end - start, 0.001), INTERVALS)
    return numbers[1] - numbers[0] if len(numbers) > 1 else max(end - start, 0.001)


def _text(samples: Mapping[str, Samples], events: Sequence[tuple[float, str]], title: str) -> str:
    lines = [f"{title}:"]
    for client, requests in samples.items():
        failed = sum(not answered for _, answered in requests)
        lines.append(f"  {client}: {failed} of {len(requests)} failed ({error_rate(requests):.0%})")
        for first, last, number in outages(requests):
            lines.append(f"    from {first:.3f} s to {last:.3f} s: {number} in a row")
    lines += [f"  at {time:.3f} s: {words}" for time, words in sorted(events)]
    return "\n".join(lines)


def draw(
    samples: Mapping[str, Samples],
    events: Sequence[tuple[float, str]],
    title: str,
    span: tuple[float, float],
) -> Drawing:
    """Lay the panels out, one below the other."""
    items = heading(
        title, f"error rate per {_interval(*span):g} virtual seconds; a tick is a request"
    )
    top, panels = HEAD + 34 + _event_rows(events) * 14, []
    for client, requests in samples.items():
        axes = Axes(LEFT, top, WIDTH - LEFT - MARGIN - 10, PANEL, span[0], span[1], 1.0)
        panels.append(axes)
        items += _panel(client, requests, axes)
        top += PANEL + RUG + BETWEEN
    items += _events(events, panels)
    last = _taller(panels[-1], RUG)
    items += last.time_axis()
    y = last.top + last.height + 40
    x = MARGIN
    for shape, colour, words in (
        ("tick", BLUE, "answered (upper row)"),
        ("cross", VERMILLION, "failed (lower row)"),
    ):
        items += [*mark(shape, x + 5, y, 5, colour),
                  Text(x=x + 16, y=y, text=words, size=SMALL, fill="muted")]  # fmt: skip
        x += 34 + text_width(words, SMALL)
    return Drawing(WIDTH, y + 20, tuple(items))


def _taller(axes: Axes, by: float) -> Axes:
    """Return the axes with a lower edge `by` px further down."""
    return Axes(
        axes.left, axes.top, axes.width, axes.height + by, axes.start, axes.end, axes.highest
    )


def _panel(client: str, requests: Samples, axes: Axes) -> list[Item]:
    rate = error_rate(requests)
    failed = sum(not answered for _, answered in requests)
    head = f"{failed} of {len(requests)} failed ({rate:.0%})"
    y = axes.top - 14
    items: list[Item] = [
        Text(x=LEFT, y=y, text=clip(client, 560, BODY), size=BODY, bold=True),
        Text(x=axes.left + axes.width, y=y, text=head, size=BODY, anchor="end"),
    ]
    unit = Axes(axes.left, axes.top, axes.width, axes.height, axes.start, axes.end, 100)
    items += unit.frame((0, 50, 100), " %")
    for start, end, share in rates(requests, axes.start, axes.end):
        if share:
            x, upper = axes.point(start, share)
            width = max(axes.x(end) - x - 1, 2)
            tip = f"{share:.0%} failed from {start:g} s to {end:g} s"
            items.append(
                Box(x=x, y=upper, width=width, height=axes.top + axes.height - upper,
                    fill=VERMILLION, radius=1, tip=tip)
            )  # fmt: skip
    base = axes.top + axes.height + 5
    for time, answered in requests:
        x = axes.x(time)
        low, high = (base, base + 7) if answered else (base + 9, base + 16)
        colour = BLUE if answered else VERMILLION
        items.append(Line(points=((x, low), (x, high)), stroke=colour, line=1.4))
    return items


def _event_rows(events: Sequence[tuple[float, str]]) -> int:
    return min(len(events), MOST_ROWS)


def _events(events: Sequence[tuple[float, str]], panels: Sequence[Axes]) -> list[Item]:
    """Draw what happened as lines through all panels; words only where there is room."""
    items: list[Item] = []
    free = [0.0] * max(_event_rows(events), 1)
    bottom = panels[-1].top + PANEL + RUG
    for time, words in sorted(events):
        x = panels[0].x(time)
        items.append(
            Line(points=((x, panels[0].top), (x, bottom)), stroke="ink", dashed=True, tip=words)
        )
        text = clip(words, 170, SMALL)
        wide = text_width(text, SMALL)
        left = min(max(x - wide / 2, MARGIN), WIDTH - MARGIN - wide)
        row = next((row for row, end in enumerate(free) if end < left), None)
        if row is not None:
            y = HEAD + 6 + row * 14
            items.append(Text(x=left, y=y, text=text, size=SMALL))
            free[row] = left + wide + 8
    return items
