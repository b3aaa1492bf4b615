"""An nbgrader course can take the notebooks: release, autograde and feedback, with its own tools.

nbgrader brings a data base and a second notebook server, so it runs in the environment of other
people's tools: its programs, its kernel, and k8slab beside them.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools import peers

ROOT = Path(__file__).resolve().parents[2]
NAME = "06_why_services_exist"
PYTHON = peers.python()


def nbgrader(course: Path, *arguments: str) -> None:
    folder = str(PYTHON.parent)  # where it finds alembic
    environment = {**os.environ, "PATH": os.pathsep.join([folder, os.environ["PATH"]])}
    done = subprocess.run(
        [PYTHON, "-m", "nbgrader", *arguments],
        cwd=course,
        env={**environment, "K8SLAB_LEDGER": "off", "JUPYTER_CONFIG_DIR": str(course / "jupyter")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def with_a_wrong_answer(text: str) -> str:
    book = json.loads(text)
    (cell,) = [one for one in book["cells"] if one["id"] == "relabel-answer"]
    cell["source"] = ['order = "A"']
    return json.dumps(book)


def scores(course: Path) -> dict[str, tuple[float, float]]:
    """What each learner has, and could have."""
    nbgrader(course, "export", f"--to={course / 'grades.csv'}")
    with (course / "grades.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {r["student_id"]: (float(r["score"]), float(r["max_score"])) for r in rows}


@pytest.mark.skipif(PYTHON is None, reason=peers.HOW)
def test_nbgrader_releases_grades_and_explains(tmp_path: Path) -> None:
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
    assert scores(tmp_path) == {"anna": (10, 10), "ben": (0, 10), "cleo": (9, 10)}

    nbgrader(tmp_path, "generate_feedback", "ch06")
    said = (tmp_path / "feedback" / "cleo" / "ch06" / f"{NAME}.html").read_text()
    assert "06.1: " in said
