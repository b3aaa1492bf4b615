"""`course.py notebooks`: execute the notebooks again and store what they print.

All of notebooks/ and solutions/, or the files that are named. A notebook that fails keeps its old
outputs, and the failing cell is shown.
"""

import os
import sys
import time
from pathlib import Path

from tools import notebook_files

FOLDERS = ("notebooks", "solutions")


def main(arguments: list[str]) -> int:
    """Refresh the notebooks; return 0 when every one of them ran."""
    os.environ["K8SLAB_LEDGER"] = "off"  # no learner's answers in what is stored
    paths = [Path(name) for name in arguments]
    paths = paths or [path for folder in FOLDERS for path in sorted(Path(folder).glob("*.ipynb"))]
    if not paths:
        print("There is no notebook yet.")
    ran = [refresh(path) for path in paths]
    return 0 if all(ran) else 1


def refresh(path: Path) -> bool:
    """Execute one notebook and store it; say whether it ran to its end."""
    started = time.monotonic()
    try:
        notebook = notebook_files.execute(notebook_files.read(path), path.parent)
    except Exception as problem:  # whatever a cell, a kernel or a broken file comes up with
        print(f"{path}: failed\n{problem}", file=sys.stderr, flush=True)
        return False
    notebook_files.write(notebook, path)
    print(f"{path}: {time.monotonic() - started:.1f} s", flush=True)
    return True
