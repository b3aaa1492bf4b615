"""What a shell remembers: variables, parameters, options; and the files that a pattern means.

Rule of use: a subshell gets a copy (`copy_to`); what it changes there stays there.

Upstream: busybox shell/ash.c lookupvar, setvar, expmeta
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from k8slab.node.runtime.images.busybox.expand import ExpansionError
from k8slab.node.runtime.images.busybox.files import names_in
from k8slab.node.runtime.process import Process

RANDOM_MAX = 32767


class Variables:
    """The memory of one shell."""

    def __init__(self, process: Process, parameters: list[str], name: str) -> None:
        self.process = process
        self.name = name  # $0
        self.positional = parameters
        self.variables: dict[str, str] = {}
        self.arrays: dict[str, list[str]] = {}  # bash's
        self.exported = dict(process.env)
        self.options: dict[str, bool] = {}  # by letter: e, x, u
        self.status = 0
        self.last_job = 0

    def value(self, name: str, *, optional: bool = False) -> str | None:
        """Return a variable or special parameter, None if it is not set.

        Raises ExpansionError for one that is not set under `set -u`, unless it is optional.
        """
        special = {
            "?": str(self.status), "#": str(len(self.positional)), "$": str(self.process.pid),
            "@": " ".join(self.positional), "*": " ".join(self.positional), "0": self.name,
            "!": str(self.last_job or ""), "-": "".join(self.options),
        }.get(name)  # fmt: skip
        if special is not None:
            return special
        if name.isdigit():
            index = int(name) - 1
            return self.positional[index] if index < len(self.positional) else None
        if name == "RANDOM":
            stream = self.process.sim.streams.rng(f"shell/{self.process.container.id}")
            return str(stream.randint(0, RANDOM_MAX))
        if name in self.arrays:
            return next(iter(self.arrays[name]), "")
        found = self.variables.get(name, self.exported.get(name))
        if found is None and self.options.get("u") and not optional:
            raise ExpansionError(f"{name}: parameter not set")
        return found

    def assign(self, name: str, value: str) -> None:
        """Set a variable; one that is exported stays so."""
        (self.exported if name in self.exported else self.variables)[name] = value

    def parameters(self) -> list[str]:
        """Return the positional parameters."""
        return self.positional

    def glob(self, pattern: str) -> list[str]:
        """Return the paths that match a pattern in its last part, sorted."""
        head, slash, last = pattern.rpartition("/")
        folder = head or ("/" if slash else ".")
        names = names_in(self.process, folder, hidden=last.startswith("."))
        return [f"{head}{slash}{name}" for name in names if fnmatchcase(name, last)]

    def copy_to(self, other: Variables) -> None:
        """Let another shell begin with the same memory."""
        other.variables, other.exported = dict(self.variables), dict(self.exported)
        other.arrays = dict(self.arrays)
        other.options, other.status = dict(self.options), self.status
