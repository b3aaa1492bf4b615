"""The words of an iptables line: options with their arguments, quotes and negations.

`split` divides a line into `Item`s and knows the long names of options, nothing of their meaning.

Rule of use: what cannot be understood is an `IptablesError` in iptables' words.

Upstream: iptables iptables/xshared.c
"""

from __future__ import annotations

import re

import msgspec

from k8slab.linux.addresses import ALL_ONES
from k8slab.linux.matches import quote

WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
LONG = {
    "--source": "-s", "--src": "-s", "--destination": "-d", "--dst": "-d",
    "--in-interface": "-i", "--out-interface": "-o", "--protocol": "-p", "--proto": "-p",
    "--match": "-m", "--jump": "-j", "--goto": "-g",
    "--destination-port": "--dport", "--source-port": "--sport",
    "--destination-ports": "--dports", "--source-ports": "--sports",
}  # fmt: skip


class IptablesError(ValueError):
    """A line that iptables would refuse; says which one and why."""


class Item(msgspec.Struct, gc=False):
    """An option with its arguments."""

    option: str
    words: list[str]
    negated: bool = False

    @property
    def word(self) -> str:
        """The one argument. Raises IptablesError without one."""
        if not self.words:
            raise IptablesError(f'option "{self.option}" requires an argument')
        return self.words[0]

    def __str__(self) -> str:
        words = [quote(word) if " " in word or not word else word for word in self.words]
        return " ".join([*(["!"] if self.negated else []), self.option, *words])


def split(text: str) -> list[Item]:
    """Divide a line into options with their arguments; quotes keep words together."""
    items: list[Item] = []
    negated = False
    for word, quoted in _words(text):
        if word == "!" and not quoted:
            negated = True
        elif not quoted and len(word) > 1 and word[0] == "-" and not word[1].isdigit():
            items.append(Item(LONG.get(word, word), [], negated))
            negated = False
        elif items:
            items[-1].words.append(word)
            if negated:  # the old spelling: --dport ! 80
                items[-1].negated, negated = True, False
        else:
            raise IptablesError(f'Bad argument "{word}"')
    return items


def _words(text: str) -> list[tuple[str, bool]]:
    if '"' not in text:
        return [(word, False) for word in text.split()]
    found: list[tuple[str, bool]] = []
    for match in WORD.finditer(text):
        if match.group(2) is None:
            found.append((re.sub(r"\\(.)", r"\1", match.group(1)), True))
        else:
            found.append((match.group(2), False))
    return found


def value_and_mask(text: str) -> tuple[int, int]:
    """Return the numbers of `0x4000/0x4000`; without a mask, all bits."""
    value, slash, mask = text.partition("/")
    return int(value, 0), int(mask, 0) if slash else ALL_ONES
