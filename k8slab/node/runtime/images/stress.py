"""stress: uses memory and processor time on purpose, to see what limits do.

polinux/stress: --vm N --vm-bytes 250M --vm-hang S, --cpu N, --timeout S. vish/stress: -cpus N,
-mem-total 1Gi, -mem-alloc-size, -mem-alloc-sleep.

Rule of use: memory above the container's limit ends it with OOMKilled, as it should.

Upstream: stress(1), github.com/vishh/stress main.go
"""

from __future__ import annotations

import re

from k8slab.node.runtime.images.busybox.system import FOREVER, duration
from k8slab.node.runtime.images.flags import parse_flags
from k8slab.node.runtime.process import Process

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
SLICE = 1.0  # CPU seconds of one round of work
ALLOCATE = 0.1  # s, until the memory is filled


def size(text: str) -> int:
    """Return the bytes of "250M", "1Gi", "100". Raises ValueError.

    >>> size("250M") == 250 * 2**20, size("1Gi") == 2**30
    (True, True)
    """
    found = re.fullmatch(r"(\d+)([kmg]?)i?b?", text.lower())
    if found is None:
        raise ValueError(f"stress: FAIL: [1] unrecognized suffix: {text}")
    return int(found[1]) * _UNITS[found[2]]


async def main(process: Process) -> int:
    """Fill memory, burn processor time, until the time-out or for ever."""
    flags = parse_flags(process.args[1:])
    flags.update(_short(process.args[1:]))
    hogs, workers = int(flags.get("cpu", "0")), int(flags.get("vm", "0"))
    process.log(f"stress: info: [1] dispatching hogs: {hogs} cpu, 0 io, {workers} vm, 0 hdd")
    for number in range(hogs):
        process.spawn(_burn(process), f"hog {number}")
    if workers:
        await process.sleep(ALLOCATE)
        process.memory = workers * size(flags.get("vm-bytes", "256M"))
    await process.sleep(duration(flags["timeout"]) if "timeout" in flags else FOREVER)
    process.log("stress: info: [1] successful run completed")
    return 0


async def vish(process: Process) -> int:
    """Allocate memory step by step and keep processors busy, for ever."""
    flags = parse_flags(process.args[1:])
    total = size(flags.get("mem-total", "0"))
    step = size(flags.get("mem-alloc-size", "4Ki"))
    pause = float(flags.get("mem-alloc-sleep", "1ms").removesuffix("ms")) / 1000
    process.error(f'main.go: Allocating "{total}" memory, in "{step}" chunks')
    for number in range(int(flags.get("cpus", "0"))):
        process.error("main.go: Spawning a thread to consume CPU")
        process.spawn(_burn(process), f"thread {number}")
    rounds = min(total // step if step else 0, 100)  # in at most 100 steps, for the clock's sake
    for number in range(1, rounds + 1):
        await process.sleep(pause * max(1, total // step // rounds))
        process.memory = total * number // rounds
    process.error(f'main.go: Allocated "{total}" memory')
    await process.sleep(FOREVER)
    return 0


async def _burn(process: Process) -> None:
    while True:
        await process.compute(SLICE)


def _short(words: tuple[str, ...]) -> dict[str, str]:
    """Return the one-letter options: -c cpu, -m vm, -t timeout."""
    names = {"-c": "cpu", "-m": "vm", "-t": "timeout"}
    return {
        names[word]: words[number + 1] for number, word in enumerate(words[:-1]) if word in names
    }
