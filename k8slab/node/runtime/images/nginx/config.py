"""A configuration as nginx holds it: servers, their locations, groups of backends.

Settings are inherited from the outer block, each name as a whole: a location with one
`proxy_set_header` of its own has none of its server's. What is done step by step (`return`,
`rewrite`, `set`, `if`) and what gives the content (`proxy_pass`, `try_files`) is not inherited.

Rule of use: `load` reads files through a function, so that whoever has them decides where they are.

Upstream: nginx src/http/ngx_http.c, src/http/ngx_http_core_module.c
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from k8slab.node.runtime.images.nginx.directives import check
from k8slab.node.runtime.images.nginx.syntax import ConfigError, Directive, parse

Files = Callable[[str], Mapping[str, str]]  # the files that a path or pattern means, by path
Settings = Mapping[str, tuple[Directive, ...]]
STEPS = ("return", "rewrite", "set", "if", "break")
OWN = (*STEPS, "proxy_pass", "alias", "try_files", "stub_status", "internal", "location", "listen")
DEFAULT_LISTEN = Directive("listen", ("80",), "", 0)
PREFIX = "/etc/nginx/"  # what relative paths begin with


class Block(msgspec.Struct, frozen=True):
    """What holds in a server, a location or an `if`: own steps and settings, inherited settings."""

    own: tuple[Directive, ...] = ()
    settings: Settings = {}

    def one(self, name: str, default: str = "") -> str:
        """Return the first argument of a setting."""
        found = self.settings.get(name)
        return found[-1].args[0] if found and found[-1].args else default

    def all(self, name: str) -> tuple[Directive, ...]:
        """Return all lines of a setting."""
        return self.settings.get(name, ())

    def inner(self, directives: Iterable[Directive]) -> Block:
        """Return the block of these directives inside of this one."""
        own = tuple(directives)
        inherited = {name: lines for name, lines in self.settings.items() if name not in OWN}
        return Block(own, {**inherited, **_grouped(own)})


class Location(msgspec.Struct, frozen=True):
    """A part of a server: which paths it is for, and what holds there."""

    modifier: str  # "", "=", "^~", "~", "~*", or "@" for a name
    pattern: str
    block: Block
    locations: tuple[Location, ...] = ()

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for no prefix of paths."""
        return self.modifier in ("~", "~*", "@")

    def matches(self, path: str) -> re.Match[str] | None:
        """Match a location that is a pattern."""
        return search(self.pattern, path, ignore_case=self.modifier == "~*")


class Listen(msgspec.Struct, frozen=True):
    """Where a server listens."""

    ip: str
    port: int
    default: bool = False
    ssl: bool = False


class Server(msgspec.Struct, frozen=True):
    """A virtual server."""

    listens: tuple[Listen, ...]
    names: tuple[str, ...]
    block: Block
    locations: tuple[Location, ...] = ()


class Upstream(msgspec.Struct, frozen=True):
    """A group of backends: its own lines, for `upstream.py`."""

    name: str
    directives: tuple[Directive, ...]


class Config(msgspec.Struct, frozen=True):
    """All of it."""

    main: Block
    http: Block
    servers: tuple[Server, ...] = ()
    upstreams: Mapping[str, Upstream] = {}
    untouched: tuple[Directive, ...] = ()  # what the lab does not act on


def load(path: str, files: Files) -> Config:
    """Read a configuration with all that it includes. Raises ConfigError."""
    text = files(path).get(path)
    if text is None:
        raise ConfigError(f'open() "{path}" failed (2: No such file or directory)')
    directives = tuple(_included(parse(text, path), files))
    untouched = tuple(check(directives))
    main = Block().inner(directives)
    if not any(found.name == "events" for found in directives):
        raise ConfigError('no "events" section in configuration')
    lines = tuple(
        inner for found in directives if found.name == "http" for inner in found.block or ()
    )
    http = main.inner(lines)
    groups = {
        found.args[0]: Upstream(found.args[0], found.block or ())
        for found in lines
        if found.name == "upstream"
    }
    servers = tuple(_server(found, http) for found in lines if found.name == "server")
    return Config(main, http, servers, groups, untouched)


def _included(directives: Sequence[Directive], files: Files) -> Iterator[Directive]:
    for found in directives:
        if found.name != "include" or not found.args:
            if found.block is not None:
                block = tuple(_included(found.block, files))
                found = msgspec.structs.replace(found, block=block)
            yield found
            continue
        path = absolute(found.args[0])
        texts = files(path)
        if not texts and not any(letter in path for letter in "*?["):
            raise ConfigError(
                f'open() "{path}" failed (2: No such file or directory) in {found.where}'
            )
        for name, text in texts.items():
            yield from _included(parse(text, name), files)


def absolute(path: str) -> str:
    """Return a path of the configuration from the root."""
    return path if path.startswith("/") else PREFIX + path


def search(pattern: str, text: str, *, ignore_case: bool = False) -> re.Match[str] | None:
    """Match a pattern in the form of PCRE, whose named groups are `(?<name>...)`."""
    pattern = re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", pattern)
    return re.search(pattern, text, re.IGNORECASE if ignore_case else 0)


def _grouped(directives: Iterable[Directive]) -> dict[str, tuple[Directive, ...]]:
    groups: dict[str, tuple[Directive, ...]] = {}
    for found in directives:
        groups[found.name] = (*groups.get(found.name, ()), found)
    return groups


def _server(found: Directive, http: Block) -> Server:
    block = http.inner(found.block or ())
    listens = tuple(_listen(each) for each in block.settings.get("listen", (DEFAULT_LISTEN,)))
    names = tuple(name for each in block.own if each.name == "server_name" for name in each.args)
    return Server(listens, names, block, _locations(block))


def _locations(outer: Block) -> tuple[Location, ...]:
    found: list[Location] = []
    for each in outer.own:
        if each.name != "location":
            continue
        *given, pattern = each.args
        modifier = given[0] if given else ""
        if not given and pattern[:1] == "@":
            modifier = "@"
        if modifier not in ("", "=", "^~", "~", "~*", "@"):
            raise ConfigError(f'invalid location modifier "{modifier}" in {each.where}')
        if any((modifier, pattern) == (old.modifier, old.pattern) for old in found):
            raise ConfigError(f'duplicate location "{pattern}" in {each.where}')
        block = outer.inner(each.block or ())
        location = Location(modifier, pattern, block, _locations(block))
        if modifier in ("~", "~*"):
            _try(location, each)
        found.append(location)
    return tuple(found)


def _try(location: Location, found: Directive) -> None:
    try:
        location.matches("")
    except re.error as error:
        pattern = location.pattern
        raise ConfigError(
            f'pcre2_compile() failed: {error.msg} in "{pattern}" in {found.where}'
        ) from None


def _listen(found: Directive) -> Listen:
    where, *flags = found.args
    ip, _, port = where.rpartition(":") if not where.endswith("]") else (where, "", "80")
    if where.startswith("unix:") or not port.isdigit() or not 0 < int(port) < 65536:
        what = "invalid port in" if port.isdigit() else "host not found in"
        raise ConfigError(f'{what} "{where}" of the "listen" directive in {found.where}')
    default = any(flag in ("default_server", "default") for flag in flags)
    return Listen("" if ip == "*" else ip, int(port), default, "ssl" in flags)
