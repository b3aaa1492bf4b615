r"""The Corefile: server blocks, each with plugins, each with arguments and properties.

    .:53 {                  # zones and port of a server block
        errors              # a plugin
        cache 30 {          # a plugin with an argument and a block of properties
            disable denial cluster.local
        }
    }

>>> block = parse(".:53 {\n cache 30 {\n  disable denial cluster.local\n }\n}")[0]
>>> block.keys, block.plugin("cache").args
((('.', 53),), ('30',))

Rule of use: plugins act in CoreDNS's own order (chain.py), never in that of the file.

Upstream: coredns core/dnsserver/register.go, address.go; plugin/normalize.go
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network

import msgspec

from k8slab.addons.coredns.caddyfile import Block, CorefileError, ReadFile, Token, blocks
from k8slab.addons.coredns.names import absolute
from k8slab.api.duration import parse_go_duration

DEFAULT_PORT = 53
# Every plugin that CoreDNS is built with, in the order in which they are asked.
ORDER = (
    "root", "metadata", "geoip", "cancel", "tls", "quic", "grpc_server", "https", "https3",
    "timeouts", "multisocket", "reload", "nsid", "bufsize", "bind", "debug", "trace", "ready",
    "health", "pprof", "prometheus", "errors", "log", "dnstap", "local", "dns64", "acl", "any",
    "chaos", "loadbalance", "tsig", "cache", "rewrite", "header", "dnssec", "autopath", "minimal",
    "template", "transfer", "hosts", "route53", "azure", "clouddns", "k8s_external", "kubernetes",
    "file", "auto", "secondary", "etcd", "loop", "forward", "grpc", "erratic", "whoami", "on",
    "sign", "view", "nomad",
)  # fmt: skip

__all__ = ["CorefileError", "Plugin", "ServerBlock", "Setting", "Wrong", "parse"]


class Wrong(ValueError):  # noqa: N818 (upstream: the error that setup returns)
    """A plugin cannot be set up like this; the words are CoreDNS'."""


class Setting(msgspec.Struct, frozen=True):
    """One line of a plugin's block, or the words behind its name."""

    name: str
    words: tuple[str, ...] = ()
    token: Token = Token("", 0, "Corefile")  # the last word

    def wrong(self, words: str) -> Wrong:
        """Return an error that names the line."""
        return Wrong(str(self.token.error(words)))

    def wrong_count(self) -> Wrong:
        """Return the error about too few or too many words."""
        last = self.token.text
        return self.wrong(f"Wrong argument count or unexpected line ending after '{last}'")

    def unknown(self) -> Wrong:
        """Return the error about a property that the plugin does not have."""
        return self.wrong(f"unknown property '{self.name}'")

    def one(self) -> str:
        """Return the only word. Raises Wrong."""
        if len(self.words) != 1:
            raise self.wrong_count()
        return self.words[0]

    def number(self, place: int = 0) -> int:
        """Return a word as a number. Raises Wrong."""
        if place >= len(self.words):
            raise self.wrong_count()
        word = self.words[place]
        try:
            return int(word)
        except ValueError:
            raise Wrong(f'strconv.Atoi: parsing "{word}": invalid syntax') from None

    def seconds(self, place: int = 0) -> float:
        """Return a word as a duration. Raises Wrong."""
        if place >= len(self.words):
            raise self.wrong_count()
        return seconds(self.words[place])


class Plugin(msgspec.Struct, frozen=True):
    """A plugin of a server block; `properties` are the lines of its own block."""

    name: str
    args: tuple[str, ...] = ()
    properties: tuple[tuple[str, ...], ...] = ()
    tokens: tuple[Token, ...] = ()  # the last word behind the name, then of each property

    def values(self, name: str) -> tuple[str, ...] | None:
        """Return the words behind a property, None if it is not there."""
        for first, *rest in self.properties:
            if first == name:
                return tuple(rest)
        return None

    @property
    def head(self) -> Setting:
        """The words behind the plugin's name."""
        return self._setting(self.name, self.args, 0)

    @property
    def settings(self) -> Iterator[Setting]:
        """The lines of its block."""
        for place, (name, *words) in enumerate(self.properties, 1):
            yield self._setting(name, tuple(words), place)

    def _setting(self, name: str, words: tuple[str, ...], place: int) -> Setting:
        last = (name, *words)[-1]
        token = self.tokens[place] if place < len(self.tokens) else Token(last, 0, "Corefile")
        return Setting(name, words, token)


