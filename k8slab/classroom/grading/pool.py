"""Grading many submissions at a time, each in a process of its own.

`grade_all(tasks, jobs, on_done)` returns a report for each task, in the order of the tasks. A
process that crashes or takes far too long costs its own submission only.

Rule of use: a report travels as JSON from the process that made it; no task knows of another.

Upstream: none
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import msgspec

from k8slab.classroom.grading.kernel import Limits
from k8slab.classroom.grading.report import Report, printable

SLACK = 120.0  # s: for starting, for the cell that is running, and for the check after it
LOADED = ("k8slab.cluster", "k8slab.classroom.grading.grade", "jupyter_client.manager")
GRADER_MEMORY = 8 << 30  # bytes: what answers may make the clusters of a check grow to


class Task(msgspec.Struct, frozen=True):
    """What one process is given."""

    path: Path
    folder: Path  # of the official notebooks
    limits: Limits
    official: Path | None = None
    isolated: bool = False


class _Running(msgspec.Struct):
    number: int
    process: BaseProcess
    deadline: float


def grade_all(
    tasks: Sequence[Task], jobs: int, on_done: Callable[[int], None] = lambda done: None
) -> list[Report]:
    """Return the reports, in the order of the tasks; `on_done` hears how many are there."""
    context: Any = multiprocessing.get_context("spawn" if os.name == "nt" else "forkserver")
    context.set_forkserver_preload(list(LOADED))  # which spawn does not need
    reports: dict[int, Report] = {}
    running: dict[Connection, _Running] = {}
    left = list(reversed(range(len(tasks))))
    try:
        while left or running:
            while left and len(running) < jobs:
                number = left.pop()
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(target=work, args=(theirs, tasks[number]), daemon=True)
                process.start()
                theirs.close()
                limit = tasks[number].limits.total + SLACK
                running[ours] = _Running(number, process, time.monotonic() + limit)
            for connection in _finished(running):
                one = running.pop(connection)
                reports[one.number] = _report(connection, one, tasks[one.number])
                on_done(len(reports))
    finally:
        for one in running.values():
            one.process.kill()
    return [reports[number] for number in range(len(tasks))]


def work(connection: Connection, task: Task) -> None:
    """Grade one submission, in a process of its own, and send the report."""
    from k8slab.classroom.grading.grade import grade

    _limit()
    report = grade(task.path, task.folder, task.limits, task.official, isolated=task.isolated)
    connection.send_bytes(msgspec.json.encode(report))
    connection.close()


def _finished(running: dict[Connection, _Running]) -> list[Connection]:
    """Wait until something has happened; return what has ended, or must end now."""
    now = time.monotonic()
    first = min(one.deadline for one in running.values())
    ready = wait(list(running), timeout=max(0.0, first - now))
    late = [one for one, what in running.items() if what.deadline <= time.monotonic()]
    return [one for one in running if one in ready or one in late]


def _report(connection: Connection, one: _Running, task: Task) -> Report:
    """Return what a process found, or what became of it."""
    why = "Grading this file came to an unexpected end."
    report = None
    try:
        if connection.poll():
            report = msgspec.json.decode(connection.recv_bytes(), type=Report)
        else:
            why = f"Grading this file took longer than {task.limits.total + SLACK:g} s."
    except (EOFError, OSError):
        pass  # it died before it could say anything
    connection.close()
    if report is None:
        one.process.kill()
    one.process.join()
    return report or Report(file=printable(task.path.name), problem=why)


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(
        resource.RLIMIT_AS, (GRADER_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1])
    )
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
