"""HTTP as programs in images use it: the same names as in `k8slab.linux.http`.

Rule of use: `from k8slab.node import http`, as docs/writing-images.md shows.

Upstream: RFC 9112, Go net/http
"""

from k8slab.linux.http import (
    METHODS,
    REASONS,
    BadMessage,
    Handler,
    Request,
    Response,
    exchange,
    keeps_open,
    parse_request,
    parse_response,
    request,
    serve_connection,
    text,
    wants_close,
)

__all__ = [
    "METHODS",
    "REASONS",
    "BadMessage",
    "Handler",
    "Request",
    "Response",
    "exchange",
    "keeps_open",
    "parse_request",
    "parse_response",
    "request",
    "serve_connection",
    "text",
    "wants_close",
]
