"""docs/conformance.md says what is tested: neither more nor less."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TEXT = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")


def names_in(paths: Iterable[Path]) -> set[str]:
    found: set[str] = set()
    for path in paths:
        found.update(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M))
    return found


def test_every_test_that_the_page_names_exists_and_none_of_its_files_is_left_out() -> None:
    headings = "".join(re.findall(r"^## .*", TEXT, re.M))
    files = [HERE / f"{name}.py" for name in re.findall(r"`(test_\w+)`", headings)]
    named = set(re.findall(r"`(test_\w+)`", TEXT)) - {path.stem for path in files}
    assert named - names_in((ROOT / "tests").rglob("test_*.py")) == set()
    assert names_in(files) - named == set()


def test_every_behaviour_has_a_line() -> None:
    numbers = {int(number) for number in re.findall(r"^\| (\d+) \|", TEXT, re.M)}
    assert numbers == set(range(1, 44))
