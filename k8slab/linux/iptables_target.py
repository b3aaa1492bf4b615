"""The target of an iptables line: what stands after -j, read into a class of targets.py.

Rule of use: a name without options that is no target is the name of a chain.

Upstream: iptables extensions/libxt_*.c, extensions/libipt_*.c
"""

from __future__ import annotations

from k8slab.linux import targets as t
from k8slab.linux.addresses import ALL_ONES
from k8slab.linux.iptables_words import IptablesError, Item, value_and_mask

# Targets that may stand alone, and are no chains.
EXTENSIONS = (
    "CT",
    "CONNMARK",
    "TPROXY",
    "NFQUEUE",
    "QUEUE",
    "NETMAP",
    "SET",
    "SYNPROXY",
)
# They write a log, or change what no rule of the lab looks at: the packet goes on.
HARMLESS = (
    "LOG", "NFLOG", "ULOG", "AUDIT", "TRACE", "TCPMSS", "CHECKSUM", "CLASSIFY", "DSCP", "TOS",
    "TTL", "HL", "LED", "RATEEST", "SECMARK", "CONNSECMARK",
)  # fmt: skip


def read_target(option: str, name: str, items: list[Item]) -> t.Target:
    """Return the target of a rule: `option` is -j or -g, `items` its own options."""
    if option == "-g":
        return t.Jump(name, goto=True)
    if name in ("ACCEPT", "DROP", "RETURN"):
        return t.Verdict(name)
    if name == "REJECT":
        kind = items[0].word if items else "icmp-port-unreachable"
        return t.Reject(t.REJECT_NAMES.get(kind, kind))
    if name in ("DNAT", "SNAT", "MASQUERADE", "REDIRECT"):
        return _nat(name, items)
    if name == "MARK" and len(items) == 1:
        return _set_mark(items[0])
    if name == "NOTRACK" or (name == "CT" and [item.option for item in items] == ["--notrack"]):
        return t.NoTrack()
    if name in HARMLESS:
        return t.Log(name, " ".join(map(str, items)))
    if items or name in EXTENSIONS:
        return t.UnknownTarget(" ".join([name, *map(str, items)]))
    return t.Jump(name)


def _nat(kind: str, items: list[Item]) -> t.Target:
    ips: tuple[str, ...] = ()
    ports: tuple[int, int] | None = None
    for item in items:
        if item.option in ("--to-destination", "--to-source"):
            address, range_text = _address_and_ports(item.word)
            ips = tuple(address.split("-")) if address else ()
            ports = _nat_ports(range_text) if range_text else None
        elif item.option == "--to-ports":
            ports = _nat_ports(item.word)
    if kind in ("DNAT", "SNAT") and not ips and ports is None:
        option = "--to-destination" if kind == "DNAT" else "--to-source"
        raise IptablesError(f'{kind}: option "{option}" must be specified')
    options = [item.option for item in items]
    return t.Nat(
        kind, ips, ports, "--random" in options, "--random-fully" in options,
        "--persistent" in options,
    )  # fmt: skip


def _address_and_ports(text: str) -> tuple[str, str]:
    """Return both of "10.0.0.1:80", "[fd00::1]:80", "10.0.0.1", ":80" or "fd00::1"."""
    if text.startswith("["):
        address, _, ports = text[1:].partition("]")
        return address, ports.removeprefix(":")
    if text.count(":") > 1:
        return text, ""
    address, _, ports = text.partition(":")
    return address, ports


def _nat_ports(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high or low)


def _set_mark(item: Item) -> t.Target:
    value, mask = value_and_mask(item.word)
    if item.option == "--set-xmark":
        return t.SetMark(value, mask)
    if item.option == "--set-mark":
        return t.SetMark(value, value | mask)
    if item.option == "--or-mark":
        return t.SetMark(value, value)
    if item.option == "--and-mark":
        return t.SetMark(0, ~value & ALL_ONES)
    if item.option == "--xor-mark":
        return t.SetMark(value, 0)
    return t.UnknownTarget(f"MARK {item}")
