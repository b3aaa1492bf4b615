from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from k8slab.classroom.grading.grade import grade
from k8slab.classroom.grading.kernel import Limits
from k8slab.classroom.grading.report import Report

ROOT = Path(__file__).resolve().parents[3]
LIMITS = Limits(seconds=4.0)
Cells = list[dict[str, Any]]


def cells_of(path: Path) -> Cells:
    cells: Cells = json.loads(path.read_text())["cells"]
    return cells


def notebook(path: Path, cells: Cells) -> Path:
    path.parent.mkdir(exist_ok=True)
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(book))
    return path


def own_cell(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "id": "mine", "source": source, "metadata": {}, "outputs": []}


def answers(cells: Cells, given: dict[str, str]) -> Cells:
    """Give the cells with other sources, by cell id; "" deletes the cell."""
    kept = [cell for cell in cells if given.get(cell["id"], "?") != ""]
    return [{**cell, "source": given.get(cell["id"], cell["source"])} for cell in kept]


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the exercises 06.1 and 06.3, whose clusters are built only once."""
    cells = cells_of(ROOT / "solutions" / "06_why_services_exist.ipynb")
    wanted = ("imports", "relabel-answer", "relabel-check", "members-answer", "members-check")
    folder = tmp_path_factory.mktemp("course") / "solutions"
    notebook(folder / "06_two.ipynb", [cell for cell in cells if cell["id"] in wanted])
    return folder


@pytest.fixture
def grading(official: Path, tmp_path: Path) -> Callable[..., Report]:
    """Return a function that grades the solution with some cells changed."""

    def graded(
        extra: str = "", change: Callable[[Cells], Cells] | None = None, **given: str
    ) -> Report:
        cells = cells_of(official / "06_two.ipynb")
        cells = answers(cells, {name.replace("_", "-"): text for name, text in given.items()})
        cells = [own_cell(extra), *cells] if extra else cells
        path = notebook(tmp_path / "learner.ipynb", change(cells) if change else cells)
        return grade(path, official, LIMITS)

    return graded
