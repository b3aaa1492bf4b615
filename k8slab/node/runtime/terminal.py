r"""A terminal's line discipline: what a kernel does between a keyboard and a program.

A client with a terminal sends each key as it is pressed and shows only what comes back. So keys are
echoed, a line is handed over when Return is pressed, Backspace takes one character back, Ctrl-U all
of them, Ctrl-D on an empty line is the end of the input, and a line's end on the way out is \r\n.

Rule of use: an input for a program, with `output` as the program's output.

Upstream: Linux drivers/tty/n_tty.c
"""

from __future__ import annotations

from typing import Protocol

from k8slab.node.runtime.streams import Pipe
from k8slab.sim import Simulation

INTERRUPT, END, BACKSPACES, KILL_LINE = "\x03", "\x04", "\x7f\b", "\x15"


class Output(Protocol):
    """Something that text can be written to."""

    def write(self, text: str) -> None:
        """Take the text."""

    def close(self) -> None:
        """Take no more."""


class TerminalOutput:
    """The program's side of the screen."""

    def __init__(self, screen: Output) -> None:
        self._screen = screen

    def write(self, text: str) -> None:
        """Show the text."""
        self._screen.write(text.replace("\n", "\r\n"))

    def close(self) -> None:
        """Do nothing: the screen stays."""


class Terminal(Pipe):
    """The keyboard's side: a pipe that gets whole lines."""

    __slots__ = ("_line", "_screen", "output")

    is_terminal = True

    def __init__(self, sim: Simulation, screen: Output) -> None:
        super().__init__(sim)
        self._screen = screen
        self._line = ""
        self.output = TerminalOutput(screen)

    def write(self, text: str) -> None:
        """Press some keys."""
        for key in text:
            self._press(key)

    def _press(self, key: str) -> None:
        if key in "\r\n":
            self._screen.write("\r\n")
            super().write(self._line + "\n")
            self._line = ""
        elif key in BACKSPACES:
            if self._line:
                self._line = self._line[:-1]
                self._screen.write("\b \b")
        elif key == KILL_LINE:
            self._screen.write("\b \b" * len(self._line))
            self._line = ""
        elif key == INTERRUPT:
            self._screen.write("^C\r\n")
            self._line = ""
            super().write("\n")
        elif key == END:
            if not self._line:
                self.close()
        else:
            self._line += key
            self._screen.write(key)
