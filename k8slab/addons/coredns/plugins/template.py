r"""The template plugin: answers made up from the question, by patterns.

    template IN A ip.example {
        match ^ip-(?P<a>\d+)-(?P<b>\d+)-(?P<c>\d+)-(?P<d>\d+)\.ip\.example\.$
        answer "{{ .Name }} 60 IN A {{ .Group.a }}.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"
        fallthrough
    }
    template ANY ANY invalid {
        rcode NXDOMAIN
    }

What stands in double braces is replaced: .Name, .Zone, .Class, .Type, .Remote, .Group.x,
`index .Match n`, and `parseInt VALUE BASE BITS`. That is the part of Go's templates that Corefiles
use.

Rule of use: the first stanza that fits answers; where none does, the question goes on.

Upstream: coredns plugin/template
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from k8slab.addons.coredns.corefile import Plugin, Setting, Wrong, all_zones
from k8slab.addons.coredns.names import absolute, matches
from k8slab.addons.coredns.plugin import Failure, Next, Request, Site
from k8slab.addons.coredns.records import NOERROR, SERVFAIL, Answer, Record
from k8slab.linux.dns_wire import CLASSES, RCODES, TYPES

EXPRESSION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
FIELDS = (".Name", ".Zone", ".Class", ".Type", ".Remote")
SECTIONS = ("answer", "authority", "additional")
DEFAULT_TTL = 3600  # s, of a record that does not say


class Pattern(msgspec.Struct, frozen=True):
    """One stanza."""

    klass: str
    type: str
    zones: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]
    texts: Mapping[str, tuple[str, ...]]  # by section
    rcode: str
    fall: tuple[str, ...]

    def values(self, request: Request) -> dict[str, str] | None:
        """Return what the expressions stand for, None if the name fits no pattern."""
        found = next((m for each in self.patterns if (m := each.search(request.name))), None)
        if found is None:
            return None
        values = {
            ".Name": request.name,
            ".Zone": matches(request.name, self.zones),
            ".Class": request.klass,
            ".Type": request.type,
            ".Remote": request.client,
            "index .Match 0": found[0],
        }
        values |= {f"index .Match {n}": text or "" for n, text in enumerate(found.groups(), 1)}
        return values | {f".Group.{k}": text or "" for k, text in found.groupdict().items()}

    def is_for(self, request: Request) -> bool:
        """Say whether class, type and zone of a question are the stanza's."""
        return (
            bool(matches(request.name, self.zones))
            and self.klass in ("ANY", request.klass)
            and self.type in ("ANY", request.type)
        )


class Template:
    """Answers by its patterns."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._next, self._site = following, site
        self._patterns = tuple(_pattern(stanza, site.zones) for stanza in stanzas)

    async def serve(self, request: Request) -> Answer:
        """Return what the first stanza that fits makes of the question."""
        for pattern in self._patterns:
            if not pattern.is_for(request):
                continue
            values = pattern.values(request)
            if values is not None:
                return await self._answer(pattern, values, request)
            if not matches(request.name, pattern.fall):
                raise Failure(SERVFAIL)
        return await self._next(request)

    async def _answer(self, pattern: Pattern, values: dict[str, str], request: Request) -> Answer:
        if pattern.rcode == SERVFAIL:
            raise Failure(SERVFAIL)
        sections: dict[str, tuple[Record, ...]] = {}
        for name in SECTIONS:
            try:
                records = [_record(filled(text, values)) for text in pattern.texts.get(name, ())]
            except ValueError as error:
                raise Failure(SERVFAIL, f"{error}") from None
            sections[name] = tuple(records)
        aliases = [record for record in sections["answer"] if record.type == "CNAME"]
        if aliases and request.type in ("A", "AAAA"):
            target = await self._site.resolve(request.about(aliases[-1].data))
            sections["answer"] += target.answers
        return Answer(
            pattern.rcode,
            sections["answer"],
            sections["authority"],
            sections["additional"],
            authoritative=True,
        )


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return the text with every expression replaced; raises ValueError for one without a value.

    >>> filled("10.0.0.{{ parseInt .Group.d 16 8 }}", {".Group.d": "ff"})
    '10.0.0.255'
    """

    def value(found: re.Match[str]) -> str:
        words = found[1].split()
        if words[:1] == ["parseInt"] and len(words) == 4:
            number = int(values.get(words[1], words[1]), int(words[2]))
            if number >> int(words[3]):
                raise ValueError(f'strconv.ParseUint: parsing "{number}": value out of range')
            return str(number)
        known = values.get(" ".join(words))
        if known is None:
            raise ValueError(f'template: answer: "{found[1]}" has no value')
        return known

    return EXPRESSION.sub(value, text)


def _pattern(stanza: Plugin, zones: tuple[str, ...]) -> Pattern:
    if len(stanza.args) < 2:
        raise stanza.head.wrong_count()
    klass, kind, *rest = stanza.args
    if klass.upper() not in CLASSES:
        raise stanza.head.wrong(f"invalid query class {klass}")
    if kind.upper() not in TYPES:
        raise stanza.head.wrong(f"invalid RR class {kind}")
    texts: dict[str, tuple[str, ...]] = {}
    patterns: list[re.Pattern[str]] = []
    rcode, fall = NOERROR, tuple[str, ...]()
    for setting in stanza.settings:
        if setting.name == "fallthrough":
            fall = tuple(map(absolute, setting.words)) or (".",)
        elif setting.name == "rcode":
            rcode = setting.one().upper()
            if rcode not in RCODES:
                raise setting.wrong(f"unknown rcode {setting.words[0]}")
        elif setting.name == "match":
            patterns += [_compiled(word, setting) for word in setting.words]
        elif setting.name in SECTIONS:
            if not setting.words:
                raise setting.wrong_count()
            for text in setting.words:
                _check_expressions(text, setting)
            texts[setting.name] = (*texts.get(setting.name, ()), *setting.words)
        elif setting.name not in ("ederror", "upstream"):
            raise setting.wrong_count()
    return Pattern(
        klass.upper(),
        kind.upper(),
        all_zones(rest) or zones,
        tuple(patterns) or (re.compile(".*"),),
        texts,
        rcode,
        fall,
    )


def _compiled(word: str, setting: Setting) -> re.Pattern[str]:
    try:
        return re.compile(word)
    except re.error as error:
        raise setting.wrong(f"could not parse regex: {word}, {error}") from None


def _check_expressions(text: str, setting: Setting) -> None:
    for expression in EXPRESSION.findall(text):
        known = expression in FIELDS or re.fullmatch(
            r"\.Group\.\w+|index \.Match \d+|parseInt \S+ \d+ \d+", expression
        )
        if not known:
            raise setting.wrong(
                f"could not compile template: {text}, the lab does not know {expression!r}"
            )


def _record(text: str) -> Record:
    """Return a record from its line in a zone file. Raises ValueError."""
    import dns.exception
    import dns.name
    import dns.rdata

    name, *words = text.replace("(", " ").replace(")", " ").split()
    ttl = int(words.pop(0)) if words and words[0].isdigit() else DEFAULT_TTL
    klass = words.pop(0).upper() if words and words[0].upper() in CLASSES else "IN"
    kind = words.pop(0).upper() if words else ""
    try:
        data = dns.rdata.from_text(
            "IN", kind, " ".join(words), origin=dns.name.root, relativize=False
        )
    except (dns.exception.DNSException, ValueError):
        raise Wrong(f"dns: bad RR: {text!r}") from None
    return Record(absolute(name), kind, ttl, data.to_text(), klass)
