"""One request on its way through the configuration, and the variables that it has.

Rule of use: `expand` gives a text with its $variables; a variable without a value is empty.

Upstream: nginx src/http/ngx_http_variables.c
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from k8slab.node import http
from k8slab.node.runtime.images.nginx.config import Block, Config, Server, search
from k8slab.node.runtime.images.nginx.syntax import ConfigError, Directive
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.serving import clf_time

VERSION = "1.29.4"
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class Visit:
    """A request, where it has got to, and what was set for it."""

    def __init__(
        self, process: Process, config: Config, server: Server, request: http.Request, port: int
    ) -> None:
        self.process = process
        self.config = config
        self.server = server
        self.request = request
        self.port = port
        self.path, _, self.args = request.target.partition("?")  # they change by rewrite
        self.block: Block = server.block
        self.set: dict[str, str] = {}
        self.captures: tuple[str, ...] = ()
        self.answer: http.Response | None = None
        self.upstream: tuple[str, str, int] = ("", "", 0)  # address, what is asked, its status
        self.proxy_host = ""

    @property
    def host(self) -> str:
        """The host that is asked for, without its port; else the server's name."""
        asked = self.request.header("Host").rpartition(":")
        host = asked[0] if asked[2].isdigit() and asked[0] else "".join(asked)
        return host.lower() or "".join(self.server.names[:1])

    def expand(self, text: str) -> str:
        """Return the text with its variables."""
        return VARIABLE.sub(lambda found: self.value(found[1] or found[2]), text)

    def value(self, name: str) -> str:
        """Return the value of a variable."""
        if name.isdigit():
            number = int(name)
            return self.captures[number - 1] if 0 < number <= len(self.captures) else ""
        if name in self.set:
            return self.set[name]
        if name in VALUES:
            return VALUES[name](self)
        kind, _, rest = name.partition("_")
        if kind == "arg":
            return dict(_pairs(self.args, "&")).get(rest, "")
        if kind == "http":
            return self.request.header(rest.replace("_", "-"))
        if kind == "cookie":
            return dict(_pairs(self.request.header("Cookie"), ";")).get(rest, "")
        if kind == "sent" and self.answer is not None:
            return self.answer.header(rest.removeprefix("http_").replace("_", "-"))
        return self._mapped(name)

    def _mapped(self, name: str) -> str:
        """Return the value that a `map` gives."""
        for found in self.config.http.all("map"):
            if found.args[1].lstrip("$") == name:
                return map_value(self.expand(found.args[0]), found.block or (), self.expand)
        return ""


def map_value(source: str, lines: Iterable[Directive], expand: Callable[[str], str]) -> str:
    """Return what a map's lines make of a value: an exact line, else a pattern, else `default`."""
    exact = {line.name.lower(): line.args[0] for line in lines if line.args}
    found = exact.get(source.lower())
    for line in lines:
        if found is None and line.name.startswith("~") and line.args:
            pattern = line.name[1:]
            if search(pattern.removeprefix("*"), source, ignore_case=pattern.startswith("*")):
                found = line.args[0]
    return expand(found if found is not None else exact.get("default", ""))


def _pairs(text: str, separator: str) -> Iterator[tuple[str, str]]:
    for part in text.split(separator):
        name, _, value = part.strip().partition("=")
        yield name, value


def _forwarded(visit: Visit) -> str:
    before = visit.request.header("X-Forwarded-For")
    return ", ".join(filter(None, (before, visit.request.remote)))


def _sent(visit: Visit) -> int:
    if visit.answer is None or visit.request.method == "HEAD":
        return 0
    return len(visit.answer.body)


def _time(visit: Visit) -> float:
    from k8slab.api.meta import EPOCH

    return EPOCH.timestamp() + visit.process.sim.now


