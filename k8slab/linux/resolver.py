"""What a libc does with a name: which full names it asks for, of whom, and when it gives up.

`queries` lists the names in the order in which they are asked until one is answered. `lookup`
asks them: real DNS messages over UDP to the servers of resolv.conf, A and AAAA at once. glibc and
musl differ, and both ways are here: glibc goes on after an empty answer and hears of refused
ports, musl stops at an empty answer and uses no search list for names with ndots dots.

Rule of use: `Lookup.error` is empty or holds the words of getaddrinfo.

Upstream: glibc resolv/res_query.c, res_send.c; musl src/network/lookup_name.c, res_msend.c
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from k8slab.linux.addresses import ip_int, is_ipv6
from k8slab.linux.errors import NetworkError, TimedOut
from k8slab.linux.journey import Journey
from k8slab.linux.resolv_conf import MAX_NAMESERVERS, ResolvConf
from k8slab.linux.udp import UdpSocket

if TYPE_CHECKING:
    from k8slab.linux.netns import NetNamespace

DNS_PORT = 53
TIMEOUT, ATTEMPTS = 5, 2  # s and rounds, the defaults of both libcs
MUSL_MAX_NDOTS = 15
NO_ANSWER = "TIMEOUT"  # in the place of an rcode


# getaddrinfo's errors, in the words of gai_strerror
WORDS: Mapping[str, Mapping[str, str]] = {
    "glibc": {
        "EAI_NONAME": "Name or service not known",
        "EAI_NODATA": "No address associated with hostname",
        "EAI_AGAIN": "Temporary failure in name resolution",
    },
    "musl": {
        "EAI_NONAME": "Name does not resolve",
        "EAI_NODATA": "Name does not resolve",
        "EAI_AGAIN": "Try again",
    },
}


class Query(msgspec.Struct, frozen=True):
    """One question and what came back."""

    name: str  # without the final dot
    type: str  # "A" or "AAAA"
    server: str
    rcode: str  # "NOERROR", "NXDOMAIN", "SERVFAIL", ... or "TIMEOUT"
    addresses: tuple[str, ...] = ()
    asked: float = 0.0  # virtual seconds
    answered: float = 0.0  # or when the libc stopped waiting
    aliases: tuple[tuple[str, str], ...] = ()  # CNAMEs on the way: a name and what it stands for

    def __str__(self) -> str:
        found = " ".join(self.addresses) or ("NODATA" if self.rcode == "NOERROR" else "")
        return f"{self.name}. {self.type} @{self.server}: {self.rcode} {found}".rstrip()


class Lookup(msgspec.Struct, frozen=True):
    """The end of a look-up: addresses, or an error."""

    name: str
    addresses: tuple[str, ...] = ()
    queries: tuple[Query, ...] = ()
    code: str = ""  # "EAI_NONAME", "EAI_NODATA", "EAI_AGAIN"; empty when found
    error: str = ""  # getaddrinfo's words

    @property
    def ip(self) -> str:
        """The address that programs try first. Raises ResolutionError.

        IPv4 comes before addresses of fc00::/7, which a cluster's own are (RFC 6724, section 2.1).
        """
        if not self.addresses:
            raise ResolutionError(self)
        return min(self.addresses, key=is_ipv6)

    def __repr__(self) -> str:
        lines = [f"{self.name}: {', '.join(self.addresses) or self.error}"]
        return "\n  ".join(lines + [str(query) for query in self.queries])


class ResolutionError(OSError):
    """A name without an address; prints as curl does."""

    def __init__(self, lookup: Lookup) -> None:
        super().__init__(f"Could not resolve host: {lookup.name}")
        self.lookup = lookup


def queries(name: str, resolv_conf: ResolvConf | str, *, libc: str = "glibc") -> list[str]:
    r"""Return the names that the libc asks for, in order, until one is answered.

    >>> conf = "search default.svc.cluster.local svc.cluster.local\noptions ndots:5"
    >>> queries("web", conf)
    ['web.default.svc.cluster.local', 'web.svc.cluster.local', 'web']
    >>> queries("example.com", "search svc.cluster.local", libc="musl")
    ['example.com']
    """
    conf = _conf(resolv_conf)
    if name.endswith("."):
        return [name.rstrip(".")]
    ndots = conf.option("ndots", 1)
    searched = [f"{name}.{suffix.strip('.')}" for suffix in conf.searches if suffix.strip(".")]
    if libc == "musl":
        few = name.count(".") < min(ndots, MUSL_MAX_NDOTS)
        return [*searched, name] if few else [name]
    if libc != "glibc":
        raise ValueError(f'expected libc "glibc" or "musl", found {libc!r}')
    return [*searched, name] if name.count(".") < ndots else [name, *searched]


async def lookup(
    ns: NetNamespace,
    name: str,
    resolv_conf: ResolvConf | str,
    *,
    libc: str = "glibc",
    hosts: Mapping[str, str] | None = None,
    owner: object = None,
    journey: Journey | None = None,
) -> Lookup:
    """Resolve a name as getaddrinfo does; `hosts` is /etc/hosts, name to address."""
    bare = name.rstrip(".")
    if _is_address(bare):
        return Lookup(name, (bare,))
    if hosts and bare in hosts:
        return Lookup(name, (hosts[bare],))
    asker = Asker(ns, _conf(resolv_conf), libc, owner, journey)
    outcomes: list[str] = []
    search = ns.queries or queries
    for candidate in search(name, resolv_conf, libc=libc):
        answers = await asker.ask(candidate)
        found = tuple(address for answer in answers for address in answer.addresses)
        if found:
            return Lookup(name, found, tuple(asker.log))
        rcodes = [answer.rcode for answer in answers]
        outcomes.append(outcome(rcodes))
        if stops(outcomes[-1], libc, NO_ANSWER in rcodes):
            break
    code = verdict(outcomes, libc, as_is_first=_as_is_first(name, resolv_conf))
    return Lookup(name, (), tuple(asker.log), code, WORDS[libc][code])


def outcome(rcodes: list[str]) -> str:
    """Return how the questions for one name ended, if not with an address."""
    if any(rcode not in ("NOERROR", "NXDOMAIN") for rcode in rcodes) or not rcodes:
        return "EAI_AGAIN"
    return "EAI_NONAME" if "NXDOMAIN" in rcodes else "EAI_NODATA"


def stops(result: str, libc: str, silent: bool) -> bool:
    """Say whether the libc gives up instead of asking for the next name."""
    if libc == "musl":
        return result != "EAI_NONAME"
    return silent  # glibc goes on after SERVFAIL, but not after silence


def verdict(outcomes: list[str], libc: str, *, as_is_first: bool) -> str:
    """Return the error that getaddrinfo reports after all names failed."""
    if libc == "musl" or not outcomes:
        return outcomes[-1] if outcomes else "EAI_AGAIN"
    if outcomes[-1] == "EAI_AGAIN":
        return "EAI_AGAIN"
    if as_is_first:
        return outcomes[0]
    for code in ("EAI_NODATA", "EAI_AGAIN"):
        if code in outcomes:
            return code
    return "EAI_NONAME"


class Asker:
    """Sends questions to the servers and keeps the log of them."""

    def __init__(
        self,
        ns: NetNamespace,
        conf: ResolvConf,
        libc: str,
        owner: object,
        journey: Journey | None,
    ) -> None:
        self.ns = ns
        self.libc = libc
        self.owner = owner
        self.journey = journey
        self.log: list[Query] = []
        self.servers = conf.nameservers[:MAX_NAMESERVERS] or ("127.0.0.1",)
        self.timeout = float(conf.option("timeout", TIMEOUT))
        self.attempts = conf.option("attempts", ATTEMPTS)

    async def ask(self, name: str) -> list[Query]:
        """Ask for A and AAAA, server after server, until one answers properly."""
        answers: list[Query] = []
        patience = self.timeout / self.attempts if self.libc == "musl" else self.timeout
        for _ in range(self.attempts):
            for server in self.servers:
                answers = await self._ask_server(name, server, patience)
                if all(answer.rcode in ("NOERROR", "NXDOMAIN") for answer in answers):
                    return answers
        return answers

    async def _ask_server(self, name: str, server: str, patience: float) -> list[Query]:
        wires, numbers = self._questions(name)
        answers: dict[str, Query] = {}
        asked = self.ns.sim.now
        try:
            socket = self.ns.udp(owner=self.owner, journey=self.journey)
        except NetworkError:
            return []
        try:
            if self.libc == "glibc":
                socket.connect(server, DNS_PORT)  # so that it hears of a refused port
            for wire in wires:
                socket.send_to(wire, server, DNS_PORT)
            await self._collect(socket, server, numbers, patience, answers)
        except NetworkError:
            pass
        finally:
            socket.close()
        silence = Query(name, "", server, NO_ANSWER, answered=self.ns.sim.now)
        found = [
            msgspec.structs.replace(answers.get(kind, silence), type=kind, asked=asked)
            for kind in numbers.values()
        ]
        self.log += found
        return found

    def _questions(self, name: str) -> tuple[list[bytes], dict[int, str]]:
        stream = self.ns.sim.streams.rng(f"resolver/{self.ns.name}")
        numbers: dict[int, str] = {}
        wires = []
        for kind in ("A", "AAAA"):
            number = stream.randrange(1 << 16)
            while number in numbers:
                number = stream.randrange(1 << 16)
            numbers[number] = kind
            wires.append(number.to_bytes(2, "big") + _query(name, kind)[2:])
        return wires, numbers

    async def _collect(
        self,
        socket: UdpSocket,
        server: str,
        numbers: dict[int, str],
        patience: float,
        answers: dict[str, Query],
    ) -> None:
        """Receive until both answers are there; raises TimedOut when patience ends."""
        import dns.message
        import dns.rcode

        deadline = self.ns.sim.now + patience
        while len(answers) < len(numbers):
            left = deadline - self.ns.sim.now
            if left <= 0:
                raise TimedOut(server)
            data, sender = await socket.recv_from(left)
            try:
                message = dns.message.from_wire(data)
            except Exception:  # a server may send anything; a libc ignores what it cannot read
                continue
            kind = numbers.get(message.id)
            if kind is None or sender != (server, DNS_PORT):
                continue
            name = message.question[0].name.to_text(omit_final_dot=True)
            found = tuple(
                record.address
                for rrset in message.answer
                for record in rrset
                if record.rdtype.name == kind
            )
            aliases = tuple(
                (rrset.name.to_text(True), record.target.to_text(True))
                for rrset in message.answer
                for record in rrset
                if record.rdtype.name == "CNAME"
            )
            rcode = dns.rcode.to_text(message.rcode())
            now = self.ns.sim.now
            answers[kind] = Query(name, kind, server, rcode, found, answered=now, aliases=aliases)


@lru_cache(maxsize=1 << 12)
def _query(name: str, kind: str) -> bytes:
    """Return a question on the wire; its number is in the first two bytes."""
    import dns.message

    return bytes(dns.message.make_query(f"{name}.", kind, id=0).to_wire())


def _conf(resolv_conf: ResolvConf | str) -> ResolvConf:
    return ResolvConf.parse(resolv_conf) if isinstance(resolv_conf, str) else resolv_conf


def _as_is_first(name: str, resolv_conf: ResolvConf | str) -> bool:
    return name.endswith(".") or name.count(".") >= _conf(resolv_conf).option("ndots", 1)


def _is_address(text: str) -> bool:
    try:
        ip_int(text)
    except ValueError:
        return False
    return True
