"""What a pasted text has that the lab does not judge, line by line, and what to do about it.

A match that is not known counts as not matching and a target that is not known as doing nothing;
whoever reads a trace has to know where that was. `unknown_parts(rule)` finds them, `Unknown` says
it in a sentence.

Rule of use: through `Ruleset.unknown`.

Upstream: iptables extensions/ (their manual pages say what each one does)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from k8slab.linux.chains import Rule
from k8slab.linux.matches import UnknownMatch
from k8slab.linux.targets import UnknownTarget

# module or target -> what it depends on, or does
ADVICE: Mapping[str, str] = {
    "set": "a set's members are not in this text: see `ipset list`, and write -s or -d instead",
    "limit": "it depends on how many packets came before: trace with and without it",
    "hashlimit": "it depends on how many packets came before: trace with and without it",
    "connlimit": "it depends on how many connections there are: trace with and without it",
    "owner": "it depends on the process that sends: trace with and without it",
    "cgroup": "it depends on the process that sends: trace with and without it",
    "socket": "it depends on the sockets of the host: trace with and without it",
    "rpfilter": "it compares the way back: a packet that came by the right interface passes",
    "connmark": "it depends on a mark of the connection, which is not in this text",
    "bpf": "it runs a program that is not in this text",
    "string": "it reads the content of the packet, and the first packet has none",
    "ipvs": "it depends on IPVS: look with `ipvsadm -Ln`",
    "CT": "it gives the connection a zone or a helper of its own; the lab has one zone",
    "CONNMARK": "it keeps a mark for later packets; the lab traces the first one",
    "TPROXY": "it hands the packet to a socket of this host, wherever it was going",
    "NFQUEUE": "a program decides what becomes of the packet",
    "QUEUE": "a program decides what becomes of the packet",
    "NETMAP": "it maps a network to another: write DNAT or SNAT in its place",
    "SET": "it adds to a set, and sets are not in this text",
}
DEFAULT = "trace with and without it"


class Unknown(msgspec.Struct, frozen=True):
    """One part of one rule."""

    line: int  # of the text, 0 if the rule did not come from one
    table: str
    chain: str
    words: str
    advice: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        what = f"{self.table} {self.chain}: the lab does not judge {self.words!r}"
        return f"{where}{what}; {self.advice}"


def unknown_parts(rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield the words and an advice for each part of the rule that is not known."""
    for module, matches in rule.groups:
        for match in matches:
            if isinstance(match, UnknownMatch) and match in rule.checks:
                yield f"-m {module} {match}".rstrip(), ADVICE.get(module, DEFAULT)
    if isinstance(rule.target, UnknownTarget):
        yield str(rule.target), ADVICE.get(rule.target.words.split()[0], DEFAULT)
