r"""Warning headers: what the server wants people to know, beside any answer.

    Warning: 299 - "unknown field \"spec.replicsa\""

Too many words are cut: above 4,096 characters in all, each warning keeps its first 256 and those
that come after are dropped.

Rule of use: `headers_of(texts)` gives the headers of one answer.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/filters/warning.go,
staging/src/k8s.io/apimachinery/pkg/util/net/http.go (NewWarningHeader)
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from k8slab.gateway.messages import Headers

CODE, NO_AGENT = 299, "-"
MOST_IN_ALL, MOST_OF_ONE = 4096, 256  # characters


def headers_of(texts: Iterable[str]) -> Headers:
    r"""Return a header for each text that is not empty, the first time that it comes.

    >>> headers_of(["unknown field \"a\"", "", "unknown field \"a\""])
    (('Warning', '299 - "unknown field \\"a\\""'),)
    """
    wanted = [text for text in dict.fromkeys(texts) if text]
    if sum(len(text) for text in wanted if _can_be_sent(text)) > MOST_IN_ALL:
        wanted = _cut(wanted)
    return tuple(("Warning", _header(text)) for text in wanted if _can_be_sent(text))


def _cut(texts: list[str]) -> list[str]:
    """Return the beginnings of texts, until there are enough."""
    kept: list[str] = []
    written = 0
    for text in texts:
        if written >= MOST_IN_ALL:
            break
        short = text[:MOST_OF_ONE]
        kept.append(short)
        written += len(short) if _can_be_sent(short) else 0
    return kept


def _can_be_sent(text: str) -> bool:
    """Say whether a header may have the text: no control characters, no half characters."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def _header(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'{CODE} {NO_AGENT} "{quoted}"'
