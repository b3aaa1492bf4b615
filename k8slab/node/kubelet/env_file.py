r"""Variables from a file that another container of the Pod has written: `fileKeyRef`.

    # a comment
    MODE='fast'
    MOTTO='one line
    and another'

Names are at the beginning of a line, values in single quotes; nothing else may stand in the file.

Rule of use: pure; ValueError for a file that does not keep to this.

Upstream: pkg/kubelet/util/env (ParseEnv)
"""

from __future__ import annotations

import re

_VARIABLE = re.compile(r"([A-Za-z0-9_.-]+)='([^']*)'[ \t]*(?:\n|\Z)")
_NOTHING = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")


def parse_env_file(text: str) -> dict[str, str]:
    r"""Return the file's variables; of two with one name the last counts.

    >>> parse_env_file("# mode\nMODE='fast'\n")
    {'MODE': 'fast'}
    """
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _VARIABLE.match(text, position)
        if match is not None:
            found[match[1]] = match[2]
        else:
            match = _NOTHING.match(text, position)
        if match is None:
            raise ValueError("couldn't parse env file")
        position = match.end()
    return found
