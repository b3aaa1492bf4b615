"""A small world for one kernel: no network, no other processes, no files but Python's and its own.

    python -m k8slab.classroom.grading.sandbox FOLDER PROGRAM...

Linux namespaces make it. Its root is empty but for `/usr` and the like, Python, the package and
FOLDER, all read-only; `/work` is the one place to write, and bounded. The program runs with an
unprivileged user id, as a child of process 1, which watches the memory of all and takes everything
along when it ends. Where namespaces are refused, `available()` says no.

Rule of use: standard library only, and single-threaded: it forks, and namespaces demand it.

Upstream: none (bubblewrap does the same for desktops)
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
from functools import cache
from pathlib import Path

LAB = Path("/lab")  # inside: the package, its libraries and, if it is not in /usr, Python
WORK = Path("/work")  # inside: home, working and temporary directory
WORK_SIZE = 256 << 20  # bytes
SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix")
DEVICES = ("null", "zero", "full", "random", "urandom")
KEPT = ("LANG", "OPENBLAS_NUM_THREADS", "PYTHONHASHSEED")  # and what begins with K8SLAB
USER = 100_000  # the first of the user ids for kernels that root starts
POLL = 0.1  # s between two looks at the memory

NEW_MOUNTS, NEW_NAMES, NEW_IPC = 0x20000, 0x4000000, 0x8000000  # clone(2)
NEW_USER, NEW_PROCESSES, NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
READ_ONLY, NO_SETUID, NO_DEVICES, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 0x1000, 0x4000, 0x40000
DETACH = 2  # umount2(2)
DIE_WITH_PARENT, NO_NEW_PRIVILEGES = 1, 38  # prctl(2)
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}  # its number as a system call
MOUNT_SETATTR, HERE, AT_RECURSIVE = 442, -100, 0x8000
SOCKETS = 5  # that a kernel makes; then nothing more is to be written beside them
OUT_OF_MEMORY = 137


@cache
def available() -> bool:
    """Try it: say whether a Python that has the package can be started in such a world."""
    if sys.platform != "linux" or os.uname().machine not in PIVOT_ROOT:
        return False
    with tempfile.TemporaryDirectory(prefix="k8slab-try-") as folder:
        told = [sys.executable, "-c", "import k8slab.classroom.grading.inside, ipykernel"]
        tried = subprocess.run(
            command(Path(folder), told), capture_output=True, timeout=60, check=False
        )
    return tried.returncode == 0


def command(folder: Path, program: list[str]) -> list[str]:
    """Return the command line that runs a program of this Python in a world of its own."""
    here = Path(__file__).resolve()
    return [sys.executable, "-I", str(here), str(folder), *program]


def python_inside() -> tuple[str, dict[str, str], dict[Path, Path]]:
    """Return how Python is called inside, its environment, and the folders that are shown."""
    base, package = Path(sys.base_prefix).resolve(), Path(__file__).resolve().parents[2]
    program = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    shown = {LAB / "k8slab": package}
    paths, more = [str(LAB)], {}
    libraries = dict.fromkeys(sysconfig.get_paths()[name] for name in ("purelib", "platlib"))
    for number, library in enumerate(libraries):
        shown[LAB / f"libraries-{number}"] = Path(library).resolve()
        paths.append(str(LAB / f"libraries-{number}"))
    if not str(base).startswith("/usr"):
        shown[LAB / "python"] = base
        program = LAB / "python" / program.relative_to(base)
        more["LD_LIBRARY_PATH"] = str(LAB / "python" / "lib")
    home = {"HOME": str(WORK), "TMPDIR": str(WORK), "USER": "learner", "PATH": "/usr/bin:/bin"}
    return str(program), {**home, **more, "PYTHONPATH": ":".join(paths)}, shown


def main(arguments: list[str]) -> int:
    """Run a program in a world of its own; return its exit status."""
    folder, program = Path(arguments[0]).resolve(), arguments[1:]
    memory = int(os.environ.get("K8SLAB_GRADING_MEMORY", "0"))
    python, environment, shown = python_inside()
    user = USER + os.getpid() if os.getuid() == 0 else os.getuid()
    _do("prctl", DIE_WITH_PARENT, int(signal.SIGKILL))
    if os.getuid() == 0:
        give(folder, user)
    enter_namespaces()
    init = os.fork()  # process 1 of the new world
    if init:
        return os.waitstatus_to_exitcode(os.waitpid(init, 0)[1])
    _do("prctl", DIE_WITH_PARENT, int(signal.SIGKILL))
    build_root(folder, shown, user)
    child = os.fork()
    if child == 0:
        become(user)
        told = {k: v for k, v in os.environ.items() if k in KEPT or k.startswith("K8SLAB_")}
        os.execve(python, [python, *program[1:]], {**told, **environment})
    return watch(child, memory, folder)


def give(folder: Path, user: int) -> None:
    """Make the user the owner of the folder and of what is in it."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, user, follow_symlinks=False)


