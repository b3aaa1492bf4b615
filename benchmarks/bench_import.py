"""How long a learner waits for `import k8slab`, in a fresh interpreter."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from benchmarks.measure import Row, seconds

IMPORTS = ("k8slab", "k8slab.sim", "k8slab.api", "k8slab.client")


def rows() -> Iterator[Row]:
    """Measure imports, beside the start of an interpreter that imports nothing."""
    bare = seconds(partial(interpreter, "pass"))
    yield Row("start of Python itself", bare, "s")
    for name in IMPORTS:
        taken = seconds(partial(interpreter, f"import {name}")) - bare
        yield Row(f"import {name}", taken, "s", "Python", bare)


def interpreter(code: str) -> None:
    """Run one line in a fresh interpreter."""
    subprocess.run([sys.executable, "-c", code], check=True)
