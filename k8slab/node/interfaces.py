"""The seams of a node: what kubelet, container runtime and CNI plugin expect of one another.

`RuntimeService` and `ImageService` are the CRI, `NetworkPlugin` is the CNI. A container runs a
`Program`: a coroutine that is given its `Process` (arguments, environment, files, network, log).
None of the parts imports another; the cluster's wiring hands them over.

Rule of use: identifiers are opaque strings; states are values, asked for again when needed.

Upstream: staging/src/k8s.io/cri-api/pkg/apis/runtime/v1/api.proto, containernetworking/cni
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

import msgspec

from k8slab.linux.netns import NetNamespace
from k8slab.node.folder import Folder
from k8slab.sim import Signal, Simulation

CREATED, RUNNING, EXITED = "CREATED", "RUNNING", "EXITED"  # states of a container
SANDBOX_READY, SANDBOX_NOTREADY = "SANDBOX_READY", "SANDBOX_NOTREADY"


class Mount(msgspec.Struct, frozen=True):
    """A folder as a container sees it."""

    container_path: str
    folder: Folder
    read_only: bool = False
    sub_path: str = ""


PortMappings = tuple[tuple[str, str, int, int], ...]  # protocol, host ip, host, container


RUNTIME_HANDLERS = ("", "runc")  # what a RuntimeClass may name: the default, and its own name


class PodSandboxConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the runtime must know of a Pod to make its sandbox."""

    name: str
    namespace: str
    uid: str
    attempt: int = 0
    hostname: str = ""
    host_network: bool = False
    labels: Mapping[str, str] = {}
    port_mappings: PortMappings = ()
    dns_config: str = ""  # the text of resolv.conf
    share_process_namespace: bool = False  # the Pod's containers see each other's processes
    runtime_handler: str = ""  # "" is the runtime's own choice


class ContainerResources(msgspec.Struct, frozen=True, kw_only=True):
    """What a container may use, 0 for no limit: CPU in millicores, memory in bytes."""

    cpu_request: int = 0
    cpu_limit: int = 0
    memory_request: int = 0
    memory_limit: int = 0


class ContainerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the runtime must know of a container to make it."""

    name: str
    image: str
    command: tuple[str, ...] = ()  # replaces the image's entrypoint
    args: tuple[str, ...] = ()  # replaces the image's cmd
    env: Mapping[str, str] = {}
    mounts: tuple[Mount, ...] = ()
    hosts: str = ""  # the text of /etc/hosts
    working_dir: str = ""
    attempt: int = 0  # how often it was restarted
    ports: tuple[tuple[str, int], ...] = ()  # protocol, number: what the manifest declares
    resources: ContainerResources = ContainerResources()
    run_as_user: int | None = None
    run_as_group: int | None = None
    supplemental_groups: tuple[int, ...] = ()
    must_end: bool = False  # its Pod waits for its end: an init container, a task
    read_only_root: bool = False
    stop_signal: str = ""
    pid_target: str = ""  # the id of a container whose processes this one sees
    tty: bool = False
    stdin: bool = False  # the main process has an input
    stdin_once: bool = False  # which ends with the first client that was attached to it


class PodSandboxStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the runtime says of a sandbox."""

    id: str
    config: PodSandboxConfig
    state: str
    created_at: float
    ips: tuple[str, ...] = ()


class ContainerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the runtime says of a container; times are virtual seconds."""

    id: str
    sandbox_id: str
    config: ContainerConfig
    state: str
    created_at: float
    image_id: str = ""
    user: int = 0  # as whom its first process runs
    started_at: float = 0.0
    finished_at: float = 0.0
    exit_code: int = 0
    reason: str = ""  # "Completed", "Error", "OOMKilled"
    message: str = ""


class ContainerStats(msgspec.Struct, frozen=True):
    """What a running container has used by a time in virtual seconds."""

    id: str
    name: str
    pod: PodSandboxConfig
    started_at: float
    time: float
    cpu_seconds: float  # since it started
    memory: int  # bytes in use now
    processes: int = 0


class ExecResult(msgspec.Struct, frozen=True):
    """What a command printed, and its exit code."""

    stdout: str
    stderr: str
    exit_code: int


class Streams(msgspec.Struct, frozen=True, kw_only=True):
    """The three streams of a command: an input that is read from, outputs that are written to."""

    stdin: Any
    stdout: Any
    stderr: Any


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """One line that a container printed; time in virtual seconds."""

    time: float
    stream: str  # stdout or stderr
    text: str


class ImagePullFailed(Exception):  # noqa: N818 (Kubernetes' word: ErrImagePull)
    """The image cannot be had; the message is the registry's."""


class ImageAuth(msgspec.Struct, frozen=True):
    """Who asks a registry for an image."""

    username: str
    password: str


