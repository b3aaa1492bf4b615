"""Exercises are made from solutions."""

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from tools import exercises, notebook_files

SOLUTION = """def plan(rs):
    wanted = rs.spec.replicas
    ### BEGIN SOLUTION
    return wanted - 1
    ### END SOLUTION

### BEGIN SOLUTION
plan(1)
### END SOLUTION
"""


def test_a_solution_becomes_a_stub_at_its_own_depth() -> None:
    stub = exercises.stub(SOLUTION)
    assert "    # YOUR CODE HERE\n    raise NotImplementedError\n\n# YOUR CODE HERE\n" in stub
    assert "SOLUTION" not in stub
    assert "wanted = rs.spec.replicas" in stub


def test_outside_of_functions_nothing_is_raised_so_that_all_cells_can_run() -> None:
    cell = "answer = ...\n### BEGIN SOLUTION\nanswer = 42\n### END SOLUTION"
    assert exercises.stub(cell) == "answer = ...\n# YOUR CODE HERE"


def test_hidden_tests_stay_behind() -> None:
    cell = "### BEGIN HIDDEN TESTS\nassert answer == 42\n### END HIDDEN TESTS\ncheck(answer)"
    assert exercises.stub(cell) == "check(answer)"


def test_an_exercise_has_no_outputs_and_keeps_its_cells_metadata() -> None:
    graded = {"nbgrader": {"grade_id": "plan", "solution": True}}
    cell = new_code_cell(SOLUTION, execution_count=3, metadata=graded)
    exercise = exercises.unsolved(new_notebook(cells=[cell]))
    assert exercise.cells[0].execution_count is None
    assert exercise.cells[0].metadata == graded


def test_the_same_notebook_is_written_with_the_same_bytes(tmp_path) -> None:
    for number, version in enumerate(("3.11.7", "3.12.1")):
        notebook = new_notebook(cells=[new_code_cell("1 + 1", id="sum")])
        notebook.metadata["language_info"] = {"name": "python", "version": version}
        notebook_files.write(notebook, tmp_path / f"{number}.ipynb")
    first, second = ((tmp_path / f"{number}.ipynb").read_bytes() for number in range(2))
    assert first == second
    assert nbformat.read(tmp_path / "0.ipynb", as_version=4).metadata.kernelspec.name == "python3"
