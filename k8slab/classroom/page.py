"""What a notebook shows of a thing: words, the same in HTML, and a widget where there is one.

`bundle` puts the three into one output, so that a notebook page, a screen reader, a print-out and
nbval each find theirs. `paragraph`, `choices`, `box` and `folded` write the little HTML that is
needed; its colors come from JupyterLab's theme, with others for where there is no theme.

Rule of use: the text says all that the HTML says, and both are the same on every run.

Upstream: none
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
INK = "var(--jp-content-font-color1, #24292f)"
MUTED = "var(--jp-ui-font-color2, #57606a)"
LINE = "var(--jp-border-color2, #c8ccd0)"
FONT = "font-family: var(--jp-ui-font-family, system-ui, sans-serif)"
CODE = re.compile(r"`([^`]+)`")


def bundle(text: str, markup: str, widget: Any = None) -> dict[str, Any]:
    """Return one output with its twins."""
    data: dict[str, Any] = {"text/plain": text, "text/html": markup}
    if widget is not None:
        data[WIDGET_VIEW] = {
            "version_major": 2,
            "version_minor": 0,
            "model_id": widget.model_id,
        }
    return data


def inline(text: str) -> str:
    """Return text as HTML, `code` included."""
    return CODE.sub(r"<code>\1</code>", html.escape(text, quote=False))


def paragraph(text: str, *, strong: bool = False, quiet: bool = False) -> str:
    """Return text as one paragraph, if `quiet` as an aside."""
    look = "font-weight: 600; " if strong else f"color: {MUTED}; " if quiet else ""
    return f'<p style="{look}margin: 0.2em 0; line-height: 1.45">{inline(text)}</p>'


def choices(named: Sequence[tuple[str, str]]) -> str:
    """Return (letter, text) pairs as a list."""
    if not named:
        return ""
    items = "".join(f"<li><b>{letter}</b>&ensp;{inline(text)}</li>" for letter, text in named)
    return f'<ul style="list-style: none; margin: 0.2em 0; padding-left: 1em">{items}</ul>'


def listing(text: str) -> str:
    """Return text whose lines and spaces stay as they are."""
    style = "margin: 0.2em 0; white-space: pre-wrap; font-size: 0.9em"
    return f'<pre style="{style}">{html.escape(text, quote=False)}</pre>'


def folded(summary: str, inside: str) -> str:
    """Return HTML that unfolds at a click or with the keyboard."""
    return f"<details><summary>{inline(summary)}</summary>{inside}</details>"


def box(inside: str, color: str, label: str) -> str:
    """Return HTML in a box with a colored edge; the label says in words what the color says."""
    style = (
        f"border: 1px solid {LINE}; border-left: 5px solid {color}; color: {INK}; {FONT}; "
        "padding: 0.5em 0.9em; margin: 0.3em 0; max-width: 46em; border-radius: 3px"
    )
    return f'<div style="{style}" role="group" aria-label="{html.escape(label)}">{inside}</div>'
