"""What came from a socket: refused, or read as a value.

Rule of use: `refusal` first, then `read`.

Upstream: none (staging/src/k8s.io/apiserver/pkg/server/filters)
"""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote

from tornado.httputil import HTTPServerRequest

from k8slab.api import errors
from k8slab.api.errors import ApiError
from k8slab.api.meta import StatusDetails
from k8slab.gateway.messages import REPEATED, HttpRequest

ADDRESS = "127.0.0.1"
NAMES = (ADDRESS, "localhost")  # by which a client may call the server
MAX_BODY = 3 * 1024 * 1024  # bytes, the API server's limit on request bodies


def refusal(port: int, request: HTTPServerRequest) -> ApiError | None:
    """Return why a request is not even looked at, if so.

    A page in a browser may send what its user never meant: it names its Origin, or calls the
    server by another name (DNS rebinding). Some clients name the server itself as their origin.
    """
    own = [f"{name}:{port}" for name in NAMES]
    origin = request.headers.get("Origin", f"http://{own[0]}")
    if request.headers.get("Host", "") not in own or origin.removeprefix("http://") not in own:
        message = "forbidden: the lab answers clients on this machine only, and no web pages"
        return errors.api_error(message, "Forbidden", 403, StatusDetails())
    if len(request.body) > MAX_BODY:
        message = f"Request entity too large: limit is {MAX_BODY}"
        return errors.api_error(message, "RequestEntityTooLarge", 413, StatusDetails())
    return None


def _headers(request: HTTPServerRequest) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.headers.get_all():
        key = name.lower()
        is_more = key in found and key.startswith("impersonate-")
        found[key] = f"{found[key]}{REPEATED}{value}" if is_more else value
    return found


def read(request: HTTPServerRequest) -> HttpRequest:
    """Return what came from the socket as a value."""
    return HttpRequest(
        method=request.method or "",
        path=unquote(request.path),
        query=tuple(parse_qsl(request.query, keep_blank_values=True)),
        headers=_headers(request),
        body=request.body,
    )
