"""HTTP/1.1 in its simplest form: text in, text out, one message after another.

`Request` and `Response` encode themselves; `parse_request` and `parse_response` read bytes and
return None as long as something is missing. `request` is the whole client (probes, curl, wget),
`serve_connection` the whole server side of one connection.

Rule of use: no chunked bodies, no TLS; a body has a Content-Length or ends with the connection.

Upstream: RFC 9112, Go net/http
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from k8slab.linux.errors import NetworkError

if TYPE_CHECKING:
    from k8slab.linux.journey import Journey
    from k8slab.linux.netns import NetNamespace
    from k8slab.linux.tcp import Connection

METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS")
REASONS = {status.value: status.phrase for status in HTTPStatus}
BODILESS = (204, 304)  # statuses whose answers end with their head
END_OF_HEAD = b"\r\n\r\n"


class BadMessage(ValueError):  # noqa: N818 (the condition, as elsewhere in network errors)
    """What came is not HTTP."""


class Request(msgspec.Struct, frozen=True):
    """What a client asks. Header names are kept as they came; `header` looks one up."""

    method: str = "GET"
    target: str = "/"  # path and query
    headers: Mapping[str, str] = {}
    body: bytes = b""
    remote: str = ""  # the client's address, as the server sees it
    version: str = "HTTP/1.1"
    remote_port: int = 0  # and the port that goes with it

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The parameters after the question mark."""
        from urllib.parse import parse_qsl

        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    def header(self, name: str) -> str:
        """Return a header's value, "" if it was not sent."""
        return _header(self.headers, name)

    def encode(self) -> bytes:
        """Return the bytes that go on the wire."""
        head = f"{self.method} {self.target} {self.version}\r\n"
        return head.encode() + _encode(self.headers, self.body, bool(self.body))


class Response(msgspec.Struct, frozen=True):
    """What a server answers."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}
    version: str = "HTTP/1.1"

    @property
    def reason(self) -> str:
        """The words of the status."""
        return REASONS.get(self.status, "")

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    def header(self, name: str) -> str:
        """Return a header's value, "" if it was not sent."""
        return _header(self.headers, name)

    def encode(self, with_body: bool = True) -> bytes:
        """Return the bytes that go on the wire; without its body its length is still told."""
        head = f"{self.version} {self.status} {self.reason}\r\n"
        sent = head.encode() + _encode(self.headers, self.body, self.status not in BODILESS)
        return sent if with_body else sent[: len(sent) - len(self.body)]


Handler = Callable[[Request], "Response | Awaitable[Response]"]


def text(body: str, status: int = 200, content_type: str = "text/plain") -> Response:
    """Return a response with a text body."""
    return Response(status, body.encode(), {"Content-Type": content_type})


def parse_request(data: bytes, remote: tuple[str, int] = ("", 0)) -> Request | None:
    """Return the request, None while it is incomplete. Raises BadMessage."""
    head, found, body = data.partition(END_OF_HEAD)
    if not found:
        return None
    first, headers = _parse_head(head)
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        raise BadMessage(f"malformed HTTP request {first!r}")
    given = _header(headers, "Content-Length") or "0"
    if not given.isdigit():
        raise BadMessage(f"bad Content-Length {given!r}")
    length = int(given)
    if len(body) < length:
        return None
    return Request(words[0], words[1], headers, body[:length], remote[0], words[2], remote[1])


def parse_response(data: bytes, at_end: bool = False, method: str = "GET") -> Response | None:
    """Return the response to a request of a method, None while it is incomplete.

    Raises BadMessage.
    """
    if data and not b"HTTP/".startswith(data[:5]):
        raise BadMessage(f"malformed HTTP response {data[:32]!r}")
    head, found, body = data.partition(END_OF_HEAD)
    if not found:
        return None
    first, headers = _parse_head(head)
    words = first.split(" ", 2)
    if len(words) < 2 or not words[1].isdigit():
        raise BadMessage(f"malformed HTTP status line {first!r}")
    if method == "HEAD" or int(words[1]) in BODILESS:
        return Response(int(words[1]), b"", headers, words[0])
    length = _header(headers, "Content-Length")
    if length and not length.isdigit():
        raise BadMessage(f"bad Content-Length {length!r}")
    if (not at_end and not length) or (length and len(body) < int(length)):
        return None
    return Response(int(words[1]), body[: int(length)] if length else body, headers, words[0])


async def exchange(connection: Connection, request: Request, timeout: float | None) -> Response:
    """Send the request and return the answer; `timeout` bounds each wait, in virtual seconds.

    Raises BadMessage, EOFError if nothing came, and what the connection raises.
    """
    await connection.send(request.encode())
    received = b""
    while True:
        data = await connection.recv(timeout)
        received += data
        answer = parse_response(received, at_end=not data, method=request.method)
        if answer is not None:
            return answer
        if not data:
            raise EOFError("empty reply from server")


async def request(
    net: NetNamespace,
    ip: str,
    port: int,
    request: Request,
    *,
    timeout: float | None = None,
    journey: Journey | None = None,
) -> Response:
    """Connect, exchange one request, close; `timeout` bounds the whole, in virtual seconds.

    Raises k8slab.linux.errors.NetworkError, BadMessage, EOFError.
    """
    deadline = None if timeout is None else net.sim.now + timeout
    connection = await net.connect(ip, port, timeout=timeout, journey=journey)
    try:
        left = None if deadline is None else max(deadline - net.sim.now, 0.0)
        return await exchange(connection, request, left)
    finally:
        connection.close()


async def serve_connection(connection: Connection, handler: Handler, received: bytes = b"") -> None:
    """Answer requests until the client closes or is gone; `received` is what was read already."""
    try:
        while True:
            try:
                found = parse_request(received, connection.remote) if received else None
            except BadMessage:
                await connection.send(text("400 Bad Request", 400).encode())
                return
            if found is not None:
                answer = handler(found)
                if not isinstance(answer, Response):
                    answer = await answer
                await connection.send(answer.encode(with_body=found.method != "HEAD"))
                if wants_close(found):
                    return
                received = b""
            data = await connection.recv()
            if not data:
                return
            received += data
    except NetworkError:  # a client that goes away is no fault of the server
        return
    finally:
        connection.close()


def keeps_open(request: Request, answer: Response) -> bool:
    """Say whether a client may send its next request to the server on the same connection.

    HTTP/1.1 keeps it unless somebody says `Connection: close`, and unless the answer's end is the
    end of the connection. What was decided for a connection then holds for all its requests: a
    Service's rule throws its dice once.
    """
    said = answer.header("Connection").lower()
    if wants_close(request) or said == "close":
        return False
    ended = request.method == "HEAD" or answer.status in BODILESS or answer.header("Content-Length")
    return bool(ended) and (answer.version != "HTTP/1.0" or said == "keep-alive")


def wants_close(request: Request) -> bool:
    """Say whether the client wants the connection closed after the answer."""
    wish = request.header("Connection").lower()
    return wish == "close" or (request.version == "HTTP/1.0" and wish != "keep-alive")


def _parse_head(head: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name] = value.strip()
    return first, headers


def _encode(headers: Mapping[str, str], body: bytes, with_length: bool) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    if with_length and not _header(headers, "Content-Length"):
        lines.append(f"Content-Length: {len(body)}\r\n")
    return "".join(lines).encode("latin-1") + b"\r\n" + body


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if value is not None:
        return value
    lower = name.lower()
    return next((value for key, value in headers.items() if key.lower() == lower), "")