def enter_namespaces() -> None:
    """Leave the machine's mounts, network, processes and names; raises OSError if refused."""
    wanted = NEW_MOUNTS | NEW_NETWORK | NEW_PROCESSES | NEW_IPC | NEW_NAMES
    uid, gid = os.getuid(), os.getgid()
    _do("unshare", wanted | NEW_USER if uid else wanted)
    if uid:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    _do("sethostname", b"lab", 3)


def build_root(folder: Path, shown: dict[Path, Path], user: int) -> None:
    """Make an empty root, show in it what is needed, and move there."""
    devices = {Path("/dev") / name: Path("/dev") / name for name in DEVICES}
    wanted = {**shown, **devices, folder: folder}
    held = {inside: os.open(path, os.O_PATH) for inside, path in wanted.items()}
    root = Path("/tmp")  # covered by the new root, in this world only
    _mount("none", "/", "none", RECURSIVE | PRIVATE)
    _mount("tmpfs", root, "tmpfs", NO_SETUID, "size=1m,mode=755")
    for name in SYSTEM:
        _show(Path("/") / name, root / name)
    for inside, number in held.items():
        target = root / inside.relative_to("/")
        _bind(f"/proc/self/fd/{number}", target, is_folder=inside not in devices)
        os.close(number)
    group = user if os.getuid() == 0 else os.getgid()
    writable = {"work": "700", "dev/shm": "1777"}
    for name in ("proc", *writable):
        (root / name).mkdir(parents=True, exist_ok=True)
    _mount("proc", root / "proc", "proc", NO_SETUID, "hidepid=2")
    _read_only(root, True)
    _read_only(root / folder.relative_to("/"), False)
    for name, mode in writable.items():
        options = f"size={WORK_SIZE},mode={mode},uid={user},gid={group}"
        _mount("tmpfs", root / name, "tmpfs", NO_SETUID | NO_DEVICES, options)
    os.chdir(root)
    _do("syscall", PIVOT_ROOT[os.uname().machine], b".", b".")
    _do("umount2", b".", DETACH)
    os.chdir(WORK)


def become(user: int) -> None:
    """Give up every privilege, for this process and its children."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    _do("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def watch(child: int, memory: int, folder: Path) -> int:
    """Wait for the program to end, or for all processes to use too much memory; return a status.

    When this process ends, the system kills all others of this world.
    """
    sealed = False
    while True:
        ended, status = os.waitpid(-1, os.WNOHANG)
        if ended == child:
            return os.waitstatus_to_exitcode(status)
        if ended:
            continue
        if memory and _memory(memory) > memory:
            return OUT_OF_MEMORY
        if not sealed and len(list(folder.glob("*-ipc-*"))) >= SOCKETS:
            _read_only(folder, True)
            sealed = True
        time.sleep(POLL)


def _memory(most: int) -> int:
    """Return the bytes that all processes of this world have in memory."""
    pages = 0
    for process in Path("/proc").glob("[0-9]*/statm"):
        with contextlib.suppress(OSError):  # it has just ended
            pages += int(process.read_text().split()[1])
    total = pages * os.sysconf("SC_PAGE_SIZE")
    return total if total <= most else _memory_shared()


def _memory_shared() -> int:
    """Return the same with what processes share counted once, which takes longer to find out."""
    kilobytes = 0
    for process in Path("/proc").glob("[0-9]*/smaps_rollup"):
        with contextlib.suppress(OSError):
            lines = process.read_text().splitlines()
            kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes << 10


def _show(source: Path, target: Path) -> None:
    """Have a system folder, or the link that stands for it, in the new root."""
    if source.is_symlink():
        target.symlink_to(source.readlink())
    elif source.exists():
        _bind(str(source), target, source.is_dir())


def _bind(source: str, target: Path, is_folder: bool) -> None:
    if is_folder:
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _mount(source, target, "none", BIND | RECURSIVE)


def _mount(source: str, target: Path | str, kind: str, flags: int, options: str = "") -> None:
    _do("mount", source.encode(), str(target).encode(), kind.encode(), flags, options.encode())


def _read_only(target: Path, wanted: bool) -> None:
    """Forbid writing below a mount, or allow it in this one."""
    setting = struct.pack("QQQQ", int(wanted), int(not wanted), 0, 0)
    everywhere = AT_RECURSIVE if wanted else 0
    _do("syscall", MOUNT_SETATTR, HERE, str(target).encode(), everywhere, setting, len(setting))


def _do(name: str, *arguments: int | bytes) -> None:
    """Call a function of the C library; raises OSError if it fails."""
    library = ctypes.CDLL(None, use_errno=True)
    typed = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    if getattr(library, name)(*typed) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
