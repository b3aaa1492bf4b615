"""Every chapter is built alike: twelve parts in one order, small cells, prose between them."""

from itertools import groupby
from pathlib import Path

import pytest

from tools.notebooks_report import cells, measured, rules_broken, source

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PARTS = [
    "title",
    "warm-up",
    "story",
    "cast",
    "predict",
    "run",
    "investigate",
    "worked-example",
    "modify",
    "make",
    "break-it",
    "recap",
    "exit-ticket",
]

pytestmark = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def test_a_chapter_has_all_parts_in_their_order(path: Path) -> None:
    assert [part for part, _ in groupby(cells(path), lambda c: c["metadata"]["part"])] == PARTS


def test_nothing_is_run_without_a_prediction_before_it(path: Path) -> None:
    code = [source(cell) for cell in cells(path) if cell["cell_type"] == "code"]
    text = "\n".join(code)
    keys = [line.split('"')[1] for line in text.splitlines() if line.startswith("reveal(")]
    assert len(keys) >= 5
    for key in keys:
        assert 0 <= text.find(f'predict("{key}"') < text.find(f'reveal("{key}"')


def test_cells_are_small_and_prose_stands_between_them(path: Path) -> None:
    assert list(rules_broken(measured(cells(path)))) == []


def test_a_chapter_asserts_its_claims_and_ends_with_the_same_pages(path: Path) -> None:
    everything = "\n".join(source(cell) for cell in cells(path))
    assert everything.count("assert ") >= 5
    assert "seed=" in everything
    for heading in ("### What is simplified here", "### On a real cluster", "### Glossary"):
        assert heading in everything


def test_every_picture_has_its_words(path: Path) -> None:
    for cell in cells(path):
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                assert len("".join(output["data"]["text/plain"]).split()) > 10
                assert output["metadata"]["image/png"]["alt"]
