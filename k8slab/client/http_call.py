"""A plain HTTP request that is passed on for somebody, and its answer: what /proxy carries.

Rule of use: `HttpCall` is the body of a `Request` with the subresource "proxy"; whoever forwards it
answers with an `HttpAnswer`, or raises `Unreachable` with what went wrong.

Upstream: none (net/http)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec


class HttpCall(msgspec.Struct, frozen=True):
    """What is asked."""

    method: str
    target: str  # path and query
    headers: Mapping[str, str] = {}
    body: bytes = b""


class HttpAnswer(msgspec.Struct, frozen=True):
    """What is answered."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Unreachable(Exception):  # noqa: N818 (the name says what happened)
    """No answer came; the text says why, in Go's words."""


Forward = Callable[[str, int, HttpCall], Awaitable[HttpAnswer]]  # address, port, what is asked


async def nowhere(host: str, port: int, call: HttpCall) -> HttpAnswer:
    """Reach nobody: the way of a server that runs on no node."""
    raise Unreachable(f"dial tcp {host}:{port}: connect: network is unreachable")
