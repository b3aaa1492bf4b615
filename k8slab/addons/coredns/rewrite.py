"""The rewrite plugin: a question is asked under another name, and the client need not know.

    rewrite name shop.example web.default.svc.cluster.local        one name
    rewrite name suffix .shop.example .default.svc.cluster.local answer auto
    rewrite stop type ANY HINFO                                    another type
    rewrite ttl suffix .example 60                                 what clients may remember

The question in the answer is always the client's own. The names of the records are turned back
with `answer auto`, or by a pattern with `answer name FROM TO`. A rule that matched is the last,
unless it says `continue`.

Rule of use: pure; `Rewriting` is the way there and back of one question.

Upstream: coredns plugin/rewrite
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from k8slab.addons.coredns.corefile import Plugin
from k8slab.addons.coredns.records import Answer, Record

MATCHES = ("exact", "prefix", "suffix", "substring", "regex")
ACTIONS = ("continue", "stop")


class Rule(msgspec.Struct, frozen=True):
    """One rule: which names or types it is for, and what becomes of them."""

    field: str  # "name", "type" or "ttl"
    match: str  # one of MATCHES
    old: str
    new: str
    goes_on: bool = False
    auto: bool = False  # the records' names are turned back
    answers: tuple[tuple[str, str], ...] = ()  # patterns of records' names, and what they become

    def applied(self, name: str) -> str | None:
        """Return the new name, None if the rule is not for this one."""
        if self.match == "exact":
            return _absolute(self.new) if name == _absolute(self.old) else None
        if self.match == "prefix":
            return self.new + name[len(self.old) :] if name.startswith(self.old) else None
        if self.match == "suffix":
            old, new = _absolute(self.old), _absolute(self.new)
            return name.removesuffix(old) + new if name.endswith(old) else None
        if self.match == "substring":
            return name.replace(self.old, self.new) if self.old in name else None
        found = re.search(self.old, name)
        return _absolute(_filled(self.new, found)) if found is not None else None


class Rewriting(msgspec.Struct, frozen=True):
    """One question as it is asked inside, and how its answer goes back."""

    asked: str
    name: str
    type: str
    rules: tuple[Rule, ...] = ()

    def back(self, answer: Answer) -> Answer:
        """Return the answer as the client gets it."""
        if not self.rules:
            return answer
        return Answer(
            answer.rcode,
            self._all_back(answer.answers),
            self._all_back(answer.authority),
            self._all_back(answer.additional),
        )

    def _all_back(self, records: Iterable[Record]) -> tuple[Record, ...]:
        return tuple(self._back(record) for record in records)

    def _back(self, record: Record) -> Record:
        name, ttl = record.name, record.ttl
        for rule in self.rules:
            if rule.auto and name == self.name:
                name = self.asked
            for pattern, replacement in rule.answers:
                if found := re.search(pattern, name):
                    name = _absolute(_filled(replacement, found))
            if rule.field == "ttl":
                ttl = int(rule.new)
        return msgspec.structs.replace(record, name=name, ttl=ttl)


def rules_of(plugins: Iterable[Plugin]) -> tuple[Rule, ...]:
    """Return the rules of a server block, in order; fields other than name, type, ttl are not."""
    found = []
    for plugin in plugins:
        if plugin.name == "rewrite":
            answers = [line for line in plugin.properties if line[:1] == ("answer",)]
            inside = [line for line in plugin.properties if line[:1] != ("answer",)]
            words = (*plugin.args, *(word for line in (*inside, *answers) for word in line))
            rule = _rule(words)
            found += [rule] if rule is not None else []
    return tuple(found)


def rewriting(rules: Sequence[Rule], name: str, qtype: str) -> Rewriting:
    """Return the question as the rules make it."""
    asked, used = name, []
    for rule in rules:
        if rule.field == "type":
            applies = qtype == rule.old.upper()
            qtype = rule.new.upper() if applies else qtype
        else:
            new = rule.applied(name)
            applies = new is not None
            name = new if new is not None and rule.field == "name" else name
        if applies:
            used.append(rule)
            if not rule.goes_on:
                break
    return Rewriting(asked, name, qtype, tuple(used))


def _rule(words: Sequence[str]) -> Rule | None:
    if not words:
        return None
    goes_on = words[:1] == ("continue",)
    words = words[1:] if words[0] in ACTIONS else words
    field, *rest = words
    match = rest.pop(0) if rest and rest[0] in MATCHES else "exact"
    if field not in ("name", "type", "ttl") or len(rest) < 2:
        return None
    old, new, *options = rest
    answers = []
    auto = False
    while options[:1] == ["answer"]:
        if options[1:2] == ["auto"]:
            auto, options = True, options[2:]
        elif options[1:2] == ["name"] and len(options) > 3:
            answers.append((options[2], options[3]))
            options = options[4:]
        else:
            break
    return Rule(field, match, old.lower(), new, goes_on, auto, tuple(answers))


def _filled(template: str, found: re.Match[str]) -> str:
    """Return the template with {1} replaced by the first group, and so on."""
    return re.sub(r"\{(\d+)\}", lambda group: found[int(group[1])] or "", template)


def _absolute(name: str) -> str:
    return name if name.endswith(".") else f"{name}."
