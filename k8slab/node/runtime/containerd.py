"""The container runtime of one node: sandboxes, containers, their starts and their ends.

`Containerd` is the CRI's RuntimeService, and its ImageService too (image_store.py). A container
is a group of tasks; when its main process ends, whatever else it started ends with it, and the
kernel closes its sockets. Everything that happens to a container is told to the subscribers.

Rule of use: the kubelet is its only client; a running container does not need the kubelet.

Upstream: containerd internal/cri/server
"""

from __future__ import annotations

from functools import partial

from k8slab.client.latency import Latency
from k8slab.linux.netns import NetNamespace
from k8slab.node.interfaces import (
    EXITED,
    RUNNING,
    RUNTIME_HANDLERS,
    SANDBOX_NOTREADY,
    SANDBOX_READY,
    ContainerConfig,
    ContainerResources,
    ExecResult,
    NetworkPlugin,
    PodSandboxConfig,
    Program,
    RuntimeFailed,
    Streams,
)
from k8slab.node.machine import Machine
from k8slab.node.runtime import exec_process, oci
from k8slab.node.runtime.container import SIGKILL_CODE, Container, Sandbox, exit_reason
from k8slab.node.runtime.container_store import ContainerStore
from k8slab.node.runtime.images.registry import ImageRegistry
from k8slab.node.runtime.main_streams import MainStreams
from k8slab.node.runtime.process import SIGNALS, Process
from k8slab.node.runtime.streams import Capture, Pipe
from k8slab.sim import Signal, Simulation, Task

START_ERROR_CODE = 128  # containerd's exit code of what never ran
UNKNOWN_CODE = 255  # of what ran when the machine lost its power


