"""sed's grammar: from the text of a script to its commands.

    >>> command, = compile_script("/web/s/a/b/g", False)
    >>> command.name, command.text, command.flags
    ('s', 'b', 'g')

Rule of use: a command remembers whether its range is open, so a script runs over one input.

Upstream: busybox editors/sed.c (parse_cmd_args)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from k8slab.node.runtime.images.busybox.text import basic_regex

TEXTS = "aic"


class SedError(ValueError):
    """The program cannot be read; the message is sed's."""


class Following(msgspec.Struct, frozen=True):
    """The address +N: so many lines more."""

    lines: int


# N, "$", first~step, /re/, +N
Address = int | str | tuple[int, int] | re.Pattern[str] | Following


class Command(msgspec.Struct):
    """One command, for which lines it is, and whether its range is open just now."""

    name: str
    addresses: tuple[Address, ...] = ()
    negated: bool = False
    text: str = ""  # of a, i, c; the replacement of s
    pattern: re.Pattern[str] | None = None
    flags: str = ""
    table: dict[int, int] = {}
    block: list[Command] = []
    until: int = -1  # the line at which an open range ends by number, 0: by its pattern


def compile_script(text: str, extended: bool) -> list[Command]:
    """Return the commands of a script. Raises SedError, re.error."""
    commands, at = _commands(text, 0, extended)
    if at < len(text):
        raise SedError("unexpected '}'")
    return commands


def _commands(text: str, at: int, extended: bool) -> tuple[list[Command], int]:
    found: list[Command] = []
    while True:
        while at < len(text) and text[at] in " \t\n;":
            at += 1
        if at == len(text) or text[at] == "}":
            return found, at
        if text[at] == "#":
            at = text.find("\n", at) % (len(text) + 1)
            continue
        command, at = _command(text, at, extended)
        found.append(command)


def _command(text: str, at: int, extended: bool) -> tuple[Command, int]:
    addresses: list[Address] = []
    while (read := _address(text, at, extended)) is not None:
        addresses.append(read[0])
        at = read[1]
        if text[at : at + 1] != "," or len(addresses) == 2:
            break
        at += 1
    at += len(text[at:]) - len(text[at:].lstrip(" \t"))
    negated = text[at : at + 1] == "!"
    at += negated
    name = text[at : at + 1]
    command = Command(name, tuple(addresses), negated)
    at += 1
    if name == "{":
        command.block, at = _commands(text, at, extended)
        if text[at : at + 1] != "}":
            raise SedError("unmatched '{'")
        return command, at + 1
    if name == "s":
        (pattern, command.text), at = _parts(text, at)
        flags = re.compile(r"[gpiI0-9]*").match(text, at)
        command.flags = flags[0] if flags else ""
        ignore = re.IGNORECASE if "i" in command.flags.lower() else 0
        command.pattern = re.compile(basic_regex(pattern, extended), ignore)
        return command, at + len(command.flags)
    if name == "y":
        (source, target), at = _parts(text, at)
        command.table = str.maketrans(source, target)
        return command, at
    if name in TEXTS:
        end = text.find("\n", at) % (len(text) + 1)
        given = text[at:end].lstrip(" \t")
        if given == "\\" and end < len(text):
            begin, end = end + 1, text.find("\n", end + 1) % (len(text) + 1)
            given = text[begin:end]
        command.text = given.removeprefix("\\")
        return command, end
    if not name or name not in "dpqnNhHgGx=":
        raise SedError(f"unsupported command {name}" if name else "missing command")
    return command, at


def _address(text: str, at: int, extended: bool) -> tuple[Address, int] | None:
    found = re.compile(r"(\d+)(?:~(\d+))?").match(text, at)
    if found is not None:
        step = found[2]
        return (int(found[1]) if step is None else (int(found[1]), int(step))), found.end()
    if text[at : at + 1] == "$":
        return "$", at + 1
    more = re.compile(r"\+(\d+)").match(text, at)
    if more is not None:
        return Following(int(more[1])), more.end()
    if text[at : at + 1] not in ("/", "\\"):
        return None
    at += text[at] == "\\"
    pattern, at = _until(text, at + 1, text[at])
    return re.compile(basic_regex(pattern, extended)), at


def _parts(text: str, at: int) -> tuple[tuple[str, str], int]:
    """Read /one/two/ with any letter in the place of the slash."""
    mark = text[at : at + 1]
    if not mark:
        raise SedError("bad option in substitution expression")
    first, at = _until(text, at + 1, mark)
    second, at = _until(text, at, mark)
    return (first, second), at


def _until(text: str, at: int, mark: str) -> tuple[str, int]:
    part = ""
    for letter in _letters(text, at):
        if letter == mark:
            return part, at + 1
        part += mark if letter == f"\\{mark}" and mark not in ".*[]^$+?(){}|" else letter
        at += len(letter)
    raise SedError("unmatched '" + mark + "'")


def _letters(text: str, at: int) -> Iterator[str]:
    """Yield letters, a backslash together with what it escapes."""
    while at < len(text):
        letter = text[at : at + 2] if text[at] == "\\" else text[at]
        yield letter
        at += len(letter)
