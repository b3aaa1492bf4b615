"""Functions of a learner's that do not come to an end: stopped after a number of lines.

    patiently(function, *args)   what it returns; EndlessError when it went on for too long

Lines are counted, not seconds, so that the same function ends at the same line on every machine.
What the lab, Python's library and other packages do meanwhile does not count, and neither do loops
inside functions written in C, such as `max(itertools.count())`: nobody can see those turn.

Rule of use: `patiently` wraps the call; a debugger or a coverage tool gets its tracing back.

Upstream: none
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from dis import get_instructions
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

LINES = 1_000_000  # of one call; less than a second, and far more than an answer needs
JUMPS = ("JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "JUMP_ABSOLUTE")
# Where code stands that is no learner's: the lab, Python, other packages.
OTHERS = (str(Path(__file__).resolve().parents[1]), sys.prefix, sys.base_prefix)


class EndlessError(Exception):
    """The function was still running after so many lines; the text says where."""


class _Enough(BaseException):
    """Ends the function: no `except Exception` of its own holds this up."""

    def __init__(self, frame: FrameType) -> None:
        self.file, self.number = frame.f_code.co_filename, frame.f_lineno


@cache
def stands_still(code: CodeType) -> bool:
    """Say whether an instruction jumps to itself, as `while True: pass` does: no line is told."""
    return any(one.opname in JUMPS and one.argval == one.offset for one in get_instructions(code))


def patiently(function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """Return what the function returns; raise EndlessError if it turns for ever."""
    left = LINES

    def count(frame: FrameType, event: str, arg: object) -> Callable[..., Any] | None:
        nonlocal left
        if event == "call" and frame.f_code.co_filename.startswith(OTHERS):
            return None
        left -= 1
        if left < 0:
            raise _Enough(frame)
        frame.f_trace_opcodes = stands_still(frame.f_code)
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        return function(*args, **keywords)
    except _Enough as enough:
        line = linecache.getline(enough.file, enough.number).strip()
        where = f"`{line}`" if line else f"line {enough.number}"
        raise EndlessError(
            f"did not come to an end: after {LINES:,} lines it was still at {where}"
        ) from None
    finally:
        sys.settrace(before)
