"""Text: grep, head, tail, cut, sort and what else stands in pipelines.

Rule of use: awk.py and sed.py are languages of their own.

Upstream: busybox findutils/grep.c, coreutils/
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from k8slab.node.runtime.images.busybox.arguments import UsageError, contents, options
from k8slab.node.runtime.process import Process

CLASSES = {
    "[:space:]": r"\s", "[:digit:]": "0-9", "[:alpha:]": "a-zA-Z", "[:alnum:]": "a-zA-Z0-9",
    "[:upper:]": "A-Z", "[:lower:]": "a-z", "[:blank:]": " \t", "[:xdigit:]": "0-9a-fA-F",
    "[:punct:]": r"!-/:-@\[-`{-~",
}  # fmt: skip
FOLLOW = 1.0  # s, how often `tail -f` looks at the file


async def grep(process: Process) -> int:
    """Print the lines that match; -i -v -q -c -n -o -E -F -w -m N; exit code 1 if there is none."""
    found, rest = options(process, "ivqcnoEFwsrhH", "mAeB")
    pattern = found.get("e") or rest.pop(0)
    pattern = re.escape(pattern) if "F" in found else basic_regex(pattern, "E" in found)
    matcher = re.compile(rf"\b(?:{pattern})\b" if "w" in found else pattern, "i" in found and re.I)
    count, limit = 0, int(found.get("m") or 0)
    async for number, line in _lines(process, rest):
        match = matcher.search(line)
        if (match is None) != ("v" in found):
            continue
        count += 1
        if not {"q", "c"} & found.keys():
            shown = match[0] if match is not None and "o" in found else line
            process.log(f"{number}:{shown}" if "n" in found else shown)
        if "q" in found or count == limit:
            break
    if "c" in found:
        process.log(str(count))
    return 0 if count else 1


def basic_regex(pattern: str, extended: bool) -> str:
    r"""Return a POSIX pattern in Python's syntax.

    >>> basic_regex(r"a\|b", False), basic_regex("a+b", False)
    ('a|b', 'a\\+b')
    """
    pattern = classes(pattern)
    if extended:
        return pattern
    swapped = r"\\?[+?|(){}]"
    return re.sub(swapped, lambda m: m[0][1:] if len(m[0]) > 1 else "\\" + m[0], pattern)


def classes(pattern: str) -> str:
    """Return an extended POSIX pattern in Python's syntax: its named classes written out."""
    for name, members in CLASSES.items():
        pattern = pattern.replace(name, members)
    return pattern


async def head(process: Process) -> int:
    """Print the first lines (-n, 10) or bytes (-c)."""
    found, rest = _counted(process, "n", "c")
    if "c" in found:
        text, code = await contents(process, rest)
        process.stdout.write(text[: int(found["c"])])
        return code
    limit = int(found.get("n", 10))
    async for number, line in _lines(process, rest):
        if number > limit:
            break
        process.log(line)
        if number == limit:
            break
    return 0


async def tail(process: Process) -> int:
    """Print the last lines (-n, 10; +N from line N); -f goes on as the file grows."""
    if process.pid == 1:
        process.handle_sigterm()
    follow = any(word in ("-f", "-F") for word in process.args)
    process.args = tuple(word for word in process.args if word not in ("-f", "-F"))
    found, rest = _counted(process, "n", "c")
    if rest == ["/dev/null"]:  # the usual way to keep a container alive
        text, code = "", 0
    else:
        text, code = await contents(process, rest)
    lines = text.splitlines()
    count = found.get("n", "10")
    for line in lines[int(count) - 1 :] if count.startswith("+") else lines[-int(count) :]:
        process.log(line)
    while follow:
        await process.sleep(FOLLOW)
        now = process.read(rest[0]) if rest and process.exists(rest[0]) else ""
        process.stdout.write(now[len(text) :])
        text = now
    return code


async def wc(process: Process) -> int:
    """Count lines, words and bytes; -l -w -c choose."""
    found, rest = options(process, "lwcm")
    text, code = await contents(process, rest)
    counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(text.encode())}
    chosen = [str(counts[letter]) for letter in counts if letter in found or not found]
    process.log(" ".join([*chosen, *rest]) if len(chosen) == 1 else f"{' '.join(chosen)}")
    return code


async def seq(process: Process) -> int:
    """Count: seq LAST, seq FIRST LAST, seq FIRST STEP LAST; -s gives the separator."""
    found, rest = options(process, "w", "s")
    numbers = [int(word) for word in rest]
    first, step, last = (1, 1, 1)
    if len(numbers) == 1:
        last = numbers[0]
    elif len(numbers) == 2:
        first, last = numbers
    else:
        first, step, last = numbers
    values = range(first, last + (1 if step > 0 else -1), step)
    if values:
        process.log(found.get("s", "\n").join(str(value) for value in values))
    return 0