VALUES: Mapping[str, Callable[[Visit], str]] = {
    "host": lambda v: v.host,
    "hostname": lambda v: v.process.hostname,
    "uri": lambda v: v.path,
    "document_uri": lambda v: v.path,
    "request_uri": lambda v: v.request.target,
    "args": lambda v: v.args,
    "query_string": lambda v: v.args,
    "is_args": lambda v: "?" if v.args else "",
    "request": lambda v: f"{v.request.method} {v.request.target} {v.request.version}",
    "request_method": lambda v: v.request.method,
    "request_body": lambda v: v.request.body.decode(errors="replace"),
    "request_length": lambda v: str(len(v.request.encode())),
    "request_time": lambda v: "0.000",
    "remote_addr": lambda v: v.request.remote,
    "remote_port": lambda v: "",
    "remote_user": lambda v: "-",
    "realip_remote_addr": lambda v: v.request.remote,
    "server_addr": lambda v: next(iter(_own_addresses(v)), ""),
    "server_name": lambda v: "".join(v.server.names[:1]),
    "server_port": lambda v: str(v.port),
    "server_protocol": lambda v: v.request.version,
    "scheme": lambda v: "https" if _ssl(v) else "http",
    "https": lambda v: "on" if _ssl(v) else "",
    "proxy_host": lambda v: v.proxy_host,
    "proxy_port": lambda v: v.proxy_host.partition(":")[2] or "80",
    "proxy_add_x_forwarded_for": _forwarded,
    "upstream_addr": lambda v: v.upstream[0],
    "upstream_status": lambda v: str(v.upstream[2] or ""),
    "upstream_response_time": lambda v: "0.000" if v.upstream[0] else "",
    "status": lambda v: str(v.answer.status if v.answer is not None else 0),
    "body_bytes_sent": lambda v: str(_sent(v)),
    "bytes_sent": lambda v: str(len(v.answer.encode()) if v.answer is not None else 0),
    "time_local": lambda v: clf_time(_time(v)),
    "time_iso8601": lambda v: _iso(v),
    "msec": lambda v: f"{_time(v):.3f}",
    "nginx_version": lambda v: VERSION,
    "pid": lambda v: "29",
    "document_root": lambda v: v.block.one("root"),
    "content_type": lambda v: v.request.header("Content-Type"),
    "content_length": lambda v: v.request.header("Content-Length"),
    "connection": lambda v: "1",
    "pipe": lambda v: ".",
}
PREFIXES = ("arg_", "http_", "cookie_", "sent_http_", "upstream_http_")


def _own_addresses(visit: Visit) -> list[str]:
    devices = visit.process.net.interfaces.values()
    return [ip for dev in devices if dev.name != "lo" and (ip := dev.ip_of(ipv6=False))]


def _ssl(visit: Visit) -> bool:
    return any(listen.ssl and listen.port == visit.port for listen in visit.server.listens)


def _iso(visit: Visit) -> str:
    from k8slab.api.meta import timestamp

    return timestamp(visit.process.sim.now).replace("Z", "+00:00")


def check_variables(directives: Iterable[Directive], known: Iterable[str] = ()) -> None:
    """Raise ConfigError for a variable that nothing sets."""
    everywhere = tuple(_everywhere(directives))
    names = set(known) | set(VALUES) | {name for each in everywhere for name in _defined(each)}
    for each in everywhere:
        if each.name in ("map", "server_name", "location"):
            continue
        texts = each.args[1:] if each.name in ("set", "rewrite") else each.args
        for found in (match for text in texts for match in VARIABLE.finditer(text)):
            name = found[1] or found[2]
            if not (name in names or name.isdigit() or name.startswith(PREFIXES)):
                raise ConfigError(f'unknown "{name}" variable')


def _everywhere(directives: Iterable[Directive]) -> Iterator[Directive]:
    for each in directives:
        yield each
        if each.name not in ("map", "types"):
            yield from _everywhere(each.block or ())


def _defined(found: Directive) -> list[str]:
    if found.name == "set":
        return [found.args[0].lstrip("$")]
    if found.name == "map":
        return [found.args[1].lstrip("$")]
    return [name for text in found.args for name in re.findall(r"\(\?P?<(\w+)>", text)]
