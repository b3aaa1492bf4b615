"""nslookup as busybox has it: two programs under one name, and neither asks as programs do.

From 1.29 on it has a resolver of its own. A name with a dot in it is asked as it stands: the search
list is for names without one, and then all of its endings are asked at once, A and AAAA, and every
answer is printed as it comes. So `nslookup db.shop` finds nothing where `wget db.shop` does.

Until 1.28 it asked its libc, as all programs do; that is why Kubernetes' own pages use
`busybox:1.28` for looking into DNS.

Rule of use: `nslookup` is the tool; the image's tag says which of the two it is.

Upstream: busybox networking/nslookup.c
"""

from __future__ import annotations

import re
from ipaddress import ip_address

import msgspec

from k8slab.linux.addresses import joined
from k8slab.linux.dns_message import Message, query, read_message
from k8slab.linux.errors import NetworkError, TimedOut
from k8slab.linux.resolv_conf import ResolvConf
from k8slab.linux.udp import UdpSocket
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.resolve import is_address, look_up

TYPES = ("SOA", "NS", "A", "AAAA", "CNAME", "MX", "TXT", "SRV", "PTR", "ANY")
TIMEOUT, RETRIES = 5.0, 2  # s for everything, and rounds
LAST_SMALL = 28  # the last minor version that asks its libc
OLD_IMAGES = ("registry.k8s.io/busybox", "gcr.io/google-containers/busybox")
LINES = {
    "NS": "{name}\tnameserver = {data}",
    "CNAME": "{name}\tcanonical name = {data}",
    "PTR": "{name}\tname = {data}",
    "MX": "{name}\tmail exchanger = {data}",
    "SRV": "{name}\tservice = {data}",
    "TXT": "{name}\ttext = {data}",
    "A": "Name:\t{name}\nAddress: {data}",
    "AAAA": "Name:\t{name}\nAddress: {data}",
}


class Options(msgspec.Struct):
    """What stands before the name."""

    types: list[str] = []
    port: int = 53
    retries: int = RETRIES
    timeout: float = TIMEOUT


async def nslookup(process: Process) -> int:
    """Ask for a name, an address's name, or records of a type; 1 if something was not found."""
    if _is_small(process.container.image.name):
        return await _small(process)
    options = Options()
    words = list(process.args[1:])
    while words and words[0].startswith("-"):
        problem = _option(options, words.pop(0)[1:])
        if problem:
            process.error(f"nslookup: {problem}")
            return 1
    if not 1 <= len(words) <= 2:
        process.error("Usage: nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]")
        return 1
    name = words[0]
    searches, servers = _settings(process) if len(words) == 1 else ((), (words[1],))
    questions = _questions(name, options.types, searches)
    for server in servers:
        talk = _Talk(process, server, options, questions)
        if await talk.run():
            return talk.finish()
    process.log(";; connection timed out; no servers could be reached\n")
    return 1


def _is_small(image: str) -> bool:
    repository, _, tag = image.rpartition(":")
    found = re.match(r"1\.(\d+)", tag)
    return (found is not None and int(found[1]) <= LAST_SMALL) or repository in OLD_IMAGES


def _option(options: Options, word: str) -> str:
    """Set an option; return what is wrong with it, if something is."""
    name, _, value = word.partition("=")
    if name in ("type", "querytype", "q", "ty"):
        if value.upper() not in TYPES:
            return f'invalid query type "{value}"'
        options.types.append(value.upper())
    elif name == "port":
        options.port = int(value)
    elif name == "retry":
        options.retries = int(value)
    elif name in ("t", "timeout"):
        options.timeout = float(value)
    elif name != "debug":
        return f"unrecognized option '{word}'"
    return ""


def _settings(process: Process) -> tuple[tuple[str, ...], tuple[str, ...]]:
    conf = ResolvConf.parse(process.read("/etc/resolv.conf"))
    return conf.searches, conf.nameservers or ("127.0.0.1",)


