"""How long a learner's answer may keep a check waiting.

    with time_limit(60.0):      whatever runs in here is broken off after 60 s
        ...

A function of a learner's is stopped by its lines (`client/patience`). What that cannot see, such as
a sleep or a loop in C, would hold the notebook until the learner finds the stop button. Where the
system has timers (not on Windows) it is broken off instead, with the line at which it was.

Rule of use: in the main thread, not nested; elsewhere it does nothing.

Upstream: none
"""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from k8slab.client.patience import OTHERS

AGAIN = 0.5  # s after which an alarm that somebody swallowed rings again


class OutOfTimeError(BaseException):
    """Time is up; not an Exception, so that nobody on the way takes it for theirs."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTimeError in what follows once the time (in seconds) is up, where possible."""
    possible = hasattr(signal, "setitimer")
    if not possible or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def line_of(problem: BaseException) -> str:
    """Return the learner's line that was being run, "" if none was."""
    frames = traceback.extract_tb(problem.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith(OTHERS)]
    return (theirs[-1].line or "").strip() if theirs else ""
