"""The system: sleep, env, date, ps and their like.

Upstream: busybox coreutils/, procps/
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from k8slab.node.runtime.images.busybox.arguments import options
from k8slab.node.runtime.process import NOT_FOUND, Process
from k8slab.sim import Group, Signal

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
FOREVER = 1e9  # s
MEMORY = 8 << 30  # bytes, shown where a container has no limit


def duration(text: str) -> float:
    """Return the seconds of "5", "0.5", "2m", "infinity". Raises ValueError."""
    if text in ("infinity", "inf"):
        return FOREVER
    found = re.fullmatch(r"([0-9]*\.?[0-9]+)([smhd]?)", text)
    if found is None:
        raise ValueError(f"invalid number '{text}'")
    return float(found[1]) * _UNITS[found[2]]


async def sleep(process: Process) -> int:
    """Let time pass; several arguments add up."""
    if process.pid == 1:
        process.handle_sigterm()  # as process 1 it has no default action: SIGTERM does nothing
    try:
        await process.sleep(sum(duration(word) for word in process.args[1:]))
    except ValueError as error:
        process.error(f"sleep: {error}")
        return 1
    return 0


async def usleep(process: Process) -> int:
    """Let microseconds pass."""
    await process.sleep(int(process.args[1]) / 1e6)
    return 0


async def timeout(process: Process) -> int:
    """Run a program for so many seconds at most: `timeout 5 wget ...`; 143 if it was ended."""
    words = list(process.args[1:])
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in ("-s", "-k", "-t") else words[1:]
    program = process.find(words[1])
    if program is None:
        process.error(f"timeout: can't execute '{words[1]}': No such file or directory")
        return NOT_FOUND
    child = process.child(tuple(words[1:]))
    child.group = Group(f"{process.group.name}: timeout")
    task = process.sim.spawn(child.run(program), child.group.name, child.group)
    done = Signal(process.sim, "timeout")
    task.on_done(done.set)
    try:
        if not await done.wait(duration(words[0])):
            return 143
    finally:
        child.group.kill()
        process.net.close_owned_by(child.group)
    return task.result()


async def env(process: Process) -> int:
    """Print the environment, or run a program with some of it changed."""
    words = list(process.args[1:])
    changed = dict(process.env)
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        changed[name] = value
    if not words:
        for name, value in changed.items():
            process.log(f"{name}={value}")
        return 0
    program = process.find(words[0])
    if program is None:
        process.error(f"env: can't execute '{words[0]}': No such file or directory")
        return NOT_FOUND
    return await process.child(tuple(words), env=changed).run(program)


async def printenv(process: Process) -> int:
    """Print the environment, or the values of some variables."""
    names = process.args[1:]
    if not names:
        return await env(process)
    for name in names:
        if name in process.env:
            process.log(process.env[name])
    return 0 if all(name in process.env for name in names) else 1


async def date(process: Process) -> int:
    """Print the virtual time in UTC, or that of -d (@SECONDS, YYYY-MM-DD hh:mm:ss); +FORMAT."""
    from k8slab.api.meta import EPOCH

    found, rest = options(process, "uRI", "d")
    now = EPOCH.timestamp() + process.sim.now
    try:
        moment = _moment(found["d"]) if "d" in found else datetime.fromtimestamp(now, UTC)
    except ValueError:
        process.error(f"date: invalid date '{found['d']}'")
        return 1
    form = "%a %b %e %H:%M:%S UTC %Y"
    if "R" in found:
        form = "%a, %d %b %Y %H:%M:%S +0000"
    elif "I" in found:
        form = "%Y-%m-%d"
    form = rest[0][1:] if rest and rest[0].startswith("+") else form
    form = form.replace("%s", str(int(moment.timestamp()))).replace("%e", f"{moment.day:>2}")
    form = form.replace("%N", f"{round(moment.microsecond * 1000):09}")
    process.log(moment.strftime(form))
    return 0


def _moment(text: str) -> datetime:
    """Read a date. Raises ValueError."""
    if text.startswith("@"):
        return datetime.fromtimestamp(float(text[1:]), UTC)
    return datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=UTC)


async def ps(process: Process) -> int:
    """List the processes of the namespace."""
    process.log("PID   USER     TIME  COMMAND")
    user = str(process.container.user or "root")
    for pid, words in process.container.pids.command_lines():
        process.log(f"{pid:>5} {user:<8}  0:00 {' '.join(words)}")
    return 0


async def pidof(process: Process) -> int:
    """Print the ids of the processes with a name."""
    wanted = process.args[1:]
    pids = [
        str(pid)
        for pid, words in process.container.pids.command_lines()
        if words[0].rpartition("/")[2] in wanted
    ]
    if pids:
        process.log(" ".join(pids))
    return 0 if pids else 1


async def killall(process: Process) -> int:
    """Send SIGTERM to the main processes that have the name."""
    from k8slab.node.runtime.process import SIGNALS

    names = [word for word in process.args[1:] if not word.startswith("-")]
    found = [
        each
        for each in process.container.pids.processes.values()
        if each.pid == each.container.main_pid and each.args[0].rpartition("/")[2] in names
    ]
    for each in found:
        each.container.kill(SIGNALS["KILL"] if "-9" in process.args else SIGNALS["TERM"])
    if not found:
        process.error(f"killall: {' '.join(names)}: no process killed")
    return 0 if found else 1


async def id(process: Process) -> int:
    """Print the user."""
    found, _ = options(process, "ugGn")
    uid, config = process.container.user, process.container.config
    gid = config.run_as_group or 0
    groups = sorted({gid, *config.supplemental_groups})
    if "G" in found:
        process.log(" ".join(map(str, groups)))
    elif found:
        process.log(str(gid if "g" in found else uid))
    else:
        shown = ",".join(map(_named, groups))
        process.log(f"uid={_named(uid)} gid={_named(gid)} groups={shown}")
    return 0


def _named(number: int) -> str:
    return f"{number}(root)" if number == 0 else str(number)


async def whoami(process: Process) -> int:
    """Print the user's name."""
    uid = process.container.user
    if uid:
        process.error(f"whoami: unknown uid {uid}")
        return 1
    process.log("root")
    return 0


