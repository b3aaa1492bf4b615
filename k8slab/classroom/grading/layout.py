"""Which notebooks there are to grade, and whose they are.

    class/anna/06_why_services_exist.ipynb      learner anna
    class/anna/ch06/06_why_services_exist.ipynb learner anna: nbgrader's layout, too
    06_why_services_exist.ipynb                 named on the command line: the learner is its folder

`find(paths)` returns a `Work` for each, in an order that depends on names alone.

Rule of use: links are not followed: a learner's folder may point anywhere.

Upstream: none (nbgrader's course folders)
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

SKIPPED = ("__pycache__",)


class Work(msgspec.Struct, frozen=True):
    """One file to grade."""

    learner: str
    file: str  # as it is called in reports
    path: Path


def find(paths: Sequence[Path]) -> list[Work]:
    """Return what there is to grade in files and folders, by learner and name."""
    found = [work for path in paths for work in (_in(path) if path.is_dir() else [_one(path)])]
    unique = {os.path.abspath(work.path): work for work in found}
    return sorted(unique.values(), key=lambda work: (work.learner, work.file, str(work.path)))


def _one(path: Path) -> Work:
    return Work(Path(os.path.abspath(path)).parent.name, path.name, path)


def _in(root: Path) -> Iterator[Work]:
    for place, folders, files in os.walk(root):  # which follows no links
        folders[:] = [one for one in folders if not one.startswith(".") and one not in SKIPPED]
        inside = Path(place).relative_to(root).parts
        learner = inside[0] if inside else Path(os.path.abspath(root)).name
        for name in files:
            path = Path(place) / name
            if name.endswith(".ipynb") and not name.startswith(".") and not path.is_symlink():
                yield Work(learner, "/".join((*inside[1:], name)), path)