async def cut(process: Process) -> int:
    """Print fields (-d, -f) or characters (-c) of each line."""
    found, rest = options(process, "s", "dfc")
    async for _, line in _lines(process, rest):
        if "c" in found:
            process.log("".join(_picked(list(line), found["c"])))
        else:
            mark = found.get("d", "\t")
            parts = line.split(mark)
            process.log(mark.join(_picked(parts, found["f"])) if len(parts) > 1 else line)
    return 0


def _picked(parts: list[str], ranges: str) -> list[str]:
    """Return the parts that a list such as "1,3-" names, counted from 1."""
    chosen = []
    for number, part in enumerate(parts, 1):
        for piece in ranges.split(","):
            low, dash, high = piece.partition("-")
            if int(low or 1) <= number <= int((high or len(parts)) if dash else low):
                chosen.append(part)
                break
    return chosen


async def sort(process: Process) -> int:
    """Sort the lines; -n by number, -r backwards, -u each once, -k by a field that -t separates."""
    found, rest = options(process, "nruV", "kt")
    text, code = await contents(process, rest)
    field = re.match(r"(\d+)(?:\.\d+)?(?:,\d+)?([nr]*)", found.get("k", ""))
    flags = {*found, *(field[2] if field is not None else "")}

    def key(line: str) -> tuple[float, str]:
        part = line
        if field is not None:
            parts = line.split(found.get("t"))
            part = " ".join(parts[int(field[1]) - 1 :]) if int(field[1]) <= len(parts) else ""
        if not flags & {"n", "V"}:
            return 0.0, part
        numeric = re.match(r"\s*(-?\d+(?:\.\d+)?)", part)
        return float(numeric[1]) if numeric is not None else 0.0, part

    lines = text.splitlines()
    if "u" in found:
        lines = list({key(line): line for line in reversed(lines)}.values())
    for line in sorted(lines, key=key, reverse="r" in flags):
        process.log(line)
    return code


async def rev(process: Process) -> int:
    """Print each line from its end to its beginning."""
    async for _, line in _lines(process, list(process.args[1:])):
        process.log(line[::-1])
    return 0


async def uniq(process: Process) -> int:
    """Drop a line that equals the one before; -c counts."""
    found, rest = options(process, "cd")
    text, code = await contents(process, rest)
    runs: list[tuple[str, int]] = []
    for line in text.splitlines():
        if runs and runs[-1][0] == line:
            runs[-1] = (line, runs[-1][1] + 1)
        else:
            runs.append((line, 1))
    for line, count in runs:
        process.log(f"{count:>7} {line}" if "c" in found else line)
    return code


async def tr(process: Process) -> int:
    """Replace characters by others, delete them (-d), squeeze runs of them (-s); -c: all others."""
    found, rest = options(process, "dsc")
    text = await process.stdin.read() if process.stdin is not None else ""
    if not rest or (len(rest) < 2 and not {"d", "s"} & found.keys()):
        raise UsageError("tr: missing operand")
    source = _characters(rest[0])
    if "c" in found:
        source = "".join(sorted({*text} - {*source}))
    if "d" in found:
        text = "".join(char for char in text if char not in source)
    elif len(rest) > 1:
        target = _characters(rest[1])
        target += target[-1:] * (len(source) - len(target))
        text = text.translate(str.maketrans(source, target[: len(source)]))
        source = target
    if "s" in found:
        squeezed = _characters(rest[1]) if "d" in found and len(rest) > 1 else source
        text = re.sub(
            r"(.)\1+", lambda run: run[1] if run[1] in squeezed else run[0], text, flags=re.S
        )
    process.stdout.write(text)
    return 0


def _characters(text: str) -> str:
    from k8slab.node.runtime.images.busybox.standalone import unescape

    names = {"[:upper:]": "A-Z", "[:lower:]": "a-z", "[:digit:]": "0-9", "[:space:]": " \t\n"}
    names |= {"[:alpha:]": "A-Za-z", "[:alnum:]": "A-Za-z0-9"}
    for name, members in names.items():
        text = text.replace(name, members)
    return re.sub(
        r"(.)-(.)",
        lambda found: "".join(chr(code) for code in range(ord(found[1]), ord(found[2]) + 1)),
        unescape(text),
    )


async def _lines(process: Process, paths: list[str]) -> AsyncIterator[tuple[int, str]]:
    """Yield the lines of the files, or of the input as they come, counted from 1."""
    if paths or process.stdin is None:
        text, _ = await contents(process, paths)
        for number, line in enumerate(text.splitlines(), 1):
            yield number, line
        return
    number = 0
    while (typed := await process.stdin.read_line()) is not None:
        number += 1
        yield number, typed


def _counted(process: Process, *valued: str) -> tuple[dict[str, str], list[str]]:
    """Read the options of head and tail, which know -5 for -n 5."""
    process.args = tuple(
        f"-n{word[1:]}" if re.fullmatch(r"-\d+", word) else word for word in process.args
    )
    return options(process, "q", "".join(valued))
