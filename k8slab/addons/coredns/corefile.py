r"""The Corefile: server blocks, each with plugins, each with arguments and properties.

    .:53 {                  # zones and port of a server block
        errors              # a plugin
        cache 30 {          # a plugin with an argument and a block of properties
            disable denial cluster.local
        }
    }

>>> block = parse(".:53 {\n cache 30 {\n  disable denial cluster.local\n }\n}")[0]
>>> block.port, block.plugin("cache").args
(53, ('30',))

Rule of use: plugins act in CoreDNS's own order, never in that of the file.

Upstream: coredns core/dnsserver, coredns/caddy caddyfile/parse.go
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from k8slab.addons.coredns.names import is_ip

DEFAULT_PORT = 53
# What the lab acts on; the others are accepted and ignored, as long as CoreDNS has them.
SIMULATED = (
    "autopath", "cache", "errors", "forward", "health", "hosts", "kubernetes", "loadbalance", "log",
    "loop", "prometheus", "ready", "reload", "rewrite",
)  # fmt: skip
IGNORED = (
    "acl", "any", "auto", "azure", "bind", "bufsize", "cancel", "chaos", "clouddns",
    "debug", "dns64", "dnssec", "dnstap", "erratic", "etcd", "file", "grpc", "header", "import",
    "k8s_external", "local", "metadata", "minimal", "multisocket", "nomad", "nsid", "pprof",
    "quic", "root", "route53", "secondary", "sign", "template", "timeouts", "tls",
    "tracing", "transfer", "trace", "tsig", "view", "whoami",
)  # fmt: skip

KUBERNETES_PROPERTIES = (
    "apiserver_burst", "apiserver_max_inflight", "apiserver_qps", "endpoint", "endpoint_pod_names",
    "fallthrough", "ignore", "kubeconfig", "labels", "multicluster", "namespace_labels",
    "namespaces", "noendpoints", "pods", "startup_timeout", "tls", "ttl",
)  # fmt: skip
POLICIES = ("random", "round_robin", "sequential")
POD_MODES = ("disabled", "insecure", "verified")

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s]+')


class CorefileError(ValueError):
    """The Corefile cannot be read; the message names the line."""


class Plugin(msgspec.Struct, frozen=True):
    """A plugin of a server block; `properties` are the lines of its own block."""

    name: str
    args: tuple[str, ...] = ()
    properties: tuple[tuple[str, ...], ...] = ()
    line: int = 0

    def values(self, name: str) -> tuple[str, ...] | None:
        """Return the words behind a property, None if it is not there."""
        for first, *rest in self.properties:
            if first == name:
                return tuple(rest)
        return None


class ServerBlock(msgspec.Struct, frozen=True):
    """Zones that are served on a port, and how."""

    zones: tuple[str, ...]
    port: int
    plugins: tuple[Plugin, ...]

    def plugin(self, name: str) -> Plugin | None:
        """Return the plugin of that name, None if the block has none."""
        return next((plugin for plugin in self.plugins if plugin.name == name), None)


def parse(text: str, path: str = "Corefile") -> tuple[ServerBlock, ...]:
    """Return the server blocks; errors name the file by its path. Raises CorefileError."""
    reader = _Reader(text, path)
    blocks: list[ServerBlock] = []
    while reader.more():
        words = reader.line_of_words()
        if words[-1] != "{":
            raise reader.error(f"expected a server block that opens with '{{', got {words[-1]!r}")
        zones, ports = zip(*(_address(word, reader) for word in words[:-1]), strict=True)
        for zone in zones:
            if any(zone in block.zones and ports[0] == block.port for block in blocks):
                where = f"dns://{zone}:{ports[0]}"
                raise CorefileError(f"cannot serve {where} - it is already defined")
        blocks.append(ServerBlock(zones, ports[0], tuple(_plugins(reader))))
    return tuple(blocks)


def _checked(plugin: Plugin, reader: _Reader) -> Plugin:
    """Return the plugin; raises CorefileError for settings that CoreDNS does not take."""
    wrong = ""
    if plugin.name == "kubernetes":
        wrong = _wrong_in_kubernetes(plugin)
        wrong = f"{reader.error(wrong)}" if wrong else ""
    elif plugin.name == "forward":
        wrong = _wrong_in_forward(plugin)
    elif plugin.name == "rewrite":
        wrong = _wrong_in_rewrite(plugin)
    if wrong:
        raise CorefileError(f"plugin/{plugin.name}: {wrong}")
    return plugin


def _wrong_in_kubernetes(plugin: Plugin) -> str:
    for name, *words in plugin.properties:
        if name not in KUBERNETES_PROPERTIES:
            return f"unknown property '{name}'"
        if name == "pods" and " ".join(words) not in POD_MODES:
            modes = ", ".join(POD_MODES)
            return f"wrong value for pods: {' '.join(words)},  must be one of: {modes}"
    return ""


def _wrong_in_forward(plugin: Plugin) -> str:
    for word in plugin.args[1:]:
        host = re.sub(r":\d+$", "", word.partition("://")[2] or word).strip("[]")
        if not word.startswith("/") and not is_ip(host) and not is_ip(word):
            return f'not an IP address or file: "{word}"'
    policy = (plugin.values("policy") or ("random",))[0]
    return "" if policy in POLICIES else f"unknown policy '{policy}'"


def _wrong_in_rewrite(plugin: Plugin) -> str:
    for words in (plugin.args, *plugin.properties):
        if "regex" in words[:-1]:
            pattern = words[words.index("regex") + 1]
            try:
                re.compile(pattern)
            except re.error:
                return f"invalid regex pattern in a name rule: {pattern}"
    return ""


def _plugins(reader: _Reader) -> Iterable[Plugin]:
    while True:
        if not reader.more():
            raise reader.error("unexpected EOF: a block is not closed")
        line = reader.line
        words = reader.line_of_words()
        if words == ["}"]:
            return
        opens = words[-1] == "{"
        name, *args = words[:-1] if opens else words
        if name not in SIMULATED and name not in IGNORED:
            raise CorefileError(
                f"{reader.path}:{line} - Error during parsing: Unknown directive '{name}'"
            )
        properties = tuple(_properties(reader)) if opens else ()
        yield _checked(Plugin(name, tuple(args), properties, line), reader)


def _properties(reader: _Reader) -> Iterable[tuple[str, ...]]:
    depth = 1
    while reader.more():
        words = reader.line_of_words()
        if words == ["}"]:
            depth -= 1
            if not depth:
                return
            continue
        depth += words[-1] == "{"
        yield tuple(word for word in words if word != "{")
    raise reader.error("unexpected EOF: a block is not closed")


def _address(word: str, reader: _Reader) -> tuple[str, int]:
    zone, colon, port = word.removeprefix("dns://").partition(":")
    if colon and not port.isdigit():
        raise reader.error(f"expected a zone such as .:53, got {word!r}")
    return zone.lower().rstrip(".") + ".", int(port) if colon else DEFAULT_PORT


class _Reader:
    """The lines of a Corefile, without comments and empty ones."""

    def __init__(self, text: str, path: str) -> None:
        self.path = path
        self._lines: list[tuple[int, list[str]]] = []
        for number, line in enumerate(text.splitlines(), 1):
            words = []
            for token in _TOKEN.findall(line):
                if token.startswith("#"):
                    break
                words.append(token.strip('"'))
            if words:
                self._lines.append((number, words))
        self._next = 0

    @property
    def line(self) -> int:
        """The number of the line that comes next."""
        return self._lines[min(self._next, len(self._lines) - 1)][0] if self._lines else 0

    def more(self) -> bool:
        """Say whether there is another line."""
        return self._next < len(self._lines)

    def line_of_words(self) -> list[str]:
        """Return the words of the next line."""
        words = self._lines[self._next][1]
        self._next += 1
        return words

    def error(self, text: str) -> CorefileError:
        """Return an error about the line that was read last."""
        self._next = max(self._next - 1, 0)
        return CorefileError(f"{self.path}:{self.line} - Error during parsing: {text}")
