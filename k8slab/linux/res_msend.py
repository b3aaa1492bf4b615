"""How musl asks: all servers at once, again after half the time, and the first word counts.

    timeout:5 attempts:2     after 2.5 s whatever is not answered is asked again; after 5 s it ends

Only "here it is" and "there is no such name" are answers. SERVFAIL makes it ask that server again
at once, a few times; REFUSED and all else are not listened to, and ICMP errors are not heard of,
for the socket is connected to nobody: a server that knows nothing costs as much as a silent one.

What a server marks as truncated is asked again by TCP (since 1.2.4; before, what came was taken).

Rule of use: as GlibcAsker.

Upstream: musl src/network/res_msend.c
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from k8slab.linux.errors import NetworkError
from k8slab.linux.res_query import DNS_PORT, NO_ANSWER, PROPER, TYPES, Query, Talk, read_answer
from k8slab.linux.resolv_conf import ResolvConf
from k8slab.linux.udp import UdpSocket

if TYPE_CHECKING:
    from k8slab.linux.journey import Journey
    from k8slab.linux.netns import NetNamespace

TIMEOUT, ATTEMPTS = 5, 2  # s for everything, and rounds
MAX_TIMEOUT, MAX_ATTEMPTS = 60, 10
SERVFAIL_RETRIES = 2  # for each question and round

Numbers = dict[int, tuple[str, bytes]]


class MuslAsker(Talk):
    """Asks for one name after the other."""

    def __init__(
        self, ns: NetNamespace, conf: ResolvConf, owner: object, journey: Journey | None
    ) -> None:
        super().__init__(ns, conf, owner, journey)
        self._timeout = float(min(conf.option("timeout", TIMEOUT), MAX_TIMEOUT))
        attempts = min(conf.option("attempts", ATTEMPTS), MAX_ATTEMPTS)
        self._interval = self._timeout / max(attempts, 1)

    async def ask(self, name: str) -> list[Query]:
        """Ask everybody for A and AAAA until there is an answer to both."""
        numbers = self.questions(name, TYPES)
        answers: dict[str, Query] = {}
        try:
            socket = self.ns.udp(owner=self.owner, journey=self.journey)
        except NetworkError:
            return []
        began = self.now
        try:
            while len(answers) < len(numbers) and self.now - began < self._timeout:
                left = {n: each for n, each in numbers.items() if each[0] not in answers}
                await self._round(socket, name, left, answers)
        finally:
            socket.close()
        silence = Query(name, "", self.servers[0], NO_ANSWER, (), began, self.now)
        return [
            answers.get(kind, msgspec.structs.replace(silence, type=kind))
            for kind, _ in numbers.values()
        ]

    async def _round(
        self, socket: UdpSocket, name: str, numbers: Numbers, answers: dict[str, Query]
    ) -> None:
        """Ask for what is missing, of all servers, and listen until it is time to ask again."""
        asked = self.now
        for server in self.servers:
            for _, wire in numbers.values():
                self._send(socket, wire, server)
        retries = SERVFAIL_RETRIES * len(TYPES)
        last: dict[str, Query] = {}  # what was said and does not count
        deadline = asked + self._interval
        while self.now < deadline and any(kind not in answers for kind, _ in numbers.values()):
            try:
                data, (server, port) = await socket.recv_from(deadline - self.now)
            except NetworkError:
                break
            read = read_answer(data, numbers, server, asked, self.now)
            if read is None or server not in self.servers or port != DNS_PORT:
                continue
            found, message = read
            if found.rcode in PROPER and found.type not in answers:
                if message.truncated:
                    found = await self._by_tcp(found, numbers, asked, deadline)
                answers[found.type] = found
                self.log.append(found)
            elif found.rcode not in PROPER:
                last[found.type] = found
                if found.rcode == "SERVFAIL" and retries:
                    retries -= 1
                    self._send(socket, numbers[message.id][1], server)
        for kind, _ in numbers.values():
            if kind not in answers:
                self._note(name, kind, asked, last)

    def _note(self, name: str, kind: str, asked: float, last: dict[str, Query]) -> None:
        """Write into the log that a round brought no answer."""
        for server in self.servers:
            said = last.get(kind)
            if said is None or said.server != server:
                said = Query(name, kind, server, NO_ANSWER, (), asked, self.now)
            self.log.append(said)

    def _send(self, socket: UdpSocket, wire: bytes, server: str) -> None:
        with suppress(NetworkError):  # sendto's result is not looked at
            socket.send_to(wire, server, DNS_PORT)

    async def _by_tcp(self, cut: Query, numbers: Numbers, asked: float, deadline: float) -> Query:
        """Return the whole answer, or what there is of it."""
        wires = [wire for kind, wire in numbers.values() if kind == cut.type]
        try:
            (wire,) = await self.by_tcp(cut.server, wires, max(deadline - self.now, 0.0))
        except (NetworkError, EOFError):
            return cut
        read = read_answer(wire, numbers, cut.server, asked, self.now)
        return cut if read is None else msgspec.structs.replace(read[0], protocol="tcp")
