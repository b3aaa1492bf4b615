"""A drawing as SVG text: what widgets show, and what can be saved without loss.

`to_svg(drawing, alt)` is quick (a millisecond for hundreds of items) and always gives the same
text for the same drawing. With the theme "auto" the picture follows JupyterLab's theme by itself.

Rule of use: the result stands alone; it refers to no file, font or script.

Upstream: none
"""

from __future__ import annotations

from html import escape

from k8slab.viz.drawing import Box, Disc, Drawing, Item, Line, Polygon, Text
from k8slab.viz.style import DARK, LIGHT, THEMES

FONT = "'DejaVu Sans',Verdana,Geneva,sans-serif"
MONO = "'DejaVu Sans Mono',Menlo,Consolas,monospace"
BASELINE = 0.36  # of the font's size: from the middle of a line down to its baseline
DASH = "5 4"


def to_svg(drawing: Drawing, alt: str, theme: str = "auto") -> str:
    """Return the SVG element; `theme` is "auto", "light" or "dark"."""
    return "".join(pieces(drawing, alt, theme))


def pieces(drawing: Drawing, alt: str, theme: str = "auto") -> list[str]:
    """Return the SVG element in pieces: its head, one piece for each item, its end."""
    size = f'viewBox="0 0 {_n(drawing.width)} {_n(drawing.height)}"'
    label = f'role="img" aria-label="{escape(alt)}"'
    shape = f"width:100%;max-width:{_n(drawing.width)}px;height:auto;display:block"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="k8slab" {size} {label} '
        f'style="{shape}" font-family="{FONT}">'
    )
    paper = f'<rect width="100%" height="100%" rx="8" fill="{_colour("paper")}"/>'
    body = [_item(item) for item in drawing.items]
    return [head, f"<style>{_rules(theme)}</style>{paper}", *body, "</svg>"]


def _rules(theme: str) -> str:
    """Return the roles of the theme as CSS variables."""
    if theme != "auto":
        return f".k8slab{{{_variables(THEMES[theme])}}}"
    dark = f'body[data-jp-theme-light="false"] .k8slab{{{_variables(DARK)}}}'
    return f".k8slab{{{_variables(LIGHT)}}}{dark}"


def _variables(roles: object) -> str:
    assert isinstance(roles, dict)
    return "".join(f"--k8s-{role}:{colour};" for role, colour in roles.items())


def _colour(colour: str) -> str:
    if not colour:
        return "none"
    return colour if colour.startswith("#") else f"var(--k8s-{colour})"


def _item(item: Item) -> str:
    element, content = _element(item)
    if item.tip:
        content += f"<title>{escape(item.tip)}</title>"
    name = element.partition(" ")[0]
    return f"<{element}>{content}</{name}>" if content else f"<{element}/>"


def _element(item: Item) -> tuple[str, str]:
    """Return the tag with its attributes, and what is inside."""
    if isinstance(item, Text):
        return _text(item), escape(item.text, quote=False)
    look = f'fill="{_colour("" if isinstance(item, Line) else item.fill)}"'
    if item.stroke:
        look += f' stroke="{_colour(item.stroke)}" stroke-width="{_n(item.line)}"'
    if isinstance(item, Box | Line) and item.dashed:
        look += f' stroke-dasharray="{DASH}"'
    if isinstance(item, Box):
        place = f'x="{_n(item.x)}" y="{_n(item.y)}" rx="{_n(item.radius)}"'
        return f'rect {place} width="{_n(item.width)}" height="{_n(item.height)}" {look}', ""
    if isinstance(item, Disc):
        return f'circle cx="{_n(item.x)}" cy="{_n(item.y)}" r="{_n(item.radius)}" {look}', ""
    points = " ".join(f"{_n(x)},{_n(y)}" for x, y in item.points)
    name = "polygon" if isinstance(item, Polygon) else "polyline"
    return f'{name} points="{points}" {look}', ""


def _text(item: Text) -> str:
    place = f'x="{_n(item.x)}" y="{_n(item.y + item.size * BASELINE)}"'
    look = f'font-size="{_n(item.size)}" fill="{_colour(item.fill)}"'
    if item.anchor != "start":
        look += f' text-anchor="{item.anchor}"'
    if item.bold:
        look += ' font-weight="bold"'
    if item.mono:
        look += f' font-family="{MONO}"'
    return f"text {place} {look}"


def _n(number: float) -> str:
    """Write a number of px with at most two decimals."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