async def uname(process: Process) -> int:
    """Print the system: -n the host name, -r the release, -m the machine, -a all."""
    found, _ = options(process, "asnrvmo")
    values = {"s": "Linux", "n": process.hostname, "r": "6.12.0", "m": "x86_64", "o": "GNU/Linux"}
    chosen = values if "a" in found else (found or {"s": ""})
    process.log(" ".join(values[letter] for letter in values if letter in chosen))
    return 0


async def nproc(process: Process) -> int:
    """Print how many processors the program may use at once."""
    limit = process.container.config.resources.cpu_limit
    process.log(str(max(1, limit // 1000) if limit else 4))
    return 0


async def yes(process: Process) -> int:
    """Print a line again and again; slowly, for the clock's sake."""
    while True:
        process.log(" ".join(process.args[1:]) or "y")
        await process.sleep(0.001)


async def sync(process: Process) -> int:
    """Do nothing: there is no disk."""
    return 0


async def clear(process: Process) -> int:
    """Clear the screen."""
    process.stdout.write("\x1b[H\x1b[J")
    return 0


top = ps


async def nohup(process: Process) -> int:
    """Run a program that no hang-up ends."""
    program = process.find(process.args[1])
    if program is None:
        process.error(f"nohup: can't execute '{process.args[1]}': No such file or directory")
        return NOT_FOUND
    return await process.child(process.args[1:]).run(program)


async def uptime(process: Process) -> int:
    """Print how long the machine has run."""
    minutes = int(process.sim.now // 60)
    clock = f"{minutes // 60 % 24:02}:{minutes % 60:02}:{int(process.sim.now) % 60:02}"
    load = "load average: 0.00, 0.00, 0.00"
    process.log(f" {clock} up {minutes // 60:2}:{minutes % 60:02},  0 users,  {load}")
    return 0


async def free(process: Process) -> int:
    """Print the memory that the container's processes use, of its limit; -m in MiB."""
    found, _ = options(process, "bkmgh")
    unit = {"b": 1, "m": 1 << 20, "g": 1 << 30}.get(next(iter(found), "k"), 1 << 10)
    container = process.container
    total = container.config.resources.memory_limit or MEMORY
    used = container.memory
    process.log("              total        used        free      shared  buff/cache   available")
    amounts = [total, used, total - used, 0, 0, total - used]
    process.log("Mem:    " + " ".join(f"{amount // unit:>11}" for amount in amounts))
    return 0
