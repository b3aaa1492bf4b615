"""`iptables` and `ip6tables`: print rules, and change them one by one.

    iptables -t nat -S KUBE-SERVICES       iptables -A FORWARD -s 10.244.1.2 -j DROP
    iptables -t nat -F                     iptables -D FORWARD 1

Rule of use: through `commands.shell`; `changes` says which of them change rules.

Upstream: iptables iptables/iptables.c, man iptables(8)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from k8slab.linux.iptables_rule import parse_rule
from k8slab.linux.netfilter import BUILT_IN, IptablesError, Ruleset
from k8slab.linux.targets import Jump

_LONG = {
    "--append": "-A", "--insert": "-I", "--delete": "-D", "--flush": "-F", "--new-chain": "-N",
    "--new": "-N", "--delete-chain": "-X", "--policy": "-P", "--list-rules": "-S",
}  # fmt: skip
NO_CHAIN = "iptables: No chain/target/match by that name."
BAD_RULE = "iptables: Bad rule (does a matching rule exist in that chain?)."


def changes(arguments: Sequence[str]) -> bool:
    """Say whether the command changes rules."""
    return any(_LONG.get(word, word) in _ACTIONS for word in arguments)


def iptables(ruleset: Ruleset, arguments: Sequence[str]) -> str:
    """Do what the command says and return what it prints. Raises IptablesError."""
    words, table = list(arguments), "filter"
    for word in ("-t", "--table"):
        if word in words[:-1]:
            place = words.index(word)
            table = words[place + 1]
            del words[place : place + 2]
    words = [word for word in words if word not in ("-w", "--wait")]
    action, rest = (_LONG.get(words[0], words[0]), words[1:]) if words else ("", [])
    if table not in BUILT_IN:
        raise IptablesError(f"can't initialize iptables table `{table}': unknown table")
    if action == "-S":
        return _listing(ruleset, table, rest[0] if rest else "")
    act = _ACTIONS.get(action)
    if act is None:
        known = ", ".join(["-S", *_ACTIONS])
        raise IptablesError(f"iptables: the lab knows {known}; iptables-save prints all rules")
    act(ruleset, table, rest)
    ruleset.edits.tell()
    return ""


def _listing(ruleset: Ruleset, table: str, wanted: str) -> str:
    chains = ruleset.table(table).chains
    if wanted and wanted not in chains:
        raise IptablesError(f"iptables: No chain/target/match by that name: {wanted}")
    shown = [chain for name, chain in chains.items() if wanted in ("", name)]
    lines = [
        f"-P {chain.name} {chain.policy}" if chain.built_in else f"-N {chain.name}"
        for chain in shown
    ]
    lines += [f"-A {chain.name} {rule}" for chain in shown for rule in chain.rules]
    return "".join(f"{line}\n" for line in lines)


# -- what changes rules


def _append(ruleset: Ruleset, table: str, words: list[str]) -> None:
    _restore(ruleset, table, f"-A {_text(words)}")


def _insert(ruleset: Ruleset, table: str, words: list[str]) -> None:
    chain, spec = _chain(ruleset, table, words), words[1:]
    number = int(spec.pop(0)) if spec and spec[0].isdigit() else 1
    rules = list(ruleset.rules(table, chain))
    if not 0 < number <= len(rules) + 1:
        raise IptablesError("iptables: Index of insertion too big.")
    _restore(ruleset, table, f"-A {chain} {_text(spec)}")
    (new,) = ruleset.rules(table, chain)[len(rules) :]
    rules.insert(number - 1, new)
    ruleset.replace_chain(table, chain, rules)


def _delete(ruleset: Ruleset, table: str, words: list[str]) -> None:
    chain, rules = _chain(ruleset, table, words), list(ruleset.rules(table, words[0]))
    if len(words) == 2 and words[1].isdigit():
        number = int(words[1])
        if not 0 < number <= len(rules):
            raise IptablesError("iptables: Index of deletion too big.")
        del rules[number - 1]
    else:
        unwanted = parse_rule(_text(words[1:]))
        if unwanted not in rules:
            raise IptablesError(BAD_RULE)
        rules.remove(unwanted)
    ruleset.replace_chain(table, chain, rules)


def _flush(ruleset: Ruleset, table: str, words: list[str]) -> None:
    chains = [_chain(ruleset, table, words)] if words else list(ruleset.table(table).chains)
    for chain in chains:
        ruleset.replace_chain(table, chain, ())


def _new_chain(ruleset: Ruleset, table: str, words: list[str]) -> None:
    if ruleset.ensure_chain(table, words[0]):
        raise IptablesError("iptables: Chain already exists.")


def _delete_chain(ruleset: Ruleset, table: str, words: list[str]) -> None:
    """Delete a chain, or all that users made; one that is used or has rules stays."""
    chains = ruleset.table(table).chains
    if words:
        name = _chain(ruleset, table, words)
        if chains[name].rules:
            raise IptablesError("iptables: Directory not empty.")
        doomed = [name]
    else:
        doomed = [n for n, chain in chains.items() if not chain.built_in and not chain.rules]
    used = {
        rule.target.chain
        for chain in chains.values()
        for rule in chain.rules
        if isinstance(rule.target, Jump)
    }
    for name in doomed:
        if name not in used:
            ruleset.delete_chain(table, name)
        elif words:
            raise IptablesError("iptables: Too many links.")


def _policy(ruleset: Ruleset, table: str, words: list[str]) -> None:
    chain = _chain(ruleset, table, words)
    if not ruleset.table(table).chains[chain].built_in or words[1] not in ("ACCEPT", "DROP"):
        raise IptablesError("iptables: Bad policy name. Run `dmesg' for more information.")
    ruleset.table(table).chains[chain].policy = words[1]


def _chain(ruleset: Ruleset, table: str, words: Sequence[str]) -> str:
    if not words or words[0] not in ruleset.table(table).chains:
        raise IptablesError(NO_CHAIN)
    return words[0]


def _text(words: Sequence[str]) -> str:
    """Return the words as a line of iptables-restore, which knows double quotes only."""
    escaped = [word.replace("\\", "\\\\").replace('"', '\\"') for word in words]
    return " ".join(f'"{word}"' if {*word} & {*" '"} or not word else word for word in escaped)


def _restore(ruleset: Ruleset, table: str, line: str) -> None:
    """Add a rule as the kernel takes it: what it does not know it refuses."""
    _chain(ruleset, table, line.split()[1:2])
    ruleset.restore(f"*{table}\n{line}\nCOMMIT\n", noflush=True, strict=True)


_ACTIONS: Mapping[str, Callable[[Ruleset, str, list[str]], None]] = {
    "-A": _append, "-I": _insert, "-D": _delete, "-F": _flush, "-N": _new_chain,
    "-X": _delete_chain, "-P": _policy,
}  # fmt: skip
