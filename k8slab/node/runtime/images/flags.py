"""Command-line flags in Go's style: -name=value, --name value, --switch.

Upstream: Go flag, github.com/spf13/pflag
"""

from __future__ import annotations

from collections.abc import Sequence


def parse_flags(args: Sequence[str]) -> dict[str, str]:
    """Return the flags by name; one without a value is "true", others are ignored.

    >>> parse_flags(["-text=hi", "--port", "80", "--verbose"])
    {'text': 'hi', 'port': '80', 'verbose': 'true'}
    """
    found: dict[str, str] = {}
    for number, word in enumerate(args):
        if not word.startswith("-"):
            continue
        name, equals, value = word.lstrip("-").partition("=")
        following = args[number + 1] if number + 1 < len(args) else "-"
        found[name] = value if equals else ("true" if following.startswith("-") else following)
    return found
