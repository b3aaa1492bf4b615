"""The tools that are builtins of the shell and programs too: echo, test, printf, kill and so on.

Rule of use: `NAMES` is the list; each is a program like any other.

Upstream: busybox coreutils/echo.c, coreutils/test.c, coreutils/printf.c, procps/kill.c
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from k8slab.node.runtime.process import SIGNALS, Process

_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "\\": "\\",
    "a": "\a",
    "b": "\b",
    "0": "\0",
    "e": "\x1b",
}


async def echo(process: Process) -> int:
    """Print the arguments; -n without a newline, -e with escapes."""
    words = list(process.args[1:])
    options = ""
    while words and re.fullmatch(r"-[neE]+", words[0]):
        options += words.pop(0)[1:]
    text = " ".join(words)
    process.stdout.write((unescape(text) if "e" in options else text) + "\n" * ("n" not in options))
    return 0


async def printf(process: Process) -> int:
    """Print a format: %s %b %d %i %u %x %X %o %c %f %e %g %% and escapes."""
    if len(process.args) < 2:
        process.error("printf: usage: printf FORMAT [ARG...]")
        return 1
    process.stdout.write(formatted(unescape(process.args[1]), process.args[2:]))
    return 0


def formatted(form: str, arguments: Sequence[str], *, repeat: bool = True) -> str:
    """Fill a format in, again and again until all arguments are used.

    >>> formatted("%s-%03d|", ["a", "7", "b", "8"]), formatted("%5.2f%%", ["3.14159"])
    ('a-007|b-008|', ' 3.14%')
    """
    left, shown = list(arguments), ""

    def conversion(found: re.Match[str]) -> str:
        flags, kind = found[1], found[2]
        if kind == "%":
            return "%"
        if "*" in flags:
            flags = flags.replace("*", left.pop(0) if left else "", 1)
        value = left.pop(0) if left else ""
        if kind in "diuxXo":
            return f"%{flags}{kind.replace('u', 'd')}" % int(_leading(value))
        if kind in "feEgG":
            return f"%{flags}{kind}" % _leading(value)
        return f"%{flags}s" % {"c": value[:1], "b": unescape(value)}.get(kind, value)

    while True:
        before = len(left)
        shown += re.sub(r"%([-+ #0-9.*]*)([sbdiuxXocfeEgG%])", conversion, form)
        if not repeat or not left or len(left) == before:
            return shown


def _leading(text: str) -> float:
    """Return the number that a text begins with; a quote gives the code of a character."""
    if text[:1] in ("'", '"') and len(text) > 1:
        return float(ord(text[1]))
    if re.match(r"0[xX][0-9a-fA-F]", text):
        return float(int(text, 16))
    found = re.match(r"\s*[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+)", text)
    return float(found[0]) if found is not None else 0.0


def unescape(text: str) -> str:
    r"""Return the text with \n, \t and their like made real."""
    return re.sub(r"\\([ntr\\ab0e])", lambda found: _ESCAPES[found[1]], text)


async def true_(process: Process) -> int:
    """Do nothing, successfully."""
    return 0


async def false_(process: Process) -> int:
    """Do nothing, unsuccessfully."""
    return 1


async def pwd(process: Process) -> int:
    """Print the working directory."""
    process.log(process.working_dir)
    return 0


async def which(process: Process) -> int:
    """Print where a program is."""
    for name in process.args[1:]:
        if process.find(name) is None:
            return 1
        process.log(f"/bin/{name}")
    return 0


async def kill(process: Process) -> int:
    """Send a signal: `kill [-TERM | -9 | -s NAME] pid`."""
    number, targets = SIGNALS["TERM"], list(process.args[1:])
    while targets and targets[0].startswith("-"):
        option = targets.pop(0)[1:]
        name = targets.pop(0) if option == "s" and targets else option
        number = int(name) if name.isdigit() else SIGNALS.get(name.removeprefix("SIG"), number)
    status, namespace = 0, process.container.pids
    for target in targets:
        found = namespace.processes.get(int(target)) if target.isdigit() else None
        if found is None:
            process.error(f"kill: can't kill pid {target}: No such process")
            status = 1
        elif number and found.pid == found.container.main_pid:
            found.container.kill(number)
    return status


# -- test


async def test(process: Process) -> int:
    """Say whether a condition holds: files, strings, numbers, `!`, -a and -o."""
    words = list(process.args[1:])
    name = process.args[0]
    if name in ("[", "[[") and (not words or words.pop() != name.replace("[", "]")):
        process.error(f"{name}: missing ]")
        return 2
    try:
        return int(not holds(process, words))
    except ValueError as error:
        process.error(f"sh: {error}")
        return 2


def holds(process: Process, words: list[str]) -> bool:
    """Say whether the condition holds. Raises ValueError in the shell's words."""
    for operator, join in (("-o", any), ("-a", all)):
        if operator in words[1:-1]:
            at = words.index(operator, 1)
            parts = [holds(process, words[:at]), holds(process, words[at + 1 :])]
            return join(parts)
    if words[:1] == ["!"]:
        return not holds(process, words[1:])
    if len(words) == 3:
        return _binary(*words)
    if len(words) == 2:
        return _unary(process, *words)
    if len(words) > 3:
        raise ValueError(f"{words[1]}: unknown operand")
    return bool(words and words[0])


def _unary(process: Process, operator: str, word: str) -> bool:
    if operator == "-n":
        return bool(word)
    if operator == "-z":
        return not word
    folder, rest = process.folder(word)
    is_file = rest in folder.files
    if operator in ("-f", "-s"):
        return is_file and (operator == "-f" or bool(folder.files[rest]))
    if operator == "-d":
        return not is_file and process.exists(word)
    if operator == "-x" and process.find(word) is not None and "/" in word:
        return True  # programs are no files in the lab
    if operator in ("-e", "-r", "-w", "-x"):
        return process.exists(word)
    raise ValueError(f"{word}: unknown operand")


def _binary(a: str, operator: str, b: str) -> bool:
    if operator in ("=", "=="):
        return a == b
    if operator == "!=":
        return a != b
    if operator not in _NUMBERS:
        raise ValueError(f"{operator}: unknown operand")
    for word in (a, b):
        if not re.fullmatch(r"\s*[-+]?[0-9]+\s*", word):
            raise ValueError(f"bad number '{word}'" if word else "out of range")
    return _NUMBERS[operator](int(a), int(b))


_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b, "-ne": lambda a, b: a != b, "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b, "-gt": lambda a, b: a > b, "-ge": lambda a, b: a >= b,
}  # fmt: skip

NAMES: dict[str, Callable[[Process], Awaitable[int]]] = {
    "[": test, "[[": test, "echo": echo, "false": false_, "kill": kill, "printf": printf,
    "pwd": pwd, "test": test, "true": true_,
}  # fmt: skip
