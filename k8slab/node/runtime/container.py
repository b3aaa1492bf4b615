"""A container and its sandbox, as the runtime keeps them.

A `Sandbox` is a Pod's network namespace and name; a `Container` is an image, a configuration, a
disk, and, while it runs, a group of tasks with a main process. Both are the runtime's own books;
what leaves the runtime are the frozen statuses of `interfaces.py`.

Rule of use: only containerd.py changes a state.

Upstream: containerd internal/cri/store/container, internal/cri/store/sandbox
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from k8slab.linux.netns import NetNamespace
from k8slab.node.folder import Folder, size_of
from k8slab.node.image_reference import parse_reference
from k8slab.node.interfaces import (
    CREATED,
    RUNNING,
    SANDBOX_READY,
    ContainerConfig,
    ContainerResources,
    ContainerStats,
    ContainerStatus,
    LogLine,
    Mount,
    PodSandboxConfig,
    PodSandboxStatus,
)
from k8slab.node.runtime.cpu import Cpu
from k8slab.node.runtime.images.image import Image
from k8slab.node.runtime.main_streams import MainStreams
from k8slab.node.runtime.pid_namespace import PidNamespace
from k8slab.sim import Group, Signal, Simulation

if TYPE_CHECKING:
    from k8slab.node.runtime.process import Process

LOG_KEPT, LOG_DROPPED = 20_000, 5_000  # lines: rotation, as kubelet --container-log-max-size does
SIGKILL_CODE = 137


class Sandbox:
    """A Pod's sandbox: its network namespace is open while the state is SANDBOX_READY."""

    def __init__(
        self, id: str, config: PodSandboxConfig, net: NetNamespace, created_at: float
    ) -> None:
        self.id = id
        self.config = config
        self.net = net
        self.created_at = created_at
        self.ips: tuple[str, ...] = ()
        self.state = SANDBOX_READY
        self.containers: dict[str, Container] = {}
        self.pids = PidNamespace(pause=True) if config.share_process_namespace else None

    @property
    def status(self) -> PodSandboxStatus:
        """What the CRI says of it."""
        return PodSandboxStatus(
            id=self.id,
            config=self.config,
            state=self.state,
            created_at=self.created_at,
            ips=self.ips,
        )

    @property
    def subject(self) -> str:
        """The Pod, as the trace names it."""
        return f"Pod/{self.config.namespace}/{self.config.name}"


