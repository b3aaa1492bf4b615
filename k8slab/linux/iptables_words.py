"""The words of an iptables line: options with their arguments, quotes and negations.

`sections` divides a line at -s -d -i -o -p -m -j -g, `split` a section into its options; neither
knows what an option means.

Rule of use: what cannot be understood is an `IptablesError` in iptables' words.

Upstream: iptables iptables/xshared.c
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from k8slab.linux.addresses import ALL_ONES
from k8slab.linux.matches import quote

WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
# what begins a section: the basic matches, and -m -j -g with the options of their modules
HEADS = {
    "-s": "-s", "--source": "-s", "--src": "-s", "-d": "-d", "--destination": "-d", "--dst": "-d",
    "-i": "-i", "--in-interface": "-i", "-o": "-o", "--out-interface": "-o",
    "-p": "-p", "--protocol": "-p", "--proto": "-p", "-f": "-f", "--fragment": "-f",
    "-m": "-m", "--match": "-m", "-j": "-j", "--jump": "-j", "-g": "-g", "--goto": "-g",
}  # fmt: skip
LONG = {
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


def sections(text: str) -> list[tuple[str, ...]]:
    """Divide a line at the options of HEADS: each section is "!" (perhaps), its head, its words.

    A word that stood in quotes keeps a quote in front, so that it is not taken for an option.

    >>> sections('! -s 10.0.0.1 -m comment --comment "a b" -j A')
    [('!', '-s', '10.0.0.1'), ('-m', 'comment', '--comment', '"a b'), ('-j', 'A')]
    """
    found: list[list[str]] = []
    negated = False
    for word in _words(text):
        head = HEADS.get(word)
        if head is not None:
            found.append(["!", head] if negated else [head])
            negated = False
        elif word == "!":
            negated = True
        elif found:
            found[-1] += ("!", word) if negated else (word,)
            negated = False
        elif word.startswith("-"):
            raise IptablesError(f'unknown option "{word}"')
        else:
            raise IptablesError(f'Bad argument "{word}"')
    return [tuple(section) for section in found]


def split(words: Iterable[str]) -> list[Item]:
    """Divide the words of a section into options with their arguments."""
    items: list[Item] = []
    negated = False
    for word in words:
        if word == "!":
            negated = True
        elif len(word) > 1 and word[0] == "-" and not word[1].isdigit():
            items.append(Item(LONG.get(word, word), [], negated))
            negated = False
        elif items:
            items[-1].words.append(word[1:] if word[0] == '"' else word)
            if negated:  # the old spelling: --dport ! 80
                items[-1].negated, negated = True, False
        else:
            raise IptablesError(f'Bad argument "{word}"')
    return items


def _words(text: str) -> list[str]:
    if '"' not in text:
        return text.split()
    if "\\" not in text:
        words: list[str] = []
        for number, part in enumerate(text.split('"')):
            if number % 2:
                words.append(f'"{part}')
            else:
                words += part.split()
        return words
    return [
        word if quoted is None else '"' + re.sub(r"\\(.)", r"\1", quoted)
        for quoted, word in (match.groups() for match in WORD.finditer(text))
    ]


def name_of(section: tuple[str, ...]) -> str:
    """Return what stands after the head: the name of a module, chain, device or protocol."""
    if section[0] == "!":
        raise IptablesError(f"unexpected ! flag before {section[1]}")
    if len(section) < 2:
        raise IptablesError(f'option "{section[0]}" requires an argument')
    name = section[1]
    if name[0] in '"!-' or name == "":
        raise IptablesError(f'Bad argument "{name[1:]}" after {section[0]}')
    return name


def value_and_mask(text: str) -> tuple[int, int]:
    """Return the numbers of `0x4000/0x4000`; without a mask, all bits."""
    value, slash, mask = text.partition("/")
    return int(value, 0), int(mask, 0) if slash else ALL_ONES
