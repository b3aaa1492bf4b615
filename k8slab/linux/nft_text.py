"""The language of `nft -f`: commands that make, change and delete tables, chains, sets, elements.

    add chain ip kube-proxy nat-prerouting { type nat hook prerouting priority -100 ; }
    add element ip kube-proxy service-ips { 10.96.0.1 . tcp . 443 : goto service-X }

`run` does commands to copies of the tables, so that an error changes nothing; `commands` writes a
table as commands that make it. What `nft list ruleset` prints is read as well: nft_blocks.py.

Rule of use: an NftError names the line.

Upstream: nftables src/parser_bison.y, src/evaluate.c
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from k8slab.linux.nft import NftChain, NftError, NftSet, NftTable
from k8slab.linux.nft_blocks import unfold

Tables = dict[tuple[str, str], NftTable]

FAMILIES = ("ip", "ip6", "inet", "arp", "bridge", "netdev")
PRIORITIES = {  # names of priorities; those of dstnat and srcnat are for the family ip
    "raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100,
}  # fmt: skip
_HOOK = re.compile(r"type (\w+) hook (\w+)(?: device \S+)? priority ([\w+ -]+?) ?(?:;|$)")
_COMMENT = re.compile(r'comment "([^"]*)"')
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_OBJECTS = ("table", "chain", "set", "map", "rule", "element")
_TYPE = re.compile(r"type ([^;{}]+?) ?(?:;|$)")
_ELEMENTS = re.compile(r"elements = \{(.*?)\}")
_BRACES = re.compile(r"(?:^|\s)(\{.*\})$", re.DOTALL)


def run(tables: Mapping[tuple[str, str], NftTable], text: str) -> Tables:
    """Return the tables as they are after the commands. Raises NftError that names the line."""
    draft = {key: _copy(table) for key, table in tables.items()}
    for number, line in unfold(text):
        try:
            _do(draft, line)
        except NftError as error:
            raise NftError(f"line {number}: {error}\n{line}") from None
    return draft


def commands(table: NftTable) -> str:
    """Return the table as commands: sets before chains, chains before the rules that use them."""
    head = f"{table.family} {table.name}"
    comment = f' {{ comment "{table.comment}" ; }}' if table.comment else ""
    lines = [f"add table {head}{comment}"]
    for each in table.sets.values():
        lines.append(f"add {'map' if each.is_map else 'set'} {head} {each.name} {_declare(each)}")
    lines += [f"add chain {head} {_chain_line(chain)}" for chain in table.chains.values()]
    for chain in table.chains.values():
        lines += [f"add rule {head} {chain.name} {text}" for text in chain.texts]
    for each in table.sets.values():
        lines += [
            f"add element {head} {each.name} {{ {element} }}" for element in elements_of(each)
        ]
    return "".join(f"{line}\n" for line in lines)


def elements_of(each: NftSet) -> Iterator[str]:
    """Yield the elements of a set or map, as they are written."""
    for key, verdict in each.elements.items():
        note = f' comment "{each.notes[key]}"' if key in each.notes else ""
        yield f"{key}{note} : {verdict}" if verdict else f"{key}{note}"


def _declare(each: NftSet) -> str:
    words = [f"type {each.type} ;"]
    words += [f"flags {','.join(each.flags)} ;"] if each.flags else []
    words += [f"timeout {each.timeout:g}s ;"] if each.timeout else []
    words += [f'comment "{each.comment}" ;'] if each.comment else []
    return f"{{ {' '.join(words)} }}"


def _chain_line(chain: NftChain) -> str:
    words = [f"type {chain.type} hook {chain.hook} priority {chain.priority} ;"] * bool(chain.hook)
    words += [f"policy {chain.policy} ;"] if chain.policy != "accept" else []
    words += [f'comment "{chain.comment}" ;'] if chain.comment else []
    return f"{chain.name} {{ {' '.join(words)} }}" if words else chain.name


# -- doing commands


def _copy(table: NftTable) -> NftTable:
    own = NftTable(table.family, table.name, table.comment)
    own.chains = dict(table.chains)
    own.sets = {name: each.copy() for name, each in table.sets.items()}
    own.added = {name: dict(added) for name, added in table.added.items()}
    own.hits = dict(table.hits)
    return own


def _do(tables: Tables, line: str) -> None:
    """Do one command to the draft."""
    verb, _, rest = line.partition(" ")
    if verb == "flush" and rest.strip() == "ruleset":
        tables.clear()
        return
    kind, _, rest = rest.strip().partition(" ")
    if verb not in ("add", "create", "insert", "delete", "destroy", "flush") or (
        kind not in _OBJECTS
    ):
        raise NftError("expected add, insert, delete, destroy or flush, and what")
    words = rest.split(" ", 1)
    family = words.pop(0) if words[0] in FAMILIES else "ip"
    name, _, rest = (words[0] if words else "").strip().partition(" ")
    if kind == "table":
        _do_table(tables, verb, (family, name), rest)
        return
    table = tables.get((family, name))
    if table is None:
        if verb == "destroy":
            return
        raise NftError(f"No such file or directory: table {family} {name}")
    what, _, rest = rest.strip().partition(" ")
    _DO[kind](table, verb, kind, what, rest.strip())


def _do_table(tables: Tables, verb: str, key: tuple[str, str], rest: str) -> None:
    if verb in ("delete", "destroy"):
        if tables.pop(key, None) is None and verb == "delete":
            raise NftError(f"No such file or directory: table {' '.join(key)}")
    elif verb == "flush":
        for name, chain in tables[key].chains.items():
            tables[key].chains[name] = chain.with_rules(())
    elif key not in tables:
        found = _COMMENT.search(rest)
        tables[key] = NftTable(*key, found[1] if found else "")


def _do_chain(table: NftTable, verb: str, kind: str, name: str, rest: str) -> None:
    if verb in ("add", "create"):
        if name not in table.chains:
            table.chains[name] = _chain(name, rest)
    elif verb == "destroy" and name not in table.chains:
        return
    elif verb == "flush":
        table.chains[name] = _existing(table, name).with_rules(())
    else:
        _existing(table, name)
        del table.chains[name]


def _do_rule(table: NftTable, verb: str, kind: str, name: str, rest: str) -> None:
    chain = _existing(table, name)
    if verb not in ("add", "insert", "create"):
        raise NftError("the lab does not delete rules one by one: flush the chain")
    table.chains[name] = chain.with_rules(
        (rest, *chain.texts) if verb == "insert" else (*chain.texts, rest)
    )


def _do_set(table: NftTable, verb: str, kind: str, name: str, rest: str) -> None:
    if verb in ("add", "create"):
        if name not in table.sets:
            table.sets[name] = _set(name, kind == "map", rest)
        return
    if name not in table.sets:
        if verb == "destroy":
            return
        raise NftError(f"No such file or directory: {kind} {name}")
    if verb == "flush":
        table.sets[name].elements.clear()
        table.sets[name].notes.clear()
        table.added.pop(name, None)
    else:
        table.delete_set(name)


def _do_element(table: NftTable, verb: str, kind: str, name: str, rest: str) -> None:
    target = table.sets.get(name)
    if target is None:
        raise NftError(f"No such file or directory: set {name}")
    if verb in ("add", "create"):
        _add_elements(target, rest.strip("{} "))
        return
    for element in _split(rest.strip("{} ")):
        key = _COMMENT.sub("", element.partition(" : ")[0]).strip()
        if target.elements.pop(key, None) is None and verb == "delete":
            raise NftError(f"No such file or directory: element {key}")
        target.notes.pop(key, None)


_DO = {
    "chain": _do_chain, "rule": _do_rule, "set": _do_set, "map": _do_set, "element": _do_element,
}  # fmt: skip


def _existing(table: NftTable, name: str) -> NftChain:
    chain = table.chains.get(name)
    if chain is None:
        raise NftError(f"No such file or directory: chain {name}")
    return chain


# -- declarations


def _chain(name: str, declaration: str) -> NftChain:
    comment = _COMMENT.search(declaration)
    chain = NftChain(name, comment=comment[1] if comment else "")
    found = _HOOK.search(declaration)
    if found is not None:
        chain.type, chain.hook, chain.priority = found[1], found[2], _priority(found[3])
        if re.search(r"policy drop", declaration):
            chain.policy = "drop"
    elif "hook" in declaration:
        raise NftError("expected type TYPE hook HOOK priority NUMBER")
    return chain


def _priority(text: str) -> int:
    """Return the number of a priority such as "-100" or "dstnat - 10"."""
    name, sign, number = re.fullmatch(r"([a-z]*) ?([+-]?) ?(\d*)", text).groups()  # type: ignore[union-attr]
    if name and name not in PRIORITIES:
        raise NftError(f"the lab does not know the priority {name!r}")
    return PRIORITIES.get(name, 0) + (-1 if sign == "-" else 1) * int(number or 0)


def _set(name: str, is_map: bool, declaration: str) -> NftSet:
    type_ = _TYPE.search(declaration)
    if type_ is None:
        raise NftError("expected a type (the lab does not know typeof)")
    comment = _COMMENT.search(_ELEMENTS.sub("", declaration))
    made = NftSet(name, type_[1], is_map=is_map, comment=comment[1] if comment else "")
    if flags := re.search(r"flags ([\w, ]+?) ?;", declaration):
        made.flags = tuple(flag.strip() for flag in flags[1].split(","))
    if timeout := re.search(r"(?<!gc-)timeout ([\ddhms]+) ?;", _ELEMENTS.sub("", declaration)):
        made.timeout = seconds(timeout[1])
    if size := re.search(r"size (\d+)", declaration):
        made.size = int(size[1])
    if elements := _ELEMENTS.search(declaration):
        _add_elements(made, elements[1])
    return made


def _add_elements(target: NftSet, text: str) -> None:
    for element in _split(text):
        key, _, verdict = element.partition(" : ")
        note = _COMMENT.search(key)
        key = re.sub(r" (timeout|expires) \w+", "", _COMMENT.sub("", key)).strip()
        if target.is_map and not verdict:
            raise NftError(f"expected KEY : VALUE for the map {target.name}, found {element!r}")
        target.elements[key] = verdict.strip()
        if note:
            target.notes[key] = note[1]


def _split(text: str) -> list[str]:
    return [each.strip() for each in re.findall(r'(?:"[^"]*"|[^,"])+', text) if each.strip()]


def seconds(text: str) -> float:
    """Return the seconds of a time such as "2h59m59s" or "10800s"."""
    parts = re.findall(r"(\d+)([dhms])", text)
    return float(sum(int(number) * _SECONDS[unit] for number, unit in parts))
