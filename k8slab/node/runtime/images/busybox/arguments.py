"""Reading a tool's options: letters, letters with a value, and what is left.

Rule of use: `options(process, "nl", "k")`: -n and -l are flags, -k has a value.

Upstream: busybox libbb/getopt32.c
"""

from __future__ import annotations

from k8slab.node.runtime.process import Process


class UsageError(Exception):
    """The arguments make no sense; the message is busybox's."""


def options(
    process: Process, flags: str = "", valued: str = "", long: tuple[str, ...] = ()
) -> tuple[dict[str, str], list[str]]:
    """Return the options (flags have the value "") and the other arguments.

    Long options are accepted by name; one that ends in "=" has a value, the values of one that ends
    in "=*" are gathered, a line each. Raises UsageError.
    """
    found: dict[str, str] = {}
    rest: list[str] = []
    words = list(process.args[1:])
    while words:
        word = words.pop(0)
        if word == "--":
            return found, rest + words
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if f"{name}=" in long or f"{name}=*" in long:
                value = value if equals else (words.pop(0) if words else "")
                before = f"{found[name]}\n" if name in found and f"{name}=*" in long else ""
                found[name] = before + value
            elif name in long:
                found[name] = ""
            else:
                raise UsageError(f"unrecognized option: {name}")
        elif word.startswith("-") and len(word) > 1:
            _letters(word[1:], words, flags, valued, found)
        else:
            rest.append(word)
    return found, rest


def _letters(text: str, words: list[str], flags: str, valued: str, found: dict[str, str]) -> None:
    while text:
        letter, text = text[0], text[1:]
        if letter in valued:
            if not text and not words:
                raise UsageError(f"option requires an argument -- {letter}")
            found[letter] = text or words.pop(0)
            return
        if letter not in flags:
            raise UsageError(f"unrecognized option: {letter}")
        found[letter] = ""


async def contents(process: Process, paths: list[str]) -> tuple[str, int]:
    """Return the text of the files, or of the input without any, and the exit code."""
    name = process.args[0].rpartition("/")[2]
    if not paths:
        return (await process.stdin.read() if process.stdin is not None else ""), 0
    parts, code = [], 0
    for path in paths:
        if path == "-":
            parts.append(await process.stdin.read() if process.stdin is not None else "")
            continue
        try:
            parts.append(process.read(path))
        except FileNotFoundError:
            what = "Is a directory" if process.exists(path) else "No such file or directory"
            process.error(f"{name}: can't open '{path}': {what}")
            code = 1
    return "".join(parts), code
