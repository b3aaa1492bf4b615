"""Run the benchmarks and print one table: `python3 course.py bench [NAME...]`.

A name is the middle of `bench_NAME.py`; without one, all of them run. The last column says how many
times the lab's figure is of its peer's: below 1 the lab is faster or smaller; of a rate ("/s") the
larger one is the better.
"""

import importlib
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row

FOLDER = Path(__file__).resolve().parent
COLUMNS = "{:<44} {:>12} {:<6} {:>26} {:>8}"


def main(arguments: list[str]) -> int:
    """Print a table of what the named benchmarks measure; return 0 when all of them ran."""
    there = [path.stem.removeprefix("bench_") for path in sorted(FOLDER.glob("bench_*.py"))]
    unknown = [name for name in arguments if name not in there]
    if unknown:
        print(f"bench: no benchmark is called {unknown[0]!r}; there are {', '.join(there)}.")
        return 2
    print(COLUMNS.format("", "value", "unit", "peer", "ratio"))
    failed = [name for name in arguments or there if not show(name)]
    return 1 if failed else 0


def show(name: str) -> bool:
    """Print the rows of one benchmark as they come; say whether it ran to its end."""
    print(f"-- {name}", flush=True)
    try:
        for row in rows_of(name):
            print(line(row), flush=True)
    except Exception:
        traceback.print_exc()
        return False
    return True


def rows_of(name: str) -> Iterator[Row]:
    """Run one benchmark."""
    yield from importlib.import_module(f"benchmarks.bench_{name}").rows()


def line(row: Row) -> str:
    """Give one row of the table as text."""
    if row.peer_value is None:
        return COLUMNS.format(row.name, f"{row.value:,.3f}", row.unit, "", "").rstrip()
    peer = f"{row.peer} {row.peer_value:,.3f}"
    ratio = f"{row.value / row.peer_value:.2f} x"
    return COLUMNS.format(row.name, f"{row.value:,.3f}", row.unit, peer, ratio)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
