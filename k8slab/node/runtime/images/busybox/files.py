"""Files: cat, cp, ls, mkdir, mv, rm, tee, touch and what takes paths apart.

Folders exist as far as something is in them; mkdir leaves a mark so that an empty one is seen.

Upstream: busybox coreutils/
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.node.folder import size_of
from k8slab.node.runtime.images.busybox.arguments import contents, options
from k8slab.node.runtime.process import Process

_MARK = ".folder"  # the hidden file that stands for an empty folder


async def cat(process: Process) -> int:
    """Print files, or the input, as it comes."""
    _, paths = options(process, "un")
    if not paths and process.stdin is not None:
        while (line := await process.stdin.read_line()) is not None:
            process.log(line)
        return 0
    text, code = await contents(process, paths)
    process.stdout.write(text)
    return code


async def tee(process: Process) -> int:
    """Print the input and write it to files; -a appends."""
    found, paths = options(process, "ai")
    for path in paths:
        process.write(path, "", append="a" in found)
    while process.stdin is not None and (line := await process.stdin.read_line()) is not None:
        process.log(line)
        for path in paths:
            process.write(path, line + "\n", append=True)
    return 0


async def touch(process: Process) -> int:
    """Make files that are not there."""
    return _each(process, options(process, "cam")[1], lambda path: _touch(process, path))


def _touch(process: Process, path: str) -> None:
    process.write(path, "", append=True)


async def mkdir(process: Process) -> int:
    """Make folders; -p with those above and without complaint."""
    found, paths = options(process, "pm", "m")
    code = 0
    for path in paths:
        if process.exists(path):
            if "p" not in found:
                process.error(f"mkdir: can't create directory '{path}': File exists")
                code = 1
            continue
        code |= _each(process, [path], lambda each: _touch(process, f"{each}/{_MARK}"))
    return code


async def rm(process: Process) -> int:
    """Remove files; -r folders too, -f without complaint."""
    found, paths = options(process, "rRfiv")
    recursive = "r" in found or "R" in found
    code = 0
    for path in paths:
        inside = _below(process, path)
        if inside and not recursive:
            process.error(f"rm: '{path}' is a directory")
            code = 1
        elif not inside and not process.exists(path):
            if "f" not in found:
                process.error(f"rm: can't remove '{path}': No such file or directory")
                code = 1
        else:
            targets = inside or [path]
            code |= _each(process, targets, process.remove)
    return code


async def rmdir(process: Process) -> int:
    """Remove empty folders."""
    code = 0
    for path in options(process)[1]:
        inside = _below(process, path)
        if any(not each.endswith(f"/{_MARK}") for each in inside):
            process.error(f"rmdir: '{path}': Directory not empty")
            code = 1
        else:
            code |= _each(process, inside, process.remove)
    return code


async def cp(process: Process) -> int:
    """Copy a file, or files into a folder."""
    *sources, target = options(process, "rRfpa")[1]
    code = 0
    for source in sources:
        try:
            process.write(_place(process, source, target), process.read(source))
        except FileNotFoundError:
            process.error(f"cp: can't stat '{source}': No such file or directory")
            code = 1
    return code


async def mv(process: Process) -> int:
    """Rename a file, or move files into a folder."""
    *sources, target = options(process, "f")[1]
    code = 0
    for source in sources:
        try:
            process.write(_place(process, source, target), process.read(source))
            process.remove(source)
        except FileNotFoundError:
            process.error(f"mv: can't rename '{source}': No such file or directory")
            code = 1
    return code


async def ls(process: Process) -> int:
    """List folders; -a with hidden names, -1 and -l one a line."""
    found, paths = options(process, "al1AhRtr")
    code = 0
    for path in paths or ["."]:
        folder, rest = process.folder(path)
        if rest and rest in folder.files:
            process.log(path)
        elif process.exists(path) or path in (".", "/"):
            if len(paths) > 1:
                process.log(f"{path}:")
            for name in names_in(process, path, hidden="a" in found or "A" in found):
                process.log(_long(process, f"{path}/{name}", name) if "l" in found else name)
        else:
            process.error(f"ls: {path}: No such file or directory")
            code = 1
    return code


def _long(process: Process, path: str, name: str) -> str:
    from k8slab.api.meta import timestamp

    folder, rest = process.folder(path)
    is_file = rest in folder.files
    size = size_of(folder.files[rest]) if is_file else 4096
    when = timestamp(process.sim.now)
    mode = "-rw-r--r--    1" if is_file else "drwxr-xr-x    2"
    return f"{mode} root     root {size:>12} {when[:10]} {when[11:16]} {name}"


def names_in(process: Process, path: str, *, hidden: bool) -> list[str]:
    """Return the names in a folder, sorted; mounts count as folders."""
    at = process.absolute(path).rstrip("/")
    folder, rest = process.folder(path)
    prefix = f"{rest}/" if rest else ""
    names = {name[len(prefix) :].partition("/")[0]: None for name in folder.list(rest)}
    for mount in process.mounts():
        if mount.startswith(f"{at}/"):
            names[mount[len(at) + 1 :].partition("/")[0]] = None
    return sorted(name for name in names if hidden or not name.startswith("."))


async def basename(process: Process) -> int:
    """Print the last part of a path, without a suffix if one is given."""
    name = process.args[1].rstrip("/").rpartition("/")[2]
    suffix = process.args[2] if len(process.args) > 2 else ""
    process.log(name.removesuffix(suffix) if name != suffix else name)
    return 0


async def dirname(process: Process) -> int:
    """Print a path without its last part."""
    head = process.args[1].rstrip("/").rpartition("/")
    process.log(head[0] or head[1] or ".")
    return 0


def _place(process: Process, source: str, target: str) -> str:
    folder, rest = process.folder(target)
    into = target.endswith("/") or (rest not in folder.files and process.exists(target))
    return f"{target.rstrip('/')}/{source.rpartition('/')[2]}" if into else target


def _below(process: Process, path: str) -> list[str]:
    """Return the absolute paths of the files in a folder."""
    folder, rest = process.folder(path)
    if rest in folder.files:
        return []
    at = process.absolute(path).rstrip("/")
    return [f"{at}/{name[len(rest) :].lstrip('/')}" for name in folder.list(rest)]


def _each(process: Process, paths: list[str], action: Callable[[str], None]) -> int:
    """Do something to each path; what fails is told, and makes the exit code 1."""
    code = 0
    for path in paths:
        try:
            action(path)
        except OSError as error:
            process.error(f"{process.args[0]}: {path}: {error}")
            code = 1
    return code
