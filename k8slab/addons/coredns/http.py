"""A web server of one page, for the health, ready and prometheus plugins.

Rule of use: `page()` returns a status and a text, at once.

Upstream: coredns plugin/health/health.go, plugin/ready/ready.go
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.addons.coredns.process import Process
from k8slab.linux.errors import NetworkError
from k8slab.linux.tcp import Connection
from k8slab.linux.tcp_open import Listener

REASONS = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}
REQUEST_TIMEOUT = 10.0  # s


def serve_text(process: Process, port: int, page: Callable[[], tuple[int, str]]) -> Listener:
    """Answer every GET on the port with the page, until it is closed. Raises AddressInUse."""
    sim, name, group = process.sim, f"{process.name}: http :{port}", process.group
    listener = process.net.listen("0.0.0.0", port, owner=group)

    async def listen() -> None:
        while not listener.closed:
            try:
                connection = await listener.accept()
            except NetworkError:
                continue
            sim.spawn(_answer(connection, page), name, group)

    sim.spawn(listen(), name, group)
    return listener


async def _answer(connection: Connection, page: Callable[[], tuple[int, str]]) -> None:
    try:
        if await connection.recv(REQUEST_TIMEOUT):
            status, text = page()
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
