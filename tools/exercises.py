"""`course.py exercises`: make exercises/ from solutions/, the one source of both.

What stands between `### BEGIN SOLUTION` and `### END SOLUTION` becomes a line that says what to do,
in a function also a `raise`; hidden tests and outputs go. The markers and cell metadata are
nbgrader's, so a teacher can release the same notebooks with it.
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
HIDDEN = re.compile(
    r"^### BEGIN HIDDEN TESTS.*?^### END HIDDEN TESTS[^\n]*\n?", re.DOTALL | re.MULTILINE
)
TODO = "# YOUR CODE HERE"


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
    r"""Replace each solution in a cell's source, and leave out what is hidden.

    >>> stub("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION")
    'def f():\n    # YOUR CODE HERE\n    raise NotImplementedError'
    """
    return SOLUTION.sub(todo, HIDDEN.sub("", source))


def todo(solution: re.Match[str]) -> str:
    """Return what stands in a solution's place; between functions a `raise` would stop a run."""
    indent = solution["indent"]
    return f"{indent}{TODO}\n{indent}raise NotImplementedError" if indent else TODO
