"""The environment self-check: is everything there that the course needs?

    self_check()

Each line is one thing that was really tried, with what to do if it failed. Nothing of the machine
is printed, so that the page is the same for everybody whose environment is complete.

Rule of use: a check says "yes" or what to do; it never raises.

Upstream: none
"""

from __future__ import annotations

import html
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from k8slab.classroom import page
from k8slab.viz.style import BLUE, ORANGE

OLDEST = (3, 11)
PACKAGES = ("msgspec", "yaml", "networkx", "matplotlib", "ipywidgets", "dns")
SET_UP = "close JupyterLab and start it with `python3 course.py lab`"


class SelfCheck:
    """What was tried and how it came out."""

    def __init__(self, results: list[tuple[str, str]]) -> None:
        self.results = results  # what was tried, and what to do: empty if it is well

    @property
    def ok(self) -> bool:
        """Whether everything is well."""
        return not any(problem for _, problem in self.results)

    @property
    def text(self) -> str:
        """One line for each thing, and a last one for all of them."""
        lines = [f"{'no ' if bad else 'yes'}  {what}{_to_do(bad)}" for what, bad in self.results]
        return "\n".join([*lines, self._verdict()])

    def __repr__(self) -> str:
        return self.text

    def _verdict(self) -> str:
        return "All is well: go on." if self.ok else "Something is missing: see the lines above."

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        rows = "".join(
            f"<div>{'✗' if bad else '✓'}&ensp;{html.escape(what)}{page.inline(_to_do(bad))}</div>"
            for what, bad in self.results
        )
        inside = rows + page.paragraph(self._verdict(), strong=True)
        color = BLUE if self.ok else ORANGE
        return page.bundle(self.text, page.box(inside, color, "Self-check of the environment"))


def self_check() -> SelfCheck:
    """Try what the course needs and say what is missing."""
    return SelfCheck([(what, _try(test)) for what, test in CHECKS.items()])


def _to_do(problem: str) -> str:
    return f": {problem}" if problem else ""


def _try(test: Callable[[], str]) -> str:
    try:
        return test()
    except Exception as failure:  # whatever it is, the learner gets a sentence
        return f"{type(failure).__name__}: {failure}; {SET_UP}"


def _python() -> str:
    if sys.version_info >= OLDEST:
        return ""
    return "install a newer Python and run `python3 course.py clean`"


def _packages() -> str:
    missing = [name for name in PACKAGES if find_spec(name) is None]
    return f"{', '.join(missing)} cannot be found; {SET_UP}" if missing else ""


def _boots() -> str:
    from k8slab.cluster import Cluster

    printed = Cluster(workers=1, seed=7).kubectl("get nodes")
    return "" if printed.count(" Ready ") == 2 else f"kubectl said: {printed}"


def _repeats() -> str:
    from k8slab.cluster import Cluster

    one, other = (Cluster(workers=1, seed=7).trace.digest() for _ in range(2))
    return "" if one == other else "two runs differ; report it, with your Python version"


def _draws() -> str:
    from k8slab.cluster import Cluster

    figure = Cluster(workers=0, seed=7).map()
    return "" if figure.png().startswith(b"\x89PNG") else "the figure is no picture"


def _widgets() -> str:
    from k8slab.classroom.form import available

    return "" if available() else "forms need a notebook; use `predict(..., guess=...)` here"


CHECKS: dict[str, Callable[[], str]] = {
    "Python 3.11 or newer": _python,
    "every package is there": _packages,
    "a cluster boots, and kubectl sees its nodes": _boots,
    "the same seed gives the same run, to the last byte": _repeats,
    "figures can be drawn": _draws,
    "widgets can be made": _widgets,
}
