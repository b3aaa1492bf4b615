"""What `nft list ruleset` prints, read as the commands that would make it.

    table ip t {                        add table ip t
        chain c {                       add chain ip t c { type filter hook input priority 0 ; }
            type filter hook input ...
            tcp dport 80 accept         add rule ip t c tcp dport 80 accept

Rule of use: through `nft.parse`; lines that are commands already are left as they are.

Upstream: nftables src/rule.c (do_list_ruleset)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8slab.linux.nft import NftError

Command = tuple[int, str]  # number of the line, command

_TABLE = re.compile(r"table (\w+) (\S+) \{")
_BLOCK = re.compile(r"(chain|set|map) (\S+) \{")
_STRANGE = re.compile(r"(flowtable|counter|quota|ct \w+|limit|secmark|synproxy) .*\{")


def unfold(text: str) -> list[Command]:
    """Return one command for each line or block. Raises NftError for a block left open."""
    lines = _joined(text)
    found: list[Command] = []
    for number, line in lines:
        table = _TABLE.fullmatch(line)
        if table is None:
            found.append((number, line))
        else:
            found += _table(lines, number, f"{table[1]} {table[2]}")
    return found


def _joined(text: str) -> Iterator[Command]:
    """Yield the lines without comments; elements that go on over several lines as one."""
    start, parts = 0, ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip().rstrip("\\").strip()
        if not line or line[0] == "#":
            continue
        parts = f"{parts} {line}" if parts else line
        start = start or number
        if "elements = {" in parts and "}" not in parts:
            continue
        yield start, parts
        start, parts = 0, ""
    if parts:
        raise NftError(f"line {start}: syntax error, the block is not closed\n{parts}")


def _table(lines: Iterator[Command], start: int, head: str) -> list[Command]:
    """Read a table: what rules name is made before the rules."""
    comment = ""
    made: list[Command] = []
    rules: list[Command] = []
    for number, line in lines:
        block = _BLOCK.fullmatch(line)
        if line == "}":
            table = f"add table {head} {comment}".rstrip()
            return [(start, table), *made, *rules]
        if line.startswith("comment"):
            comment = f"{{ {line} ; }}"
        elif block is None:
            if _STRANGE.match(line):
                raise NftError(f"line {number}: the lab does not know this\n{line}")
        elif block[1] == "chain":
            chain, texts = _chain(lines, number, f"{head} {block[2]}")
            made.append(chain)
            rules += texts
        else:
            words = [text for _, text in _block(lines, number)]
            made.append((number, f"add {block[1]} {head} {block[2]} {{ {' ; '.join(words)} ; }}"))
    raise NftError(f"line {start}: syntax error, the table is not closed")


def _chain(lines: Iterator[Command], start: int, head: str) -> tuple[Command, list[Command]]:
    declared: list[str] = []
    rules: list[Command] = []
    for number, line in _block(lines, start):
        if line.startswith("comment ") or re.match(r"type \w+ hook", line):
            declared.append(line.rstrip(";"))
        else:
            rules.append((number, f"add rule {head} {line}"))
    declaration = f" {{ {' ; '.join(declared)} ; }}" if declared else ""
    return (start, f"add chain {head}{declaration}"), rules


def _block(lines: Iterator[Command], start: int) -> Iterator[Command]:
    for number, line in lines:
        if line == "}":
            return
        yield number, line
    raise NftError(f"line {start}: syntax error, the block is not closed")
