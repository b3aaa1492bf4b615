"""The answers of exercise 14.2 read as the kernel would read them.

`rules_of((maps, chains))` gives the table, or says in words what nft would not load; `renderer`
makes a kube-proxy's `render` of the learner's function.

Rule of use: whatever comes out of here can be walked by packets.

Upstream: none
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from k8slab.api.core import Node
from k8slab.classroom.exercises.answers import LearnerError
from k8slab.classroom.exercises.ch14.post import ENTRY, FRAME, assembled, ports_of
from k8slab.linux.nft import NftChain, NftError, NftRuleset, NftTable, parse
from k8slab.linux.nft_rule import Unknown, Verdict, VerdictMap

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]*")
KEY = re.compile(r"[0-9.]+ \. (tcp|udp|sctp) \. [0-9]+")
KEY_FIELDS = 3
VERDICT = re.compile(r"(goto|jump) +[A-Za-z0-9_./-]+|accept|drop|return|continue")
LEADS = re.compile(r"(goto|jump) ")


def rules_of(given: Any) -> NftRuleset:
    """Return the rules that an answer describes, read as nft would; raises LearnerError."""
    maps, chains = given
    for name, elements in maps.items():
        _check_map(name, elements)
    for name, rules in chains.items():
        _check_chain(name, rules)
    if ENTRY not in chains:
        raise LearnerError(f"There is no chain `{ENTRY}`, where every packet comes in.")
    try:
        ruleset = parse(str(assembled(maps, chains)))
        (table,) = ruleset.tables.values()
        _check_circles({name: _next(table, chain) for name, chain in table.chains.items()})
    except NftError as problem:
        raise LearnerError(f"nft does not take these rules: {problem}") from None
    return ruleset


def _check_map(name: Any, elements: Any) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise LearnerError(f"A map has a name such as `service-ips`, and one of yours is {name!r}.")
    if not isinstance(elements, dict):
        raise LearnerError(
            f"The map `{name}` is a {type(elements).__name__}, and has to be a dict."
        )
    for key, verdict in elements.items():
        if not isinstance(key, str) or not KEY.fullmatch(key):
            raise LearnerError(
                f"{key!r} in the map `{name}` is no key: address, protocol and port, joined by "
                "dots with spaces around them, such as '10.96.0.7 . tcp . 80'."
            )
        if not isinstance(verdict, str) or not VERDICT.fullmatch(verdict):
            raise LearnerError(
                f"{verdict!r} in the map `{name}` is no verdict, such as 'goto NAME'."
            )


def _check_chain(name: Any, rules: Any) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise LearnerError(f"A chain has a name such as `service-1`, and one of yours is {name!r}.")
    if name in FRAME:
        raise LearnerError(f"The chain `{name}` belongs to the frame: choose another name.")
    if not isinstance(rules, list | tuple):
        raise LearnerError(f"The chain `{name}` is a {type(rules).__name__}, and has to be a list.")
    for rule in rules:
        if not isinstance(rule, str) or "\n" in rule:
            raise LearnerError(
                f"{rule!r} in the chain `{name}` is no rule: each is a line of text."
            )


def _next(table: NftTable, chain: NftChain) -> list[str]:
    """Return the chains to which a chain leads; raises LearnerError where nft would refuse."""
    verdicts: list[str] = []
    for text, rule in zip(chain.texts, chain.rules, strict=True):
        for part in rule.statements:
            if isinstance(part, Unknown):
                raise LearnerError(f"nft does not take the rule `{text}`: {part}")
            if isinstance(part, Verdict):
                verdicts.append(str(part))
            if isinstance(part, VerdictMap):
                verdicts += _of_map(table, text, part)
    found = [text.partition(" ")[2].strip() for text in verdicts if LEADS.match(text)]
    for name in found:
        if name not in table.chains:
            raise LearnerError(f"Something leads to `{name}`, which is not among your chains.")
    return found


def _of_map(table: NftTable, text: str, part: VerdictMap) -> list[str]:
    if not part.map_name:
        return [verdict for _, verdict in part.choices]
    if part.map_name not in table.sets:
        raise LearnerError(f"`{text}` asks a map that is not among your maps.")
    if len(part.fields) != KEY_FIELDS:
        raise LearnerError(
            f"`{text}` asks for other fields than the keys have: address, protocol and port."
        )
    return list(table.sets[part.map_name].elements.values())


def _check_circles(leads: dict[str, list[str]]) -> None:
    """Raise LearnerError if a chain leads back to itself."""
    done: dict[str, None] = {}
    for start in leads:
        path: dict[str, None] = {}
        todo = [(start, False)]
        while todo:
            name, leaving = todo.pop()
            if leaving:
                del path[name]
                done[name] = None
            elif name in path:
                raise LearnerError(
                    f"The chain `{name}` leads back to itself. The kernel takes no circles."
                )
            elif name not in done:
                path[name] = None
                todo.append((name, True))
                todo += [(each, False) for each in leads[name]]


def renderer(answer: Callable[..., Any]) -> Callable[..., NftRuleset]:
    """Return a `render` for kube-proxy that asks the learner's function."""

    def render(
        services: Any, endpoint_slices: Any, *, node: Node | str = "", config: Any = None
    ) -> NftRuleset:
        return rules_of(answer(list(ports_of(services, endpoint_slices, node))))

    return render
