"""What `nft list ruleset` prints: tables as blocks.

Rule of use: through `NftRuleset.list`; `now` (virtual seconds) tells when elements expire.

Upstream: nftables src/rule.c (table_print, chain_print_declaration, set_print)
"""

from __future__ import annotations

from collections.abc import Iterator

from k8slab.linux.nft import NftChain, NftSet, NftTable
from k8slab.linux.nft_rule import Counter, NftRule
from k8slab.linux.nft_text import PRIORITIES, elements_of

DYNAMIC_SIZE = 65535  # of sets that rules add to, if none is given
ELEMENT_INDENT = "\t\t\t     "


def listing(table: NftTable, now: float) -> str:
    """Return the block of a table."""
    blocks = [set_lines(table, each, now) for each in table.sets.values()]
    blocks += [chain_lines(table, chain) for chain in table.chains.values()]
    comment = f'\tcomment "{table.comment}"\n' if table.comment else ""
    body = "\n".join("".join(f"{line}\n" for line in block) for block in blocks)
    return f"table {table.family} {table.name} {{\n{comment}{body}}}\n"


def duration(seconds: float) -> str:
    """Return a time as nft writes it.

    >>> duration(10799)
    '2h59m59s'
    """
    left, words = int(seconds), ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        words += f"{count}{unit}" if count else ""
    return words or "0s"


def set_lines(table: NftTable, each: NftSet, now: float) -> Iterator[str]:
    """Yield the lines of a set or map."""
    yield f"\t{'map' if each.is_map else 'set'} {each.name} {{"
    yield f"\t\ttype {each.type}"
    if size := each.size or DYNAMIC_SIZE * ("dynamic" in each.flags):
        yield f"\t\tsize {size}"
    if each.flags:
        yield f"\t\tflags {','.join(each.flags)}"
    if each.timeout:
        yield f"\t\ttimeout {duration(each.timeout)}"
    if each.comment:
        yield f'\t\tcomment "{each.comment}"'
    elements = list(elements_of(each))
    for key, end in table.living(each.name, now).items():
        elements.append(f"{key} expires {duration(end - now)}" if end != float("inf") else key)
    if elements:
        # One a line in maps, two in sets, as nft does.
        step = 1 if each.is_map else 2
        rows = [", ".join(elements[n : n + step]) for n in range(0, len(elements), step)]
        yield "\t\telements = { " + f",\n{ELEMENT_INDENT}".join(rows) + " }"
    yield "\t}"


def chain_lines(table: NftTable, chain: NftChain) -> Iterator[str]:
    """Yield the lines of a chain."""
    yield f"\tchain {chain.name} {{"
    if chain.comment:
        yield f'\t\tcomment "{chain.comment}"'
    if chain.hook:
        priority = _priority(chain)
        yield (
            f"\t\ttype {chain.type} hook {chain.hook} priority {priority}; policy {chain.policy};"
        )
    for place, rule in enumerate(chain.rules):
        yield f"\t\t{_counted(rule, table.hits.get((chain.name, place), (0, 0)))}"
    yield "\t}"


def _priority(chain: NftChain) -> str:
    """Return the name of a priority that is at most 10 away from one; else the number."""
    number = chain.priority
    for name, value in PRIORITIES.items():
        # The names for NAT are only known where NAT of that kind happens.
        if name == "dstnat" and chain.hook != "prerouting":
            continue
        if name == "srcnat" and chain.hook != "postrouting":
            continue
        if abs(number - value) <= 10:
            step = number - value
            return f"{name} {'-' if step < 0 else '+'} {abs(step)}" if step else name
    return str(number)


def _counted(rule: NftRule, hits: tuple[int, int]) -> str:
    words = [
        str(Counter(each.packets + hits[0], each.size + hits[1]))
        if isinstance(each, Counter)
        else str(each)
        for each in rule.statements
    ]
    return " ".join(words) + (f' comment "{rule.comment}"' if rule.comment else "")
