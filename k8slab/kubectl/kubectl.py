"""The command line of the cluster: `await kubectl.run("get pods -n kube-system -o wide")`.

A command line is split as a shell does it, its command looked up, its flags read; the command asks
the API server and prints. Nothing is known to kubectl but what the API server answers.

Rule of use: `run` never raises: what went wrong is on stderr, and in the exit code.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/cmd.go
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from k8slab.client import ADMIN, Transport
from k8slab.kubectl import errors
from k8slab.kubectl.command_line import parse
from k8slab.kubectl.commands import NOT_IN_THE_LAB, find
from k8slab.kubectl.discovery import discover
from k8slab.kubectl.help import help_text
from k8slab.kubectl.invocation import Http, Invocation, Settings, Surroundings

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
WATCH_SECONDS = 30.0  # virtual; kubectl itself would watch until it is interrupted


class Result(msgspec.Struct, frozen=True):
    """What a command printed, and how it ended; `output` has both streams as they came."""

    stdout: str
    stderr: str
    exit_code: int
    output: str = ""


class Kubectl:
    """kubectl for one user of one cluster."""

    def __init__(
        self,
        transport: Transport,
        now: Callable[[], float],
        *,
        sleep: Callable[[float], Awaitable[Any]],
        read_file: Callable[[str], str] | None = None,
        http: Http | None = None,
        user: str = ADMIN,
        namespace: str = "default",
        watch_seconds: float = WATCH_SECONDS,
    ) -> None:
        self._around = Surroundings(
            transport=transport,
            now=now,
            sleep=sleep,
            read_file=read_file or _no_files,
            http=http,
            user=user,
            namespace=namespace,
            watch_seconds=watch_seconds,
            settings=Settings(),
        )

    async def run(
        self, command_line: str, stdin: str = "", *, watch_seconds: float | None = None
    ) -> Result:
        """Carry out a command line, with or without "kubectl" in front, and return what it printed.

        `watch_seconds` of virtual time bound a command that would go on for ever.
        """
        around = self._around
        if watch_seconds is not None:
            around = msgspec.structs.replace(around, watch_seconds=watch_seconds)
        try:
            words = shlex.split(command_line)
        except ValueError as error:
            return Result("", f"error: {error}\n", 1, f"error: {error}\n")
        environment = {}
        while words and _ASSIGNMENT.fullmatch(words[0]):
            name, _, value = words.pop(0).partition("=")
            environment[name] = value
        if environment:
            around = msgspec.structs.replace(around, environment=environment)
        if words[:1] == ["kubectl"]:
            del words[0]
        return await _carry_out(around, words, stdin)


async def _carry_out(around: Surroundings, words: list[str], stdin: str) -> Result:
    output: list[tuple[str, str]] = []
    code = 0
    try:
        if not words or words[0] in ("help", "-h", "--help"):
            output.append(("out", _help(words[1:])))
        else:
            path, command, rest = find(words)
            if command is None:
                output.append(("out", help_text(path)))
                code = 0 if not path or {"-h", "--help"} & set(rest) else 1
            else:
                call = Invocation(around, path, parse(rest, command.flags, path), stdin)
                output = call.output
                call.check()
                if call.flags.has("kustomize") and call.flags.text("kustomize"):
                    raise errors.CommandError(NOT_IN_THE_LAB["kustomize"])
                if call.flags.on("help"):
                    call.print(help_text(path), end="")
                else:
                    await discover(call)
                    await command.run(call)
    except errors.KNOWN_ERRORS as error:
        text, code = errors.report(error)
        output.append(("err", text))
    return Result(
        "".join(text for stream, text in output if stream == "out"),
        "".join(text for stream, text in output if stream == "err"),
        code,
        "".join(text for _, text in output),
    )


def _help(words: list[str]) -> str:
    """Return the help about a command, or about kubectl itself."""
    if not words:
        return help_text("")
    try:
        return help_text(find(words)[0])
    except errors.CommandError:
        topic = ", ".join(f"`{word}`" for word in words)
        return f"Unknown help topic [{topic}]\n\n{help_text('')}"


def _no_files(path: str) -> str:
    raise FileNotFoundError(path)
