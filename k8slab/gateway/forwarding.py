"""Ports of Pods over a websocket: what `kubectl port-forward` does, in the form without SPDY.

Each port has two channels, one for data and one for what went wrong: 0 and 1 for the first, 2 and 3
for the second. Each begins with the number of its port, two bytes, the low one first.

Rule of use: `receive` what the client sends, inside the simulation; `run` until a port is closed.
kubectl itself speaks SPDY inside the websocket, which is not spoken here.

Upstream: staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from k8slab.api import errors
from k8slab.api.errors import ApiError
from k8slab.client import ConnectionFailed, Request, Transport
from k8slab.sim import Queue, Simulation

PROTOCOLS = ("v4.channel.k8s.io",)
MAX_PORT = 65535


class Connection(Protocol):
    """A connection to a port of a Pod, as a node's kernel has it."""

    async def send(self, data: bytes) -> None:
        """Send bytes; OSError if that is not possible."""

    async def recv(self, timeout: float | None = None) -> bytes:
        """Return bytes, b"" at the end; OSError if it broke."""

    def close(self) -> None:
        """Send no more."""


class Forwarding:
    """The ports of one Pod and their client."""

    def __init__(
        self, sim: Simulation, transport: Transport, request: Request, send: Callable[[bytes], None]
    ) -> None:
        self._sim = sim
        self._transport = transport
        self._request = replace(request, verb="get")
        self._send = send
        self._ports = wanted_ports(request)
        self._incoming = [Queue[bytes](sim, f"to port {port}") for port in self._ports]
        self._ended = Queue[None](sim, "an end of a forwarded port")

    def receive(self, message: bytes) -> None:
        """Take a message of the client."""
        channel, data = message[:1], message[1:]
        if channel and data and channel[0] % 2 == 0 and channel[0] // 2 < len(self._incoming):
            self._incoming[channel[0] // 2].put(data)

    async def run(self) -> None:
        """Pass bytes on in both directions, until one of the ports has come to its end."""
        for index, port in enumerate(self._ports):
            number = port.to_bytes(2, "little")
            self._send(bytes([2 * index]) + number)
            self._send(bytes([2 * index + 1]) + number)
        for index, port in enumerate(self._ports):
            self._sim.spawn(self._forward(index, port), f"forwarded port {port}")
        await self._ended.get()

    async def _forward(self, index: int, port: int) -> None:
        try:
            connection = await self._open(port)
            writing = self._sim.spawn(self._write(connection, index), f"to port {port}")
            try:
                while data := await connection.recv():
                    self._send(bytes([2 * index]) + data)
            finally:
                writing.kill()
                connection.close()
        except (ApiError, ConnectionFailed, OSError) as error:
            self._send(bytes([2 * index + 1]) + str(error).encode())
        self._ended.put(None)

    async def _open(self, port: int) -> Connection:
        answer: Connection = await self._transport.request(replace(self._request, body=port))
        return answer

    async def _write(self, connection: Connection, index: int) -> None:
        try:
            while True:
                await connection.send(await self._incoming[index].get())
        except OSError:
            return  # the reader meets the same error, and reports it


def wanted_ports(request: Request) -> list[int]:
    """Return the ports that a client asks for; ApiError if there are none, or bad ones.

    >>> wanted_ports(Request(verb="get", resource="pods", options=(("ports", "80,443"),)))
    [80, 443]
    """
    texts = [t for name, text in request.options if name == "ports" for t in text.split(",")]
    if not texts:
        raise errors.bad_request('query parameter "ports" is required')
    for text in texts:
        if not text.isdecimal() or not 0 < int(text) <= MAX_PORT:
            raise errors.bad_request(f'unable to parse "{text}" as a port')
    return [int(text) for text in texts]
