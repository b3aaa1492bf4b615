"""A player: one HTML file that replays pictures with their captions and words, anywhere.

    cluster.map().export_html("map.html")
    explorer(cluster).export_html("run.html")

The file needs no network, no kernel and no font: a slider, three buttons, the arrow keys and the
space bar move through the frames. What frames have in common is stored once, so hundreds of them
stay below a megabyte. Without scripts it shows the last frame and its words.

Rule of use: frames are in the order of time; each is a `Figure` with a caption.

Upstream: none
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from k8slab.viz import svg
from k8slab.viz.player_page import PAGE

if TYPE_CHECKING:
    from k8slab.viz.facts import TraceLike
    from k8slab.viz.figure import Figure

MOST = 150  # frames of a trace
MOST_BYTES = 1_000_000  # of a file; where there is more to show, every other frame is left out
INTERVAL = 700  # ms of yours, between two frames that play


class Frame(msgspec.Struct, frozen=True):
    """One picture of a replay, with the sentence that belongs to it."""

    caption: str
    figure: Figure


def export(path: str | Path, title: str, frames: Sequence[Frame]) -> Path:
    """Write the player of some frames to a .html file and return its path."""
    target = Path(path)
    if target.suffix not in (".html", ".htm"):
        raise ValueError(f"a player is saved as .html, got {target.name!r}")
    if not frames:
        raise ValueError("a player needs a frame: nothing has been shown yet")
    content = page(title, frames).encode()
    while len(content) > MOST_BYTES and len(frames) > 1:
        frames = frames[::-2][::-1]  # the last one stays
        content = page(title, frames).encode()
    target.write_bytes(content)
    return target


def page(title: str, frames: Sequence[Frame]) -> str:
    """Return the file."""
    last = frames[-1]
    values = {
        "title": escape(title),
        "count": str(len(frames)),
        "last": str(len(frames) - 1),
        "interval": str(INTERVAL),
        "caption": escape(last.caption),
        "picture": last.figure.svg(),
        "words": escape(last.figure.text),
        "data": _data(frames),
    }
    text = PAGE
    for name, value in values.items():
        text = text.replace(f"@@{name}@@", value)
    return text


class _Table:
    """Strings, each stored once, known by their number."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def of(self, texts: Iterable[str]) -> list[int]:
        """Return the numbers of some strings."""
        return [self.numbers.setdefault(text, len(self.numbers)) for text in texts]


def _data(frames: Sequence[Frame]) -> str:
    """Return the frames as JSON that may stand in a script: parts of pictures, lines of words."""
    parts, lines = _Table(), _Table()
    listed = [
        {
            "caption": frame.caption,
            "parts": parts.of(svg.pieces(frame.figure.drawing, frame.figure.alt)),
            "lines": lines.of(frame.figure.text.splitlines()),
        }
        for frame in frames
    ]
    data = {"parts": list(parts.numbers), "lines": list(lines.numbers), "frames": listed}
    # An end tag inside a string would end the script.
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")


def moments(trace: TraceLike, since: int, until: int, most: int = MOST) -> list[int]:
    """Return the numbers of at most so many records after `since`, the last one among them.

    Of records of one instant only the last counts: nobody could see the others.
    """
    seen = [
        number
        for number in range(max(min(since + 1, until), 1), until + 1)
        if number == until or trace[number + 1].time > trace[number].time
    ]
    if len(seen) <= most:
        return seen
    step = (len(seen) - 1) / (most - 1)
    return [seen[round(place * step)] for place in range(most)]


def of_trace(
    trace: TraceLike, numbers: Sequence[int], draw: Callable[[int], Figure]
) -> list[Frame]:
    """Return a frame for each of some records: `draw` gives its picture, the record its caption."""
    frames = []
    for number in numbers:
        record = trace[number]
        words = f"{record.component} {record.verb} {record.subject} {record.detail}".strip()
        frames.append(Frame(f"{record.time:.3f} s: {words}", draw(number)))
    return frames
