"""The server's ends on the network: UDP and TCP on the port of a server block.

Over TCP each message has its length before it (RFC 1035, 4.2.2). A question that has to be
forwarded does not hold up those behind it: each is answered by a task of its own.

Rule of use: close the socket to end a server; a killed process closes all of them.

Upstream: coredns core/dnsserver/server.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.addons.coredns.corefile import ServerBlock
from k8slab.addons.coredns.messages import (
    MAX_TCP_SIZE,
    Question,
    flags_of,
    question_of,
    response_of,
    wire_of,
)
from k8slab.addons.coredns.plugins import Chain
from k8slab.linux.errors import NetworkError
from k8slab.linux.tcp import Connection
from k8slab.linux.tcp_open import Listener
from k8slab.linux.udp import UdpSocket

if TYPE_CHECKING:
    from k8slab.addons.coredns.server import CoreDNS

TCP_IDLE = 10.0  # s, core/dnsserver: a connection without questions is closed


def serve_udp(server: CoreDNS, block: ServerBlock, chain: Chain) -> UdpSocket:
    """Answer datagrams until the socket is closed. Raises AddressInUse."""
    sim, name, group = server.sim, server.process.name, server.process.group
    socket = server.process.net.udp("0.0.0.0", block.port, owner=group)

    async def listen() -> None:
        while not socket.closed:
            try:
                wire, client = await socket.recv_from()
            except NetworkError:
                continue
            question = question_of(wire)
            if question is not None:
                answering = _answer_udp(server, block, chain, socket, question, client)
                sim.spawn(answering, f"{name}: {question.type} {question.name}", group)

    sim.spawn(listen(), f"{name}: udp :{block.port}", group)
    return socket


async def _answer_udp(
    server: CoreDNS,
    block: ServerBlock,
    chain: Chain,
    socket: UdpSocket,
    question: Question,
    client: tuple[str, int],
) -> None:
    wire = await respond(server, block, chain, question, ("udp", *client))
    try:
        socket.send_to(wire, *client)
    except NetworkError as error:
        server.process.log(f"[ERROR] plugin/errors: 2 {question.name} {question.type}: {error}")


def serve_tcp(server: CoreDNS, block: ServerBlock, chain: Chain) -> Listener:
    """Answer on connections until the socket is closed. Raises AddressInUse."""
    sim, name, group = server.sim, server.process.name, server.process.group
    listener = server.process.net.listen("0.0.0.0", block.port, owner=group)

    async def listen() -> None:
        while not listener.closed:
            try:
                connection = await listener.accept()
            except NetworkError:
                continue
            talk = _talk(server, block, chain, connection)
            sim.spawn(talk, f"{name}: tcp connection", group)

    sim.spawn(listen(), f"{name}: tcp :{block.port}", group)
    return listener


async def _talk(server: CoreDNS, block: ServerBlock, chain: Chain, connection: Connection) -> None:
    """Answer one question after the other until the client has no more."""
    received = b""
    try:
        while data := await connection.recv(TCP_IDLE):
            received += data
            while len(received) > 2 and len(received) >= (end := 2 + _length(received)):
                question = question_of(received[2:end])
                received = received[end:]
                if question is None:
                    return
                client = ("tcp", *connection.remote)
                wire = await respond(server, block, chain, question, client)
                await connection.send(len(wire).to_bytes(2, "big") + wire)
    except NetworkError:
        pass  # the client went away, or said nothing for too long
    finally:
        connection.close()


async def respond(
    server: CoreDNS,
    block: ServerBlock,
    chain: Chain,
    question: Question,
    client: tuple[str, str, int],
) -> bytes:
    """Return the answer on the wire, counted and logged."""
    began = server.sim.now
    answer, ours = await chain.answer(question.name, question.type)
    response = response_of(question, answer, authoritative=ours)
    protocol, ip, port = client
    size = question.size if protocol == "udp" else MAX_TCP_SIZE
    wire = wire_of(response, size)
    key = (question.type, answer.rcode)
    server.requests[key] = server.requests.get(key, 0) + 1
    if block.plugin("log") is not None:
        asked = f"{question.type} IN {question.name} {protocol}"
        length = len(question.message.wire or b"") or len(question.message.to_wire())
        limits = f"{length} {str(question.dnssec).lower()} {size}"
        took = server.sim.now - began
        server.process.log(
            f'[INFO] {ip}:{port} - {question.id} "{asked} {limits}" '
            f"{answer.rcode} {flags_of(response)} {len(wire)} {took:.9f}s"
        )
    return wire


def _length(received: bytes) -> int:
    return int.from_bytes(received[:2], "big")
