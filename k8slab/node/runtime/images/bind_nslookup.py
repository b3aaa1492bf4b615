"""nslookup of BIND, which images with DNS tools have: it asks with the search list and ndots.

Rule of use: the questions are dig's; busybox has an nslookup of its own.

Upstream: BIND 9 bin/dig/nslookup.c
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.linux.dns_message import Message
from k8slab.linux.dns_wire import Record
from k8slab.linux.resolv_conf import ResolvConf
from k8slab.linux.resolver import ResolutionError, queries
from k8slab.node.runtime.images.dig import Arguments, UsageError, ask, read_arguments
from k8slab.node.runtime.images.dig_print import Report
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.resolve import is_address

LINES = {
    "NS": "{name}\tnameserver = {data}",
    "CNAME": "{name}\tcanonical name = {data}",
    "PTR": "{name}\tname = {data}",
    "MX": "{name}\tmail exchanger = {data}",
    "SRV": "{name}\tservice = {data}",
    "TXT": "{name}\ttext = {data}",
}
SOA_WORDS = ("serial", "refresh", "retry", "expire", "minimum")


async def main(process: Process) -> int:
    """Ask for a name's addresses, for an address's name, or for records of a type."""
    conf = ResolvConf.parse(process.read("/etc/resolv.conf"))
    try:
        arguments, given, types = _read(list(process.args[1:]))
    except (UsageError, ValueError, IndexError) as error:
        process.log(f"*** Invalid option: {error}")
        return 1
    arguments.server = arguments.server or (conf.nameservers or ("127.0.0.1",))[0]
    try:
        ip = await process.resolve(arguments.server)
    except ResolutionError:
        process.log(f"nslookup: couldn't get address for '{arguments.server}': not found")
        return 1
    reverse = is_address(given)
    if reverse:
        name = read_arguments(["-x", given]).name
        types = types or ("PTR",)
    else:
        process.log(f"Server:\t\t{arguments.server}\nAddress:\t{ip}#{arguments.port}\n")
        name = given
    return await _look_up(process, arguments, conf, ip, name, types or ("A", "AAAA"))


async def _look_up(
    process: Process,
    arguments: Arguments,
    conf: ResolvConf,
    ip: str,
    name: str,
    types: Sequence[str],
) -> int:
    """Ask for each type, print what there is, and return the exit code."""
    printed = False
    for number, kind in enumerate(types):
        arguments.type = kind
        found = await _ask(process, arguments, conf, ip, name)
        if found is None:
            process.log(";; no servers could be reached\n")
            return 1
        message = found.message
        if message.rcode != "NOERROR":
            process.log(f"** server can't find {name}: {message.rcode}\n")
            return 1
        if message.answers:
            _print(process, message, first=number == 0)
            printed = True
        if number == 0:
            name = message.question[0].rstrip(".")
    if not printed:
        process.log(f"*** Can't find {name}: No answer")
    process.log("")
    return 0


async def _ask(
    process: Process, arguments: Arguments, conf: ResolvConf, ip: str, name: str
) -> Report | None:
    """Return the answer for the first name of the search list that exists."""
    names = [name] if arguments.type == "PTR" else queries(name, conf)
    found = None
    for each in names:
        found = await ask(process, arguments, each, ip)
        if found is None or found.message.rcode != "NXDOMAIN":
            break
    return found


def _read(words: list[str]) -> tuple[Arguments, str, tuple[str, ...]]:
    """Return what is asked: settings, the name, and the types. Raises UsageError."""
    arguments = Arguments()
    arguments.edns = arguments.cookie = False
    types: tuple[str, ...] = ()
    while words and words[0].startswith("-"):
        name, _, value = words.pop(0)[1:].partition("=")
        if name in ("type", "querytype", "query", "q", "ty"):
            types = (value.upper(),)
        elif name == "port":
            arguments.port = int(value)
        elif name in ("timeout", "t"):
            arguments.timeout = float(value)
        elif name in ("retry", "ret"):
            arguments.tries = int(value) + 1
        elif name == "vc":
            arguments.tcp = True
        elif name not in ("search", "recurse", "novc", "nofail", "debug", "nodebug"):
            raise UsageError(name)
    if not words:
        raise UsageError("a name is missing")
    arguments.server = words[1] if len(words) > 1 else ""
    return arguments, words[0], types


def _print(process: Process, message: Message, *, first: bool) -> None:
    if first and not message.authoritative:
        process.log("Non-authoritative answer:")
    for record in message.answers:
        if first or record.type == "AAAA":  # aliases were told with the first answer
            for line in _lines(record):
                process.log(line)


def _lines(record: Record) -> list[str]:
    name = record.name.rstrip(".")
    if record.type in ("A", "AAAA"):
        return [f"Name:\t{name}", f"Address: {record.data}"]
    if record.type == "SOA":
        server, mailbox, *numbers = record.data.split()
        found = [name, f"\torigin = {server.rstrip('.')}", f"\tmail addr = {mailbox.rstrip('.')}"]
        return found + [f"\t{w} = {n}" for w, n in zip(SOA_WORDS, numbers, strict=True)]
    form = LINES.get(record.type, "{name}\trdata_" + record.type + " = {data}")
    return [form.format(name=name, data=record.data)]
