"""One command line being carried out: its flags, its words, what it prints, whom it asks.

A command is `async def command(call: Invocation) -> None`. It prints with `call.print`, warns with
`call.warn`, asks the API server with `call.request`, and raises what goes wrong.

Rule of use: nothing is kept from one invocation to the next.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/util/factory.go, cli-runtime/pkg/genericiooptions
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from k8slab.api.authentication import UserInfo
from k8slab.api.scheme import Resource
from k8slab.client import ADMIN, Notes, Request, Transport
from k8slab.kubectl.command_line import Flag, Parsed, duration_or_none
from k8slab.kubectl.errors import CommandError

CLUSTER = "kubernetes"
CONTEXT = f"{ADMIN}@{CLUSTER}"  # as kubeadm names it
# Method, URL, body and headers of a request; status and text of its answer.
Http = Callable[[str, str, bytes, Mapping[str, str]], Awaitable[tuple[int, str]]]
Run = Callable[["Invocation"], Awaitable[None]]


class Command(msgspec.Struct, frozen=True):
    """A command: its flags, and what it does."""

    run: Run
    flags: tuple[Flag, ...] = ()


class Settings(msgspec.Struct):
    """What `kubectl config` remembers."""

    namespace: str = ""  # of the context, "" if it names none


class Surroundings(msgspec.Struct, frozen=True):
    """Where kubectl runs: the way to the API server, the clock, the files."""

    transport: Transport
    now: Callable[[], float]  # virtual seconds
    sleep: Callable[[float], Awaitable[Any]]
    read_file: Callable[[str], str]  # of "folder/": the names in it, a line each
    user: str
    namespace: str
    watch_seconds: float  # how long an endless command goes on
    settings: Settings
    http: Http | None = None  # the same door by its URLs
    environment: Mapping[str, str] = {}  # what stood before "kubectl" on the command line


class Invocation:
    """One command line; `output` has what was printed, in order, each with where it went."""

    def __init__(self, around: Surroundings, path: str, flags: Parsed, stdin: str) -> None:
        self.around = around
        self.path = path  # the command: "get", "rollout status"
        self.flags = flags
        self.words = flags.words
        self.stdin = stdin
        self.output: list[tuple[str, str]] = []
        self.custom: tuple[Resource, ...] = ()  # kinds that were defined, as far as asked for

    def check(self) -> None:
        """Raise CommandError for flags of every command that make no sense."""
        timeout, context = self.flags.text("request-timeout"), self.flags.text("context")
        if not timeout.isdecimal() and duration_or_none(timeout) is None:
            raise CommandError(
                "Invalid timeout value. Timeout must be a single integer in seconds, or an integer "
                "followed by a corresponding time unit (e.g. 1s | 2m | 3h)"
            )
        if context not in ("", CONTEXT):
            raise CommandError(f'context "{context}" does not exist')

    @property
    def namespace(self) -> str:
        """The namespace that the command is about."""
        around = self.around
        return self.flags.text("namespace") or around.settings.namespace or around.namespace

    @property
    def now(self) -> float:
        """Virtual time, in seconds."""
        return self.around.now()

    @property
    def dry_run(self) -> str:
        """Whether nothing shall be changed: "none", "client" or "server"."""
        given = self.flags.text("dry-run") if self.flags.has("dry-run") else "none"
        if given == "unchanged":
            raise CommandError('invalid dry-run value (""). Must be "none", "server", or "client"')
        if given not in ("none", "client", "server"):
            raise CommandError(
                f'Invalid dry-run value ({given}). Must be "none", "server", or "client".'
            )
        return given

    @property
    def local(self) -> bool:
        """Whether files are changed on their own, and the API server is not asked."""
        return self.flags.has("local") and self.flags.on("local")

    @property
    def sends(self) -> bool:
        """Whether changes go to the API server at all."""
        return not self.local and self.dry_run != "client"

    @property
    def dry_run_note(self) -> str:
        """What is said behind every message of a dry run."""
        return {"client": " (dry run)", "server": " (server dry run)"}.get(self.dry_run, "")

    def print(self, text: str = "", end: str = "\n") -> None:
        """Write a line to stdout."""
        self.output.append(("out", text + end))

    def say(self, text: str) -> None:
        """Write a line to stderr."""
        self.output.append(("err", text + "\n"))

    def warn(self, text: str) -> None:
        """Write a warning to stderr."""
        self.say(f"Warning: {text}")

    def warn_once(self, text: str) -> None:
        """Write a warning to stderr, unless it has been written."""
        if ("err", f"Warning: {text}\n") not in self.output:
            self.warn(text)

    def _acting_as(self) -> UserInfo | None:
        """Return as whom the command is carried out, if not as the user; raises CommandError."""
        flags = self.flags
        name, groups, uid = flags.text("as"), flags.all("as-group"), flags.text("as-uid")
        if name:
            return UserInfo(username=name, groups=groups, uid=uid)
        if groups or uid:
            raise CommandError(
                f"requesting uid, groups or user-extra for {self.around.user} without "
                "impersonating a user"
            )
        return None

    async def request(self, verb: str, resource: Resource, **fields: Any) -> Any:
        """Ask the API server; `fields` are those of `Request`.

        Raises ApiError if it refuses, ConnectionFailed if it does not answer.
        """
        if not resource.namespaced:
            fields.pop("namespace", None)
        fields.setdefault("dry_run", self.dry_run == "server")
        notes = Notes()
        request = Request(
            verb=verb,
            resource=resource.plural,
            group=resource.group,
            version=resource.version,
            user=self.around.user,
            token=self.flags.text("token"),
            impersonate=self._acting_as(),
            notes=notes,
            **fields,
        )
        try:
            return await self.around.transport.request(request)
        finally:
            for text in notes.warnings:
                self.warn_once(text)
