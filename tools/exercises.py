"""`course.py exercises`: make exercises/ from solutions/, the one source of both.

What stands between `### BEGIN SOLUTION` and `### END SOLUTION` becomes a line that says what to do
and a `raise`; outputs go. The markers and cell metadata are nbgrader's, so a teacher can release
the same notebooks with it.
"""

import re
from pathlib import Path
from typing import Any

from tools import notebook_files

SOURCE, TARGET = Path("solutions"), Path("exercises")
SOLUTION = re.compile(
    r"^(?P<indent>[ \t]*)### BEGIN SOLUTION.*?^[ \t]*### END SOLUTION[^\n]*$",
    re.DOTALL | re.MULTILINE,
)
STUB = r"\g<indent># YOUR CODE HERE\n\g<indent>raise NotImplementedError"


def main(arguments: list[str]) -> int:
    """Write every exercise again, or those that are named; return 0."""
    paths = [SOURCE / Path(name).name for name in arguments] or sorted(SOURCE.glob("*.ipynb"))
    for path in paths:
        exercise = unsolved(notebook_files.read(path))
        notebook_files.write(exercise, TARGET / path.name)
        print(TARGET / path.name)
    return 0


def unsolved(notebook: Any) -> Any:
    """Give the notebook as the learner gets it: without solutions and without outputs."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = stub(cell.source)
            cell.outputs, cell.execution_count = [], None
    return notebook


def stub(source: str) -> str:
    r"""Replace each solution in a cell's source.

    >>> stub("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION")
    'def f():\n    # YOUR CODE HERE\n    raise NotImplementedError'
    """
    return SOLUTION.sub(STUB, source)
