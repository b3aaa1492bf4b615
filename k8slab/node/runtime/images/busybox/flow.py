"""How a shell's commands end more than themselves: break, continue, return, exit.

Rule of use: raised by builtins, caught by the shell.

Upstream: busybox shell/ash.c evalskip
"""

from __future__ import annotations


class Break(Exception):  # noqa: N818 (the command's name)
    """Leave so many loops."""

    def __init__(self, levels: int = 1) -> None:
        self.levels = levels


class Continue(Exception):  # noqa: N818
    """Begin the next turn of the loop so many levels out."""

    def __init__(self, levels: int = 1) -> None:
        self.levels = levels


class Return(Exception):  # noqa: N818
    """Leave the function."""

    def __init__(self, code: int) -> None:
        self.code = code


class Exit(Exception):  # noqa: N818
    """Leave the shell."""

    def __init__(self, code: int) -> None:
        self.code = code
