"""What a learner typed cannot be done: one sentence in the notebook, no traceback.

    raise AskedWrongError('expected a hint from 1 to 3, got 4')

Rule of use: for what learners type into the classroom's functions; the sentence says what was
expected, what was found, and what to do.

Upstream: none
"""

from __future__ import annotations


class AskedWrongError(ValueError):
    """A sentence for the learner; a notebook shows it alone."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]  # IPython asks for this instead of its own lines
