"""docs/conformance.md says what is tested: neither more nor less."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")


def names_in(folder: Path) -> set[str]:
    found: set[str] = set()
    for path in folder.rglob("test_*.py"):
        found.update(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M))
    return found


def test_every_test_that_the_page_names_exists_and_none_is_left_out() -> None:
    named = {name for name in re.findall(r"`(test_\w+)`", TEXT) if name.count("_") > 2}
    conformance = names_in(ROOT / "tests" / "conformance") - written_here()
    assert named - names_in(ROOT / "tests") == set()
    assert conformance - named == set()


def written_here() -> set[str]:
    return set(re.findall(r"^def (test_\w+)", Path(__file__).read_text(encoding="utf-8"), re.M))


def test_every_behaviour_has_a_line() -> None:
    numbers = {int(number) for number in re.findall(r"^\| (\d+) \|", TEXT, re.M)}
    assert numbers == set(range(1, 44))
