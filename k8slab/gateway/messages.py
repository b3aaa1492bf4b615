"""HTTP as plain values: a request, an answer, a stream of chunks.

What the server's sockets receive becomes an `HttpRequest`; the gateway answers with an
`HttpResponse`, or with an `HttpStream` whose chunks come as virtual time passes.

Rule of use: nothing here knows of sockets, so that all of the gateway can be tested without any.

Upstream: none (net/http)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl, unquote

import msgspec

from k8slab.api import errors
from k8slab.api.errors import ApiError
from k8slab.api.meta import Status, StatusDetails

JSON = "application/json"
YAML = "application/yaml"
TEXT = "text/plain; charset=utf-8"
REPEATED = "\n"  # between the values of a header that was sent more than once
Headers = tuple[tuple[str, str], ...]


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request; names of headers are in lower case."""

    method: str
    path: str  # decoded, with its leading slash
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = {}
    body: bytes = b""

    def parameter(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter."""
        return next((value for key, value in self.query if key == name), default)

    def header(self, name: str) -> str:
        """Return a header, "" if it was not sent."""
        return self.headers.get(name, "")

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of a header that may be sent more than once."""
        return tuple(self.headers[name].split(REPEATED)) if name in self.headers else ()


class HttpResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Headers = ()


Send = Callable[[bytes], None]


class HttpStream(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in chunks: `produce(send)` sends them and returns at the end."""

    produce: Callable[[Send], Awaitable[None]]
    content_type: str = JSON
    headers: Headers = ()


def http_request(method: str, url: str, **fields: object) -> HttpRequest:
    """Return a request for "/path?query".

    >>> http_request("GET", "/api/v1/pods?limit=5").parameter("limit")
    '5'
    """
    path, _, query = url.partition("?")
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    return HttpRequest(method=method, path=unquote(path), query=pairs, **fields)  # type: ignore[arg-type]


def of_error(error: ApiError) -> HttpResponse:
    """Return the answer to a request that was refused: its Status."""
    return of_status(error.status)


def of_status(status: Status) -> HttpResponse:
    """Return a Status as an answer, with the headers that belong to it."""
    body = msgspec.json.encode(status)
    headers: Headers = ()
    if status.details is not None and status.details.retryAfterSeconds:
        headers = (("Retry-After", str(status.details.retryAfterSeconds)),)
    return HttpResponse(status=status.code or 200, body=body, headers=headers)


def method_not_allowed() -> ApiError:
    """Say that the path is served, but not by this method."""
    return errors.method_not_allowed(StatusDetails())
