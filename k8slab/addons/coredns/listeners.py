"""The server's ends on the network: UDP and TCP on an address and port.

Over TCP each message has its length before it (RFC 1035, 4.2.2). A question that has to be
forwarded does not hold up those behind it: each is answered by a task of its own.

Rule of use: close the socket to end a server; a killed process closes all of them.

Upstream: coredns core/dnsserver/server.go, github.com/miekg/dns server.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.addons.coredns.messages import MAX_TCP_SIZE, Question, question_of, reply
from k8slab.addons.coredns.plugin import Failure, Request
from k8slab.addons.coredns.plugins.acl import DROPPED
from k8slab.addons.coredns.records import REFUSED, Answer
from k8slab.addons.coredns.settings import Place
from k8slab.linux.errors import NetworkError
from k8slab.linux.tcp import Connection
from k8slab.linux.tcp_open import Listener
from k8slab.linux.udp import UdpSocket

if TYPE_CHECKING:
    from k8slab.addons.coredns.server import CoreDNS

TCP_IDLE = 10.0  # s, core/dnsserver: a connection without questions is closed
CHAOS_PLUGINS = ("chaos", "forward")


def serve_udp(server: CoreDNS, place: Place) -> UdpSocket:
    """Answer datagrams until the socket is closed. Raises AddressInUse, AddressNotAvailable."""
    sim, name, group = server.sim, server.process.name, server.process.group
    socket = server.process.net.udp(*place, owner=group)

    async def listen() -> None:
        while not socket.closed:
            try:
                wire, client = await socket.recv_from()
            except NetworkError:
                continue
            question = question_of(wire)
            if question is not None:
                answering = _answer_udp(server, place, socket, question, client)
                sim.spawn(answering, f"{name}: {question.type} {question.name}", group)

    sim.spawn(listen(), f"{name}: udp :{place[1]}", group)
    return socket


async def _answer_udp(
    server: CoreDNS,
    place: Place,
    socket: UdpSocket,
    question: Question,
    client: tuple[str, int],
) -> None:
    wire = await respond(server, place, question, ("udp", *client))
    try:
        if wire is not None and not socket.closed:
            socket.send_to(wire, *client)
    except NetworkError as error:
        server.process.log(f"[ERROR] plugin/errors: 2 {question.name} {question.type}: {error}")


def serve_tcp(server: CoreDNS, place: Place) -> Listener:
    """Answer on connections until the socket is closed. Raises AddressInUse."""
    sim, name, group = server.sim, server.process.name, server.process.group
    listener = server.process.net.listen(*place, owner=group)

    async def listen() -> None:
        while not listener.closed:
            try:
                connection = await listener.accept()
            except NetworkError:
                continue
            talk = _talk(server, place, connection)
            sim.spawn(talk, f"{name}: tcp connection", group)

    sim.spawn(listen(), f"{name}: tcp :{place[1]}", group)
    return listener


async def _talk(server: CoreDNS, place: Place, connection: Connection) -> None:
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
                wire = await respond(server, place, question, client)
                if wire is not None:
                    await connection.send(len(wire).to_bytes(2, "big") + wire)
    except NetworkError:
        pass  # the client went away, or said nothing for too long
    finally:
        connection.close()


async def respond(
    server: CoreDNS,
    place: Place,
    question: Question,
    client: tuple[str, str, int],
) -> bytes | None:
    """Return the answer on the wire, and count it; None if there is none."""
    protocol, ip, port = client
    answer, most = Answer(question.fault), MAX_TCP_SIZE
    if not question.fault:
        chain = server.chain_for(place, question.name)
        answer = Answer(REFUSED)
        if chain is not None and chain.answers and _takes_class(server, question.klass):
            most = chain.max_size
            request = Request(
                question.name,
                question.type,
                ip,
                port,
                protocol,
                question.klass,
                min(question.size, most),
                question.edns,
                question.dnssec,
                question.id,
                question.length,
            )
            try:
                answer = await chain.serve(request)
            except Failure as failure:
                answer = Answer(failure.rcode)
    if answer.rcode == DROPPED:
        return None
    key = (question.type, answer.rcode)
    server.requests[key] = server.requests.get(key, 0) + 1
    return reply(question, answer, min(question.size, most) if protocol == "udp" else MAX_TCP_SIZE)


def _takes_class(server: CoreDNS, klass: str) -> bool:
    if klass == "CH":
        return any(chain.block.plugin(name) for chain in server.chains for name in CHAOS_PLUGINS)
    return klass == "IN"


def _length(received: bytes) -> int:
    return int.from_bytes(received[:2], "big")
