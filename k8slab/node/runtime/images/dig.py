"""dig: one DNS question, and every part of the answer.

    dig [@server] [-p port] [-t type] [-c class] [-x address] [name] [type] [class] [+options]

The options are those that change what is asked (+tcp, +norecurse, +noedns, +bufsize=, +nocookie,
+search, +ndots=, +time=, +tries=, +ignore) and what is printed (+short, +noall, +answer, ...).
Without +search the name is asked as it stands: the search list is not used, which is why `dig web`
fails where `wget web` works.

Rule of use: what it prints is in dig_print.py.

Upstream: BIND 9 bin/dig (dig.c, dighost.c)
"""

from __future__ import annotations

from ipaddress import ip_address

import msgspec

from k8slab.linux.addresses import joined
from k8slab.linux.dns_message import RD, UDP_SIZE, Message, query, read_message
from k8slab.linux.dns_wire import CLASSES, TYPES, Malformed
from k8slab.linux.errors import ConnectionRefused, NetworkError, TimedOut
from k8slab.linux.resolv_conf import ResolvConf
from k8slab.linux.resolver import ResolutionError, queries
from k8slab.node.runtime.images.dig_print import PARTS, Report, greeting, report, short
from k8slab.node.runtime.process import Process

EDNS_SIZE = 1232  # bytes, DEFAULT_EDNS_BUFSIZE
AD = 0x0020
COOKIE = 10  # the EDNS option
NO_SERVERS, USAGE, RESOLVER = 9, 1, 10  # exit codes
SWITCHES = (
    "tcp", "vc", "recurse", "rec", "rdflag", "edns", "cookie", "search", "ignore", "short",
    "adflag", "all", *PARTS,
)  # fmt: skip
QUIET = ("qr", "multiline", "identify", "idnout", "idnin", "fail", "ttlid", "class", "rrcomments")


class Arguments(msgspec.Struct):
    """What is asked, of whom, and what of it is printed."""

    server: str = ""
    port: int = 53
    name: str = ""
    type: str = "A"
    klass: str = "IN"
    size: int = EDNS_SIZE
    timeout: float = 5.0  # s
    tries: int = 3
    ndots: int = 0
    tcp: bool = False
    recurse: bool = True
    edns: bool = True
    cookie: bool = True
    search: bool = False
    ignore: bool = False  # what is cut off is not asked again
    short: bool = False
    adflag: bool = True
    shown: dict[str, bool] = msgspec.field(default_factory=lambda: dict.fromkeys(PARTS, True))


class UsageError(Exception):
    """Something on the command line makes no sense."""


async def main(process: Process) -> int:
    """Ask and print."""
    try:
        arguments = read_arguments(list(process.args[1:]))
    except UsageError as error:
        process.error(str(error))
        return USAGE
    conf = ResolvConf.parse(process.read("/etc/resolv.conf"))
    named = bool(arguments.server)
    arguments.server = arguments.server or (conf.nameservers or ("127.0.0.1",))[0]
    try:
        ip = await process.resolve(arguments.server)
    except ResolutionError:
        process.error(f"dig: couldn't get address for '{arguments.server}': not found")
        return RESOLVER
    try:
        found = await _ask_all(process, arguments, conf, ip)
    except Malformed:
        process.error(f"dig: '{arguments.name}' is not a legal IDNA2008 name (label too long)")
        return RESOLVER
    if arguments.shown["cmd"] and not arguments.short:
        for line in greeting(process.args[1:], named=named):
            process.log(line)
    if found is None:
        process.log(";; no servers could be reached")
        return NO_SERVERS
    for line in short(found) if arguments.short else report(found, arguments.shown):
        process.log(line)
    return 0


async def _ask_all(
    process: Process, arguments: Arguments, conf: ResolvConf, ip: str
) -> Report | None:
    """Return the answer for the first name of the search list that has one."""
    names = [arguments.name]
    if arguments.search:
        options = (f"ndots:{arguments.ndots}",) if arguments.ndots else conf.options
        names = queries(arguments.name, ResolvConf((), conf.searches, options))
    found = None
    for name in names:
        found = await ask(process, arguments, name, ip)
        if found is None or found.message.answers:
            break
    return found


