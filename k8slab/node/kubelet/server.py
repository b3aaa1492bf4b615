"""What the API server asks a kubelet for: the log of a container, a command in one.

Rule of use: the wiring hands these to the API server, as upstream's kubelet client reaches port
10250; nobody else calls them.

Upstream: pkg/kubelet/server/server.go, pkg/kubelet/kubelet_pods.go (GetKubeletContainerLogs)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from k8slab.api.core import Pod
from k8slab.api.errors import bad_request, internal, not_found
from k8slab.api.meta import micro_timestamp, seconds
from k8slab.api.scheme import resource_for
from k8slab.client import Request
from k8slab.linux.errors import NetworkError
from k8slab.linux.tcp import Connection
from k8slab.node.interfaces import (
    RUNNING,
    ContainerStatus,
    ExecResult,
    LogLine,
    RuntimeFailed,
    RuntimeService,
    Streams,
)
from k8slab.node.kubelet import read_only
from k8slab.node.kubelet.container import all_containers
from k8slab.node.kubelet.log_follower import LogFollower
from k8slab.node.kubelet.pleg import Pleg
from k8slab.node.kubelet.pod_manager import PodManager
from k8slab.node.kubelet.resource_metrics import resource_metrics
from k8slab.node.machine import Machine
from k8slab.sim import Simulation

LOOPBACK = "127.0.0.1"
EXEC_TIMEOUT = 3600.0  # s of virtual time, until a command that does not end is given up


class LogOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a log is wanted, and how it is printed."""

    previous: bool = False  # of the container before the last restart
    tail: int | None = None  # lines, counted from the end
    since: float | None = None  # virtual seconds: nothing older
    timestamps: bool = False


