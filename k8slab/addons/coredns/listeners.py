"""The server's ends on the network: UDP and TCP on the port of a server block.

Over TCP each message has its length before it (RFC 1035, 4.2.2). A question that has to be
forwarded does not hold up those behind it: each is answered by a task of its own.

Rule of use: close the socket to end a server; a killed process closes all of them.

Upstream: coredns core/dnsserver/server.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.addons.coredns.corefile import Plugin
from k8slab.addons.coredns.messages import (
    MAX_TCP_SIZE,
    Question,
    flags_of,
    question_of,
    response_of,
    wire_of,
)
from k8slab.addons.coredns.records import NOERROR, NXDOMAIN, REFUSED, Answer
from k8slab.linux.addresses import joined
from k8slab.linux.errors import NetworkError
from k8slab.linux.tcp import Connection
from k8slab.linux.tcp_open import Listener
from k8slab.linux.udp import UdpSocket

if TYPE_CHECKING:
    from k8slab.addons.coredns.server import CoreDNS

TCP_IDLE = 10.0  # s, core/dnsserver: a connection without questions is closed


def serve_udp(server: CoreDNS, port: int) -> UdpSocket:
    """Answer datagrams until the socket is closed. Raises AddressInUse."""
    sim, name, group = server.sim, server.process.name, server.process.group
    socket = server.process.net.udp("0.0.0.0", port, owner=group)

    async def listen() -> None:
        while not socket.closed:
            try:
                wire, client = await socket.recv_from()
            except NetworkError:
                continue
            question = question_of(wire)
            if question is not None:
                answering = _answer_udp(server, port, socket, question, client)
                sim.spawn(answering, f"{name}: {question.type} {question.name}", group)

    sim.spawn(listen(), f"{name}: udp :{port}", group)
    return socket


async def _answer_udp(
    server: CoreDNS,
    port: int,
    socket: UdpSocket,
    question: Question,
    client: tuple[str, int],
) -> None:
    wire = await respond(server, port, question, ("udp", *client))
    try:
        socket.send_to(wire, *client)
    except NetworkError as error:
        server.process.log(f"[ERROR] plugin/errors: 2 {question.name} {question.type}: {error}")


def serve_tcp(server: CoreDNS, port: int) -> Listener:
    """Answer on connections until the socket is closed. Raises AddressInUse."""
    sim, name, group = server.sim, server.process.name, server.process.group
    listener = server.process.net.listen("0.0.0.0", port, owner=group)

    async def listen() -> None:
        while not listener.closed:
            try:
                connection = await listener.accept()
            except NetworkError:
                continue
            talk = _talk(server, port, connection)
            sim.spawn(talk, f"{name}: tcp connection", group)

    sim.spawn(listen(), f"{name}: tcp :{port}", group)
    return listener


async def _talk(server: CoreDNS, port: int, connection: Connection) -> None:
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
                wire = await respond(server, port, question, client)
                await connection.send(len(wire).to_bytes(2, "big") + wire)
    except NetworkError:
        pass  # the client went away, or said nothing for too long
    finally:
        connection.close()


async def respond(
    server: CoreDNS,
    port: int,
    question: Question,
    client: tuple[str, str, int],
) -> bytes:
    """Return the answer on the wire, counted and logged."""
    began = server.sim.now
    protocol, ip, _ = client
    chain = server.chain_for(port, question.name)
    answer, ours = Answer(REFUSED), False
    if chain is not None:
        answer, ours = await chain.answer(question.name, question.type, ip)
    response = response_of(question, answer, authoritative=ours)
    size = question.size if protocol == "udp" else MAX_TCP_SIZE
    wire = wire_of(response, size)
    key = (question.type, answer.rcode)
    server.requests[key] = server.requests.get(key, 0) + 1
    if chain is not None and is_logged(chain.block.plugin("log"), answer):
        asked = f"{question.type} IN {question.name} {protocol}"
        length = len(question.message.wire or b"") or len(question.message.to_wire())
        limits = f"{length} {str(question.dnssec).lower()} {size}"
        took = server.sim.now - began
        server.process.log(
            f'[INFO] {joined(ip, client[2])} - {question.id} "{asked} {limits}" '
            f"{answer.rcode} {flags_of(response)} {len(wire)} {took:.9f}s"
        )
    return wire


def is_logged(plugin: Plugin | None, answer: Answer) -> bool:
    """Say whether the log plugin writes a line of an answer of this class."""
    if plugin is None:
        return False
    classes = plugin.values("class") or ("all",)
    if answer.rcode == NXDOMAIN or answer.is_nodata:
        own = "denial"
    else:
        own = "success" if answer.rcode == NOERROR else "error"
    return "all" in classes or own in classes


def _length(received: bytes) -> int:
    return int.from_bytes(received[:2], "big")
