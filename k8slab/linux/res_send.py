"""How glibc asks: one server after the other, A and AAAA at once, and twice in all.

    timeout:5 attempts:2     a server has 5 s; of several, the later ones have 10 s / n, 20 s / n
    rotate                   another server is the first each time
    use-vc                   by TCP; so is what a server marks as truncated
    single-request           AAAA only when A is answered; -reopen from another port
    edns0, trust-ad, no-aaaa what is said in the question, and that there is only one

A refused port is heard of at once, for the socket is connected; SERVFAIL, NOTIMP and REFUSED mean:
ask the next server. If one of the two answers comes and the other does not, the server may be one
that cannot have two questions from one port: it is asked again, one by one. Lost answers look the
same, which is how a lost AAAA costs 5 seconds.

Rule of use: one `GlibcAsker` for one look-up; it remembers what it learned about servers.

Upstream: glibc resolv/res_send.c
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from k8slab.linux.errors import NetworkError, TimedOut
from k8slab.linux.res_query import DNS_PORT, NO_ANSWER, PROPER, TYPES, Query, Talk, read_answer
from k8slab.linux.resolv_conf import ResolvConf
from k8slab.linux.udp import UdpSocket

if TYPE_CHECKING:
    from k8slab.linux.journey import Journey
    from k8slab.linux.netns import NetNamespace

TIMEOUT, ATTEMPTS = 5, 2  # s and rounds
MAX_TIMEOUT, MAX_ATTEMPTS = 30, 5  # RES_MAXRETRANS, RES_MAXRETRY


def patience(timeout: int, place: int, servers: int) -> float:
    """Return how long the server at a place of the list has to answer, in seconds.

    >>> [patience(5, place, 3) for place in range(3)]
    [5.0, 3.0, 6.0]
    """
    seconds = timeout << place
    return float(max(seconds // servers if place else seconds, 1))


class GlibcAsker(Talk):
    """Asks for one name after the other."""

    def __init__(
        self, ns: NetNamespace, conf: ResolvConf, owner: object, journey: Journey | None
    ) -> None:
        super().__init__(ns, conf, owner, journey)
        self._timeout = min(conf.option("timeout", TIMEOUT), MAX_TIMEOUT)
        self._attempts = min(conf.option("attempts", ATTEMPTS), MAX_ATTEMPTS)
        self._kinds = TYPES[:1] if conf.has("no-aaaa") else TYPES
        self._reopens = conf.has("single-request-reopen")
        self._one_by_one = self._reopens or conf.has("single-request")
        self._turn = 0
        if conf.has("rotate") and len(self.servers) > 1:
            stream = ns.sim.streams.rng(f"resolver/{ns.name}")
            self._turn = stream.randrange(len(self.servers))

    async def ask(self, name: str) -> list[Query]:
        """Ask for A and AAAA, server after server, until one answers properly."""
        answers: list[Query] = []
        count = len(self.servers)
        for _ in range(self._attempts):
            for place in range(count):
                server = self.servers[(place + self._turn) % count]
                answers = await self._ask_server(
                    name, server, patience(self._timeout, place, count)
                )
                if any(answer.rcode in PROPER for answer in answers):
                    self._turn += self.conf.has("rotate")
                    return answers
        return answers

    async def _ask_server(self, name: str, server: str, seconds: float) -> list[Query]:
        """Ask one server, in another way if the first brings one answer of two."""
        answers, truncated = await self._by_udp(name, server, seconds)
        while self._half(answers) and not self._reopens:
            self._one_by_one, self._reopens = True, self._one_by_one
            answers, truncated = await self._by_udp(name, server, seconds)
        if truncated:
            answers = await self._by_tcp(name, server)
        return answers

    def _half(self, answers: list[Query]) -> bool:
        silent = [answer.rcode == NO_ANSWER for answer in answers]
        return any(silent) and not all(silent)

    # -- over UDP

    async def _by_udp(self, name: str, server: str, seconds: float) -> tuple[list[Query], bool]:
        """Return the answers, and whether one of them is cut off."""
        if self.conf.has("use-vc"):
            return await self._by_tcp(name, server), False
        numbers = self.questions(name, self._kinds)
        rounds = [{n: each} for n, each in numbers.items()] if self._one_by_one else [numbers]
        found: list[Query] = []
        truncated = False
        socket: UdpSocket | None = None
        try:
            for part in rounds:
                if socket is None or self._reopens:
                    socket = self._opened(socket, server)
                answers, cut = await self._exchange(socket, server, name, part, seconds)
                found += answers
                truncated = truncated or cut
        except NetworkError:
            asked = self.now
            missing = self._kinds[len(found) :]
            found += [Query(name, kind, server, NO_ANSWER, (), asked, asked) for kind in missing]
        finally:
            if socket is not None:
                socket.close()
        self.log += found
        return found, truncated

    def _opened(self, old: UdpSocket | None, server: str) -> UdpSocket:
        """Return a socket that hears of a refused port. Raises NetworkError."""
        if old is not None:
            old.close()
        socket = self.ns.udp(owner=self.owner, journey=self.journey)
        try:
            socket.connect(server, DNS_PORT)
        except NetworkError:
            socket.close()
            raise
        return socket

    async def _exchange(
        self,
        socket: UdpSocket,
        server: str,
        name: str,
        numbers: dict[int, tuple[str, bytes]],
        seconds: float,
    ) -> tuple[list[Query], bool]:
        asked = self.now
        answers: dict[str, Query] = {}
        truncated = False
        try:
            for _, wire in numbers.values():
                socket.send(wire)
            deadline = asked + seconds
            while len(answers) < len(numbers):
                if self.now >= deadline:
                    raise TimedOut(server)
                data, _ = await socket.recv_from(deadline - self.now)
                read = read_answer(data, numbers, server, asked, self.now)
                if read is not None:
                    answers[read[0].type] = read[0]
                    truncated = truncated or read[1].truncated
        except NetworkError:
            pass
        silence = Query(name, "", server, NO_ANSWER, (), asked, self.now)
        found = [
            answers.get(kind, msgspec.structs.replace(silence, type=kind))
            for kind, _ in numbers.values()
        ]
        return found, truncated

    # -- over TCP

    async def _by_tcp(self, name: str, server: str) -> list[Query]:
        """Ask both on one connection; it may take as long as the kernel lets it."""
        asked = self.now
        numbers = self.questions(name, self._kinds)
        answers: dict[str, Query] = {}
        try:
            for wire in await self.by_tcp(server, [wire for _, wire in numbers.values()], None):
                read = read_answer(wire, numbers, server, asked, self.now)
                if read is not None:
                    answers[read[0].type] = read[0]
        except (NetworkError, EOFError):
            pass
        silence = Query(name, "", server, NO_ANSWER, (), asked, self.now)
        found = [
            msgspec.structs.replace(answers.get(kind, silence), type=kind, protocol="tcp")
            for kind in self._kinds
        ]
        self.log += found
        return found
