"""dig: one DNS question, and every part of the answer.

`dig [@server] name [type] [+short] [+search] [+noall +answer]`. Without +search the name is asked
as it stands: the search list is not used, which is why `dig web` fails where `nslookup web` works.

Upstream: BIND 9 bin/dig
"""

from __future__ import annotations

from typing import Any

from k8slab.linux.errors import NetworkError
from k8slab.linux.resolv_conf import ResolvConf
from k8slab.linux.resolver import queries
from k8slab.node.runtime.process import Process

VERSION = "9.20.15"
TIMEOUT, TRIES = 5.0, 3  # s and rounds, dig's defaults
NO_SERVERS = 9  # exit code


async def main(process: Process) -> int:
    """Ask and print."""
    server, name, kind, flags = _arguments(process)
    conf = ResolvConf.parse(process.read("/etc/resolv.conf"))
    server = server or (conf.nameservers or ("127.0.0.1",))[0]
    names = queries(name, conf) if "search" in flags else [name]
    start = process.sim.now
    answer = None
    for each in names:
        answer = await _ask(process, server, each, kind)
        if answer is None or answer.answer:
            break
    if "short" not in flags:
        process.log(f"\n; <<>> DiG {VERSION} <<>> {' '.join(process.args[1:])}")
    if answer is None:
        process.log(f";; communications error to {server}#53: timed out")
        process.log(";; no servers could be reached")
        return NO_SERVERS
    if "short" in flags:
        lines = [str(item) for rrset in answer.answer for item in rrset]
    elif "noall" in flags:
        lines = _records(answer.answer)
    else:
        lines = _whole(answer, server, process.sim.now - start)
    for line in lines:
        process.log(line)
    return 0


def _arguments(process: Process) -> tuple[str, str, str, dict[str, None]]:
    server, name, kind, flags = "", ".", "A", dict[str, None]()
    words = list(process.args[1:])
    while words:
        word = words.pop(0)
        if word.startswith("@"):
            server = word[1:]
        elif word.startswith("+"):
            flags[word[1:]] = None
        elif word in ("-t", "-x"):
            value = words.pop(0)
            if word == "-t":
                kind = value.upper()
            else:
                name, kind = f"{'.'.join(reversed(value.split('.')))}.in-addr.arpa", "PTR"
        elif word.upper() in ("A", "AAAA", "SRV", "PTR", "CNAME", "TXT", "NS", "SOA", "MX", "ANY"):
            kind = word.upper()
        else:
            name = word
    return server, name, kind, flags


async def _ask(process: Process, server: str, name: str, kind: str) -> Any:
    """Return the message, None if no answer came."""
    import dns.message

    number = process.sim.streams.rng(f"dig/{process.net.name}").randrange(1 << 16)
    query = dns.message.make_query(f"{name.rstrip('.')}.", kind, id=number)
    for _ in range(TRIES):
        socket = process.udp()
        try:
            ip = await process.resolve(server)
            socket.connect(ip, 53)
            socket.send(query.to_wire())
            data, _ = await socket.recv_from(TIMEOUT)
            return dns.message.from_wire(data)
        except NetworkError:
            continue
        finally:
            socket.close()
    return None


def _records(section: Any) -> list[str]:
    """Return the records of a section, a line each, in dig's columns."""
    lines = [line for rrset in section for line in rrset.to_text().split("\n")]
    return ["\t".join(line.split(" ", 4)) for line in lines]


def _whole(message: Any, server: str, seconds: float) -> list[str]:
    """Return the answer in dig's sections."""
    import dns.flags
    import dns.opcode
    import dns.rcode

    flags = dns.flags.to_text(message.flags).lower()
    sections = (message.question, message.answer, message.authority, message.additional)
    counts = ", ".join(
        f"{word}: {sum(len(rrset) or 1 for rrset in section)}"
        for word, section in zip(
            ("QUERY", "ANSWER", "AUTHORITY", "ADDITIONAL"), sections, strict=True
        )
    )
    lines = [
        ";; Got answer:",
        f";; ->>HEADER<<- opcode: {dns.opcode.to_text(message.opcode())}, "
        f"status: {dns.rcode.to_text(message.rcode())}, id: {message.id}",
        f";; flags: {flags}; {counts}",
        "",
        ";; QUESTION SECTION:",
        *(f";{rrset.to_text().replace(' ', chr(9) * 2)}" for rrset in message.question),
        "",
    ]
    for title, section in zip(("ANSWER", "AUTHORITY", "ADDITIONAL"), sections[1:], strict=True):
        if section:
            lines += [f";; {title} SECTION:", *_records(section), ""]
    return [
        *lines,
        f";; Query time: {seconds * 1000:.0f} msec",
        f";; SERVER: {server}#53({server}) (UDP)",
    ]
