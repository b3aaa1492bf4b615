"""The back-off staircase: how long a container that keeps ending waits before each restart.

    back_off_staircase(cluster, "pod/crash")

Above, a step for each wait, measured from the end of the container to its next start; each rise
is a doubling. In the table the back-off that the kubelet announced, 10 s to 300 s; a wait is longer
by what the kubelet's loop and the image take. Below, all of it to scale: mostly waiting.

Rule of use: lives are read from the trace, back-offs from `state.waiting.message` of the status.

Upstream: pkg/kubelet/kuberuntime/kuberuntime_manager.go (doBackOff)
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import msgspec

from k8slab.api.core import Pod
from k8slab.sim import Record
from k8slab.viz.chart import Axes
from k8slab.viz.drawing import Box, Drawing, Item, Line, Text
from k8slab.viz.facts import ClusterLike, clock, count, statuses
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.style import BLUE, MARGIN, ORANGE, SMALL, WIDTH, Look

LEVELS = (10, 20, 40, 80, 160, 300)  # s, as kubelets double them
LOWEST, HIGHEST = 5.0, 400.0  # s, at the bottom and at the top of the staircase
MOST = 13  # steps, the first ones, for they grow
LEFT, HEIGHT, CELL, STRIP = 96.0, 176.0, 18.0, 22.0  # px
LIFE = re.compile(r"(?:init )?container ([^:]+)(?:: (.*))?")
ANNOUNCED = re.compile(r"back-off (?:(\d+)m)?(?:(\d+)s)? restarting")
RUNNING = Look(BLUE, "square", "runs")
WAITING = Look(ORANGE, "up", "waits for its restart")


class Life(msgspec.Struct, frozen=True):
    """One run of a container, and the wait after it; times in virtual seconds."""

    started: float
    ended: float | None = None  # None: it still runs
    how: str = ""  # "Error, exit code 1"
    back_off: int = 0  # s, as the kubelet announced it
    again: float | None = None  # when it started next

    @property
    def waited(self) -> float:
        """The seconds between this end and the next start, 0 if there is none."""
        return 0.0 if self.ended is None or self.again is None else self.again - self.ended


def back_off_staircase(
    cluster: ClusterLike,
    pod: str,
    *,
    container: str = "",
    namespace: str = "default",
    since: float = 0.0,
) -> Figure:
    """Draw the restarts of a container of "pod/NAME"; by default of the one that ended most often.

    Runs that began before `since`, in virtual seconds, are left out. Raises ValueError if no
    container of the Pod has ended.
    """
    name = pod.rpartition("/")[2]
    container, lives = read(cluster, name, namespace, container)
    lives = [life for life in lives if life.started >= since]
    if not lives or lives[0].ended is None:
        raise ValueError(f"no container of pod/{name} in namespace {namespace} has ended yet")
    title = f"Restarts of container {container} in pod/{name}"
    waits = [life for life in lives if life.again is not None]
    longest = max((life.back_off for life in lives), default=0)
    alt = (
        f"Staircase of {count(len(waits), 'restart')} of pod/{name}; "
        f"the longest back-off so far is {longest} s."
    )
    below = f"{count(len(waits), 'restart')}; a step is the wait before one"
    if len(lives) > MOST:
        below += f"; {count(len(lives) - MOST, 'later run')} left out"
    return Figure(
        draw(lives[:MOST], cluster.now, (title, below)), alt=alt, text=_text(lives, title)
    )


def read(
    cluster: ClusterLike, name: str, namespace: str, container: str = ""
) -> tuple[str, list[Life]]:
    """Return a container's name and its lives, oldest first; "" chooses the one with the most."""
    subject = f"Pod/{namespace}/{name}"
    records = [r for r in cluster.trace.about(subject) if r.verb != "event"]
    removed = [place for place, record in enumerate(records) if record.verb == "remove"]
    if removed and removed[-1] + 1 < len(records):
        records = records[removed[-1] + 1 :]  # a Pod of that name before this one
    runs: dict[str, list[Life]] = {}
    for record in records:
        found = LIFE.fullmatch(record.detail) if record.verb in ("start", "exit") else None
        if found is not None:
            _note(runs.setdefault(found[1], []), record, found[2] or "")
        elif record.verb.endswith("status"):
            _announced(cluster.at(record.time).get(Pod, name, namespace), runs)
    if not container and runs:
        container = max(runs, key=lambda each: len(runs[each]))
    return container, runs.get(container, [])


def _note(lives: list[Life], record: Record, how: str) -> None:
    """Add a start or an end to the lives of a container."""
    replace = msgspec.structs.replace
    if record.verb == "start":
        if lives:
            lives[-1] = replace(lives[-1], again=record.time)
        lives.append(Life(record.time))
    elif lives:
        lives[-1] = replace(lives[-1], ended=record.time, how=how)


def _announced(pod: Pod | None, runs: dict[str, list[Life]]) -> None:
    """Read the back-off from a status, as the kubelet wrote it after an end."""
    for status in statuses(pod) if pod is not None else ():
        waiting, lives = status.state.waiting, runs.get(status.name)
        found = ANNOUNCED.search(waiting.message) if waiting is not None else None
        if found is not None and lives and lives[-1].ended is not None:
            seconds = int(found[1] or 0) * 60 + int(found[2] or 0)
            lives[-1] = msgspec.structs.replace(lives[-1], back_off=seconds)


