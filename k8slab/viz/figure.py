"""A figure: one drawing, with the same facts in words for whoever cannot see it.

A notebook shows the PNG and stores the text beside it; `alt` is the one sentence that a screen
reader says, `text` the whole content in a few lines, made from the same data as the picture.

    figure = cluster.map()
    figure.text             # what the picture says
    figure.save("map.svg")  # or .png; theme="dark"
    figure.export_html("map.html")  # a page with picture and words; a replay, if it has one

Rule of use: a figure is a value; draw another one to see the cluster as it is later.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from k8slab.viz import paint, svg
from k8slab.viz.drawing import Drawing

if TYPE_CHECKING:
    from k8slab.viz.player import Frame


class Figure:
    """A picture and its twin in words; neither is ever empty."""

    def __init__(
        self,
        drawing: Drawing,
        *,
        alt: str,
        text: str,
        caption: str = "",
        frames: Callable[[], Sequence[Frame]] | None = None,
    ) -> None:
        """Keep a drawing and its words; `frames` are asked for when the figure is exported."""
        if not alt.strip() or not text.strip():
            raise ValueError("a figure needs an alt text and a text twin, got an empty one")
        self.drawing = drawing
        self.alt = alt
        self.text = text
        self.caption = caption
        self.frames = frames

    def png(self, theme: str = "light", scale: float = paint.SCALE) -> bytes:
        """Return the picture as a PNG, the same bytes every time."""
        return paint.to_png(self.drawing, theme, scale)

    def svg(self, theme: str = "auto") -> str:
        """Return the picture as an SVG element; "auto" follows JupyterLab's theme."""
        return svg.to_svg(self.drawing, self.alt, theme)

    def save(self, path: str | Path, theme: str = "light") -> Path:
        """Write the picture to a .png or .svg file and return its path."""
        target = Path(path)
        if target.suffix == ".svg":
            target.write_text(self.svg(theme), encoding="utf-8")
        elif target.suffix == ".png":
            target.write_bytes(self.png(theme))
        else:
            raise ValueError(f"a figure is saved as .png or .svg, got {target.name!r}")
        return target

    def export_html(self, path: str | Path) -> Path:
        """Write a page that needs nothing else: how it came to this, frame by frame, with words."""
        from k8slab.viz.player import Frame, export

        frames = self.frames() if self.frames is not None else [Frame(self.caption, self)]
        title, _, _ = self.text.partition("\n")
        return export(path, title.rstrip(":"), frames)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        data = {"image/png": self.png(), "text/plain": self.text}
        size = {"width": round(self.drawing.width), "height": round(self.drawing.height)}
        return data, {"image/png": {**size, "alt": self.alt}}
