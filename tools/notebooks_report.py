"""`course.py notebooks-report`: how long sentences, cells and chapters of the course are.

    python3 course.py notebooks-report              all of notebooks/
    python3 course.py notebooks-report FILE...      some notebooks

A row for each notebook, then each rule that one breaks; exit status 1 if there is any. The rules
are those of a chapter: one idea a cell, short sentences, prose between the code.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from statistics import mean, median
from typing import Any, NamedTuple

SOURCE = Path("notebooks")
MOST_LINES = 15  # of a code cell, blank ones not counted
USUAL_LINES = 5.0  # of a code cell, the median
MOST_IN_A_ROW = 3  # code cells without prose between them
MOST_WORDS = 180  # of a prose cell: a table or a page of the recap
USUAL_WORDS = (20.0, 60.0)  # of a prose cell, the median
SENTENCE = 16.0  # words, the mean
PER_MINUTE = 180  # words that are read
PER_CODE_CELL = 0.4  # minutes to run a cell and look at what it shows
PER_PREDICTION = 1.0  # minutes to think and commit
COLUMNS = "words  a sentence  a prose cell  code cells  lines  most  in a row  asserts  minutes"

Cell = Mapping[str, Any]
NOT_PROSE = (
    re.compile(r"```.*?```", re.DOTALL),
    re.compile(r"^\s*(?:\||#|<|---).*$", re.MULTILINE),  # tables, headings, markup
    re.compile(r"<[^>]+>"),
    re.compile(r"\]\([^)]*\)"),  # where links lead
)


class Figures(NamedTuple):
    """What is counted in one notebook."""

    words: int
    sentence: float  # words, the mean
    prose_cell: float  # words, the median
    longest_prose: int
    code_cells: int
    lines: float  # of a code cell, the median
    most_lines: int
    in_a_row: int
    asserts: int
    minutes: float  # reading, running and predicting, estimated


def main(arguments: list[str]) -> int:
    """Print the figures of the notebooks; return 1 if one breaks a rule."""
    paths = [Path(name) for name in arguments] or sorted(SOURCE.glob("*.ipynb"))
    width = max((len(path.stem) for path in paths), default=0)
    print(f"{'':{width}}  {COLUMNS}")
    broken = []
    for path in paths:
        figures = measured(cells(path))
        print(f"{path.stem:{width}}  {row(figures)}")
        broken += [f"{path.stem}: {rule}" for rule in rules_broken(figures)]
    print("\n".join(["", *broken]) if broken else "\nEvery rule is kept.")
    return 1 if broken else 0


def cells(path: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook."""
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return found


def source(cell: Cell) -> str:
    """Return the text of a cell."""
    return "".join(cell["source"])


def measured(notebook: list[dict[str, Any]]) -> Figures:
    """Return the figures of a notebook's cells."""
    code = [source(cell) for cell in notebook if cell["cell_type"] == "code"]
    prose = [source(cell) for cell in notebook if cell["cell_type"] == "markdown"]
    words = [len(text.split()) for text in prose]
    lines = [sum(bool(line.strip()) for line in text.splitlines()) for text in code]
    sentences = [len(one.split()) for text in prose for one in sentences_of(text)]
    predictions = sum(text.count("predict(") for text in code)
    minutes = sum(words) / PER_MINUTE + PER_CODE_CELL * len(code) + PER_PREDICTION * predictions
    return Figures(
        words=sum(words),
        sentence=mean(sentences or [0]),
        prose_cell=median(words or [0]),
        longest_prose=max(words, default=0),
        code_cells=len(code),
        lines=median(lines or [0]),
        most_lines=max(lines, default=0),
        in_a_row=longest_row(notebook),
        asserts=sum(text.count("assert ") for text in code),
        minutes=minutes,
    )


def longest_row(notebook: list[dict[str, Any]]) -> int:
    """Return how many code cells follow one another at most."""
    rows = groupby(notebook, lambda cell: str(cell["cell_type"]))
    return max((len(list(row)) for kind, row in rows if kind == "code"), default=0)


def sentences_of(text: str) -> Iterator[str]:
    r"""Give the sentences of a prose cell, without tables, headings, code blocks and markup.

    >>> list(sentences_of("# Pods\n\nA Pod runs. Is it *ready*? See [this](page.html)."))
    ['A Pod runs.', 'Is it *ready*?', 'See [this.']
    """
    for pattern in NOT_PROSE:
        text = pattern.sub("", text)
    for paragraph in re.split(r"\n\s*\n|\n\s*(?:[-*]|\d+\.)\s", text):
        for sentence in re.split(r"(?<=[.!?:])\s+", " ".join(paragraph.split())):
            if re.search(r"\w", sentence):
                yield sentence


def row(figures: Figures) -> str:
    """Return the figures below the names of `COLUMNS`."""
    f = figures
    return (
        f"{f.words:>5}  {f.sentence:>10.1f}  {f.prose_cell:>12.0f}  {f.code_cells:>10}"
        f"  {f.lines:>5.0f}  {f.most_lines:>4}  {f.in_a_row:>8}  {f.asserts:>7}  {f.minutes:>7.0f}"
    )


def rules_broken(figures: Figures) -> Iterator[str]:
    """Give each rule that a notebook breaks, in a sentence."""
    f = figures
    low, high = USUAL_WORDS
    if f.most_lines > MOST_LINES:
        yield f"a code cell has {f.most_lines} lines, at most {MOST_LINES} are allowed"
    if f.lines > USUAL_LINES:
        yield f"half of the code cells have over {f.lines:g} lines, {USUAL_LINES:g} are usual"
    if f.in_a_row > MOST_IN_A_ROW:
        yield f"{f.in_a_row} code cells follow one another, at most {MOST_IN_A_ROW} may"
    if f.longest_prose > MOST_WORDS:
        yield f"a prose cell has {f.longest_prose} words, at most {MOST_WORDS} are allowed"
    if not low <= f.prose_cell <= high:
        yield f"prose cells have {f.prose_cell:g} words, {low:g} to {high:g} are usual"
    if f.sentence > SENTENCE:
        yield f"a sentence has {f.sentence:.1f} words, {SENTENCE:g} are the limit of the mean"
