"""The far end of grading: started in the kernel, it gives answers away as data.

`python -m k8slab.classroom.grading.inside -f FILE` limits memory and file size, and becomes an
IPython kernel. In it, `encode(value)` returns an answer as JSON, and `call(function, arguments)`
returns what a function of the learner's gives for some values, also as JSON.

Rule of use: the learner's code can change all of this, and gains nothing but another answer.

Upstream: none
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

MEMORY = "K8SLAB_GRADING_MEMORY"  # bytes of address space
LARGEST_FILE = 100_000_000  # bytes that may be written to one file


def encode(value: Any) -> str:
    """Return an answer as JSON: data, a function, nothing yet, or the name of its type."""
    if value is None or value is ...:
        return json.dumps({"kind": "missing"})
    from k8slab.classroom.grading.wire import plain

    try:
        return json.dumps({"kind": "data", "value": plain(value)})
    except TypeError:
        pass
    if callable(value):
        return json.dumps({"kind": "function"})
    return json.dumps({"kind": "other", "type": type(value).__name__})


def call(function: Callable[..., Any], arguments: str) -> str:
    """Call the function with what arrives as JSON; return its answer or what it raised."""
    from k8slab.classroom.exercises.answers import LearnerError, NotStartedError
    from k8slab.classroom.exercises.answers import call as guarded
    from k8slab.classroom.grading.wire import LONGEST, restored

    positional, named = restored(json.loads(arguments))
    try:
        given = guarded(partial(function, **named), *positional)
        if hasattr(given, "__next__"):
            given = guarded(list, itertools.islice(given, LONGEST))
    except NotStartedError:
        return json.dumps({"kind": "missing"})
    except LearnerError as problem:
        return json.dumps({"kind": "raised", "text": str(problem)})
    return encode(given)


def limit() -> None:
    """Bound what this process and its children may use, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    memory = int(os.environ.get(MEMORY, "0"))
    wanted = {resource.RLIMIT_FSIZE: LARGEST_FILE, resource.RLIMIT_CORE: 0}
    if memory:
        wanted[resource.RLIMIT_AS] = memory
    for what, most in wanted.items():
        resource.setrlimit(what, (most, most))


def main() -> None:
    """Become a kernel."""
    limit()
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


if __name__ == "__main__":
    main()
