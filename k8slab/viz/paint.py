"""A drawing as a PNG, painted by matplotlib: what a notebook stores and prints.

`to_png` gives the same bytes for the same drawing. `text_boxes` tells where each text came to lie,
which is how the tests find clipped and overlapping ones.

Rule of use: matplotlib is imported here only, inside the functions, for it takes half a second.

Upstream: none
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from k8slab.viz.drawing import Box, Disc, Drawing, Item, Line, Text
from k8slab.viz.style import THEMES
from k8slab.viz.svg import BASELINE

SCALE = 1.6  # pixels of the PNG for each px of the drawing: sharp on most screens
DPI = 100.0
FONT, MONO = "DejaVu Sans", "DejaVu Sans Mono"


def to_png(drawing: Drawing, theme: str = "light", scale: float = SCALE) -> bytes:
    """Return the PNG, on the theme's own paper, so that any background carries it."""
    from PIL import Image

    figure, _ = _painted(drawing, THEMES[theme], scale)
    canvas = figure.canvas
    canvas.draw()
    whole = Image.frombytes("RGBA", canvas.get_width_height(), bytes(canvas.buffer_rgba()))
    # A palette makes it a third of the size; notebooks keep many pictures.
    few = whole.convert("RGB").quantize(
        256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    buffer = io.BytesIO()
    few.save(buffer, format="png")
    return buffer.getvalue()


def text_boxes(drawing: Drawing, scale: float = 1.0) -> list[tuple[str, Any]]:
    """Return each text with its box (x0, y0, x1, y1) in px of the drawing, y downwards."""
    figure, texts = _painted(drawing, THEMES["light"], scale)
    renderer = figure.canvas.get_renderer()
    boxes = []
    for text in texts:
        found = text.get_window_extent(renderer)
        left, right = found.x0 / scale, found.x1 / scale
        top, bottom = drawing.height - found.y1 / scale, drawing.height - found.y0 / scale
        boxes.append((text.get_text(), (left, top, right, bottom)))
    return boxes


def _painted(drawing: Drawing, roles: Mapping[str, str], scale: float) -> tuple[Any, list[Any]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = (drawing.width / DPI, drawing.height / DPI)
    figure = Figure(figsize=size, dpi=DPI * scale, facecolor=roles["paper"])
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, drawing.width)
    axes.set_ylim(drawing.height, 0)
    axes.axis("off")
    texts = []
    for place, item in enumerate(drawing.items):
        artist = _artist(item, roles)
        artist.set_zorder(place)
        if isinstance(item, Text):
            texts.append(axes.add_artist(artist))
        else:
            axes.add_artist(artist)
    return figure, texts


def _artist(item: Item, roles: Mapping[str, str]) -> Any:
    """Return matplotlib's artist for an item; widths are points there, px here."""
    from matplotlib import lines, patches, text

    if isinstance(item, Text):
        return text.Text(
            item.x,
            item.y + item.size * BASELINE,
            item.text,
            color=_colour(item.fill, roles),
            fontsize=item.size * 72 / DPI,
            fontfamily=MONO if item.mono else FONT,
            fontweight="bold" if item.bold else "normal",
            ha={"start": "left", "middle": "center", "end": "right"}[item.anchor],
            va="baseline",
            parse_math=False,
        )
    width = item.line * 72 / DPI
    edge = _colour(item.stroke, roles)
    if isinstance(item, Line):
        xs, ys = zip(*item.points, strict=True)
        style: Any = (0, (5 / item.line, 4 / item.line)) if item.dashed else "-"
        return lines.Line2D(xs, ys, color=edge, linewidth=width, linestyle=style)
    look: dict[str, Any] = {"facecolor": _colour(item.fill, roles), "edgecolor": edge}
    look["linewidth"] = width if item.stroke else 0
    if isinstance(item, Disc):
        return patches.Circle((item.x, item.y), item.radius, **look)
    if isinstance(item, Box):
        look["linestyle"] = (0, (5, 4)) if item.dashed else "-"
        radius = min(item.radius, item.width / 2, item.height / 2)
        corners: Any = patches.BoxStyle
        round_ = corners("Round", pad=0, rounding_size=radius)
        return patches.FancyBboxPatch(
            (item.x, item.y), item.width, item.height, boxstyle=round_, **look
        )
    return patches.Polygon(item.points, closed=True, joinstyle="miter", **look)


def _colour(colour: str, roles: Mapping[str, str]) -> str:
    return roles.get(colour, colour) if colour else "none"
