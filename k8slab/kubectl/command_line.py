"""Command lines: words and flags, as kubectl reads them.

    get pods -n web -o=wide --watch        flags may stand anywhere, values behind "=" or a space
    exec web -c app -- ls -l               what follows "--" belongs to the command in the container

`parse(words, flags)` returns the words and the values of the flags. Each command says which flags
it has; those of every command (`-n`, `--request-timeout`, ...) are added here.

Rule of use: ask `parsed.text("output")`, `parsed.on("watch")`, `parsed.number("replicas")`,
`parsed.all("filename")`; a flag that was not given has its default.

Upstream: vendor/github.com/spf13/pflag, staging/src/k8s.io/kubectl/pkg/cmd
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from k8slab.kubectl.errors import UsageError

Kind = Literal["bool", "text", "int", "list", "duration"]

_TRUE, _FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")
_DURATION = re.compile(r"([0-9]*\.?[0-9]+)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class Flag(msgspec.Struct, frozen=True):
    """One flag of a command; `bare` is what it means when it stands without a value."""

    name: str
    short: str = ""
    kind: Kind = "text"
    default: str = ""
    bare: str | None = None


class Parsed(msgspec.Struct, frozen=True):
    """The words of a command line, and the values of its flags as text."""

    words: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]
    flags: Mapping[str, Flag]
    dash: int | None = None  # how many words stood before "--"

    def given(self, name: str) -> bool:
        """Say whether the flag is on the command line."""
        return name in self.values

    def text(self, name: str) -> str:
        """Return the value that was given last."""
        return self.values[name][-1] if name in self.values else self.flags[name].default

    def on(self, name: str) -> bool:
        """Return the value of a flag that is true or false."""
        return self.text(name) in _TRUE

    def number(self, name: str) -> int:
        """Return the value of a flag that is a number."""
        return int(self.text(name))

    def seconds(self, name: str) -> float:
        """Return the value of a flag that is a span of time."""
        return duration(self.text(name))

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a flag that may be given many times."""
        return self.values.get(name, ())

    def has(self, name: str) -> bool:
        """Say whether the command has such a flag."""
        return name in self.flags


def flag_on(name: str, short: str = "", default: str = "false") -> Flag:
    """Return a flag that is true or false."""
    return Flag(name, short, "bool", default, "true")


GLOBAL = (
    Flag("namespace", "n"),
    Flag("context"),
    Flag("cluster"),
    Flag("user"),
    Flag("kubeconfig"),
    Flag("server", "s"),
    Flag("token"),
    Flag("as"),
    Flag("as-group", kind="list"),
    Flag("as-uid"),
    Flag("request-timeout", default="0"),
    Flag("v", "v", "int", "0"),
    flag_on("help", "h"),
    flag_on("insecure-skip-tls-verify"),
    flag_on("match-server-version"),
    flag_on("warnings-as-errors"),
)


def parse(words: Sequence[str], flags: Iterable[Flag], command: str) -> Parsed:
    """Return the words and flags of a command line; UsageError in kubectl's words."""
    by_name = {flag.name: flag for flag in (*GLOBAL, *flags)}
    by_short = {flag.short: flag for flag in by_name.values() if flag.short}
    plain: list[str] = []
    values: dict[str, list[str]] = {}
    rest = list(words)
    dash = None
    try:
        while rest:
            word = rest.pop(0)
            if word == "--":
                dash = len(plain)
                plain += rest
                break
            if word.startswith("--"):
                _long(word, rest, by_name, values)
            elif word.startswith("-") and word != "-":
                _short(word, rest, by_short, values)
            else:
                plain.append(word)
    except ValueError as error:
        whole = f"kubectl {command}".strip()
        raise UsageError(f"{error}\nSee '{whole} --help' for usage.") from None
    frozen = {name: tuple(given) for name, given in values.items()}
    return Parsed(tuple(plain), frozen, by_name, dash)


def duration(text: str) -> float:
    """Return the seconds in a span such as "1m30s"; ValueError in Go's words if it is none."""
    sign = -1 if text.startswith("-") else 1
    body = text.lstrip("+-")
    if body == "0":
        return 0.0
    parts = _DURATION.findall(body)
    if not parts or "".join(number + unit for number, unit in parts) != body:
        raise ValueError(_no_duration(text, body))
    return sign * sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _no_duration(text: str, body: str) -> str:
    """Return what is wrong with a span of time, in Go's words."""
    pairs = re.findall(r"([0-9]*\.?[0-9]+)([^0-9.]*)", body)
    if not pairs or "".join(number + unit for number, unit in pairs) != body:
        return f'time: invalid duration "{text}"'
    unit = next(unit for _, unit in pairs if unit not in _SECONDS)
    problem = f'unknown unit "{unit}"' if unit else "missing unit"
    return f'time: {problem} in duration "{text}"'


def duration_or_none(text: str) -> float | None:
    """Return the seconds in a span, None if it is none."""
    try:
        return duration(text)
    except ValueError:
        return None


def _long(
    word: str, rest: list[str], flags: Mapping[str, Flag], values: dict[str, list[str]]
) -> None:
    name, equals, value = word[2:].partition("=")
    flag = flags.get(name)
    if flag is None:
        raise ValueError(f"unknown flag: --{name}")
    if not equals:
        if flag.bare is not None:
            value = flag.bare
        elif rest:
            value = rest.pop(0)
        else:
            raise ValueError(f"flag needs an argument: --{name}")
    _set(flag, value, values)


def _short(
    word: str, rest: list[str], flags: Mapping[str, Flag], values: dict[str, list[str]]
) -> None:
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        flag = flags.get(letter)
        if flag is None:
            raise ValueError(f"unknown shorthand flag: '{letter}' in {word}")
        if letters.startswith("=") and len(letters) > 1:
            value, letters = letters[1:], ""
        elif flag.bare is not None:
            value = flag.bare
        elif letters:
            value, letters = letters, ""
        elif rest:
            value = rest.pop(0)
        else:
            raise ValueError(f"flag needs an argument: '{letter}' in -{letter}")
        _set(flag, value, values)


def _set(flag: Flag, value: str, values: dict[str, list[str]]) -> None:
    problem = _problem(flag, value)
    if problem:
        shown = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
        raise ValueError(f'invalid argument "{value}" for "{shown}" flag: {problem}')
    values.setdefault(flag.name, []).append(value)


def _problem(flag: Flag, value: str) -> str:
    if flag.kind == "bool" and value not in (*_TRUE, *_FALSE):
        return f'strconv.ParseBool: parsing "{value}": invalid syntax'
    if flag.kind == "int" and not re.fullmatch(r"[-+]?[0-9]+", value):
        return f'strconv.ParseInt: parsing "{value}": invalid syntax'
    if flag.kind == "duration":
        try:
            duration(value)
        except ValueError as error:
            return str(error)
    return ""
