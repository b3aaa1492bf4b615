"""An nbgrader course can take the notebooks: release, autograde and feedback, with its own tools.

nbgrader brings a data base and a second notebook server, so it is not among the packages of the
tests: `pip install nbgrader` runs this test, without it there is nothing to see.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nbgrader")

ROOT = Path(__file__).resolve().parents[2]
NAME = "06_why_services_exist"


def nbgrader(course: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "nbgrader", *arguments, f"--course-dir={course}"]
    done = subprocess.run(command, cwd=course, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]


def with_a_wrong_answer(text: str) -> str:
    book = json.loads(text)
    (cell,) = [one for one in book["cells"] if one["id"] == "relabel-answer"]
    cell["source"] = ['order = "A"']
    return json.dumps(book)


def scores(course: Path) -> dict[str, float]:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        found = {}
        for learner in ("anna", "ben", "cleo"):
            submission = book.find_submission_notebook(NAME, "ch06", learner)
            found[learner] = float(submission.score)
        found["of"] = float(book.find_notebook(NAME, "ch06").max_score)
    return found


@pytest.mark.filterwarnings("default")
def test_nbgrader_releases_grades_and_explains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # It starts alembic by that name.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("K8SLAB_LEDGER", "off")
    notebook = f"ch06/{NAME}.ipynb"
    (tmp_path / "source" / "ch06").mkdir(parents=True)
    shutil.copy(ROOT / "solutions" / f"{NAME}.ipynb", tmp_path / "source" / notebook)
    nbgrader(tmp_path, "generate_assignment", "ch06", "--create")
    released = (tmp_path / "release" / notebook).read_text()
    assert "SOLUTION" not in released
    assert "HIDDEN" not in released

    solved = (tmp_path / "source" / notebook).read_text()
    handed_in = {"anna": solved, "ben": released, "cleo": with_a_wrong_answer(solved)}
    for learner, text in handed_in.items():
        (tmp_path / "submitted" / learner / "ch06").mkdir(parents=True)
        (tmp_path / "submitted" / learner / notebook).write_text(text)
    nbgrader(tmp_path, "autograde", "ch06")
    found = scores(tmp_path)
    assert found["anna"] == found["of"] == 10
    assert found["ben"] == 0
    assert found["cleo"] == 9

    nbgrader(tmp_path, "generate_feedback", "ch06")
    said = (tmp_path / "feedback" / "cleo" / "ch06" / f"{NAME}.html").read_text()
    assert "06.1: " in said