class KubeletServer:
    """The kubelet's own API."""

    def __init__(
        self, sim: Simulation, pods: PodManager, pleg: Pleg, runtime: RuntimeService
    ) -> None:
        self._sim = sim
        self._pods = pods
        self._pleg = pleg
        self._runtime = runtime

    async def run(self, machine: Machine) -> None:
        """Answer on the kubelet's port too, for ever."""
        await read_only.run(self._sim, machine, self._pods, self._runtime)

    async def serve(self, request: Request) -> Any:
        """Answer pods/log, exec, attach and portforward, and nodes/metrics.

        `options` are the real URLs' parameters, the body has streams, or the port to connect to.
        A log is text, or a LogFollower; what a command did is an ExecResult, or its exit code if
        the body of the request has streams. Raises ApiError.
        """
        if request.resource == "nodes":
            return resource_metrics(self._runtime.container_stats(), self._sim.now)
        given = dict(request.options)
        if request.subresource == "portforward":
            return await self.port_forward(request.namespace, request.name, request.body)
        container = given.get("container", "")
        if request.subresource == "log":
            options = self._log_options(given)
            if given.get("follow") == "true":
                return self.follow(request.namespace, request.name, container, options)
            return self.container_log(request.namespace, request.name, container, options)
        command = tuple(word for name, word in request.options if name == "command")
        if isinstance(request.body, Streams):
            if request.subresource == "attach":
                return await self.attach(request.namespace, request.name, container, request.body)
            return await self.stream(
                request.namespace, request.name, container, command, request.body
            )
        stdin = request.body if isinstance(request.body, str) else ""
        return await self.exec(request.namespace, request.name, container, command, stdin)

    def _log_options(self, given: Mapping[str, str]) -> LogOptions:
        since = None
        if "sinceSeconds" in given:
            since = self._sim.now - float(given["sinceSeconds"])
        elif "sinceTime" in given:
            since = seconds(given["sinceTime"])
        return LogOptions(
            previous=given.get("previous") == "true",
            tail=int(given["tailLines"]) if "tailLines" in given else None,
            since=since,
            timestamps=given.get("timestamps") == "true",
        )

    def container_log(self, namespace: str, pod: str, container: str, options: LogOptions) -> str:
        """Return the log's text. Raises ApiError in the kubelet's words."""
        found = self._find(namespace, pod, container, previous=options.previous)
        return format_log(self._runtime.log(found.id), options)

    def follow(self, namespace: str, pod: str, container: str, options: LogOptions) -> LogFollower:
        """Return a reader of the log that goes on until the container ends. Raises ApiError."""
        found = self._find(namespace, pod, container, previous=options.previous)
        lines = self._runtime.log(found.id)
        shown = msgspec.structs.replace(options, tail=None, since=None)
        return LogFollower(
            self._sim,
            self._runtime,
            found,
            lambda new: format_log(new, shown),
            format_log(lines, options),
            lines[-1] if lines else None,
        )

    async def attach(self, namespace: str, pod: str, container: str, streams: Streams) -> int:
        """Connect streams with a container's process; return its exit code. Raises ApiError."""
        found = self._running(namespace, pod, container)
        return await self._runtime.attach(found.id, streams)

    async def stream(
        self, namespace: str, pod: str, container: str, command: tuple[str, ...], streams: Streams
    ) -> int:
        """Run a command with streams of the caller's; return its exit code. Raises ApiError."""
        found = self._running(namespace, pod, container)
        try:
            return await self._runtime.exec(found.id, command, 0.0, streams)
        except RuntimeFailed as error:
            raise internal(f"error executing command in container: {error}") from None

    async def exec(
        self, namespace: str, pod: str, container: str, command: tuple[str, ...], stdin: str = ""
    ) -> ExecResult:
        """Run a command in a running container. Raises ApiError in the kubelet's words."""
        found = self._running(namespace, pod, container)
        try:
            return await self._runtime.exec_sync(found.id, command, EXEC_TIMEOUT, stdin)
        except RuntimeFailed as error:
            raise internal(f"error executing command in container: {error}") from None

    async def port_forward(self, namespace: str, name: str, port: int) -> Connection:
        """Return a connection to a port of a Pod's own loopback. Raises ApiError."""
        pod = self._pods.by_name(namespace, name)
        if pod is None:
            raise not_found(resource_for(Pod), name)
        sandboxes = self._pleg.status(pod.metadata.uid).sandboxes
        if not sandboxes:
            raise internal(f"cannot find running pod sandbox of pod {name}")
        namespace_of_pod = self._runtime.network_of(sandboxes[0].id)
        try:
            return await namespace_of_pod.connect(LOOPBACK, port)
        except NetworkError as error:
            reason = f"dial tcp4 {LOOPBACK}:{port}: connect: {error.words.lower()}"
            raise internal(
                f"error forwarding port {port} to pod {sandboxes[0].id}, uid : failed to connect "
                f"to localhost:{port} inside namespace, IPv4: {reason}"
            ) from None

    def _running(self, namespace: str, pod: str, container: str) -> ContainerStatus:
        found = self._find(namespace, pod, container)
        if found.state != RUNNING:
            raise bad_request(f"container {found.config.name} is not running")
        return found

    def _find(
        self, namespace: str, name: str, container: str, *, previous: bool = False
    ) -> ContainerStatus:
        pod = self._pods.by_name(namespace, name)
        if pod is None:
            raise not_found(resource_for(Pod), name)
        container = container or _only_container(pod)
        names = [known.name for known in all_containers(pod.spec)]
        if container not in names:
            raise bad_request(f"container {container} is not valid for pod {name}")
        history = self._pleg.status(pod.metadata.uid).all(container)
        if previous:
            history = history[1:]
            if not history:
                raise bad_request(
                    f'previous terminated container "{container}" in pod "{name}" not found'
                )
        if not history:
            raise bad_request(
                f'container "{container}" in pod "{name}" is waiting to start: '
                f"{_why_waiting(pod, container)}"
            )
        return history[0]


def _only_container(pod: Pod) -> str:
    """Return the name of the Pod's container; ApiError if there is a choice."""
    names = [container.name for container in pod.spec.containers]
    if len(names) == 1:
        return names[0]
    choice = f"choose one of: [{' '.join(names)}]"
    if pod.spec.initContainers:
        init = " ".join(container.name for container in pod.spec.initContainers)
        choice += f" or one of the init containers: [{init}]"
    raise bad_request(f"a container name must be specified for pod {pod.metadata.name}, {choice}")


def _why_waiting(pod: Pod, container: str) -> str:
    for status in (*pod.status.initContainerStatuses, *pod.status.containerStatuses):
        if status.name == container and status.state.waiting is not None:
            reason = status.state.waiting.reason
            if reason in ("ErrImagePull", "ImagePullBackOff"):
                return "trying and failing to pull image"
            return reason
    return "ContainerCreating"


def chosen_lines(lines: list[LogLine], options: LogOptions) -> list[LogLine]:
    """Return the lines that the options ask for."""
    if options.since is not None:
        lines = [line for line in lines if line.time >= options.since]
    if options.tail is not None:
        lines = lines[len(lines) - options.tail :] if options.tail < len(lines) else lines
    return lines


def format_log(lines: list[LogLine], options: LogOptions) -> str:
    """Write log lines as `kubectl logs` prints them."""
    return "".join(
        f"{micro_timestamp(line.time)} {line.text}\n" if options.timestamps else f"{line.text}\n"
        for line in chosen_lines(lines, options)
    )