class Container:
    """One container; `group` holds its tasks, and sockets that they opened are the group's."""

    def __init__(
        self, id: str, sandbox: Sandbox, config: ContainerConfig, image: Image, created_at: float
    ) -> None:
        self.id = id
        self.sandbox = sandbox
        self.config = config
        self.image = image
        self.state = CREATED
        self.created_at = created_at
        self.started_at = 0.0
        self.finished_at = 0.0
        self.exit_code = 0
        self.reason = ""
        self.message = ""
        self.lines: list[LogLine] = []
        self.group = Group(f"{sandbox.config.name}/{config.name}")
        self.exec_groups: dict[Group, None] = {}
        self.pids = self._pid_namespace()
        self.processes: dict[int, Process] = {}  # its own, by pid; the first is the main one
        self.main_pid = 0
        self.waiters: list[Signal] = []
        self.dying: int | None = None  # the exit code that a signal has decided on
        self.out_of_memory = False
        self.cpu = Cpu()
        self.kill: Callable[[int], None] = lambda signal: None  # the runtime's, by signal number
        self.usage_changed: Callable[[str], None] = lambda resource: None  # the runtime's
        self.main: MainStreams | None = None  # of the main process, once it was started
        self._disk: Folder | None = None
        self._status: ContainerStatus | None = None

    @property
    def running(self) -> bool:
        """Whether its main process runs."""
        return self.state == RUNNING and self.dying is None and self.main_pid in self.processes

    @property
    def user(self) -> int:
        """As whom it runs: the manifest's word, else the image's."""
        wanted = self.config.run_as_user
        return self.image.user if wanted is None else wanted

    @property
    def status(self) -> ContainerStatus:
        """What the CRI says of it; the same object until something changes."""
        known = self._status
        if known is None or known.state != self.state:
            known = self._status = ContainerStatus(
                id=self.id,
                sandbox_id=self.sandbox.id,
                config=self.config,
                state=self.state,
                created_at=self.created_at,
                image_id=f"{parse_reference(self.image.name).repository}@{self.image.digest}",
                user=self.user,
                started_at=self.started_at,
                finished_at=self.finished_at,
                exit_code=self.exit_code,
                reason=self.reason,
                message=self.message,
            )
        return known

    def update(self, resources: ContainerResources) -> None:
        """Give it other resources from now on."""
        self.config = replace(self.config, resources=resources)
        self._status = None

    def exit(self, code: int) -> None:
        """End all its tasks; unless something else ended it before, this is the exit code."""
        if self.dying is None:
            self.dying = code
            self.group.kill()

    # -- processes

    @property
    def main_process(self) -> Process | None:
        """The process whose end is the container's, None if it does not run."""
        return self.processes.get(self.main_pid)

    def begin(self, process: Process) -> int:
        """Take a new process and return its id."""
        pid = self.pids.next_pid()
        self.main_pid = self.main_pid or pid
        self.processes[pid] = self.pids.processes[pid] = process
        return pid

    def end(self, pid: int) -> None:
        """Drop a process that has ended."""
        ended = self.processes.pop(pid, None)
        self.pids.processes.pop(pid, None)
        if ended is not None and ended.memory:
            self.usage_changed("memory")

    def end_all(self) -> None:
        """Drop all its processes."""
        for pid in tuple(self.processes):
            self.end(pid)

    def _pid_namespace(self) -> PidNamespace:
        target = self.sandbox.containers.get(self.config.pid_target)
        if target is not None:
            return target.pids
        return self.sandbox.pids or PidNamespace()

    # -- output

    def log_at(self, sim: Simulation, stream: str, line: str) -> None:
        """Keep a line that was printed at this moment."""
        self.log(sim.now, stream, line)

    def log(self, now: float, stream: str, line: str) -> None:
        """Keep a line that the main process printed."""
        self.lines.append(LogLine(now, stream, line))
        if len(self.lines) > LOG_KEPT:
            del self.lines[:LOG_DROPPED]

    # -- files

    @property
    def disk(self) -> Folder:
        """The container's own file system: the image's files and what was written since."""
        if self._disk is None:
            self._disk = Folder()
            config = self.sandbox.config
            self._disk.files.update(self.image.files)
            self._disk.files.setdefault("etc/hostname", f"{config.hostname or config.name}\n")
            self._disk.files.setdefault("etc/resolv.conf", config.dns_config)
            self._disk.files.setdefault("etc/hosts", self.config.hosts)
        return self._disk

    @property
    def disk_usage(self) -> int:
        """Bytes of its own files, without those of the image, and of its log."""
        written = sum(len(line.text) + 1 for line in self.lines)
        image = self.image.files
        for path, contents in (self._disk.files if self._disk is not None else {}).items():
            written += 0 if image.get(path) is contents else size_of(contents)
        return written

    def mount_of(self, path: str) -> tuple[Mount | None, str]:
        """Return the innermost mount that holds an absolute path, and the path inside of it."""
        best: Mount | None = None
        for mount in self.config.mounts:
            point = mount.container_path.rstrip("/")
            inside = path == point or path.startswith(f"{point}/")
            if inside and (best is None or len(point) > len(best.container_path.rstrip("/"))):
                best = mount
        if best is None:
            return None, path.strip("/")
        rest = path[len(best.container_path.rstrip("/")) :].strip("/")
        return best, "/".join(part for part in (best.sub_path.strip("/"), rest) if part)

    # -- CPU and memory

    def stats(self, now: float) -> ContainerStats:
        """What it uses, as the CRI tells it."""
        return ContainerStats(
            self.id,
            self.config.name,
            self.sandbox.config,
            self.started_at,
            now,
            self.cpu.used(now),
            self.memory,
            len(self.processes),
        )

    @property
    def memory(self) -> int:
        """Bytes that its processes use."""
        return sum(process.memory for process in self.processes.values())

    @property
    def over_limit(self) -> bool:
        """Whether the kernel must kill it for its memory."""
        return 0 < self.config.resources.memory_limit < self.memory


def exit_reason(container: Container) -> str:
    """Return containerd's word for how a container ended."""
    if container.out_of_memory:
        return "OOMKilled"
    return "Completed" if container.exit_code == 0 else "Error"
