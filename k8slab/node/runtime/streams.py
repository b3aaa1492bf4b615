"""Where a process reads from and writes to: log, memory, pipe.

`Output` is anything with `write(text)` and `close()`. A `Pipe` is also an input, with `read_line`
and `read`; a writer whose reader has gone gets BrokenPipeError, as SIGPIPE would end it.

Rule of use: outputs take text as it comes; whole lines are made where lines are kept.

Upstream: Linux fs/pipe.c, containerd internal/cri/io/logger.go
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from k8slab.sim import Queue, Simulation


class Output(Protocol):
    """Something that text can be written to."""

    def write(self, text: str) -> None:
        """Take the text."""

    def close(self) -> None:
        """Take no more."""


class Lines:
    """Cuts text into lines and hands over each as soon as it is complete."""

    __slots__ = ("_rest", "_take")

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take
        self._rest = ""

    def write(self, text: str) -> None:
        """Take text; a line without an end waits for it."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._take(line)

    def close(self) -> None:
        """Hand over a last line that never ended."""
        if self._rest:
            self._take(self._rest)
            self._rest = ""


class Capture:
    """Keeps everything, for exec and for $(command)."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[str] = []

    def write(self, text: str) -> None:
        """Take the text."""
        self._parts.append(text)

    def close(self) -> None:
        """Take no more."""

    @property
    def text(self) -> str:
        """All that was written."""
        return "".join(self._parts)


class Discard:
    """/dev/null."""

    __slots__ = ()

    def write(self, text: str) -> None:
        """Forget the text."""

    def close(self) -> None:
        """Take no more."""


class Pipe:
    """Text from a writer to a reader, in order; the reader waits for it."""

    __slots__ = ("_buffer", "_ended", "_queue", "reader_gone")

    def __init__(self, sim: Simulation, text: str | None = None) -> None:
        self._queue: Queue[str | None] = Queue(sim, "pipe")
        self._buffer = ""
        self._ended = False
        self.reader_gone = False
        if text is not None:  # the whole input is known
            self._buffer, self._ended = text, True

    def write(self, text: str) -> None:
        """Put text into the pipe. Raises BrokenPipeError if nobody will read it."""
        if self.reader_gone:
            raise BrokenPipeError("Broken pipe")
        self._queue.put(text)

    def close(self) -> None:
        """Let the reader see the end once it has read everything."""
        self._queue.put(None)

    async def read_line(self) -> str | None:
        """Return the next line without its end, None at the end of the input."""
        while "\n" not in self._buffer and not self._ended:
            await self._fill()
        if not self._buffer:
            return None
        line, _, self._buffer = self._buffer.partition("\n")
        return line

    async def read(self) -> str:
        """Return everything up to the end of the input."""
        while not self._ended:
            await self._fill()
        text, self._buffer = self._buffer, ""
        return text

    async def read_some(self) -> str | None:
        """Return what is there, waiting for it; None at the end of the input."""
        while not self._buffer and not self._ended:
            await self._fill()
        text, self._buffer = self._buffer, ""
        return text or None

    async def _fill(self) -> None:
        text = await self._queue.get()
        if text is None:
            self._ended = True
        else:
            self._buffer += text
