"""`course.py test`: every check there is, or some of them.

    python3 course.py test                      all of it; this is what CI runs
    python3 course.py test lint types           some parts: lint, types, contracts, notebooks, tests
    python3 course.py test -k conntrack         the tests, with pytest's own options
    python3 course.py test tests/linux          likewise

A check is a row of CHECKS; a part that fails does not stop the next. Tests come last, so that
the last lines are pytest's.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tools import chromium, javascript, peers

PYTEST = ("pytest", "-n", "auto", "--dist", "loadfile")
# A notebook is one kernel, so it stays with one worker; warnings of Jupyter's are not ours.
NBVAL = (*PYTEST, "-p", "no:cacheprovider", "-o", "filterwarnings=default")
NOTEBOOKS = ("notebooks/*.ipynb", "solutions/*.ipynb")


class Check(NamedTuple):
    """One program of this environment, and what it makes sure of."""

    part: str
    says: str
    command: tuple[str, ...]
    on: tuple[
        str, ...
    ] = ()  # patterns of the files to add; without any file there is nothing to do


CHECKS = (
    Check("lint", "layout of the source", ("ruff", "format", "--check", ".")),
    Check("lint", "lint", ("ruff", "check", ".")),
    Check("types", "types", ("mypy",)),
    Check("contracts", "import contracts", ("lint-imports", "--no-logo")),
    Check(
        "notebooks",
        "notebooks print what they say they print",
        (*NBVAL, "--nbval", "--nbval-current-env", "--nbval-cell-timeout", "60"),
        NOTEBOOKS,
    ),
    Check("tests", "tests", PYTEST),
)
PARTS = tuple(dict.fromkeys(check.part for check in CHECKS))


def main(arguments: list[str]) -> int:
    """Run the checks that were asked for; return 0 when all of them pass."""
    os.environ["K8SLAB_LEDGER"] = "off"  # no learner's answers in what is checked, nor the reverse
    if arguments and arguments[0] not in PARTS:
        return run(("pytest", *arguments))
    unknown = [part for part in arguments if part not in PARTS]
    if unknown:
        print(f"test: no part is called {unknown[0]!r}; there are {', '.join(PARTS)}.")
        return 2
    if not arguments:
        chromium.install_if_possible()
    if not arguments or "tests" in arguments:
        peers.make_if_possible()
        javascript.make_if_possible()
    failed = list(failures(arguments or PARTS))
    if set(failed) - {"tests"}:  # of which pytest has just said so
        print(f"\nFailed: {', '.join(failed)}.")
    return 1 if failed else 0


def failures(parts: Sequence[str]) -> Iterator[str]:
    """Run the checks of some parts; give what each failed one says it is."""
    for check in CHECKS:
        files = [str(path) for pattern in check.on for path in sorted(Path().glob(pattern))]
        if check.part not in parts or (check.on and not files):
            continue
        command = (*check.command, *files)
        print(f"\n== {check.says}: {' '.join(command)}", flush=True)
        if run(command) != 0:
            yield check.says


def run(command: tuple[str, ...]) -> int:
    """Run one program of this environment; return its exit status."""
    return subprocess.run(command).returncode