def _questions(name: str, types: list[str], searches: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the names and types that are asked, all of them at once.

    >>> _questions("web", [], ("a.b", "b"))
    [('web.a.b', 'A'), ('web.b', 'A'), ('web.a.b', 'AAAA'), ('web.b', 'AAAA')]
    """
    if not types and is_address(name):
        return [(ip_address(name).reverse_pointer, "PTR")]
    wanted = [kind for kind in TYPES if kind in types] or ["A", "AAAA"]
    found = []
    for kind in wanted:
        whole = kind == "PTR" or "." in name or not searches
        found += [(each, kind) for each in ([name] if whole else [f"{name}.{s}" for s in searches])]
    return found


class _Talk:
    """The questions to one server, and what comes back."""

    def __init__(
        self, process: Process, server: str, options: Options, questions: list[tuple[str, str]]
    ) -> None:
        self._process, self._server, self._options = process, server, options
        stream = process.sim.streams.rng(f"nslookup/{process.net.name}")
        number = stream.randrange(1 << 16)
        self._open: dict[int, tuple[str, bytes]] = {}  # names and messages without an answer
        for name, kind in questions:
            number = (number + 1) & 0xFFFF
            self._open[number] = name, query(f"{name.rstrip('.')}.", kind, number)
        self._count = len(questions)
        self._greeted = False
        self._failed = False

    async def run(self) -> bool:
        """Ask until everything is answered or the time is over; say whether something was."""
        process, options = self._process, self._options
        server = self._server if is_address(self._server) else await process.resolve(self._server)
        socket = process.udp()
        end = process.sim.now + options.timeout
        try:
            socket.connect(server, options.port)
            while self._open and process.sim.now < end:
                interval = options.timeout / options.retries
                await self._round(socket, min(process.sim.now + interval, end))
        except NetworkError as error:
            process.error(f"nslookup: write to '{self._server}': {error.words}")
        finally:
            socket.close()
        return len(self._open) < self._count

    async def _round(self, socket: UdpSocket, until: float) -> None:
        """Send what is not answered, and print answers until it is time to send again."""
        process = self._process
        for _, wire in self._open.values():
            socket.send(wire)
        failures = 2 * self._count
        while self._open and process.sim.now < until:
            try:
                data, _ = await socket.recv_from(until - process.sim.now)
            except TimedOut:
                return
            except NetworkError as error:
                process.error(f"nslookup: read: {error.words}")
                continue
            self._greet()
            message = read_message(data)
            if message is None or message.id not in self._open:
                continue
            if message.rcode == "SERVFAIL" and failures:
                failures -= 1
                socket.send(self._open[message.id][1])
                continue
            self._print(self._open.pop(message.id)[0], message)

    def _greet(self) -> None:
        if not self._greeted:
            self._greeted = True
            where = joined(self._server, self._options.port)
            self._process.log(f"Server:\t\t{self._server}\nAddress:\t{where}\n")

    def _print(self, name: str, message: Message) -> None:
        process = self._process
        if message.rcode != "NOERROR":
            process.log(f"** server can't find {name}: {message.rcode}")
            self._failed = True
        else:
            if not message.authoritative:
                process.log("Non-authoritative answer:")
            for record in message.answers:
                for line in _lines(record.name.rstrip("."), record.type, record.data):
                    process.log(line)
        process.log("")

    def finish(self) -> int:
        """Name what has no answer, and return the exit code."""
        for name, _ in self._open.values():
            self._process.log(f"*** Can't find {name}: No answer")
        if self._open:
            self._process.log("")
        return int(self._failed)


def _lines(name: str, kind: str, data: str) -> list[str]:
    """Return a record as nslookup prints it; types that it does not know are left out."""
    if kind == "SOA":
        server, mailbox, *numbers = data.split()
        words = ("serial", "refresh", "retry", "expire", "minimum")
        return [
            name,
            f"\torigin = {server.rstrip('.')}",
            f"\tmail addr = {mailbox.rstrip('.')}",
            *(f"\t{word} = {number}" for word, number in zip(words, numbers, strict=True)),
        ]
    if kind not in LINES:
        return []
    data = data if kind == "TXT" else data.rstrip(".")
    return [LINES[kind].format(name=name, data=data)]


async def _small(process: Process) -> int:
    """Ask the libc, and for the names of the addresses that it finds."""
    words = list(process.args[1:])
    if not 1 <= len(words) <= 2 or words[0].startswith("-"):
        process.error("Usage: nslookup [HOST] [SERVER]")
        return 1
    _, servers = _settings(process)
    server = words[1] if len(words) > 1 else servers[0]
    own = await _name_of(process, server, server)
    process.log(f"Server:    {server}\nAddress 1: {server}{own}\n")
    found = await look_up(process, words[0])
    if not found.addresses:
        process.error(f"nslookup: can't resolve '{words[0]}'")
        return 1
    process.log(f"Name:      {words[0]}")
    for number, ip in enumerate(found.addresses, 1):
        process.log(f"Address {number}: {ip}{await _name_of(process, server, ip)}")
    return 0


async def _name_of(process: Process, server: str, ip: str) -> str:
    """Return a blank and the name of an address, nothing if it has none."""
    stream = process.sim.streams.rng(f"nslookup/{process.net.name}")
    number = stream.randrange(1 << 16)
    socket = process.udp()
    try:
        socket.connect(server, 53)
        socket.send(query(f"{ip_address(ip).reverse_pointer}.", "PTR", number))
        data, _ = await socket.recv_from(TIMEOUT)
    except NetworkError:
        return ""
    finally:
        socket.close()
    message = read_message(data)
    pointers = [each.data for each in message.answers if each.type == "PTR"] if message else []
    return f" {pointers[0].rstrip('.')}" if pointers else ""
