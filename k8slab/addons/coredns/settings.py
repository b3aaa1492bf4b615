"""The plugins that answer no questions: where the server listens, and what it says of itself.

    bind 169.254.20.10          the addresses of a server block, all of them without it
    bufsize 1232                the largest answer over UDP, whatever a client says it takes
    health :8080 { lameduck 5s }
    ready :8181
    prometheus :9153
    reload 30s 15s              how often the Corefile is read again, and how much that may vary

Rule of use: `settings_of` reads all server blocks; what is not right raises CorefileError.

Upstream: coredns plugin/{bind,bufsize,health,ready,metrics,reload}
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from k8slab.addons.coredns.corefile import CorefileError, Plugin, ServerBlock, Wrong
from k8slab.addons.coredns.messages import MAX_TCP_SIZE
from k8slab.addons.coredns.names import is_ip
from k8slab.addons.coredns.process import Process
from k8slab.linux.dns_message import UDP_SIZE

RELOAD_PERIOD, RELOAD_JITTER = 30.0, 15.0  # s, plugin/reload defaultInterval, defaultJitter
MIN_RELOAD_PERIOD, MIN_RELOAD_JITTER = 2.0, 1.0  # s
BUFSIZE = 1232  # bytes, plugin/bufsize without a number
MAX_BUFSIZE = 4096  # bytes
ANY = "0.0.0.0"
Place = tuple[str, int]  # address and port


class Settings(msgspec.Struct):
    """What the Corefile says of the program as a whole; None: the plugin is not there."""

    health: Place | None = None
    ready: Place | None = None
    metrics: Place | None = None
    lameduck: float = 0.0  # s
    reload: float | None = None  # s
    jitter: float = RELOAD_JITTER  # s


def settings_of(blocks: Sequence[ServerBlock]) -> Settings:
    """Return the settings. Raises CorefileError."""
    found = Settings()
    for block in blocks:
        for plugin in block.plugins:
            try:
                _read(found, plugin)
            except Wrong as error:
                raise CorefileError(f"plugin/{plugin.name}: {error}") from None
    return found


def _read(found: Settings, plugin: Plugin) -> None:
    if plugin.name == "health":
        found.health = _place(plugin, 8080)
        for setting in plugin.settings:
            if setting.name != "lameduck":
                raise setting.wrong_count()
            setting.one()
            found.lameduck = setting.seconds()
    elif plugin.name == "ready":
        found.ready = _place(plugin, 8181)
    elif plugin.name == "prometheus":
        found.metrics = _place(plugin, 9153)
    elif plugin.name == "reload":
        head = plugin.head
        if len(head.words) > 2:
            raise head.wrong_count()
        found.reload = head.seconds() if head.words else RELOAD_PERIOD
        found.jitter = head.seconds(1) if len(head.words) > 1 else RELOAD_JITTER
        if found.reload < MIN_RELOAD_PERIOD:
            raise Wrong("interval value must be greater or equal to 2s")
        if found.jitter < MIN_RELOAD_JITTER:
            raise Wrong("jitter value must be greater or equal to 1s")


def _place(plugin: Plugin, port: int) -> Place:
    """Return where a page is served: everywhere on the plugin's own port, if nothing is said."""
    if len(plugin.args) > 1:
        raise plugin.head.wrong_count()
    if not plugin.args:
        return ANY, port
    host, colon, number = plugin.args[0].rpartition(":")
    if not colon or not number.isdigit():
        raise Wrong(f"address {plugin.args[0]}: missing port in address")
    ip = host.strip("[]")
    return (ip if is_ip(ip) else "127.0.0.1" if ip else ANY), int(number)


def listen_hosts(block: ServerBlock, process: Process) -> tuple[str, ...]:
    """Return the addresses that a server block is bound to. Raises CorefileError."""
    found: list[str] = []
    left_out: list[str] = []
    for plugin in block.stanzas("bind"):
        head = plugin.head
        if not head.words:
            raise CorefileError(f"plugin/bind: {head.wrong('at least one address or interface')}")
        found += [ip for word in head.words for ip in _addresses(word, process)]
        for setting in plugin.settings:
            if setting.name != "except":
                raise CorefileError(f"plugin/bind: {setting.unknown()}")
            left_out += [ip for word in setting.words for ip in _addresses(word, process)]
    return tuple(dict.fromkeys(ip for ip in found if ip not in left_out)) or (ANY,)


def _addresses(word: str, process: Process) -> tuple[str, ...]:
    """Return the addresses of a word: itself, or those of the interface with the name."""
    if is_ip(word):
        return (word,)
    device = process.net.interfaces.get(word)
    if device is None:
        raise CorefileError(f"plugin/bind: not a valid IP address or interface name: {word!r}")
    return tuple(cidr.partition("/")[0] for cidr in device.addresses)


def bufsize(block: ServerBlock) -> int:
    """Return the most bytes that an answer over UDP may have. Raises CorefileError."""
    plugin = block.plugin("bufsize")
    if plugin is None:
        return MAX_TCP_SIZE
    try:
        size = plugin.head.number() if plugin.args else BUFSIZE
        if not UDP_SIZE <= size <= MAX_BUFSIZE:
            raise plugin.head.wrong(f"must be within {UDP_SIZE} - {MAX_BUFSIZE}")
    except Wrong as error:
        raise CorefileError(f"plugin/bufsize: {error}") from None
    return size
