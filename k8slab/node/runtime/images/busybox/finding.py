"""Finding files and doing something for each: find, xargs; and what changes files' rights.

Upstream: busybox findutils/{find,xargs}.c, coreutils/{chmod,chown}.c
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from k8slab.node.runtime.images.busybox.arguments import options
from k8slab.node.runtime.process import NOT_FOUND, Process


async def find(process: Process) -> int:
    """Print the paths below folders: `find /etc -name '*.conf' -type f`."""
    words = list(process.args[1:])
    roots = []
    while words and not words[0].startswith("-"):
        roots.append(words.pop(0))
    tests = dict(zip(words[::2], words[1::2], strict=False))
    status = 0
    for root in roots or ["."]:
        if not process.exists(root):
            process.error(f"find: {root}: No such file or directory")
            status = 1
            continue
        for path, is_folder in _below(process, root):
            if _wanted(path, is_folder, tests):
                process.log(path)
    return status


def _below(process: Process, root: str) -> list[tuple[str, bool]]:
    """Return all paths below a folder, itself first, and whether each is a folder."""
    folder, rest = process.folder(root)
    if rest in folder.files:
        return [(root, False)]
    found = {root: True}
    for name in folder.list(rest):
        inside = name[len(rest) :].strip("/").split("/")
        for depth in range(1, len(inside)):
            found[f"{root.rstrip('/')}/{'/'.join(inside[:depth])}"] = True
        if not inside[-1].startswith(".folder"):
            found[f"{root.rstrip('/')}/{'/'.join(inside)}"] = False
    return list(found.items())


def _wanted(path: str, is_folder: bool, tests: dict[str, str]) -> bool:
    if "-name" in tests and not fnmatchcase(path.rpartition("/")[2], tests["-name"]):
        return False
    return tests.get("-type") in (None, "d" if is_folder else "f")


async def xargs(process: Process) -> int:
    """Run a program with the words of the input as arguments; -n so many at a time, -I in place."""
    flags, words = dict[str, str](), list(process.args[1:])
    while words and words[0].startswith("-"):
        option, value = words[0][:2], words[0][2:]
        words = words[1:]
        if option in ("-n", "-I", "-P"):
            flags[option] = value or (words.pop(0) if words else "")
        else:
            flags[option] = value
    given = (await process.stdin.read()).split() if process.stdin is not None else []
    if not given and "-r" in flags:
        return 0
    words = words or ["echo"]
    program = process.find(words[0])
    if program is None:
        process.error(f"xargs: {words[0]}: No such file or directory")
        return NOT_FOUND
    at_once = 1 if "-I" in flags else int(flags.get("-n", len(given) or 1))
    status = 0
    for start in range(0, max(len(given), 1), at_once):
        chosen = given[start : start + at_once]
        if "-I" in flags:
            line = [word.replace(flags["-I"], " ".join(chosen)) for word in words]
        else:
            line = [*words, *chosen]
        status = await process.child(tuple(line)).run(program) or status
    return status


async def chmod(process: Process) -> int:
    """Take new rights of files; nobody asks for them here."""
    return _all_exist(process, options(process, "Rvcf")[1][1:])


async def chown(process: Process) -> int:
    """Take new owners of files; nobody asks for them here."""
    return _all_exist(process, options(process, "Rvcfh")[1][1:])


def _all_exist(process: Process, paths: list[str]) -> int:
    missing = [path for path in paths if not process.exists(path)]
    for path in missing:
        process.error(f"{process.args[0]}: {path}: No such file or directory")
    return int(bool(missing))
