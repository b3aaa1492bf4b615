"""An image: programs, the files and settings around them, a size.

`Image` says what a container of it starts with; `find` looks an executable up, as the shell of a
container does along $PATH. A program may be given as `"module:function"`, which is imported the
first time a container runs it.

Rule of use: in an image with `shell=False` nothing but its own programs runs.

Upstream: opencontainers/image-spec config.md
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import import_module
from typing import cast

import msgspec

from k8slab.node.image_reference import parse_reference
from k8slab.node.interfaces import Program

SHELL = "k8slab.node.runtime.images.busybox"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """What a registry holds under one name."""

    name: str  # "docker.io/library/nginx:latest"
    program: Program | str  # what the entrypoint runs, or "module:function"
    size: int = 5_000_000  # bytes, compressed, as it is pulled
    entrypoint: tuple[str, ...] | None = None  # None: the program's default path
    cmd: tuple[str, ...] = ()
    env: Mapping[str, str] = {}
    ports: tuple[int, ...] = ()  # that it exposes: documentation, as in a Dockerfile
    user: int = 0
    shell: bool = False  # has sh and the small tools of busybox
    libc: str = "glibc"  # whose resolver its programs use: "glibc" or "musl"
    files: Mapping[str, str] = {}  # path -> contents
    executables: Mapping[str, Program | str] = {}  # more programs, by name
    stop_signal: str = "SIGTERM"
    working_dir: str = "/"
    any_command: bool = False  # whatever the manifest calls is taken for the image's program

    @property
    def id(self) -> str:
        """The digest of the configuration, as `crictl images` shows it."""
        return f"sha256:{hashlib.sha256(f'config {self.name}'.encode()).hexdigest()}"

    @property
    def digest(self) -> str:
        """The digest of the manifest, by which the registry knows it."""
        given = parse_reference(self.name).digest
        return given or f"sha256:{hashlib.sha256(f'manifest {self.name}'.encode()).hexdigest()}"

    def command_line(self, command: tuple[str, ...], args: tuple[str, ...]) -> tuple[str, ...]:
        """Return what runs if the manifest says `command` and `args`.

        A command replaces the entrypoint and the image's own arguments; args only the latter.
        """
        if command:
            return command + args
        entrypoint = (self.default_entrypoint,) if self.entrypoint is None else self.entrypoint
        return entrypoint + (args or self.cmd)

    @property
    def default_entrypoint(self) -> str:
        """The program's path, if the image does not name one."""
        return "/" + parse_reference(self.name).path.rpartition("/")[2]

    def find(self, executable: str) -> Program | None:
        """Return the program with that name or path, None if the image has none."""
        name = executable.rpartition("/")[2]
        own = (self.entrypoint[0] if self.entrypoint else self.default_entrypoint).rpartition("/")
        if name == own[2]:
            return load(self.program)
        if name in self.executables:
            return load(self.executables[name])
        if self.shell:
            tool = cast("Program | None", import_module(SHELL).tool(name))
            if tool is not None:
                return tool
        return load(self.program) if self.any_command else None


def load(program: Program | str) -> Program:
    """Return the program, imported if it was given as "module:function"."""
    if isinstance(program, str):
        module, _, function = program.partition(":")
        return cast(Program, getattr(import_module(module), function))
    return program