class ServerBlock(msgspec.Struct, frozen=True):
    """Zones that are served on ports, and how."""

    keys: tuple[tuple[str, int], ...]  # zone and port
    plugins: tuple[Plugin, ...]

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones, each once."""
        return tuple(dict.fromkeys(zone for zone, _ in self.keys))

    def stanzas(self, name: str) -> tuple[Plugin, ...]:
        """Return the plugin each time that the block has it."""
        return tuple(plugin for plugin in self.plugins if plugin.name == name)

    def plugin(self, name: str) -> Plugin | None:
        """Return the plugin of that name, None if the block has none."""
        return next(iter(self.stanzas(name)), None)


def parse(
    text: str,
    path: str = "Corefile",
    read: ReadFile | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[ServerBlock, ...]:
    """Return the server blocks; errors name the file by its path. Raises CorefileError.

    `read` returns a file that is imported, `environment` has the process' variables.
    """
    found: list[ServerBlock] = []
    taken: dict[tuple[str, int], None] = {}
    known = ORDER.__contains__
    for block in blocks(text, path, known=known, read=read, environment=environment):
        keys = [key for token in block.keys for key in _addresses(token)]
        for zone, port in keys:
            if (zone, port) in taken:
                raise CorefileError(f"cannot serve dns://{zone}:{port} - it is already defined")
            taken[zone, port] = None
        found.append(ServerBlock(tuple(keys), tuple(_plugins(block))))
    return tuple(found)


def _plugins(block: Block) -> Iterator[Plugin]:
    for name, *rest in block.directives:
        lines = _lines([name, *rest])
        (_, *args), *properties = ([token.text for token in line] for line in lines)
        yield Plugin(
            name.text,
            tuple(args),
            tuple(map(tuple, properties)),
            tuple(line[-1] for line in lines),
        )


def _lines(tokens: Sequence[Token]) -> list[list[Token]]:
    """Divide a directive's words into its own line and the lines of its block, without braces."""
    lines: list[list[Token]] = [[]]
    for token in tokens:
        if token.text in ("{", "}"):
            continue
        last = lines[-1][-1] if lines[-1] else token
        if (token.line, token.file) != (last.line, last.file):
            lines.append([])
        lines[-1].append(token)
    return lines


def _addresses(token: Token) -> Iterator[tuple[str, int]]:
    """Yield the zones and ports that a key such as example.org:1053 or 10.0.0.0/24 stands for."""
    word = token.text.removeprefix("dns://")
    if "://" in word:
        scheme = word.partition("://")[0]
        raise token.error(f"the lab serves dns:// only, and not {scheme}://")
    host, colon, port = word.rpartition(":")
    if not colon or "]" in port:
        host, port = word, str(DEFAULT_PORT)
    if not port.isdigit():
        raise CorefileError(f"invalid port {port!r}" if port else "missing port")
    for zone in zones_of(host):
        yield zone, int(port)


def zones_of(word: str) -> tuple[str, ...]:
    """Return the zones of a word: a name, or for a network those of its addresses.

    >>> zones_of("Example.org"), zones_of("10.1.0.0/15")
    (('example.org.',), ('0.10.in-addr.arpa.', '1.10.in-addr.arpa.'))
    """
    try:
        network = ip_network(word, strict=False) if "/" in word else None
    except ValueError:
        network = None
    if network is None:
        return (absolute(word),)
    step = 8 if network.version == 4 else 4
    length = -(-network.prefixlen // step) * step
    parts = network.max_prefixlen // step - length // step
    found = []
    for each in network.subnets(new_prefix=length):
        labels = each.network_address.reverse_pointer.split(".")
        found.append(".".join(labels[parts:]) + ".")
    return tuple(found)


def all_zones(words: Sequence[str]) -> tuple[str, ...]:
    """Return the zones of several words."""
    return tuple(zone for word in words for zone in zones_of(word))


def seconds(text: str) -> float:
    """Return the seconds of a duration such as 5s, 500ms or 1m30s. Raises Wrong.

    >>> seconds("1m30s")
    90.0
    """
    try:
        return parse_go_duration(text)
    except ValueError:
        raise Wrong(f'time: invalid duration "{text}"') from None
