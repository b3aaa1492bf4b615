"""A web server of one page, for the health, ready and prometheus plugins.

Rule of use: `page()` returns a status and a text, at once; other paths are not found.

Upstream: coredns plugin/health/health.go, plugin/ready/ready.go
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.addons.coredns.process import Process
from k8slab.addons.coredns.settings import Place
from k8slab.linux.errors import NetworkError
from k8slab.linux.tcp import Connection
from k8slab.linux.tcp_open import Listener

REASONS = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}
REQUEST_TIMEOUT = 10.0  # s
Page = Callable[[], tuple[int, str]]


def serve_text(process: Process, place: Place, path: str, page: Page) -> Listener:
    """Answer every GET of the path with the page, until it is closed. Raises AddressInUse."""
    sim, name, group = process.sim, f"{process.name}: http :{place[1]}", process.group
    listener = process.net.listen(*place, owner=group)

    async def listen() -> None:
        while not listener.closed:
            try:
                connection = await listener.accept()
            except NetworkError:
                continue
            sim.spawn(_answer(connection, path, page), name, group)

    sim.spawn(listen(), name, group)
    return listener


async def _answer(connection: Connection, path: str, page: Page) -> None:
    try:
        request = await connection.recv(REQUEST_TIMEOUT)
        if request:
            words = request.decode(errors="replace").split()
            asked = words[1].partition("?")[0] if len(words) > 1 else ""
            status, text = page() if asked == path else (404, "404 page not found\n")
            head = (
                f"HTTP/1.1 {status} {REASONS[status]}\r\n"
                "Content-Type: text/plain; charset=utf-8\r\n"
                f"Content-Length: {len(text)}\r\n"
                "Connection: close\r\n\r\n"
            )
            await connection.send((head + text).encode())
    except NetworkError:
        pass  # a prober that has given up
    finally:
        connection.close()
