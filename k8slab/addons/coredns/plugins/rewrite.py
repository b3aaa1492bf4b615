"""The rewrite plugin: a question is asked under another name, and the client need not know.

    rewrite name shop.example web.default.svc.cluster.local        one name
    rewrite name suffix .shop.example .default.svc.cluster.local answer auto
    rewrite stop type ANY HINFO                                    another type
    rewrite class CH IN                                            another class
    rewrite ttl suffix .example 30-300                             what clients may remember
    rewrite rcode suffix .example SERVFAIL NXDOMAIN                another outcome
    rewrite cname exact cdn.example. other.example.                another alias

The question in the answer is always the client's own. The names in the records are turned back
with `answer auto`, the rule the other way; or by patterns, those of the records with `answer name
FROM TO`, those in their data with `answer value FROM TO`. A rule that matched is the last, unless
it says `continue`.

Rule of use: `Rewriting` is the way there and back of one question, and pure.

Upstream: coredns plugin/rewrite
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from k8slab.addons.coredns.corefile import Plugin, Setting, Wrong
from k8slab.addons.coredns.plugin import Next, Request, Site
from k8slab.addons.coredns.records import Answer, Record

MATCHES = ("exact", "prefix", "suffix", "substring", "regex")
ACTIONS = ("continue", "stop")
FIELDS = ("name", "type", "class", "ttl", "rcode", "cname", "edns0")
NAMES_IN_DATA = ("CNAME", "PTR", "NS", "SRV", "MX", "DNAME")
MAX_TTL = (1 << 31) - 1


class Rule(msgspec.Struct, frozen=True):
    """One rule: which questions it is for, and what becomes of them."""

    field: str  # one of FIELDS
    match: str  # one of MATCHES
    old: str  # of the name or type; of an outcome in `rcode`
    new: str
    goes_on: bool = False
    auto: bool = False  # the records' names are turned back
    answers: tuple[tuple[str, str], ...] = ()  # patterns of records' names, and what they become
    values: tuple[tuple[str, str], ...] = ()  # the same for names in their data
    within: str = ""  # for rcode: the outcome that changes

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

    def restored(self, name: str, asked: str, inner: str) -> str:
        """Return a name of the answer as the client would have it, by the rule the other way.

        `asked` is the client's question, `inner` what was asked in its place.
        """
        if self.match == "suffix":
            old, new = _absolute(self.old), _absolute(self.new)
            return name.removesuffix(new) + old if name.endswith(new) else name
        if self.match == "prefix":
            return self.old + name.removeprefix(self.new) if name.startswith(self.new) else name
        return asked if name == inner else name

    def lifetime(self, ttl: int) -> int:
        """Return a TTL as the rule has it: a number, or the nearest in a range such as 30-300."""
        low, dash, high = self.new.partition("-")
        if not dash:
            return int(low)
        return min(max(ttl, int(low or 0)), int(high) if high else MAX_TTL)


class Rewriting(msgspec.Struct, frozen=True):
    """One question as it is asked inside, and how its answer goes back."""

    asked: str
    name: str
    type: str
    klass: str = "IN"
    rules: tuple[Rule, ...] = ()

    def back(self, answer: Answer) -> Answer:
        """Return the answer as the client gets it."""
        if not self.rules:
            return answer
        rcode = answer.rcode
        for rule in self.rules:
            if rule.field == "rcode" and rule.within == rcode:
                rcode = rule.new
        return msgspec.structs.replace(
            answer,
            rcode=rcode,
            answers=self._all_back(answer.answers),
            authority=self._all_back(answer.authority),
            additional=self._all_back(answer.additional),
        )

    def _all_back(self, records: Iterable[Record]) -> tuple[Record, ...]:
        return tuple(self._back(record) for record in records)

    def _back(self, record: Record) -> Record:
        name, ttl, data = record.name, record.ttl, record.data
        for rule in self.rules:
            if rule.auto:
                name = rule.restored(name, self.asked, self.name)
            for pattern, replacement in rule.answers:
                if found := re.search(pattern, name):
                    name = _absolute(_filled(replacement, found))
            if record.type in NAMES_IN_DATA:
                data = self._data_back(data, rule)
            if rule.field == "ttl":
                ttl = rule.lifetime(ttl)
        return msgspec.structs.replace(record, name=name, ttl=ttl, data=data)

    def _data_back(self, data: str, rule: Rule) -> str:
        """Return a record's data with the name at its end turned back."""
        before, blank, name = data.rpartition(" ")
        if rule.auto:
            name = rule.restored(name, self.asked, self.name)
        for pattern, replacement in rule.values:
            if found := re.search(pattern, name):
                name = _absolute(_filled(replacement, found))
        return f"{before}{blank}{name}"


