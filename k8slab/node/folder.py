"""Files in memory: the disk of a machine or of a container, or a volume.

A `Folder` maps paths to contents: text, a `Bulk` of which only the size matters, or whatever object
a program keeps there.

Rule of use: paths are relative, with "/"; a folder exists as far as something is in it.

Upstream: none (a real one is a file system)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec


class Folder:
    """A folder in memory: a volume, or the disk of a machine. Paths are relative, with "/"."""

    def __init__(self) -> None:
        self.files: dict[str, Any] = {}  # str contents; a program may keep any object of its own
        self.watchers: list[Callable[[str], None]] = []  # told the path of each change (inotify)

    def read(self, path: str) -> Any:
        """Return the contents; raises FileNotFoundError with the path."""
        try:
            return self.files[path.strip("/")]
        except KeyError:
            raise FileNotFoundError(path) from None

    def write(self, path: str, contents: Any) -> None:
        """Make or replace the file."""
        self.files[path.strip("/")] = contents
        self._tell(path)

    def remove(self, path: str) -> None:
        """Remove the file; raises FileNotFoundError with the path."""
        if self.files.pop(path.strip("/"), None) is None:
            raise FileNotFoundError(path)
        self._tell(path)

    def list(self, path: str = "") -> list[str]:
        """Return the paths below a folder, sorted."""
        prefix = f"{path.strip('/')}/" if path.strip("/") else ""
        return sorted(name for name in self.files if name.startswith(prefix))

    def size(self) -> int:
        """Return how many bytes its files have together."""
        return sum(size_of(contents) for contents in self.files.values())

    def _tell(self, path: str) -> None:
        for watcher in self.watchers:
            watcher(path.strip("/"))


class Bulk(msgspec.Struct, frozen=True):
    """The contents of a file of which only the size matters: zeros from dd, a core dump."""

    size: int  # bytes

    def __str__(self) -> str:
        return ""


def size_of(contents: Any) -> int:
    """Return how many bytes a file's contents have; an object of a program's own has none."""
    if isinstance(contents, Bulk):
        return contents.size
    return len(contents) if isinstance(contents, str) else 0
