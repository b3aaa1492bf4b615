"""The hosts plugin: addresses from lines as /etc/hosts has them.

    hosts {
        192.168.10.20 registry.example
        ttl 60
        fallthrough            # without it, all other names end here with SERVFAIL
    }

Its lines come after those of a file: /etc/hosts, or the one that stands behind its name.

Rule of use: `Table.answer` is pure; it returns None for a name that it does not have.

Upstream: coredns plugin/hosts
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.addons.coredns.corefile import Plugin, Wrong, all_zones
from k8slab.addons.coredns.names import absolute, address_of_reverse, is_ip, matches
from k8slab.addons.coredns.plugin import Failure, Next, Request, Site
from k8slab.addons.coredns.records import NOERROR, SERVFAIL, Answer, Record

FILE = "/etc/hosts"
TTL = 3600  # s
MAX_TTL = 65535  # s


class Table:
    """Names and addresses."""

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {}
        self.names: dict[str, list[str]] = {}

    def add(self, ip: str, names: Sequence[str], *, reverse: bool = True) -> None:
        """Give the names an address, and the address its names."""
        for name in map(absolute, names):
            self.addresses.setdefault(name, []).append(ip)
            if reverse:
                self.names.setdefault(ip, []).append(name)

    def read(self, text: str) -> None:
        """Add the lines of a hosts file; what is no such line is left out."""
        for line in text.splitlines():
            words = line.partition("#")[0].split()
            if len(words) > 1 and is_ip(words[0]):
                self.add(words[0], words[1:])

    def answer(self, name: str, qtype: str, ttl: int) -> Answer | None:
        """Return the answer, NODATA for another type of a name that is there."""
        if qtype == "PTR":
            found = self.names.get(address_of_reverse(name), [])
            return _answer(name, qtype, ttl, found) if found else None
        ips = self.addresses.get(name)
        if ips is None:
            return None
        wanted = [ip for ip in ips if qtype == ("AAAA" if ":" in ip else "A")]
        return _answer(name, qtype, ttl, wanted)


class Hosts:
    """Answers from a file and from the Corefile."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._next, self._site = following, site
        self._path, *zones = stanzas[0].args or (FILE,)
        self._zones = all_zones(zones) or site.zones
        self._fall: tuple[str, ...] = ()
        self._ttl = TTL
        self._inline: list[tuple[str, Sequence[str]]] = []
        self._text: str | None = None
        self._table = Table()
        self._reverse = True
        for setting in stanzas[0].settings:
            if setting.name == "fallthrough":
                self._fall = tuple(map(absolute, setting.words)) or (".",)
            elif setting.name == "no_reverse":
                self._reverse = False
            elif setting.name == "ttl":
                self._ttl = setting.number()
                if not 0 < self._ttl <= MAX_TTL:
                    raise setting.wrong(f"ttl provided is invalid: {self._ttl}")
            elif setting.name == "reload":
                setting.seconds()  # the file is looked at for each question
            elif is_ip(setting.name):
                self._inline.append((setting.name, setting.words))
            else:
                raise Wrong(f"unknown property '{setting.name}'")

    async def serve(self, request: Request) -> Answer:
        """Answer for names that are in the table, and end all others, unless they fall through."""
        if not matches(request.name, self._zones) and request.type != "PTR":
            return await self._next(request)
        answer = self._now().answer(request.name, request.type, self._ttl)
        if answer is not None:
            return answer
        if request.type == "PTR" or matches(request.name, self._fall):
            return await self._next(request)
        raise Failure(SERVFAIL)  # it would be NXDOMAIN, but there is no SOA to go with it

    def _now(self) -> Table:
        """Return the table, made anew when the file has changed."""
        folder, rest = self._site.process.folder(self._path)
        try:
            text = str(folder.read(rest))
        except FileNotFoundError:
            text = ""
        if text != self._text:
            self._text, self._table = text, Table()
            self._table.read(text)
            for ip, names in self._inline:
                self._table.add(ip, names, reverse=self._reverse)
        return self._table


def _answer(name: str, qtype: str, ttl: int, data: Sequence[str]) -> Answer:
    records = tuple(Record(name, qtype, ttl, each) for each in data)
    return Answer(NOERROR, records, authoritative=True)
