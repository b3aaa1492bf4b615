"""One line of iptables, read into a `Rule`.

`parse_rule` takes what follows `-A CHAIN`. It knows the matches and targets of Kubernetes' rules
and the common rest; anything else it keeps word for word as unknown, never guessing a meaning.
Other spellings become the one that iptables-save prints: `--or-mark 0x4000` is
`--set-xmark 0x4000/0x4000`.

Rule of use: to add a match, add its class to matches.py and a line to MODULES.

Upstream: iptables extensions/libxt_*.c, extensions/libipt_*.c
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec

from k8slab.linux import matches as m
from k8slab.linux import rare_matches as rare
from k8slab.linux import targets as t
from k8slab.linux.chains import Rule, make_rule
from k8slab.linux.iptables_target import read_target
from k8slab.linux.iptables_words import (
    IptablesError,
    Item,
    name_of,
    sections,
    split,
    value_and_mask,
)
from k8slab.linux.packet import ICMP_TYPES

BASIC_ORDER = ("-s", "-d", "-i", "-o", "-p", "-f")
PORT_MODULES = ("tcp", "udp", "sctp", "icmp")
PROTOCOL_NAMES = {str(number): name for name, number in m.PROTOCOL_NUMBERS.items()} | {
    "icmpv6": "ipv6-icmp"
}
REMEMBERED = 1 << 14  # parts of rules; most rules of a cluster share theirs
TCP_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG")


def parse_rule(text: str) -> Rule:
    """Return the rule that the words describe. Raises IptablesError.

    >>> print(parse_rule("-p tcp -d 10.96.0.1 --dport 443 -j KUBE-SVC-X"))
    -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j KUBE-SVC-X
    """
    basic: dict[str, m.Match] = {}
    groups: list[tuple[str, ...]] = []
    target: t.Target | None = None
    try:
        for section in sections(text):
            head = section[1] if section[0] == "!" else section[0]
            if head == "-m":
                groups.append(section)
            elif head in BASIC_ORDER:
                basic[head], rest = _basic(section)
                if rest:
                    _give_to_module(rest, basic, groups)
            else:
                target = _target(section)
        return make_rule(
            [basic[option] for option in BASIC_ORDER if option in basic],
            [_own(words) if "nth" in words else _group(words) for words in groups],
            target,
        )
    except (ValueError, IndexError, KeyError) as error:
        raise IptablesError(f"{error} in: {text}") from None


def _give_to_module(
    rest: tuple[str, ...], basic: dict[str, m.Match], groups: list[tuple[str, ...]]
) -> None:
    """`-p tcp --dport 80` means `-p tcp -m tcp --dport 80`, whether or not -m tcp came before."""
    protocol = basic.get("-p")
    if not isinstance(protocol, m.Protocol) or protocol.protocol not in PORT_MODULES:
        raise IptablesError(f'unknown option "{next(word for word in rest if word != "!")}"')
    name = protocol.protocol
    for place, group in enumerate(groups):
        if group[1] == name:
            groups[place] = (*group, *rest)
            return
    groups.append(("-m", name, *rest))


@lru_cache(maxsize=REMEMBERED)
def _basic(section: tuple[str, ...]) -> tuple[m.Match, tuple[str, ...]]:
    """Return the match of one of -s -d -i -o -p, and the words that belong to a module."""
    negated = section[0] == "!"
    option, *words = section[1:] if negated else section
    if option == "-f":
        return rare.Fragment(negated), tuple(words)
    if words[:1] == ["!"]:  # the old spelling: -s ! 10.0.0.1
        negated, words = True, words[1:]
    word, rest = name_of((option, *words)), tuple(words[1:])
    if option == "-p":
        return m.Protocol(PROTOCOL_NAMES.get(word, word.lower()), negated), rest
    if option in ("-i", "-o"):
        return m.Device(option, word, negated), rest
    try:
        return m.address(option, word, negated), rest
    except ValueError as error:
        raise IptablesError(f"host/network `{word}' not found: {error}") from None


@lru_cache(maxsize=REMEMBERED)
def _target(section: tuple[str, ...]) -> t.Target:
    return read_target(section[0], name_of(section), split(section[2:]))


def _own(section: tuple[str, ...]) -> tuple[str, tuple[m.Match, ...]]:
    """Return the name of a module and its matches, from `-m NAME words`, for one rule alone.

    A match that counts counts for its rule: rules that read the same must not share it.
    """
    name, items = name_of(section), split(section[2:])
    reader = MODULES.get(name)
    if reader is None:
        return name, (m.UnknownMatch(" ".join(map(str, items))),)
    return name, tuple(reader(items))


_group = lru_cache(maxsize=REMEMBERED)(_own)  # for all rules that say the same


# -- matches


def _comment(items: list[Item]) -> list[m.Match]:
    return [m.Comment(item.word) for item in items]


def _accounting(items: list[Item]) -> list[m.Match]:
    return [
        rare.Accounting(item.word) if item.option == "--nfacct-name" else m.UnknownMatch(str(item))
        for item in items
    ]


def _ports(items: list[Item]) -> list[m.Match]:
    found: list[m.Match] = []
    for item in items:
        if item.option in ("--sport", "--dport", "--sports", "--dports", "--ports"):
            ranges = tuple(_port_range(part) for part in item.word.split(","))
            found.append(m.Ports(item.option, ranges, item.negated))
        elif item.option == "--syn":
            found.append(rare.TcpFlags(("FIN", "SYN", "RST", "ACK"), ("SYN",), item.negated))
        elif item.option == "--tcp-flags":
            found.append(rare.TcpFlags(_flags(item.word), _flags(item.words[1]), item.negated))
        elif item.option == "--icmp-type":
            found.append(_icmp_type(item))
        else:
            found.append(m.UnknownMatch(str(item)))
    return sorted(found, key=_is_source_port, reverse=True)  # iptables prints it first


def _is_source_port(match: m.Match) -> bool:
    return isinstance(match, m.Ports) and match.option == "--sport"


def _port_range(text: str) -> tuple[int, int]:
    low, _, high = text.partition(":")
    ends = int(low or 0), int(high or (low if ":" not in text else 65535))
    if not 0 <= ends[0] <= ends[1] <= 65535:
        raise IptablesError(f"invalid port/service `{text}' specified")
    return ends


def _flags(text: str) -> tuple[str, ...]:
    if text == "ALL":
        return TCP_FLAGS
    return () if text == "NONE" else tuple(f for f in TCP_FLAGS if f in text.split(","))


def _icmp_type(item: Item) -> m.Match:
    names = {**ICMP_TYPES, "any": (-1, -1), "destination-unreachable": (3, -1)}
    if item.word in names:
        kind, code = names[item.word]
        return rare.IcmpType(kind, -1 if item.word.startswith("echo") else code, item.negated)
    number, slash, code_text = item.word.partition("/")
    return rare.IcmpType(int(number), int(code_text) if slash else -1, item.negated)


def _address_ranges(items: list[Item]) -> list[m.Match]:
    found: list[m.Match] = []
    for item in items:
        low, _, high = item.word.partition("-")
        found.append(rare.AddressRange(item.option, low, high or low, item.negated))
    return found


def _address_type(items: list[Item]) -> list[m.Match]:
    limit = next((item.option for item in items if item.option.startswith("--limit-iface")), "")
    return [
        m.AddressType(item.option, tuple(item.word.split(",")), limit, item.negated)
        for item in items
        if item.option in ("--src-type", "--dst-type")
    ]


def _conntrack(items: list[Item]) -> list[m.Match]:
    found: list[m.Match] = []
    for item in items:
        if item.option in ("--ctstate", "--state"):
            states = item.word.split(",")
            ordered = tuple(state for state in m.CONNTRACK_STATES if state in states)
            if len(ordered) != len(states):
                raise IptablesError(f'Bad ctstate "{item.word}"')
            found.append(m.ConnectionState(item.option, ordered, item.negated))
        elif item.option in ("--ctorigsrc", "--ctorigdst"):
            value = m.address("-d" if item.option.endswith("dst") else "-s", item.word)
            text = str(value)[3:].removesuffix("/128" if value.ipv6 else "/32")
            found.append(m.ConnectionOriginal(item.option, value, text, item.negated))
        elif item.option in ("--ctorigsrcport", "--ctorigdstport"):
            side = "--dport" if "dst" in item.option else "--sport"
            ports = m.Ports(side, (_port_range(item.word),))
            found.append(m.ConnectionOriginal(item.option, ports, item.word, item.negated))
        elif item.option == "--ctproto":
            protocol = m.Protocol(PROTOCOL_NAMES.get(item.word, item.word))
            found.append(m.ConnectionOriginal(item.option, protocol, item.word, item.negated))
        else:
            found.append(m.UnknownMatch(str(item)))
    return found


def _statistic(items: list[Item]) -> list[m.Match]:
    values = {item.option: item.word for item in items}
    negated = any(item.negated for item in items)
    mode = values.get("--mode", "")
    if mode == "random":
        probability = float(values["--probability"]) if "--probability" in values else -1.0
        if not 0 <= probability <= 1:
            raise IptablesError("--probability must be between 0 and 1")
        return [m.Statistic("random", probability=probability, negated=negated)]
    if mode == "nth":
        if "--packet" not in values:
            raise IptablesError('statistic: option "--every" also requires "--packet"')
        every, start = int(values.get("--every", "0")), int(values["--packet"])
        if every < 1 or not 0 <= start < every:
            raise IptablesError("--packet must be 0 <= X <= n-1")
        return [m.Statistic("nth", every=every, start=start, negated=negated)]
    raise IptablesError(f'Bad mode "{mode}"')


def _recent(items: list[Item]) -> list[m.Match]:
    action, fields = "", dict[str, object]()
    for item in items:
        if item.option in ("--set", "--rcheck", "--update", "--remove"):
            action, fields["negated"] = item.option, item.negated
        elif item.option in ("--seconds", "--hitcount"):
            fields[item.option[2:]] = int(item.word)
        elif item.option in ("--name", "--mask"):
            fields[item.option[2:]] = item.word
        elif item.option in ("--rsource", "--rdest"):
            fields["side"] = item.option
        elif item.option == "--reap":
            fields["reap"] = True
        else:
            return [m.UnknownMatch(" ".join(map(str, items)))]
    return [msgspec.convert({"action": action, **fields}, m.Recent)]


def _mark(items: list[Item]) -> list[m.Match]:
    return [m.Mark(*value_and_mask(item.word), item.negated) for item in items]


def _physdev(items: list[Item]) -> list[m.Match]:
    return [
        m.Device(item.option, item.word, item.negated)
        if item.option in ("--physdev-in", "--physdev-out")
        else rare.PhysdevIsBridged(item.option, item.negated)
        for item in items
    ]


MODULES: dict[str, Callable[[list[Item]], Sequence[m.Match]]] = {
    "comment": _comment,
    "tcp": _ports,
    "udp": _ports,
    "sctp": _ports,
    "icmp": _ports,
    "multiport": _ports,
    "iprange": _address_ranges,
    "addrtype": _address_type,
    "conntrack": _conntrack,
    "state": _conntrack,
    "statistic": _statistic,
    "recent": _recent,
    "mark": _mark,
    "physdev": _physdev,
    "nfacct": _accounting,
}
