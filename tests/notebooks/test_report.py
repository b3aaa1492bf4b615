"""What `course.py notebooks-report` measures, and the rules that it knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools import notebooks_report
from tools.notebooks_report import longest_row, measured, rules_broken, sentences_of


def book(*cells: str) -> list[dict[str, Any]]:
    """Return cells; those that begin with > are code."""
    kinds = {True: "code", False: "markdown"}
    return [{"cell_type": kinds[c.startswith(">")], "source": [c.lstrip(">")]} for c in cells]


PROSE = "A Pod is bound once, and it stays on its node until it ends. " * 3


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ((PROSE, ">x\n" * 16), "a code cell has 16 lines"),
        ((PROSE, ">a\n" * 6), "half of the code cells have over 6 lines"),
        ((PROSE, ">a", ">b", ">c", ">d"), "4 code cells follow one another"),
        ((PROSE * 5, PROSE, PROSE, ">a"), "a prose cell has 210 words"),
        (("Short.", ">a"), "prose cells have 1 words"),
        (("word " * 40 + ".", ">a"), "a sentence has 41.0 words"),
    ],
)
def test_a_broken_rule_is_told(cells: tuple[str, ...], words: str) -> None:
    assert words in " ".join(rules_broken(measured(book(*cells))))


def test_a_notebook_that_keeps_the_rules_is_left_in_peace() -> None:
    assert list(rules_broken(measured(book(PROSE, ">a", ">b", PROSE, ">c")))) == []


def test_tables_headings_and_code_are_no_sentences() -> None:
    text = "# A heading.\n\n| a | table. |\n\n```\ncode. here.\n```\n\nOne. Two?\n- three\n- four"
    assert list(sentences_of(text)) == ["One.", "Two?", "three", "four"]


def test_rows_of_code_end_at_prose() -> None:
    assert longest_row(book(">a", ">b", "-", ">c")) == 2


def test_the_status_says_whether_a_rule_is_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, cells in {"good": book(PROSE, ">a"), "bad": book(PROSE, ">a\n" * 16)}.items():
        (tmp_path / f"{name}.ipynb").write_text(json.dumps({"cells": cells}))
    assert notebooks_report.main([str(tmp_path / "good.ipynb")]) == 0
    assert "Every rule is kept." in capsys.readouterr().out
    assert notebooks_report.main([str(tmp_path / "bad.ipynb")]) == 1
    assert "bad: a code cell has 16 lines, at most 15 are allowed" in capsys.readouterr().out