def _text(lives: Sequence[Life], title: str) -> str:
    lines = [f"{title}:"]
    for number, life in enumerate(lives, 1):
        ran = "still runs"
        if life.ended is not None:
            ran = f"ran {life.ended - life.started:.3f} s, ended with {life.how}"
        line = f"  run {number}: at {clock(life.started)} {ran}"
        if life.ended is not None:
            line += f"; back-off {life.back_off} s"
            line += f", waited {life.waited:.3f} s" if life.again is not None else ", waits"
        lines.append(line)
    return "\n".join(lines)


def draw(lives: Sequence[Life], now: float, words: tuple[str, str]) -> Drawing:
    """Lay out the staircase, its table and the strip."""
    end = lives[-1].again or now
    top, width = HEAD + 18, WIDTH - MARGIN - LEFT
    pitch = min(width / len(lives), 96.0)
    items = heading(*words)
    for seconds in LEVELS:
        y = _height(seconds, top)
        items.append(Line(points=((LEFT, y), (WIDTH - MARGIN, y)), stroke="rule", line=0.8))
        items.append(
            Text(x=LEFT - 8, y=y, text=f"{seconds} s", size=SMALL, fill="muted", anchor="end")
        )
    base = top + HEIGHT
    items.append(Line(points=((LEFT, base), (WIDTH - MARGIN, base)), stroke="muted"))
    for place, life in enumerate(lives):
        items += _step(life, LEFT + place * pitch, pitch, top, now)
    table, y = _table(lives, pitch, base + 6)
    strip, y = _strip(lives, end, y + 14)
    signs, y = legend(y + 6, extra=(RUNNING, WAITING))
    return Drawing(WIDTH, y + 10, (*items, *table, *strip, *signs))


def _height(seconds: float, top: float) -> float:
    """Return where a wait is: each doubling is as high as the other."""
    share = math.log2(max(seconds, LOWEST) / LOWEST) / math.log2(HIGHEST / LOWEST)
    return top + HEIGHT * (1 - min(share, 1.0))


def _step(life: Life, x: float, pitch: float, top: float, now: float) -> list[Item]:
    """Draw the wait after a life; hollow while it lasts, nothing while the container runs."""
    base = top + HEIGHT
    if life.ended is None:
        return [Text(x=x + pitch / 2, y=base - 9, text="runs", size=SMALL, anchor="middle")]
    lasts = life.again is None
    seconds = now - life.ended if life.again is None else life.waited
    y = min(_height(life.back_off if lasts else seconds, top), base - 3)
    tip = f"{life.how}; back-off {life.back_off} s"
    fill = "paper" if lasts else ORANGE
    label = f"{seconds:.0f} s…" if lasts else f"{seconds:.1f} s"
    return [
        Box(x=x + 1, y=y, width=pitch - 2, height=base - y, fill=fill, stroke=ORANGE, radius=2,
            dashed=lasts, tip=tip),
        Text(x=x + pitch / 2, y=y - 9, text=label, size=SMALL, anchor="middle", tip=tip),
    ]  # fmt: skip


def _table(lives: Sequence[Life], pitch: float, y: float) -> tuple[list[Item], float]:
    """Write under each step what came before it, and where the table ends."""
    rows = (
        ("run", [str(number) for number, _ in enumerate(lives, 1)]),
        ("lasted", [f"{life.ended - life.started:.1f} s" if life.ended else "" for life in lives]),
        ("exit code", [life.how.rpartition(" ")[2] for life in lives]),
        ("back-off", [f"{life.back_off} s" if life.back_off else "" for life in lives]),
    )
    items: list[Item] = []
    for name, cells in rows:
        middle = y + CELL / 2
        items.append(Text(x=MARGIN, y=middle, text=name, size=SMALL, fill="muted"))
        items += [
            Text(x=LEFT + (place + 0.5) * pitch, y=middle, text=cell, size=SMALL, anchor="middle")
            for place, cell in enumerate(cells)
        ]
        y += CELL
    return items, y


def _strip(lives: Sequence[Life], end: float, y: float) -> tuple[list[Item], float]:
    """Draw the lives and the waits to scale, and return where the strip ends."""
    axes = Axes(LEFT, y, WIDTH - MARGIN - LEFT - 12, STRIP, lives[0].started, end, 1.0)
    items: list[Item] = [
        Text(x=MARGIN, y=y + STRIP / 2, text="to scale", size=SMALL, fill="muted"),
        Box(x=LEFT, y=y + 5, width=axes.width, height=STRIP - 10, fill=ORANGE, radius=2),
    ]
    for life in lives:
        left, right = axes.x(life.started), axes.x(end if life.ended is None else life.ended)
        items.append(
            Box(x=left, y=y, width=max(right - left, 2), height=STRIP, fill=BLUE, radius=1,
                tip=f"ran from {clock(life.started)}")
        )  # fmt: skip
    items += axes.time_axis()
    return items, y + STRIP + 26
