"""`nft list ...`, as a shell knows it: ruleset, tables, one table, one chain, set or map of it.

    nft list ruleset          nft list table ip kube-proxy
    nft list tables           nft list map ip kube-proxy service-ips
    nft flush ruleset         nft delete table ip kube-proxy

Every other command is one that `nft -f` would read from a file.

Rule of use: through `commands.shell`.

Upstream: nftables src/rule.c (do_command_list)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from k8slab.linux.nft import NftError, NftTable
from k8slab.linux.nft_list import chain_lines, listing, set_lines

if TYPE_CHECKING:
    from k8slab.linux.netns import NetNamespace

PARTS = ("chain", "set", "map")
PLURALS = ("chains", "sets", "maps")


def nft(ns: NetNamespace, arguments: list[str]) -> str:
    """Return what the command prints. Raises NftError."""
    words = [word for word in arguments if not word.startswith("-")]
    if words[:1] != ["list"]:
        ns.nft.run(" ".join(words))
        return ""
    if len(words) < 2:
        raise NftError("syntax error: the lab knows nft list ruleset, tables, table, chain, ...")
    what, rest = words[1], words[2:]
    tables, now = ns.nft.tables, ns.sim.now
    if what == "ruleset":
        return ns.nft.list(now)
    if what == "tables":
        return "".join(f"table {table.family} {table.name}\n" for table in tables.values())
    if what in PLURALS:
        wanted = [each for each in tables.values() if not rest or each.family == rest[0]]
        return "".join(_names(each, what.removesuffix("s")) for each in wanted)
    family, name, *part = rest if rest[:1] and rest[0] in ("ip", "ip6", "inet") else ["ip", *rest]
    table = tables.get((family, name))
    if table is None or (what in PARTS and not part):
        raise NftError(f"No such file or directory\nlist {' '.join(words[1:])}")
    if what == "table":
        return listing(table, now)
    lines = _part(table, what, part[0], now)
    return f"table {family} {name} {{\n{lines}}}\n"


def _part(table: NftTable, what: str, name: str, now: float) -> str:
    known: Iterable[str] = table.chains if what == "chain" else table.sets
    if what not in PARTS or name not in known:
        raise NftError(f"No such file or directory\nlist {what} {table.name} {name}")
    if what == "chain":
        return _lines(chain_lines(table, table.chains[name]))
    return _lines(set_lines(table, table.sets[name], now))


def _names(table: NftTable, what: str) -> str:
    if what == "chain":
        names = list(table.chains)
    else:
        names = [each.name for each in table.sets.values() if each.is_map == (what == "map")]
    blocks = "".join(f"\t{what} {name} {{\n\t}}\n" for name in names)
    return f"table {table.family} {table.name} {{\n{blocks}}}\n"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
