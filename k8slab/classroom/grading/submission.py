"""From a learner's file to the cells that are run: their answers in the official notebook.

The official notebook (from solutions/) decides which cells there are, and in which order. Of the
learner's file only two things are taken: the source of each answer cell, found by its `grade_id` or
its cell id, and the cells of their own, which keep their place after the cell that they follow.

Rule of use: metadata, checks and explanations are always the official ones.

Upstream: none (nbgrader: overwritecells.py)
"""

from __future__ import annotations

import ast
import json
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

Role = Literal["given", "answer", "check", "own"]
LARGEST = 20_000_000  # bytes of a submission
LONGEST_CELL = 200_000  # characters
MOST_CELLS = 2_000


class NotGradableError(Exception):
    """The file cannot be graded; the text says why, in one sentence."""


class Cell(msgspec.Struct, frozen=True):
    """One code cell to run, or one answer to judge."""

    role: Role
    id: str  # the grade_id, or the cell's id
    source: str
    key: str = ""  # of the exercise, for a check
    expression: str = ""  # what is checked: the text of check's second argument


class Submission(msgspec.Struct, frozen=True):
    """What is run for one learner."""

    cells: tuple[Cell, ...]
    notes: tuple[str, ...]  # about cells that were deleted or copied


def read(path: Path) -> Any:
    """Return the notebook in a file; raises NotGradableError if there is none."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise NotGradableError("is no file")
        if facts.st_size > LARGEST:
            raise NotGradableError(f"is larger than {LARGEST // 1_000_000} MB")
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
            raise NotGradableError("is no notebook of format 4: it has no list of cells")
        return content
    except OSError as problem:
        raise NotGradableError(f"could not be read: {problem.strerror}") from None
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise NotGradableError("is no notebook: it is not valid JSON") from None


def official_for(path: Path, notebook: Any, folder: Path) -> Path:
    """Return the official notebook that a submission answers: by its file name, else by its cells.

    A name counts if it begins with the official one, or holds it: `06_x.ipynb`, `06_x (1).ipynb`,
    `anna_06_x.ipynb`.
    """
    candidates = sorted(folder.glob("*.ipynb"))
    named = [one for one in candidates if one.stem in path.stem]
    if named:
        return max(named, key=lambda one: len(one.stem))
    theirs = {name for cell in _code_cells(notebook) for name in _names(cell)}
    best, most = None, 0
    for candidate in candidates:
        graded = [_id_of(cell) for cell in _code_cells(read(candidate)) if _nbgrader(cell)]
        common = sum(one in theirs for one in graded)
        if common > most:
            best, most = candidate, common
    if best is None:
        raise NotGradableError(f"answers none of the exercises in {folder.name}/")
    return best


def merge(official: Any, theirs: Any) -> Submission:
    """Return the official cells with the learner's answers and own cells in them."""
    known = {_id_of(cell) for cell in _code_cells(official)}
    answers, own, notes = _sort(_code_cells(theirs), known)
    cells = [Cell("own", "own", source) for source in own.get("", ())]
    for cell in _code_cells(official):
        name, facts = _id_of(cell), _nbgrader(cell)
        if facts.get("solution"):
            if name not in answers:
                notes.append(f"The answer cell {name} is missing.")
            cells.append(Cell("answer", name, answers.get(name, "")))
        elif facts.get("grade"):
            cells.append(check_cell(name, _source(cell)))
        else:
            cells.append(Cell("given", name, _source(cell)))
        cells += [Cell("own", "own", source) for source in own.get(name, ())]
    return Submission(tuple(cells), tuple(notes))


def check_cell(name: str, source: str) -> Cell:
    """Return a check with what it checks, read from its first call of `check`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "check":
            key, answer = node.args
            return Cell("check", name, source, str(ast.literal_eval(key)), ast.unparse(answer))
    raise ValueError(f"the official cell {name} calls no check(key, answer)")


def _sort(
    cells: Sequence[Mapping[str, Any]], known: set[str]
) -> tuple[dict[str, str], dict[str, list[str]], list[str]]:
    """Return the learner's answers by id, their own cells by the id before them, and notes."""
    answers: dict[str, str] = {}
    own: dict[str, list[str]] = {}
    notes: list[str] = []
    place = ""
    for cell in cells[:MOST_CELLS]:
        name = next((one for one in _names(cell) if one in known), "")
        source = _source(cell)
        if not name:
            own.setdefault(place, []).append(source)
        elif name in answers:
            notes.append(f"The cell {name} is there more than once: the first one counts.")
        else:
            answers[name] = source
            place = name
    return answers, own, notes


def _code_cells(notebook: Any) -> list[Any]:
    return list(_readable(notebook.get("cells", ())))


def _readable(cells: Sequence[Any]) -> Iterator[Any]:
    for cell in cells:
        if isinstance(cell, Mapping) and cell.get("cell_type") == "code":
            yield cell


def _nbgrader(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = cell.get("metadata")
    facts = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    return facts if isinstance(facts, Mapping) else {}


def _id_of(cell: Mapping[str, Any]) -> str:
    return next(iter(_names(cell)), "")


def _names(cell: Mapping[str, Any]) -> list[str]:
    """Return the names of a cell: its grade_id, and its own id.

    The two are the same in the course's notebooks, so that either one may be lost.
    """
    return [str(one) for one in (_nbgrader(cell).get("grade_id"), cell.get("id")) if one]


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    return text[:LONGEST_CELL]