class Rewrite:
    """Asks the next plugin for something else, and turns its answer back."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._next = following
        self._site = site
        self._rules = rules_of(stanzas)

    async def serve(self, request: Request) -> Answer:
        """Return the answer to the rewritten question."""
        inner = rewriting(self._rules, request.name, request.type, request.klass)
        if not inner.rules:
            return await self._next(request)
        asked = msgspec.structs.replace(
            request, name=inner.name, type=inner.type, klass=inner.klass
        )
        answer = inner.back(await self._next(asked))
        return await self._other_aliases(request, inner, answer)

    async def _other_aliases(self, request: Request, inner: Rewriting, answer: Answer) -> Answer:
        """Put another target in the place of a CNAME's, with the addresses of that one."""
        for rule in inner.rules:
            for place, record in enumerate(answer.answers):
                if rule.field != "cname" or record.type != "CNAME":
                    continue
                target = rule.applied(record.data)
                if target is None:
                    continue
                alias = msgspec.structs.replace(record, data=target)
                found = await self._site.resolve(request.about(target))
                return msgspec.structs.replace(
                    answer, answers=(*answer.answers[:place], alias, *found.answers)
                )
        return answer


def rules_of(plugins: Iterable[Plugin]) -> tuple[Rule, ...]:
    """Return the rules of all rewrite stanzas, in order. Raises Wrong."""
    found = []
    for plugin in plugins:
        if plugin.name == "rewrite":
            answers = [line for line in plugin.properties if line[:1] == ("answer",)]
            inside = [line for line in plugin.properties if line[:1] != ("answer",)]
            words = (*plugin.args, *(word for line in (*inside, *answers) for word in line))
            rule = _rule(words, plugin.head)
            found += [rule] if rule is not None else []
    return tuple(found)


def rewriting(rules: Sequence[Rule], name: str, qtype: str, klass: str = "IN") -> Rewriting:
    """Return the question as the rules make it."""
    asked, used = name, []
    for rule in rules:
        if rule.field == "type":
            applies = qtype == rule.old.upper()
            qtype = rule.new.upper() if applies else qtype
        elif rule.field == "class":
            applies = klass == rule.old.upper()
            klass = rule.new.upper() if applies else klass
        elif rule.field == "cname":  # it is about answers
            applies = True
        else:
            new = rule.applied(name)
            applies = new is not None
            name = new if new is not None and rule.field == "name" else name
        if applies:
            used.append(rule)
            if not rule.goes_on:
                break
    return Rewriting(asked, name, qtype, klass, tuple(used))


def _rule(words: Sequence[str], head: Setting) -> Rule | None:
    """Return the rule that the words say; None for one on EDNS options, which nobody reads here."""
    goes_on = words[:1] == ("continue",)
    words = words[1:] if words and words[0] in ACTIONS else words
    if len(words) < 2:
        raise Wrong(
            f"no rule type specified for rewrite: {' '.join(words)}"
            if not words
            else f"too few arguments for a {words[0]} rule"
        )
    field, *rest = words
    if field not in FIELDS:
        raise Wrong(f'invalid rule type "{field}"')
    if field == "edns0":
        return None
    match = rest.pop(0) if rest and rest[0] in MATCHES else "exact"
    if len(rest) < (3 if field == "rcode" else 2):
        raise Wrong(f"too few arguments for a {field} rule")
    within = rest.pop(1).upper() if field == "rcode" else ""
    old, new, *options = rest
    if match == "regex":
        _check_pattern(old, field)
    rule = Rule(field, match, old if match == "regex" else old.lower(), new, goes_on)
    return _with_options(rule, options, within)


def _with_options(rule: Rule, options: list[str], within: str) -> Rule:
    """Return the rule with what stands behind it: how answers are turned back."""
    auto = False
    answers: list[tuple[str, str]] = []
    values: list[tuple[str, str]] = []
    while options:
        if options[:2] == ["answer", "auto"]:
            auto, options = True, options[2:]
        elif options[0] == "answer" and options[1:2] in (["name"], ["value"]) and options[3:]:
            _check_pattern(options[2], f"{rule.field} rule answer")
            (answers if options[1] == "name" else values).append((options[2], options[3]))
            options = options[4:]
        else:
            raise Wrong(f"exceeded the number of arguments for a {rule.field} rule")
    return msgspec.structs.replace(
        rule, auto=auto, answers=tuple(answers), values=tuple(values), within=within
    )


def _check_pattern(pattern: str, field: str) -> None:
    try:
        re.compile(pattern)
    except re.error:
        raise Wrong(f"invalid regex pattern in a {field} rule: {pattern}") from None


def _filled(template: str, found: re.Match[str]) -> str:
    """Return the template with {1} replaced by the first group, and so on."""
    return re.sub(r"\{(\d+)\}", lambda group: found[int(group[1])] or "", template)


def _absolute(name: str) -> str:
    return name if name.endswith(".") else f"{name}."
