"""The cluster's DNS for programs of this machine: UDP and TCP on a port of loopback.

    with cluster.serve_dns() as address:
        ...                      # !dig @127.0.0.1 -p {address.port} web.default.svc.cluster.local

A question that comes in is handed to `ask`, as it stands on the wire, and what `ask` returns goes
back; None is no answer at all. What the bytes say is nobody's business here.

Rule of use: a context manager, entered once; `ask` is called from threads of the server.

Upstream: none
"""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple

Ask = Callable[[str, bytes], "bytes | None"]  # "udp" or "tcp", the question; the answer

LOOPBACK = "127.0.0.1"
POLL = 0.05  # s of wall time, how soon a server notices that it is to end
TCP_IDLE = 10.0  # s of wall time after which a connection without questions is closed


class Address(NamedTuple):
    """Where the server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class DnsServing:
    """Answers while it is entered."""

    def __init__(self, ask: Ask, port: int = 0) -> None:
        self._ask = ask
        self._port = port
        self._servers: list[socketserver.BaseServer] = []
        self._threads: list[threading.Thread] = []
        self.failure: Exception | None = None  # the first defect that a question brought to light

    def __enter__(self) -> Address:
        udp = _udp_server(self._safely, self._port)
        address = Address(LOOPBACK, int(udp.server_address[1]))
        try:
            tcp = _tcp_server(self._safely, address.port)
        except OSError:
            udp.server_close()
            raise
        for server in (udp, tcp):
            thread = threading.Thread(target=server.serve_forever, args=(POLL,), daemon=True)
            thread.start()
            self._servers.append(server)
            self._threads.append(thread)
        return address

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
        if error is None and self.failure is not None:
            raise self.failure

    def _safely(self, protocol: str, question: bytes) -> bytes | None:
        """Ask; a defect is kept for the end of the block, where somebody sees it."""
        try:
            return self._ask(protocol, question)
        except Exception as error:
            self.failure = self.failure or error
            return None


def _udp_server(ask: Ask, port: int) -> socketserver.UDPServer:
    class Handler(socketserver.DatagramRequestHandler):
        def handle(self) -> None:
            question, sock = self.request
            answer = ask("udp", question)
            if answer is not None:
                sock.sendto(answer, self.client_address)

        def finish(self) -> None:
            """Send nothing more: the base class would send an empty datagram."""

    return socketserver.UDPServer((LOOPBACK, port), Handler)


def _tcp_server(ask: Ask, port: int) -> socketserver.TCPServer:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection: socket.socket = self.request
            connection.settimeout(TCP_IDLE)
            try:
                while (question := _message(connection)) is not None:
                    answer = ask("tcp", question)
                    if answer is None:
                        return
                    connection.sendall(len(answer).to_bytes(2, "big") + answer)
            except OSError:
                return  # the client went away, or said nothing for too long

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    return Server((LOOPBACK, port), Handler)


def _message(connection: socket.socket) -> bytes | None:
    """Return the next message, which has its length before it; None at the end."""
    head = _exactly(connection, 2)
    return _exactly(connection, int.from_bytes(head, "big")) if head else None


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    received = b""
    while len(received) < size:
        data = connection.recv(size - len(received))
        if not data:
            return None
        received += data
    return received
