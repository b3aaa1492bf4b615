"""Reads the text of one nftables rule.

    ct state new jump firewall-check
    ip saddr != { 10.0.0.0/8, 192.168.1.0/24 } drop comment "who may not come in"

Both ways of writing are understood: that of programs (`mark set mark or 0x4000`) and that of
`nft list` (`meta mark set meta mark | 0x00004000`).

Rule of use: through `nft_rule.parse_rule`.

Upstream: nftables src/parser_bison.y, src/scanner.l
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from k8slab.linux.nft import NftError
from k8slab.linux.nft_rule import (
    FIELDS,
    Compare,
    Counter,
    Die,
    Log,
    MarkIs,
    NftRule,
    RejectWith,
    SetMark,
    State,
    Statement,
    Translate,
    Unknown,
    Update,
    Verdict,
    VerdictMap,
)
from k8slab.linux.targets import Nat

ALL_BITS = 0xFFFFFFFF
_TOKEN = re.compile(r'"[^"]*"|\{[^}]*\}|[^\s{}"]+')
_BIT_SIGNS = {"or": "|", "xor": "^", "and": "&", "|": "|", "^": "^", "&": "&"}
_NAT_FLAGS = {"random": "random", "fully-random": "random_fully", "persistent": "persistent"}
_ADDRESS = re.compile(r"([0-9.]+(?:-[0-9.]+)?|\[[0-9a-f:]+\])?(?::(\d+)(?:-(\d+))?)?")


class Parser:
    """One rule, word by word."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words: list[str] = _TOKEN.findall(text)

    def rule(self) -> NftRule:
        """Return the whole rule. Raises NftError."""
        statements: list[Statement] = []
        comment = ""
        while self._words:
            if self._words[0] == "comment" and len(self._words) == 2:
                comment = self._words[1].strip('"')
                break
            statements.append(self._statement())
        return NftRule(tuple(statements), comment)

    def _statement(self) -> Statement:
        words, before = self._words, list(self._words)
        try:
            reader = _STATEMENTS.get(words[0])
            found = reader(self) if reader else self._condition()
        except IndexError:
            raise NftError(f"syntax error, unexpected end of the rule {self._text!r}") from None
        if found is None:
            self._words = []
            found = Unknown(" ".join(before))
        return found

    def _next(self) -> str:
        return self._words.pop(0)

    def _take(self, *words: str) -> bool:
        """Take the words if they come next."""
        if self._words[: len(words)] != list(words):
            return False
        del self._words[: len(words)]
        return True

    # -- conditions

    def _condition(self) -> Statement | None:
        if self._words[:2] in (["ct", "state"], ["ct", "status"]):
            return self._state()
        if self._take("numgen", "random", "mod"):
            return self._die(int(self._next()))
        if self._take("meta", "mark") or self._take("mark"):
            return self._mark()
        fields = self._fields()
        if not fields:
            return None
        if self._take("vmap"):
            return self._verdict_map(fields, 0)
        negated = self._take("!=")
        if not negated:
            self._take("==")
        value = self._next()
        if value.startswith("@"):
            return Compare(fields, set_name=value[1:], negated=negated)
        if value == "@":
            return Compare(fields, set_name=self._next(), negated=negated)
        values = tuple(_items(value)) if value.startswith("{") else (value,)
        return Compare(fields, values, negated=negated)

    def _die(self, modulus: int) -> Statement | None:
        if self._take("vmap"):
            return self._verdict_map((), modulus)
        sign = self._next() if self._words[0] in ("==", "!=", "<") else "=="
        value = self._next()
        return Die(modulus, sign, int(value)) if value.isdigit() else None

    def _fields(self) -> tuple[str, ...]:
        """Return the fields that come next, joined by dots; none if one is not known."""
        found: list[str] = []
        while True:
            field = next((f for length in (4, 3, 2, 1) if (f := self._field(length))), "")
            if not field:
                return ()
            found.append(field)
            if not self._take("."):
                return tuple(found)

    def _field(self, length: int) -> str:
        words = self._words[:length]
        name = " ".join(words).removeprefix("meta ") if length == 2 else " ".join(words)
        name = name if name in FIELDS else " ".join(words)
        if len(words) < length or name not in FIELDS:
            return ""
        del self._words[:length]
        return name

    def _state(self) -> Statement:
        self._next()
        word = self._next()
        negated = self._take("!=")
        value = self._next()
        states = _items(value) if value.startswith("{") else value.split(",")
        return State(word, tuple(states), negated)

    def _mark(self) -> Statement | None:
        if self._take("set"):
            return self._set_mark()
        mask = ALL_BITS
        if self._words[0] in ("and", "&"):
            self._next()
            mask = int(self._next(), 0)
        negated = self._take("!=")
        if not negated:
            self._take("==")
        return MarkIs(int(self._next(), 0), mask, negated)

    def _set_mark(self) -> Statement | None:
        if not (self._take("meta", "mark") or self._take("mark")):
            value = self._next()
            return SetMark(0, int(value, 0)) if value[0].isdigit() else None
        sign = _BIT_SIGNS[self._next()]
        value_ = int(self._next(), 0)
        keep = {"|": ALL_BITS & ~value_, "^": ALL_BITS, "&": value_}[sign]
        return SetMark(keep, 0 if sign == "&" else value_, sign)

    # -- what a rule does

    def _verdict_map(self, fields: tuple[str, ...], modulus: int) -> Statement:
        value = self._next()
        if value.startswith("@"):
            name = value[1:] or self._next()
            return VerdictMap(fields, map_name=name, modulus=modulus)
        pairs = [each.partition(" : ") for each in _items(value)]
        choices = tuple((key.strip(), verdict.strip()) for key, _, verdict in pairs)
        return VerdictMap(fields, choices=choices, modulus=modulus)

    def verdict(self) -> Statement:
        """accept, drop, return, continue, jump CHAIN, goto CHAIN."""
        word = self._next()
        return Verdict(word, self._next() if word in ("jump", "goto") else "")

    def reject(self) -> Statement:
        """Reject [with icmp [type] NAME | with tcp reset]."""
        self._next()
        if not self._take("with"):
            return RejectWith()
        kind = self._next()
        self._take("type")
        name = self._next()
        return RejectWith(f"{'icmp' if kind == 'icmpx' else kind}-{name}")

    def translate(self) -> Statement | None:
        """dnat, snat, masquerade, redirect, each with an address, ports and flags."""
        kind = self._next().upper()
        self._take("ip")
        ips: tuple[str, ...] = ()
        ports: tuple[int, int] | None = None
        if self._take("to"):
            found = _ADDRESS.fullmatch(self._next())
            if found is None:
                return None
            ips = tuple(found[1].strip("[]").split("-")) if found[1] else ()
            ports = (int(found[2]), int(found[3] or found[2])) if found[2] else None
        flags: dict[str, bool] = {}
        while self._words and self._words[0].split(",")[0] in _NAT_FLAGS:
            words = self._next().strip(",").split(",")
            flags |= {_NAT_FLAGS[word]: True for word in words if word in _NAT_FLAGS}
        return Translate(Nat(kind, ips, ports, **flags))

    def update(self) -> Statement | None:
        """Update @SET { FIELDS }."""
        word, name = self._next(), self._next()
        inner = Parser(self._next().strip("{} "))
        fields = inner._fields()
        return Update(name.removeprefix("@"), fields, word) if fields and not inner._words else None

    def counter(self) -> Statement | None:
        """Counter [packets N bytes N]."""
        self._next()
        if not self._take("packets"):
            return Counter()
        packets = int(self._next())
        return Counter(packets, int(self._next())) if self._take("bytes") else None

    def log(self) -> Statement:
        """Log [prefix TEXT] [group N] [level NAME] [flags NAME]."""
        words = [self._next()]
        while self._words and self._words[0] in ("prefix", "group", "level", "flags", "snaplen"):
            words += [self._next(), self._next()]
        return Log(" ".join(words))


def _items(braces: str) -> list[str]:
    return [each.strip() for each in braces.strip("{} ").split(",") if each.strip()]


_STATEMENTS: Mapping[str, Callable[[Parser], Statement | None]] = {
    **dict.fromkeys(("accept", "drop", "return", "continue", "jump", "goto"), Parser.verdict),
    **dict.fromkeys(("dnat", "snat", "masquerade", "redirect"), Parser.translate),
    **dict.fromkeys(("update", "add"), Parser.update),
    "reject": Parser.reject,
    "counter": Parser.counter,
    "log": Parser.log,
}
