"""The answers of exercise 14.2 read as the kernel would read them.

`rules_of((maps, chains))` gives the table, or says in words what nft would not load; `renderer`
makes a kube-proxy's `render` of the learner's function.

Rule of use: whatever comes out of here can be walked by packets.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8slab.api.core import Node
from k8slab.classroom.exercises.answers import LearnerError
from k8slab.classroom.exercises.ch14.post import ENTRY, FRAME, assembled, ports_of
from k8slab.linux.nft import NftError, NftRuleset, parse
from k8slab.linux.nft_rule import Unknown, Verdict, VerdictMap


def rules_of(given: Any) -> NftRuleset:
    """Return the rules that an answer describes, read as nft would; raises LearnerError."""
    maps, chains = given
    for name, value in (*maps.items(), *chains.items()):
        if not isinstance(name, str):
            raise LearnerError(f"A name is a text, and one of yours is {name!r}.")
        if name in FRAME:
            raise LearnerError(f"The chain `{name}` belongs to the frame: choose another name.")
        if not isinstance(value, dict if name in maps else list | tuple):
            raise LearnerError(
                f"`{name}` is a {type(value).__name__}. A map is a dict of keys and verdicts, a "
                "chain is a list of rules."
            )
    if ENTRY not in chains:
        raise LearnerError(f"There is no chain `{ENTRY}`, where every packet comes in.")
    try:
        rules = parse(str(assembled(maps, chains)))
        _refuse(rules)
        return rules
    except (NftError, TypeError, AttributeError) as problem:
        raise LearnerError(f"nft does not take these rules: {problem}") from None


def _refuse(rules: NftRuleset) -> None:
    """Raise LearnerError for what nft would not load: unknown words, maps and chains that lack."""
    (table,) = rules.tables.values()
    verdicts = [verdict for each in table.sets.values() for verdict in each.elements.values()]
    for chain in table.chains.values():
        for text, rule in zip(chain.texts, chain.rules, strict=True):
            for part in rule.statements:
                if isinstance(part, Unknown):
                    raise LearnerError(f"nft does not take the rule `{text}`: {part}")
                if isinstance(part, Verdict):
                    verdicts.append(str(part))
                if isinstance(part, VerdictMap):
                    verdicts += [verdict for _, verdict in part.choices]
                    if part.map_name and part.map_name not in table.sets:
                        raise LearnerError(f"`{text}` asks a map that is not among your maps.")
    for verdict in verdicts:
        word, _, name = verdict.partition(" ")
        if word in ("goto", "jump") and name.strip() not in table.chains:
            raise LearnerError(f"`{verdict}` leads to a chain that is not among your chains.")


def renderer(answer: Callable[..., Any]) -> Callable[..., NftRuleset]:
    """Return a `render` for kube-proxy that asks the learner's function."""

    def render(
        services: Any, endpoint_slices: Any, *, node: Node | str = "", config: Any = None
    ) -> NftRuleset:
        return rules_of(answer(list(ports_of(services, endpoint_slices, node))))

    return render