class RuntimeFailed(Exception):  # noqa: N818 (upstream: RunContainerError and the like)
    """The runtime refused: `reason` is a waiting reason such as CreateContainerError."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class RuntimeService(Protocol):
    """The half of the CRI that runs things."""

    async def run_pod_sandbox(self, config: PodSandboxConfig) -> str:
        """Make the Pod's sandbox: network namespace, addresses; return its id."""

    async def stop_pod_sandbox(self, sandbox_id: str) -> None:
        """Kill what is left in it and give back its addresses."""

    async def remove_pod_sandbox(self, sandbox_id: str) -> None:
        """Forget a stopped sandbox and its containers."""

    async def create_container(self, sandbox_id: str, config: ContainerConfig) -> str:
        """Make a container of a pulled image; return its id."""

    async def start_container(self, container_id: str) -> None:
        """Start the program. Raises RuntimeFailed if it cannot be started."""

    async def stop_container(self, container_id: str, timeout: float) -> None:
        """Send the stop signal, after `timeout` seconds SIGKILL; return when it has exited."""

    async def remove_container(self, container_id: str) -> None:
        """Forget an exited container and its log."""

    def update_container_resources(self, container_id: str, resources: ContainerResources) -> None:
        """Let a running container use more or less. Raises RuntimeFailed."""

    def sandboxes(self) -> list[PodSandboxStatus]:
        """Return all sandboxes, oldest first."""

    def containers(self, sandbox_id: str = "") -> list[ContainerStatus]:
        """Return all containers, of one sandbox if given, oldest first."""

    def container_stats(self) -> list[ContainerStats]:
        """Return what the running containers use, oldest first."""

    def disk_usage(self, container_id: str) -> int:
        """Return how many bytes a container has written: its own files and its log."""

    def network_of(self, sandbox_id: str) -> NetNamespace:
        """Return the sandbox's network namespace: probes and port-forward go through it."""

    async def exec_sync(
        self, container_id: str, command: tuple[str, ...], timeout: float, stdin: str = ""
    ) -> ExecResult:
        """Run a command in a running container; exit code 124 after `timeout` seconds."""

    async def exec(
        self, container_id: str, command: tuple[str, ...], timeout: float, streams: Streams
    ) -> int:
        """Run a command with these streams and return its exit code."""

    async def attach(self, container_id: str, streams: Streams) -> int:
        """Connect streams with the main process until it ends; return its exit code."""

    def log(self, container_id: str) -> list[LogLine]:
        """Return what the container has printed so far."""

    def subscribe(self, listener: Callable[[str], None]) -> None:
        """Call `listener(sandbox id)` whenever one of its containers changes state."""

    def subscribe_usage(self, listener: Callable[[str], None]) -> None:
        """Call `listener("memory")` when a container uses more or less of it, or with "disk"."""


class ImageService(Protocol):
    """The half of the CRI that has images."""

    def image_id(self, image: str) -> str:
        """Return the id of an image on this node, "" if it is not here."""

    async def pull_image(self, image: str, auth: ImageAuth | None = None) -> str:
        """Fetch the image and return its id; raises ImagePullFailed."""

    def size(self, image: str) -> int:
        """Return the size in bytes of an image on this node."""

    def user(self, image: str) -> int:
        """Return as whom an image on this node runs, 0 for root."""

    def files(self, image: str) -> Mapping[str, str]:
        """Return the files of an image on this node, by path."""

    def remove_unused(self, used: Iterable[str]) -> None:
        """Remove all images but these."""

    def images(self) -> list[tuple[str, int]]:
        """Return (name, size in bytes) of all images on this node, in order of arrival."""


class NetworkPlugin(Protocol):
    """The CNI: gives a sandbox its addresses and connects it to the rest of the cluster."""

    def ready(self) -> bool:
        """Say whether Pods can be connected yet: the agent has written its configuration."""

    async def add(
        self, sandbox_id: str, netns: NetNamespace, port_mappings: PortMappings = ()
    ) -> tuple[str, ...]:
        """Connect the namespace and return its addresses; raises RuntimeFailed.

        The host's ports of the mappings lead to the namespace from then on.
        """

    async def delete(self, sandbox_id: str) -> None:
        """Disconnect it and free its addresses; doing so twice does no harm."""


class Process(Protocol):
    """What a program is given: everything it can see of the world."""

    sim: Simulation
    name: str  # of the container
    args: tuple[str, ...]  # the whole command line, as /proc/PID/cmdline
    env: Mapping[str, str]
    hostname: str
    net: NetNamespace
    terminated: Signal  # set when SIGTERM arrives, for programs that handle it
    memory: int  # bytes in use; above the container's limit it is killed with OOMKilled

    def log(self, line: str) -> None:
        """Print a line."""

    def error(self, line: str) -> None:
        """Print a line to stderr."""

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""

    async def compute(self, seconds: float) -> None:
        """Work for so many CPU seconds; longer on the clock if the CPU limit throttles it."""

    def folder(self, path: str) -> tuple[Folder, str]:
        """Return the folder that is mounted there (or the container's own disk) and the rest."""

    async def resolve(self, host: str) -> str:
        """Return the address of a name, by the container's resolv.conf."""

    def handle_sigterm(self) -> None:
        """Keep SIGTERM from ending the process: it will watch `terminated` itself."""


Program = Callable[[Process], Awaitable[int | None]]
"""A container image's program; what it returns is the exit code (None: 0)."""