class Containerd(ContainerStore):
    """The runtime; what it knows survives the kubelet, not the machine's power."""

    def __init__(
        self,
        sim: Simulation,
        machine: Machine,
        images: ImageRegistry,
        network: NetworkPlugin,
        latency: Latency,
    ) -> None:
        super().__init__(sim, machine, images, latency)
        self._network = network

    # -- sandboxes

    async def run_pod_sandbox(self, config: PodSandboxConfig) -> str:
        """Make the Pod's sandbox: network namespace, addresses; return its id.

        Raises RuntimeFailed with reason CreatePodSandboxError.
        """
        id = self._new_id()
        if not config.host_network and not self._network.ready():
            raise RuntimeFailed("CreatePodSandboxError", oci.network_not_ready(id))
        if config.runtime_handler not in RUNTIME_HANDLERS:
            raise RuntimeFailed("CreatePodSandboxError", oci.no_handler(config.runtime_handler))
        await self._sim.sleep(self._latency.sandbox_start, f"{self._component}: sandbox")
        net = self.machine.net
        if not config.host_network:
            net = NetNamespace(self._sim, f"{config.namespace}/{config.name}")
            net.queries = self.machine.net.queries
            net.keeps_open = self.machine.net.keeps_open
        sandbox = Sandbox(id, config, net, self._sim.now)
        if not config.host_network:
            try:
                sandbox.ips = await self._network.add(id, net, config.port_mappings)
            except BaseException:
                net.close()
                raise
        self._sandboxes[id] = sandbox
        self._record(sandbox, "sandbox", " ".join(sandbox.ips) or "host network")
        return id

    async def stop_pod_sandbox(self, sandbox_id: str) -> None:
        """Kill what is left in it and give back its addresses; doing so twice does no harm."""
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is None:
            return
        for container in tuple(sandbox.containers.values()):
            await self.stop_container(container.id, 0)
        if not sandbox.config.host_network:
            await self._network.delete(sandbox_id)
            sandbox.net.close()
        if sandbox.state == SANDBOX_READY:
            sandbox.state = SANDBOX_NOTREADY
            self._tell(sandbox)

    async def remove_pod_sandbox(self, sandbox_id: str) -> None:
        """Forget a stopped sandbox and its containers."""
        await self.stop_pod_sandbox(sandbox_id)
        sandbox = self._sandboxes.pop(sandbox_id, None)
        if sandbox is not None:
            for id in sandbox.containers:
                del self._containers[id]

    # -- containers

    async def create_container(self, sandbox_id: str, config: ContainerConfig) -> str:
        """Make a container of a pulled image; return its id.

        Raises RuntimeFailed with reason CreateContainerError.
        """
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is None or sandbox.state != SANDBOX_READY:
            raise RuntimeFailed("CreateContainerError", oci.no_sandbox(sandbox_id))
        image = self.image(config.image)
        if image is None:
            raise RuntimeFailed("CreateContainerError", oci.no_image(config.image))
        container = Container(self._new_id(), sandbox, config, image, self._sim.now)
        container.group.on_error = partial(self._crashed, container)
        container.kill = partial(self._kill, container)
        container.usage_changed = self._usage_changed
        sandbox.containers[container.id] = container
        self._containers[container.id] = container
        return container.id

    async def start_container(self, container_id: str) -> None:
        """Start the program. Raises RuntimeFailed with reason RunContainerError."""
        container = self._get(container_id)
        await self._sim.sleep(self._latency.container_start, f"{self._component}: start")
        if container.sandbox.state != SANDBOX_READY:
            raise RuntimeFailed("RunContainerError", oci.no_sandbox(container.sandbox.id))
        config = container.config
        args = container.image.command_line(config.command, config.args)
        program = container.image.find(args[0]) if args else None
        if program is None:
            message = oci.cannot_start(args[0] if args else "")
            self._not_started(container, message)
            raise RuntimeFailed("RunContainerError", message)
        self._launch(container, program, args)

    def _launch(self, container: Container, program: Program, args: tuple[str, ...]) -> None:
        log = partial(container.log_at, self._sim)
        container.main = main = MainStreams(self._sim, container.config, log)
        streams = (main.stdin, main.stdout, main.stderr)
        env = oci.environment(container.image, container.config, container.sandbox.config)
        process = Process(container, args, env, streams, container.group)
        container.state = RUNNING
        container.started_at = self._sim.now
        task = self._sim.spawn(process.run(program), container.group.name, container.group)
        task.on_done(partial(self._ended, container, process, task))
        self._record(container.sandbox, "start", f"container {container.config.name}")
        self._tell(container.sandbox)

    def _not_started(self, container: Container, message: str) -> None:
        container.state = EXITED
        container.exit_code, container.reason = START_ERROR_CODE, "StartError"
        container.message = message
        container.finished_at = self._sim.now
        self._tell(container.sandbox)

    async def stop_container(self, container_id: str, timeout: float) -> None:
        """Send the stop signal, after `timeout` seconds SIGKILL; return when it has exited."""
        container = self._containers.get(container_id)
        if container is None or container.state != RUNNING:
            return
        exited = Signal(self._sim, f"{self._component}: exit of {container.config.name}")
        container.waiters.append(exited)
        if timeout > 0:
            signal = container.config.stop_signal or container.image.stop_signal
            self._kill(container, SIGNALS.get(signal.removeprefix("SIG"), SIGNALS["TERM"]))
            if await exited.wait(timeout):
                return
        self._kill(container, SIGNALS["KILL"])
        await exited.wait()

    async def remove_container(self, container_id: str) -> None:
        """Forget an exited container and its log. Raises RuntimeFailed if it runs."""
        container = self._containers.get(container_id)
        if container is None:
            return
        if container.state == RUNNING:
            raise RuntimeFailed("RemoveContainerError", oci.still_running(container_id))
        del self._containers[container_id]
        del container.sandbox.containers[container_id]

    def update_container_resources(self, container_id: str, resources: ContainerResources) -> None:
        """Let a running container use more or less. Raises RuntimeFailed."""
        container = self._get(container_id)
        limit, usage = resources.memory_limit, container.memory
        if 0 < limit < usage:
            why = oci.below_usage(container.config.name, limit, usage)
            raise RuntimeFailed("UpdateContainerError", why)
        container.update(resources)
        self._record(container.sandbox, "update", f"container {container.config.name}")
        self._tell(container.sandbox)

    # -- ends

    def kill(self, container_id: str, signal: int) -> None:
        """Send a signal to a container's main process, as `kill` on the machine does."""
        self._kill(self._get(container_id), signal)

    def _kill(self, container: Container, signal: int) -> None:
        """Deliver a signal to the main process; unless it is handled, that is its end."""
        main = container.main_process
        if main is None or container.dying is not None:
            return
        if signal in main.handlers:
            main.handlers[signal]()
            return
        if signal != SIGNALS["KILL"] and main.handles_sigterm:
            main.signal = signal
            main.terminated.set()
            return
        container.exit(128 + signal)

    def _crashed(self, container: Container, error: Exception) -> None:
        """Take a crash beside the main task: it takes the whole process with it."""
        from k8slab.node.runtime.process import CRASHED, crash_report

        for line in crash_report(error):
            container.log(self._sim.now, "stderr", line)
        container.exit(CRASHED)

    def _ended(self, container: Container, main: Process, task: Task[int]) -> None:
        """The main process is gone: so is all that it started."""
        if container.state == EXITED:  # the power went before
            return
        code = container.dying if container.dying is not None else task._result
        container.dying = container.exit_code = SIGKILL_CODE if code is None else code
        for output in (main.stdout, main.stderr):
            output.close()
        for group in (container.group, *container.exec_groups):
            group.kill()
            container.sandbox.net.close_owned_by(group)
        container.end_all()
        if container.main_pid == 1:  # the kernel ends a namespace with its first process
            for other in container.sandbox.containers.values():
                if other.pids is container.pids and other.running:
                    other.exit(SIGKILL_CODE)
        container.finished_at = self._sim.now
        container.reason = exit_reason(container)
        self._sim.after(
            self._latency.container_stop,
            partial(self._report_exit, container),
            f"{self._component}: exit of {container.config.name}",
        )

    def _report_exit(self, container: Container) -> None:
        container.state = EXITED
        detail = f"container {container.config.name}: {container.reason}"
        self._record(container.sandbox, "exit", f"{detail}, exit code {container.exit_code}")
        for waiter in container.waiters:
            waiter.set()
        container.waiters.clear()
        self._tell(container.sandbox)

    def power_off(self) -> None:
        """Lose everything that runs, at once and without a word, as a machine does."""
        for container in self._containers.values():
            if container.state == RUNNING:
                container.group.kill()
                for group in container.exec_groups:
                    group.kill()
                container.end_all()
                container.state, container.finished_at = EXITED, self._sim.now
                container.exit_code, container.reason = UNKNOWN_CODE, "Unknown"
        for sandbox in self._sandboxes.values():
            sandbox.state = SANDBOX_NOTREADY
            if not sandbox.config.host_network:
                sandbox.net.close()
        self.machine.net.sockets.abandon()

    # -- commands

    async def exec_sync(
        self, container_id: str, command: tuple[str, ...], timeout: float, stdin: str = ""
    ) -> ExecResult:
        """Run a command in a running container; exit code 124 after `timeout` seconds (0: never).

        Raises RuntimeFailed with reason ExecFailed.
        """
        out, err = Capture(), Capture()
        streams = Streams(stdin=Pipe(self._sim, stdin), stdout=out, stderr=err)
        code = await self.exec(container_id, command, timeout, streams)
        return ExecResult(out.text, err.text, code)

    async def exec(
        self, container_id: str, command: tuple[str, ...], timeout: float, streams: Streams
    ) -> int:
        """Run a command with these streams, and return its exit code, as `exec_sync` does."""
        container = self._get(container_id)
        if not container.running:
            raise RuntimeFailed("ExecFailed", oci.exec_not_running(container.state))
        program = container.image.find(command[0])
        if program is None:
            raise RuntimeFailed("ExecFailed", oci.cannot_exec(command[0], self._new_id()))
        return await exec_process.run(container, program, command, timeout, streams)

    async def attach(self, container_id: str, streams: Streams) -> int:
        """Connect streams with the main process until it ends, and return its exit code."""
        container = self._get(container_id)
        exited = Signal(self._sim, f"{self._component}: exit of {container.config.name}")
        if container.main is not None and container.state == RUNNING:
            container.waiters.append(exited)
            await container.main.attach(streams, exited.wait)
        return container.exit_code