async def ask(process: Process, arguments: Arguments, name: str, ip: str) -> Report | None:
    """Ask one name as often as it takes; None if no answer came."""
    stream = process.sim.streams.rng(f"dig/{process.net.name}")
    tcp = arguments.tcp or arguments.type in ("ANY", "AXFR")
    options = b""
    if arguments.edns and arguments.cookie:
        options = bytes((0, COOKIE, 0, 8)) + stream.getrandbits(64).to_bytes(8, "big")
    flags = (RD if arguments.recurse else 0) | (AD if arguments.adflag else 0)
    number = stream.randrange(1 << 16)
    wire = query(
        f"{name.rstrip('.')}.",
        arguments.type,
        number,
        size=arguments.size if arguments.edns else UDP_SIZE,
        klass=arguments.klass,
        flags=flags,
        options=options,
    )
    for _ in range(arguments.tries):
        began = process.sim.now
        try:
            data = await _exchange(process, arguments, ip, wire, tcp=tcp)
            message = read_message(data)
            if message is not None and message.truncated and not (tcp or arguments.ignore):
                if not arguments.short and arguments.shown["comments"]:
                    process.log(";; Truncated, retrying in TCP mode.")
                tcp = True
                data = await _exchange(process, arguments, ip, wire, tcp=True)
                message = read_message(data)
            if message is not None and message.id == number:
                took = process.sim.now - began
                return _report(process, arguments, message, len(data), took, ip, tcp=tcp)
        except (NetworkError, EOFError) as error:
            where = joined(ip, arguments.port).rpartition(":")
            words = f"{where[0].strip('[]')}#{where[2]}: {_words(error)}"
            process.log(f";; communications error to {words}")
    return None


def _report(
    process: Process,
    arguments: Arguments,
    message: Message,
    size: int,
    took: float,
    ip: str,
    *,
    tcp: bool,
) -> Report:
    return Report(
        message,
        size,
        took,
        process.sim.now,
        f"{ip}#{arguments.port}({arguments.server})",
        "TCP" if tcp else "UDP",
        recursed=arguments.recurse,
    )


async def _exchange(
    process: Process, arguments: Arguments, ip: str, wire: bytes, *, tcp: bool
) -> bytes:
    """Return the answer to a message. Raises NetworkError, EOFError."""
    if not tcp:
        socket = process.udp()
        try:
            socket.connect(ip, arguments.port)
            socket.send(wire)
            return (await socket.recv_from(arguments.timeout))[0]
        finally:
            socket.close()
    connection = await process.net.connect(
        ip, arguments.port, timeout=arguments.timeout, owner=process.group
    )
    try:
        await connection.send(len(wire).to_bytes(2, "big") + wire)
        received = b""
        while len(received) < 2 or len(received) < 2 + int.from_bytes(received[:2], "big"):
            data = await connection.recv(arguments.timeout)
            if not data:
                raise EOFError
            received += data
        return received[2:]
    finally:
        connection.close()


def _words(error: Exception) -> str:
    if isinstance(error, TimedOut):
        return "timed out"
    if isinstance(error, ConnectionRefused):
        return "connection refused"
    return "end of file" if isinstance(error, EOFError) else getattr(error, "words", "").lower()


def read_arguments(words: list[str]) -> Arguments:
    """Return what a command line says. Raises UsageError."""
    found = Arguments()
    while words:
        word = words.pop(0)
        if word.startswith("@"):
            found.server = word[1:]
        elif word.startswith("+"):
            _option(found, word)
        elif word.startswith("-") and len(word) > 1:
            _flag(found, word, words)
        elif word.upper() in TYPES and (found.name or word.isupper()):
            found.type = word.upper()
        elif word.upper() in CLASSES and (found.name or word.isupper()):
            found.klass = word.upper()
        elif word.upper() in TYPES:
            found.type = word.upper()
        else:
            found.name = word
    if not found.name:
        found.name, found.type = ".", "NS" if found.type == "A" else found.type
    return found


def _flag(found: Arguments, word: str, words: list[str]) -> None:
    letter, value = word[1], word[2:]
    if letter in "46umrv":
        return
    if letter not in "ptcxqb":
        raise UsageError(f"Invalid option: {word}")
    value = value or (words.pop(0) if words else "")
    if letter == "p":
        found.port = int(value)
    elif letter == "t":
        found.type = value.upper()
    elif letter == "c":
        found.klass = value.upper()
    elif letter == "q":
        found.name = value
    elif letter == "x":
        try:
            found.name, found.type = ip_address(value).reverse_pointer, "PTR"
        except ValueError:
            raise UsageError(f"Invalid IP address {value}") from None


def _option(found: Arguments, word: str) -> None:
    name, _, value = word[1:].partition("=")
    on = not name.startswith("no")
    name = name if on else name[2:]
    if name in ("time", "timeout"):
        found.timeout = max(float(value), 1.0)
    elif name in ("tries", "retry"):
        found.tries = max(int(value) + (name == "retry"), 1)
    elif name == "bufsize":
        found.size = int(value or EDNS_SIZE)
    elif name == "ndots":
        found.ndots, found.search = int(value), True
    elif name not in SWITCHES:
        if name not in QUIET:
            raise UsageError(f"Invalid option: {word}")
    elif name == "all":
        found.shown = dict.fromkeys(PARTS, on)
    elif name in PARTS:
        found.shown[name] = on
    else:
        field = {"vc": "tcp", "rec": "recurse", "rdflag": "recurse"}.get(name, name)
        setattr(found, field, on)
