"""What README says is so: its code runs, and prints what README shows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
EXAMPLE = re.search(r"^    pod/.*?\n\n", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What all the blocks, run one after the other in a copy of the folder, leave behind."""
    found: dict[str, Any] = {}
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "docs", folder / "docs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in BLOCKS:
            *lines, last = block.rstrip().splitlines()
            exec("\n".join(lines), found)
            found["shown"] = [*found.get("shown", ()), eval(last, found)]
    return found


def test_every_line_of_code_runs(names: dict[str, Any]) -> None:
    assert len(BLOCKS) == 2
    assert names["cluster"].view.list("deployments")


def test_the_request_is_answered_as_it_is_shown(names: dict[str, Any]) -> None:
    assert EXAMPLE is not None
    printed = str(names["shown"][0])
    for line in EXAMPLE[0].rstrip().splitlines():
        pattern = re.escape(line.removeprefix("    ")).replace("…", ".+")
        assert re.search(f"^{pattern}$", printed, re.MULTILINE), line


def test_it_is_read_in_three_minutes() -> None:
    assert 450 <= len(README.split()) <= 700


def test_what_it_points_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)", README)
    paths = re.findall(r"`((?:docs|exercises|k8slab|notebooks|solutions)/[\w./]*)`", README)
    assert links
    assert paths
    assert [path for path in (*links, *paths) if not (ROOT / path).exists()] == []
