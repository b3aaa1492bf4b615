"""Numbers and digests: expr, base64, md5sum, sha256sum.

Upstream: busybox coreutils/
"""

from __future__ import annotations

import base64 as codec
import hashlib
import operator
import re
from collections.abc import Callable

from k8slab.node.runtime.images.busybox.arguments import contents, options
from k8slab.node.runtime.process import Process

_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "/": lambda a, b: int(a / b), "%": lambda a, b: a - b * int(a / b),
}  # fmt: skip
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_ORDER = (("*", "/", "%"), ("+", "-"), tuple(_COMPARISONS))
LINE = 76  # characters of a line of base64


async def expr(process: Process) -> int:
    """Print the value of a sum, a comparison or a match; 1 if it is 0 or empty."""
    words = list(process.args[1:])
    try:
        if len(words) == 2 and words[0] == "length":
            words = [str(len(words[1]))]
        elif len(words) == 3 and words[1] == ":":
            words = [_match(words[0], words[2])]
        for operators in _ORDER:
            words = _folded(words, operators)
        (result,) = words
    except (ValueError, ZeroDivisionError) as error:
        division = isinstance(error, ZeroDivisionError)
        process.error("expr: division by zero" if division else "expr: syntax error")
        return 2
    process.log(result)
    return int(result in ("", "0"))


def _folded(words: list[str], operators: tuple[str, ...]) -> list[str]:
    """Compute what stands between these operators, from the left. Raises ValueError."""
    done = list(words)
    at = 1
    while at < len(done) - 1:
        if done[at] not in operators:
            at += 1
            continue
        sign, left, right = done[at], done[at - 1], done[at + 1]
        if sign in _ARITHMETIC:
            result = str(_ARITHMETIC[sign](int(left), int(right)))
        elif left.lstrip("-").isdigit() and right.lstrip("-").isdigit():
            result = str(int(_COMPARISONS[sign](int(left), int(right))))
        else:
            result = str(int((left == right) == (sign in ("=", "=="))))
        done[at - 1 : at + 2] = [result]
    return done


def _match(text: str, pattern: str) -> str:
    groups = pattern.replace(r"\(", "(").replace(r"\)", ")")
    found = re.match(groups, text)
    if "(" in groups:
        return found[1] if found is not None else ""
    return str(len(found[0])) if found is not None else "0"


async def base64(process: Process) -> int:
    """Write a file or the input in base64; -d reads it; -w 0 makes one line of it."""
    found, paths = options(process, "d", "w")
    text, code = await contents(process, paths)
    if "d" in found:
        process.stdout.write(codec.b64decode(text).decode(errors="replace"))
        return code
    whole = codec.b64encode(text.encode()).decode()
    width = int(found.get("w", LINE)) or len(whole)
    for start in range(0, len(whole), max(width, 1)):
        process.log(whole[start : start + width])
    return code


async def md5sum(process: Process) -> int:
    """Print the MD5 digests of files, or of the input."""
    return await _digest(process, lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest())


async def sha256sum(process: Process) -> int:
    """Print the SHA-256 digests of files, or of the input."""
    return await _digest(process, lambda data: hashlib.sha256(data).hexdigest())


async def _digest(process: Process, digest: Callable[[bytes], str]) -> int:
    status = 0
    for path in process.args[1:] or ("-",):
        text, code = await contents(process, [path])
        status = status or code
        if not code:
            process.log(f"{digest(text.encode())}  {path}")
    return status
