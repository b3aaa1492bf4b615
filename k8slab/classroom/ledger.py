"""The ledger: what one learner predicted, answered and solved, in one JSON file.

    K8SLAB_LEDGER=PATH    where it lies; without it, in the user's own data folder
    K8SLAB_LEDGER=off     kept in memory and forgotten with the kernel

`current()` opens it; `add` appends an `Entry`, `entries` and `latest` read, `export` gives JSON and
`take_in` adds what another computer exported; `sign` says whose it is.
A file that cannot be read is put aside, never overwritten, and a fresh one begins beside it.

Rule of use: entries are only ever appended; the newest about a key counts.

Upstream: none
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from k8slab.classroom.mistakes import AskedWrongError
from k8slab.classroom.questions import Answer, Question
from k8slab.classroom.variants import named

VARIABLE = "K8SLAB_LEDGER"
OFF = "off"
VERSION = 1


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that the learner did."""

    kind: Literal["prediction", "reveal", "question", "check"]
    key: str
    answer: Answer | None = None
    actual: Answer | None = None
    confidence: float | None = None  # chance of being right, as the learner saw it
    score: float | None = None  # correctness, 0 to 1
    calibration: float | None = None  # 0 to 1
    verdict: str = ""  # of a check


class Book(msgspec.Struct, frozen=True):
    """What the file holds."""

    version: int
    entries: tuple[Entry, ...] = ()
    learner: str = ""  # whatever name they gave


class Ledger:
    """The entries of one learner; in a file if there is a path, in memory otherwise."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.notice = ""  # one sentence for the learner, if something was wrong with the file
        self.asked: dict[str, Question] = {}  # questions of this session that no chapter holds
        self.advised = ""  # the key whose reveal gave the advice to predict, in this session
        self._entries: tuple[Entry, ...] = ()
        self._learner = ""
        self._load()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Everything so far, oldest first."""
        return self._entries

    @property
    def learner(self) -> str:
        """The name that the learner gave, empty if none."""
        return self._learner

    def sign(self, learner: str) -> None:
        """Note whose ledger this is."""
        self._load()
        self._learner = named(learner)
        self._store()

    def add(self, entry: Entry) -> None:
        """Append an entry, and store it with those that another notebook added meanwhile."""
        self._load()
        self._entries = (*self._entries, entry)
        self._store()

    def latest(self, key: str, *kinds: str) -> Entry | None:
        """Return the newest entry about a key, of these kinds if any are given."""
        for entry in reversed(self._entries):
            if entry.key == key and (not kinds or entry.kind in kinds):
                return entry
        return None

    def export(self) -> str:
        """Return the whole ledger as JSON text."""
        text = msgspec.json.encode(Book(VERSION, self._entries, self._learner))
        return msgspec.json.format(text, indent=1).decode()

    def take_in(self, text: str) -> int:
        """Append what an export holds and this ledger does not; return how many entries.

        Raises ValueError, and changes nothing, if the text is no export of a ledger.
        """
        book = _read(text.encode())
        self._load()
        here = Counter(map(msgspec.json.encode, self._entries))
        new = []
        for entry in book.entries:
            known = msgspec.json.encode(entry)
            if here[known]:
                here[known] -= 1
            else:
                new.append(entry)
        self._entries = (*self._entries, *new)
        self._learner = self._learner or book.learner
        self._store()
        return len(new)

    def take_notice(self) -> str:
        """Return what the learner should be told, once."""
        notice, self.notice = self.notice, ""
        return notice

    def _load(self) -> None:
        if self.path is None or not self.path.exists():
            return
        try:
            book = _read(self.path.read_bytes())
            self._entries, self._learner = book.entries, book.learner
        except ValueError:
            self._put_aside(self.path)
        except OSError as problem:
            self._keep_in_memory(f"could not be read ({problem.strerror})")

    def _put_aside(self, path: Path) -> None:
        aside = next(
            spare
            for number in range(1, 1000)
            if not (spare := path.with_name(f"{path.stem}.damaged-{number}.json")).exists()
        )
        try:
            path.replace(aside)
        except OSError as problem:
            self._keep_in_memory(f"is damaged and could not be put aside ({problem.strerror})")
            return
        self.notice = (
            f"Your ledger {path.name} could not be understood. It is kept as {aside.name}, "
            "and a fresh one has been started beside it."
        )

    def _store(self) -> None:
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
            draft.write_text(self.export(), encoding="utf-8")
            draft.replace(self.path)  # at once: a reader sees the old file or the new one
        except OSError as problem:
            self._keep_in_memory(f"could not be written ({problem.strerror})")

    def _keep_in_memory(self, what: str) -> None:
        self.notice = f"Your ledger {self.path} {what}; answers are kept for this session only."
        self.path = None


def _read(content: bytes) -> Book:
    """Return the book in a file; raises ValueError if there is none that this version reads."""
    try:
        book = msgspec.json.decode(content, type=Book)
    except (UnicodeDecodeError, msgspec.MsgspecError) as problem:
        raise AskedWrongError(f"expected the export of a ledger: {problem}") from None
    if book.version != VERSION:
        raise AskedWrongError(f"expected a ledger of version {VERSION}, got {book.version}")
    return book


def export_ledger(path: str | Path) -> str:
    """Write the ledger to a file, to take it along, and say so."""
    target, ledger = Path(path), current()
    try:
        target.write_text(ledger.export(), encoding="utf-8")
    except OSError as problem:
        raise AskedWrongError(f"cannot write {path}: {problem.strerror or problem}") from None
    return f"{len(ledger.entries)} entries are in {target.name}."


def import_ledger(path: str | Path) -> str:
    """Add what was exported on another computer, and say how much was new.

    Raises ValueError, and changes nothing, if the file is no export of a ledger.
    """
    source = Path(path)
    try:
        text = source.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise AskedWrongError(
            f"expected the export of a ledger, found no text in {source.name}"
        ) from None
    except OSError as problem:
        why = problem.strerror or problem
        raise AskedWrongError(f"cannot read {path}: {why}. Which folder is it in?") from None
    new = current().take_in(text)
    return f"{new} entries from {source.name} are new here."


def sign(learner: str) -> str:
    """Put the learner's name on the ledger; exercises marked as variants then are their own."""
    current().sign(learner)
    name = current().learner
    return f"This is the ledger of {name}." if name else "This ledger bears no name."


def current() -> Ledger:
    """Return the ledger of this kernel's learner."""
    return _open(os.environ.get(VARIABLE, ""))


def default_path() -> Path:
    """Return where the ledger lies in the user's own data folder."""
    home = Path.home()
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        folder = home / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return folder / "k8slab" / "ledger.json"


@cache
def _open(where: str) -> Ledger:
    # One per place and process: forms that are still open write to the same one.
    if where.lower() == OFF:
        return Ledger(None)
    return Ledger(Path(where) if where else default_path())
