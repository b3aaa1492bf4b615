"""proxy_pass: the request goes on to a backend, and its answer comes back.

The backend sees nginx as its client. Of the request's headers Host becomes what proxy_pass names
and Connection is "close", unless proxy_set_header says otherwise; a header that is set to nothing
is left out. A backend that refuses, says nothing or breaks off is passed over for the next.

Rule of use: `forward` always answers: 502 and 504 are answers, too.

Upstream: nginx src/http/modules/ngx_http_proxy_module.c, src/http/ngx_http_upstream.c
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from k8slab.linux.errors import ConnectionRefused, NetworkError, TimedOut
from k8slab.linux.resolver import ResolutionError
from k8slab.node import http
from k8slab.node.runtime.images.nginx.pages import error_page
from k8slab.node.runtime.images.nginx.upstream import Group, Peer, Url, parse_url, seconds
from k8slab.node.runtime.images.nginx.visit import Visit

HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "upgrade")
NOT_REPEATED = ("POST", "LOCK", "PATCH")
ErrorLog = Callable[[Visit, str], None]


class _NoAnswer(TimedOut):
    """The backend took the request and says nothing."""


async def forward(
    visit: Visit, given: str, prefix: str, groups: Mapping[str, Group], log: ErrorLog
) -> http.Response:
    """Send the request on to where `given` says; `prefix` is the location's own path."""
    url = parse_url(visit.expand(given))
    group = groups.get(url.given)
    if group is None:
        group = await _resolved(visit, url, log)
    if group is None:
        return error_page(502)
    visit.proxy_host = url.given
    request = _request(visit, url, _target(visit, url, prefix, has_variables="$" in given))
    answer = await _ask(visit, url, group, request, log)
    return _returned(visit, url, prefix, answer)


def _target(visit: Visit, url: Url, prefix: str, *, has_variables: bool) -> str:
    """Return the path that is asked for: proxy_pass's own takes the place of the location's."""
    query = f"?{visit.args}" if visit.args else ""
    if not url.path:
        return f"{visit.path}{query}"
    if has_variables:
        return url.path
    return f"{url.path}{visit.path.removeprefix(prefix)}{query}"


def _request(visit: Visit, url: Url, target: str) -> http.Request:
    headers = {
        name: value
        for name, value in visit.request.headers.items()
        if name.lower() not in (*HOP_BY_HOP, "host")
    }
    given = {"host": ("Host", url.given), "connection": ("Connection", "close")}
    for each in visit.block.all("proxy_set_header"):
        given[each.args[0].lower()] = (each.args[0], visit.expand(each.args[1]))
    kept = {name: value for name, value in headers.items() if name.lower() not in given}
    first = {name: value for name, value in given.values() if value}
    version = f"HTTP/{visit.block.one('proxy_http_version', '1.0')}"
    return http.Request(
        visit.request.method, target, {**first, **kept}, visit.request.body, "", version
    )


async def _ask(
    visit: Visit, url: Url, group: Group, request: http.Request, log: ErrorLog
) -> http.Response:
    sim, tried = visit.process.sim, list[Peer]()
    status = 502
    asked = f"{url.scheme}://{{}}:{{}}{request.target}"
    while (peer := group.pick(sim.now, tried, visit.request.remote)) is not None:
        tried.append(peer)
        where = asked.format(peer.ip, peer.port)
        peer.active += 1
        try:
            answer = await _exchange(visit, peer, request)
        except (NetworkError, EOFError, http.BadMessage) as error:
            group.failed(peer, sim.now)
            status, why = _fault(error)
            visit.upstream = (f"{peer.ip}:{peer.port}", where, status)
            log(visit, f'{why}, {_about(visit)}, upstream: "{where}"{_host(visit)}')
            refused = isinstance(error, ConnectionRefused)
            if not refused and request.method in NOT_REPEATED:
                break
            if visit.block.one("proxy_next_upstream") == "off":
                break
        else:
            peer.fails = 0
            visit.upstream = (f"{peer.ip}:{peer.port}", where, answer.status)
            return answer
        finally:
            peer.active -= 1
    if not tried:
        where = f"{url.scheme}://{url.given}{request.target}"
        text = "no live upstreams while connecting to upstream"
        log(visit, f'{text}, {_about(visit)}, upstream: "{where}"{_host(visit)}')
    return error_page(status)


async def _exchange(visit: Visit, peer: Peer, request: http.Request) -> http.Response:
    connect = seconds(visit.block.one("proxy_connect_timeout", "60s"))
    read = seconds(visit.block.one("proxy_read_timeout", "60s"))
    net, group = visit.process.net, visit.process.group
    connection = await net.connect(peer.ip, peer.port, timeout=connect, owner=group)
    try:
        return await http.exchange(connection, request, read)
    except TimedOut:
        raise _NoAnswer from None
    finally:
        connection.close()


def _fault(error: Exception) -> tuple[int, str]:
    """Return the status and the words for a backend that did not answer."""
    connecting, reading = (
        "while connecting to upstream",
        "while reading response header from upstream",
    )
    if isinstance(error, _NoAnswer):
        return 504, f"upstream timed out (110: Connection timed out) {reading}"
    if isinstance(error, ConnectionRefused):
        return 502, f"connect() failed (111: Connection refused) {connecting}"
    if isinstance(error, TimedOut):
        return 504, f"upstream timed out (110: Connection timed out) {connecting}"
    if isinstance(error, EOFError):
        return 502, f"upstream prematurely closed connection {reading}"
    if isinstance(error, http.BadMessage):
        return 502, f"upstream sent invalid header {reading}"
    return 502, f"connect() failed ({error}) {connecting}"


async def _resolved(visit: Visit, url: Url, log: ErrorLog) -> Group | None:
    """Look a name up that only the request has told."""
    if not visit.block.all("resolver"):
        log(visit, f"no resolver defined to resolve {url.host}, {_about(visit)}{_host(visit)}")
        return None
    try:
        # The resolver of nginx knows no search list: only whole names are found.
        ip = await visit.process.resolve(f"{url.host.rstrip('.')}.")
    except (ResolutionError, NetworkError):
        text = f"{url.host} could not be resolved (3: Host not found)"
        log(visit, f"{text}, {_about(visit)}{_host(visit)}")
        return None
    return Group([Peer(ip, url.port)])


def _returned(visit: Visit, url: Url, prefix: str, answer: http.Response) -> http.Response:
    """Return the backend's answer as nginx passes it on."""
    headers = {}
    for name, value in answer.headers.items():
        lower = name.lower()
        if lower in HOP_BY_HOP or lower in ("server", "date") or lower.startswith("x-accel-"):
            continue
        if lower in ("location", "refresh"):
            own = f"{url.scheme}://{url.given}{url.path or prefix}"
            value = value.replace(own, prefix, 1) if value.startswith(own) else value
        headers[name] = value
    return replace(answer, headers=headers, version="HTTP/1.1")


def _about(visit: Visit) -> str:
    names = visit.server.names
    return (
        f"client: {visit.request.remote}, server: {names[0] if names else ''}, "
        f'request: "{visit.value("request")}"'
    )


def _host(visit: Visit) -> str:
    host = visit.request.header("Host")
    return f', host: "{host}"' if host else ""
