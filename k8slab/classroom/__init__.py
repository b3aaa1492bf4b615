"""The classroom: predictions, questions, exercises with their checks, and grading.

    from k8slab.classroom import predict, reveal, check

`predict` and `reveal` belong around a run, `warm_up` and `exit_ticket` around a chapter; `check`,
`hint` and `lab` belong to the exercises; `show` prints live source, `what_if` shows the world of a
misunderstanding. What a learner did is kept
in the ledger: `progress` shows it, `export_ledger` and `import_ledger` take it along, `sign` puts a
name on it. Grading is `python -m k8slab grade`.

Rule of use: a check builds its own clusters; nothing in the notebook can prepare them.

Upstream: none
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from k8slab.classroom.checks import check, hint, lab, task
    from k8slab.classroom.ledger import export_ledger, import_ledger, sign
    from k8slab.classroom.predictions import predict, reveal
    from k8slab.classroom.quiz import exit_ticket, warm_up
    from k8slab.classroom.source import show
    from k8slab.classroom.standing import progress
    from k8slab.classroom.suppose import what_if

_HOME = {
    "predict": "predictions",
    "reveal": "predictions",
    "warm_up": "quiz",
    "exit_ticket": "quiz",
    "show": "source",
    "check": "checks",
    "hint": "checks",
    "lab": "checks",
    "task": "checks",
    "progress": "standing",
    "export_ledger": "ledger",
    "import_ledger": "ledger",
    "sign": "ledger",
    "what_if": "suppose",
}
__all__ = [
    "check",
    "exit_ticket",
    "export_ledger",
    "hint",
    "import_ledger",
    "lab",
    "predict",
    "progress",
    "reveal",
    "show",
    "sign",
    "task",
    "warm_up",
    "what_if",
]


def __getattr__(name: str) -> Any:
    """Load a function's module when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"k8slab.classroom has no {name!r}; it has {', '.join(sorted(_HOME))}")
    # No module may be called as one of its functions: it would hide it once it was imported.
    return getattr(import_module(f"k8slab.classroom.{_HOME[name]}"), name)
