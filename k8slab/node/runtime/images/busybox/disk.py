"""How full a disk is: dd and fallocate fill it, du and df say by how much.

What they write has a size and no contents (`Bulk`): a gigabyte costs nothing here.

Upstream: busybox coreutils/{dd,du}.c, util-linux/fallocate.c
"""

from __future__ import annotations

import re

from k8slab.node.folder import Bulk, size_of
from k8slab.node.runtime.images.busybox.arguments import options
from k8slab.node.runtime.process import Process

_UNITS = {"": 1, "c": 1, "b": 512, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
BLOCK = 512  # bytes, dd's default
DISK = 100 << 30  # bytes of the disk that df shows


def amount(text: str) -> int:
    """Return the bytes of "100", "64K", "1M". Raises ValueError.

    >>> amount("2k"), amount("1M")
    (2048, 1048576)
    """
    found = re.fullmatch(r"(\d+)([cbkmg]?)(i?b)?", text.lower())
    if found is None:
        raise ValueError(f"invalid number '{text}'")
    return int(found[1]) * _UNITS[found[2]]


async def dd(process: Process) -> int:
    """Copy blocks: `dd if=/dev/zero of=FILE bs=1M count=100`."""
    words = dict(word.partition("=")[::2] for word in process.args[1:])
    source, target = words.get("if", ""), words.get("of", "")
    try:
        block, count = amount(words.get("bs", str(BLOCK))), int(words.get("count", "0"))
        if source in ("/dev/zero", "/dev/urandom", "/dev/random"):
            size = block * count
            process.write(target, Bulk(size))
        else:
            folder, rest = process.folder(source)
            contents = folder.read(rest)
            size = size_of(contents)
            process.write(target, contents)
    except FileNotFoundError:
        process.error(f"dd: can't open '{source}': No such file or directory")
        return 1
    except (ValueError, PermissionError) as error:
        process.error(f"dd: {error}")
        return 1
    whole, part = divmod(size, block)
    for direction in ("in", "out"):
        process.error(f"{whole}+{int(part > 0)} records {direction}")
    process.error(f"{size} bytes copied")
    return 0


async def fallocate(process: Process) -> int:
    """Make a file of a size: `fallocate -l 1G FILE`."""
    found, paths = options(process, "", "lo")
    if "l" not in found or not paths:
        process.error("fallocate: no length argument specified")
        return 1
    process.write(paths[0], Bulk(amount(found["l"])))
    return 0


async def du(process: Process) -> int:
    """Print how many KiB files and folders take; -s is all that it does, -h in larger units."""
    found, paths = options(process, "shakm")
    for path in paths or ["."]:
        folder, rest = process.folder(path)
        inside = [rest] if rest in folder.files else folder.list(rest)
        size = sum(size_of(folder.files[name]) for name in inside)
        process.log(f"{_human(size) if 'h' in found else -(-size // 1024)}\t{path}")
    return 0


def _human(size: int) -> str:
    number = float(size)
    for unit in ("", "K", "M", "G"):
        if number < 1024 or unit == "G":
            break
        number /= 1024
    return f"{number:.1f}{unit}" if unit else str(size)


async def df(process: Process) -> int:
    """Print how full the file systems are, in KiB or with -h: the node's disk is one for all."""
    found, _ = options(process, "hkT")
    container = process.container
    used = container.disk_usage
    rows = [("overlay", used, "/")]
    rows += [("/dev/vda1", m.folder.size(), m.container_path) for m in container.config.mounts]
    process.log("Filesystem           1K-blocks      Used Available Use% Mounted on")
    for name, size, path in rows:
        shown = [DISK, size, DISK - size]
        texts = [_human(n) if "h" in found else str(n // 1024) for n in shown]
        amounts = " ".join(f"{text:>9}" for text in texts)
        process.log(f"{name:<20} {amounts} {-(-100 * size // DISK):>3}% {path}")
    return 0


async def mount(process: Process) -> int:
    """Print what is mounted."""
    process.log("overlay on / type overlay (rw,relatime)")
    for each in process.container.config.mounts:
        rights = "ro" if each.read_only else "rw"
        process.log(f"/dev/vda1 on {each.container_path} type ext4 ({rights},relatime)")
    return 0
