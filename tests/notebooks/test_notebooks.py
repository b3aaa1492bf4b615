"""Committed notebooks are executed, in order, and carry nothing of the machine that ran them.

That they print what they say they print is nbval's part: `python3 course.py test notebooks`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tools import exercises, notebook_files

ROOT = Path(__file__).resolve().parents[2]


def notebooks(*folders: str) -> list[Any]:
    paths = [path for folder in folders for path in sorted((ROOT / folder).glob("*.ipynb"))]
    return [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in paths]


def code_cells(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code" and "".join(cell["source"])]


@pytest.mark.parametrize("path", notebooks("notebooks", "solutions"))
def test_every_code_cell_was_executed_in_order(path: Path) -> None:
    counts = [cell["execution_count"] for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1)), "python3 course.py notebooks"


@pytest.mark.parametrize("path", notebooks("notebooks", "solutions"))
def test_no_cell_failed_that_was_not_meant_to(path: Path) -> None:
    for cell in code_cells(path):
        failed = any(output["output_type"] == "error" for output in cell["outputs"])
        assert not failed or "raises-exception" in cell["metadata"].get("tags", [])


@pytest.mark.parametrize("path", notebooks("notebooks", "solutions"))
def test_no_cell_silences_its_value_with_a_semicolon(path: Path) -> None:
    """The kernel forgets about it when nbval asks, and shows the value after all."""
    assert not [cell for cell in code_cells(path) if "".join(cell["source"]).endswith(";")]


@pytest.mark.parametrize("path", notebooks("notebooks", "exercises", "solutions"))
def test_a_notebook_carries_nothing_of_the_machine(path: Path, tmp_path: Path) -> None:
    notebook_files.write(notebook_files.read(path), tmp_path / path.name)
    assert (tmp_path / path.name).read_bytes() == path.read_bytes(), "python3 course.py notebooks"


@pytest.mark.parametrize("path", notebooks("exercises"))
def test_an_exercise_is_not_solved(path: Path) -> None:
    for cell in code_cells(path):
        assert cell["outputs"] == []
        assert "### BEGIN SOLUTION" not in "".join(cell["source"])


@pytest.mark.parametrize("path", notebooks("solutions"))
def test_an_exercise_is_what_its_solution_makes_it(path: Path, tmp_path: Path) -> None:
    exercise = ROOT / "exercises" / path.name
    notebook_files.write(exercises.unsolved(notebook_files.read(path)), tmp_path / path.name)
    assert exercise.exists(), "python3 course.py exercises"
    assert exercise.read_bytes() == (tmp_path / path.name).read_bytes()
