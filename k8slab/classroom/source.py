"""Live source in a notebook: the very code that runs, never a copy of it.

    show(plan)              # a function or class
    show(plan, rank_pods)   # several

Rule of use: only what Python can read from a file; the text twin is the source itself.

Upstream: none
"""

from __future__ import annotations

import inspect
import textwrap
from typing import Any

from k8slab.classroom.mistakes import AskedWrongError


class Source:
    """The source of some functions or classes, with where it stands."""

    def __init__(self, *objects: Any) -> None:
        self.parts = [(f"{one.__module__}.{one.__qualname__}", _read(one)) for one in objects]

    @property
    def text(self) -> str:
        """The source, each part under its name."""
        return "\n\n".join(f"# {name}\n{source}" for name, source in self.parts)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        # Markdown, because a notebook colors its code as its theme wants it.
        parts = [f"`{name}`\n\n```python\n{source}\n```" for name, source in self.parts]
        return {"text/plain": self.text, "text/markdown": "\n\n".join(parts)}


def show(*objects: Any) -> Source:
    """Show the source of functions or classes of the lab, or of your own."""
    return Source(*(inspect.unwrap(one) for one in objects))


def _read(one: Any) -> str:
    try:
        return textwrap.dedent(inspect.getsource(one)).rstrip()
    except (OSError, TypeError):
        wanted = "a function or class written in Python"
        raise AskedWrongError(f"expected {wanted}, got {one!r}") from None
