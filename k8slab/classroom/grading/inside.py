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

from k8slab.classroom.grading.objects import describe

MEMORY = "K8SLAB_GRADING_MEMORY"  # bytes of address space
PROCESSES = "K8SLAB_GRADING_PROCESSES"  # and threads, 0 for no limit
ALONE = "K8SLAB_GRADING_NO_NETWORK"  # not empty: this process must refuse connections itself
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
    whole = describe(value)
    if whole is not None:
        return json.dumps({"kind": "object", **whole})
    if callable(value):
        return json.dumps({"kind": "function"})
    return json.dumps({"kind": "other", "type": type(value).__name__})


def call(function: Callable[..., Any], arguments: str) -> str:
    """Call the function with what arrives as JSON; return its answer or what it raised."""
    from k8slab.classroom.exercises.answers import LearnerError, NotStartedError
    from k8slab.classroom.exercises.answers import call as guarded
    from k8slab.classroom.grading.wire import LONGEST, is_desk, restored, wishes

    positional, named = restored(json.loads(arguments))
    try:
        given = guarded(partial(function, **named), *positional)
        if hasattr(given, "__next__"):
            given = guarded(list, itertools.islice(given, LONGEST))
    except NotStartedError:
        return json.dumps({"kind": "missing"})
    except LearnerError as problem:
        return json.dumps({"kind": "raised", "text": str(problem)})
    message = {"kind": "data", "value": None} if given is None else json.loads(encode(given))
    asked = [wishes(one) for one in positional if is_desk(one)]
    return json.dumps({**message, "wishes": asked})


def limit() -> None:
    """Bound what this process and its children may use, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    memory = int(os.environ.get(MEMORY, "0"))
    wanted = {resource.RLIMIT_FSIZE: LARGEST_FILE, resource.RLIMIT_CORE: 0}
    processes = int(os.environ.get(PROCESSES, "0"))
    if memory:
        wanted[resource.RLIMIT_AS] = memory
    if processes:
        wanted[resource.RLIMIT_NPROC] = processes
    for what, most in wanted.items():
        resource.setrlimit(what, (most, most))


def refuse_connections() -> None:
    """Let this Python connect to nothing but this machine; a hook cannot be taken away again.

    It is a fence, no wall: a program that this one starts does not know of it.
    """

    def look(event: str, details: tuple[Any, ...]) -> None:
        there = details[1] if event == "socket.connect" else None
        far = isinstance(there, tuple) and not str(there[0]).startswith(("127.", "::1"))
        if far or event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
            raise PermissionError("there is no network while answers are graded")

    sys.addaudithook(look)


def main() -> None:
    """Become a kernel."""
    limit()
    if os.environ.get(ALONE):
        refuse_connections()
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


if __name__ == "__main__":
    main()
