"""The far end of grading: started in the kernel, it gives answers away as data.

`python -m k8slab.classroom.grading.inside -f FILE` limits memory and file size, and becomes an
IPython kernel. In it, `encode(value)` returns an answer as JSON, and `call(function, arguments)`
returns what a function of the learner's gives for some objects, also as JSON.

Rule of use: the learner's code can change all of this, and gains nothing but another answer.

Upstream: none
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

MEMORY = "K8SLAB_GRADING_MEMORY"  # bytes of address space
LARGEST_FILE = 100_000_000  # bytes that may be written to one file
LONGEST = 10_000  # items of an answer


def encode(value: Any) -> str:
    """Return an answer as JSON: data, a function, nothing yet, or the name of its type."""
    if value is None or value is ...:
        return json.dumps({"kind": "missing"})
    try:
        return json.dumps({"kind": "data", "value": _plain(value)})
    except TypeError:
        pass
    if callable(value):
        return json.dumps({"kind": "function"})
    return json.dumps({"kind": "other", "type": type(value).__name__})


def call(function: Callable[..., Any], arguments: str) -> str:
    """Call the function with objects that arrive as JSON; return its answer or what it raised."""
    from k8slab.api import load
    from k8slab.classroom.exercises.answers import LearnerError, NotStartedError
    from k8slab.classroom.exercises.answers import call as guarded

    def load_all(given: Any) -> Any:
        return [load(one) for one in given] if isinstance(given, list) else load(given)

    try:
        given = guarded(function, *map(load_all, json.loads(arguments)))
        if hasattr(given, "__next__"):
            given = guarded(list, itertools.islice(given, LONGEST))
    except NotStartedError:
        return json.dumps({"kind": "missing"})
    except LearnerError as problem:
        return json.dumps({"kind": "raised", "text": str(problem)})
    return encode(given)


def _plain(value: Any) -> Any:
    """Return the value in JSON's types, objects of the API under "$object"."""
    from k8slab.api import Object, to_dict

    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, Object):
        return {"$object": to_dict(value)}
    if isinstance(value, Mapping):
        return {"$map": [[_plain(key), _plain(one)] for key, one in value.items()]}
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value[:LONGEST]]
    raise TypeError(type(value).__name__)


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
