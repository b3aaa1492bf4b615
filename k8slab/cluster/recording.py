"""What was done to a cluster from outside: all that a run consists of, beside its seed.

An `Input` is one act of the learner (`kubectl`, `request`, `kill`, ...) and the `Position` at which
it began: so many events had happened, and it was so late. Letting time pass is no act: the next
position tells how far the clock had moved. Methods of the cluster that act are marked `@recorded`.

Rule of use: whoever acts past these methods makes a run that cannot be replayed; `spoil` says so.

Upstream: none
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

import msgspec

from k8slab.cluster.turn import HasTurn, in_turn

if TYPE_CHECKING:
    from k8slab.sim import Simulation


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A moment of a run, exactly: the same time may hold many events."""

    events: int  # run so far
    now: float  # virtual seconds


class Input(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One act: the method of the cluster, what it was given, and what it read from files."""

    at: Position
    do: str
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = {}
    files: dict[str, str | None] = {}  # path -> text, None where nothing could be read
    left: Position | None = None  # where the learner went on before the act had ended

    @property
    def call(self) -> str:
        """What was typed: "kubectl get pods", "cluster.kill('etcd')"."""
        if self.do == "kubectl" and self.args:
            return f"kubectl {str(self.args[0]).removeprefix('kubectl ').strip()}"
        given = [repr(value) for value in self.args]
        given += [f"{name}={value!r}" for name, value in self.options.items()]
        return f"cluster.{self.do}({', '.join(given)})"

    def __str__(self) -> str:
        return f"{self.at.now:10.3f}  {self.call}"


class Recording:
    """The inputs of one run, in order; acts within acts are not counted twice."""

    def __init__(self, sim: Simulation, read_file: Callable[[str], str]) -> None:
        self.inputs: list[Input] = []
        self._began: list[int] = []  # how many records there were at each input
        self.spoiled: tuple[float, str] | None = None  # (when, by what) it ceased to be replayable
        self.given: Mapping[str, str | None] | None = None  # the files of a replayed input
        self._sim = sim
        self._read = read_file
        self._files: dict[str, str | None] | None = None  # of the act that is going on

    @property
    def position(self) -> Position:
        """The present moment."""
        return Position(self._sim.events, self._sim.now)

    @contextmanager
    def input(self, do: str, args: tuple[Any, ...], options: Mapping[str, Any]) -> Iterator[None]:
        """Record an act for as long as the block lasts."""
        if self._files is not None:
            yield
            return
        self._files = {}
        taken = Input(
            at=self.position,
            do=do,
            args=tuple(plain(value) for value in args),
            options={name: plain(value) for name, value in options.items()},
            files=self._files,
        )
        self.inputs.append(taken)
        self._began.append(len(self._sim.trace))
        try:
            yield
        except Exception:
            raise  # it ended, and would end so again
        except BaseException:
            # Ctrl-C, or a replay up to here: what was begun goes on when time does.
            self.inputs[-1] = msgspec.structs.replace(taken, left=self.position)
            raise
        finally:
            self._files = None

    def behind(self, record: int) -> Input | None:
        """Return the last input that had begun when a record was made."""
        number = bisect_left(self._began, record)
        return self.inputs[number - 1] if number else None

    def spoil(self, why: str) -> None:
        """Remember that from now on things happen which are not recorded."""
        self.spoiled = self.spoiled or (self._sim.now, why)

    def read_file(self, path: str) -> str:
        """Return a file's text, and remember it: a replay may find another file there."""
        if self.given is None:
            text = None
            try:
                text = self._read(path)
            finally:
                if self._files is not None:
                    self._files[path] = text
            return text
        text = self.given.get(path)
        if text is None and f"{path}/" in self.given:
            raise IsADirectoryError(21, "Is a directory", path)
        if text is None:
            raise FileNotFoundError(2, "No such file or directory", path)
        return text


def read_text(path: str) -> str:
    """Return the text of a file; of "folder/" the names in it, sorted, a line each.

    Names of folders end with a slash. Raises OSError, UnicodeDecodeError.
    """
    if not path.endswith("/"):
        return Path(path).read_text(encoding="utf-8")
    found = sorted(Path(path).iterdir(), key=lambda one: one.name)
    return "".join(f"{one.name}/\n" if one.is_dir() else f"{one.name}\n" for one in found)


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: text that shows itself differently is but text."""
    return str(value) if isinstance(value, str) else value


class HasRecording(HasTurn, Protocol):
    """Something whose acts are recorded."""

    @property
    def recording(self) -> Recording:
        """Where they are recorded."""


S = TypeVar("S", bound=HasRecording)
P = ParamSpec("P")
R = TypeVar("R")


def recorded(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Let one thread at a time do this, and record it as an input of the run."""

    @wraps(method)
    def wrapped(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.recording.input(method.__name__, args, kwargs):
            return method(self, *args, **kwargs)

    act = in_turn(wrapped)
    vars(act)["is_input"] = True  # a saved run may ask for it, and for nothing else
    return act
