"""Making sandboxes and starting containers, with every Event on the way.

A start is: back-off, image, configuration, create, start, postStart hook. Whatever fails raises
`ContainerNotStarted` with the reason that the container's status will show.

Rule of use: what to do is decided elsewhere; nothing here looks at restart policies.

Upstream: pkg/kubelet/kuberuntime/kuberuntime_container.go, kuberuntime_sandbox.go
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from k8slab.api.core import ConfigMap, Container, Pod, Secret, Service
from k8slab.api.duration import go_duration
from k8slab.api.errors import ApiError
from k8slab.api.node import RuntimeClass
from k8slab.client import ConnectionFailed
from k8slab.node.folder import Folder
from k8slab.node.interfaces import (
    EXITED,
    RUNNING,
    ContainerConfig,
    PodSandboxConfig,
    RuntimeFailed,
)
from k8slab.node.kubelet.allocation import container_resources
from k8slab.node.kubelet.backoff import Backoff
from k8slab.node.kubelet.container import (
    PodRuntimeStatus,
    all_containers,
    container_reference,
    format_pod,
    is_restartable_init,
)
from k8slab.node.kubelet.dependencies import ContainerNotStarted, Dependencies, SyncFailed
from k8slab.node.kubelet.dns_configurer import DnsConfigurer
from k8slab.node.kubelet.env import (
    ConfigError,
    EnvSources,
    expand,
    make_environment,
    referenced_objects,
)
from k8slab.node.kubelet.handlers import HookFailed, run_handler
from k8slab.node.kubelet.hostname import hosts_file, kernel_name
from k8slab.node.kubelet.images import ImageManager
from k8slab.node.kubelet.kuberuntime_termination import ContainerKiller
from k8slab.node.kubelet.node_status_setters import allocatable
from k8slab.node.kubelet.object_cache import NotSynced, ObjectCache
from k8slab.node.kubelet.security_context import (
    has_read_only_root,
    run_as_group,
    run_as_user,
    supplemental_groups,
    verify_run_as_non_root,
)
from k8slab.node.kubelet.volumes import Mounted, make_mounts

NORMAL, WARNING = "Normal", "Warning"


class KubeRuntime:
    """The kubelet's hands: what it does to the runtime."""

    def __init__(
        self,
        deps: Dependencies,
        objects: ObjectCache,
        services: Callable[[], tuple[Service, ...] | None],
        on_pull: Callable[[], None],
        dns: DnsConfigurer,
    ) -> None:
        self._deps = deps
        self._dns = dns
        self._objects = objects
        self._services = services  # None: not read yet
        self.images = ImageManager(deps, objects, on_pull)
        self.killer = ContainerKiller(deps)
        self.backoff = Backoff()

    # -- sandboxes

    async def create_sandbox(self, pod: Pod, attempt: int) -> None:
        """Give the Pod a network namespace and addresses. Raises SyncFailed."""
        deps, spec, meta = self._deps, pod.spec, pod.metadata
        conf = self._dns.conf_of(pod)
        try:
            hostname = kernel_name(pod, deps.config.cluster_domain)
        except ValueError as error:
            message = f"Failed to create pod sandbox: {error}"
            deps.recorder.event(pod, WARNING, "FailedCreatePodSandBox", message)
            raise SyncFailed(message) from None
        try:
            config = PodSandboxConfig(
                name=meta.name,
                namespace=meta.namespace,
                uid=meta.uid,
                attempt=attempt,
                hostname=deps.node_name if spec.hostNetwork else hostname,
                host_network=spec.hostNetwork,
                labels=meta.labels,
                port_mappings=port_mappings(pod),
                dns_config=str(conf),
                share_process_namespace=bool(spec.shareProcessNamespace),
                runtime_handler=await self._handler(pod),
            )
            await deps.runtime.run_pod_sandbox(config)
        except (RuntimeFailed, ApiError, ConnectionFailed) as error:
            message = f"Failed to create pod sandbox: {error}"
            deps.recorder.event(pod, WARNING, "FailedCreatePodSandBox", message)
            raise SyncFailed(message) from None

    async def _handler(self, pod: Pod) -> str:
        """Return what the runtime calls the Pod's RuntimeClass. Raises RuntimeFailed, ApiError."""
        name = pod.spec.runtimeClassName
        if not name:
            return ""
        try:
            return (await self._deps.client.get(RuntimeClass, name)).handler
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            text = f'runtimeclass.node.k8s.io "{name}" not found'
            raise RuntimeFailed("CreatePodSandboxError", text) from None

    # -- starting

    async def start_container(
        self,
        pod: Pod,
        container: Container,
        status: PodRuntimeStatus,
        sandbox_id: str,
        mounted: dict[str, Mounted],
        attempt: int,
    ) -> None:
        """Start the container, unless its back-off holds it. Raises ContainerNotStarted.

        `status` is from before this pass: an exit in it is where the back-off counts from.
        """
        self._check_backoff(pod, container, status)
        deps, about = self._deps, container_reference(pod, container)
        try:
            await self.images.ensure(pod, container)
            mounted = {**mounted, **await self._image_volumes(pod, container)}
            config = await self._config(pod, container, status, sandbox_id, mounted)
            config = replace(config, attempt=attempt)
        except ContainerNotStarted as failure:
            configuration = failure.reason == "CreateContainerConfigError"
            what = failure.message if configuration else failure.reason
            deps.recorder.event_about(about, WARNING, "Failed", f"Error: {what}")
            raise
        try:
            id_ = await deps.runtime.create_container(sandbox_id, config)
        except RuntimeFailed as error:
            deps.recorder.event_about(about, WARNING, "Failed", f"Error: {error}")
            reason = error.reason or "CreateContainerError"
            raise ContainerNotStarted(reason, str(error)) from None
        deps.recorder.event_about(about, NORMAL, "Created", "Container created")
        try:
            await deps.runtime.start_container(id_)
        except RuntimeFailed as error:
            deps.recorder.event_about(about, WARNING, "Failed", f"Error: {error}")
            reason = error.reason or "RunContainerError"
            raise ContainerNotStarted(reason, str(error)) from None
        deps.recorder.event_about(about, NORMAL, "Started", "Container started")
        await self._remove_old(container, status)
        await self._post_start(pod, container, id_, sandbox_id)

    async def _image_volumes(self, pod: Pod, container: Container) -> dict[str, Mounted]:
        """Return the volumes of the container that are images. Raises ContainerNotStarted."""
        names = [mount.name for mount in container.volumeMounts]
        mounted = {}
        for volume in pod.spec.volumes:
            if volume.image is not None and volume.name in names:
                await self.images.ensure_volume(pod, volume.image)
                folder = Folder()
                folder.files.update(self._deps.images.files(volume.image.reference))
                mounted[volume.name] = Mounted(folder, read_only=True)
        return mounted

    def _check_backoff(self, pod: Pod, container: Container, status: PodRuntimeStatus) -> None:
        exited = [s for s in status.all(container.name) if s.state == EXITED]
        if not exited:
            return
        key, now = f"{pod.metadata.uid}_{container.name}", self._deps.sim.now
        finished = exited[0].finished_at
        wait = self.backoff.remaining(key, finished, now)
        if wait <= 0:
            self.backoff.next(key, finished, now)
            return
        where = format_pod(pod)
        self._deps.recorder.event_about(
            container_reference(pod, container),
            WARNING,
            "BackOff",
            f"Back-off restarting failed container {container.name} in pod {where}",
        )
        message = (
            f"back-off {go_duration(self.backoff.get(key))} restarting failed "
            f"container={container.name} pod={where}"
        )
        raise ContainerNotStarted("CrashLoopBackOff", message, wait)

    async def _config(
        self,
        pod: Pod,
        container: Container,
        status: PodRuntimeStatus,
        sandbox_id: str,
        mounted: dict[str, Mounted],
    ) -> ContainerConfig:
        try:
            env = await self._environment(pod, container, sandbox_id, mounted)
            verify_run_as_non_root(pod, container, self._deps.images.user(container.image))
            mounts = make_mounts(container, mounted, env)
            target = _pid_target(pod, container, status)
        except (ConfigError, NotSynced, ValueError) as error:
            raise ContainerNotStarted("CreateContainerConfigError", str(error)) from None
        return ContainerConfig(
            name=container.name,
            image=container.image,
            command=tuple(expand(word, env) for word in container.command),
            args=tuple(expand(word, env) for word in container.args),
            env=env,
            mounts=mounts,
            hosts=self._hosts(pod, sandbox_id),
            working_dir=container.workingDir,
            ports=tuple((port.protocol or "TCP", port.containerPort) for port in container.ports),
            resources=container_resources(container),
            run_as_user=run_as_user(pod, container),
            run_as_group=run_as_group(pod, container),
            supplemental_groups=supplemental_groups(pod),
            must_end=_must_end(pod, container),
            read_only_root=has_read_only_root(container),
            stop_signal=(container.lifecycle and container.lifecycle.stopSignal) or "",
            pid_target=target,
            tty=container.tty,
            stdin=container.stdin,
            stdin_once=container.stdinOnce,
        )

    def _hosts(self, pod: Pod, sandbox_id: str) -> str:
        deps = self._deps
        ips = self._pod_ips(pod, sandbox_id)
        of_node = str(deps.machine.disk.files.get("etc/hosts", "127.0.0.1\tlocalhost\n"))
        return hosts_file(pod, ips, deps.config.cluster_domain, of_node)

    async def _environment(
        self, pod: Pod, container: Container, sandbox_id: str, mounted: dict[str, Mounted]
    ) -> dict[str, str]:
        services = self._services()
        if services is None:
            if "kubernetes.io/config.hash" not in pod.metadata.annotations:
                raise ConfigError(
                    "services have not yet been read at least once, cannot construct envvars"
                )
            services = ()  # a static Pod does not wait for an API server that it may be itself
        objects: dict[tuple[str, str], ConfigMap | Secret | None] = {}
        meta = pod.metadata
        for kind, name in referenced_objects(container):
            if kind == "ConfigMap":
                found: ConfigMap | Secret | None = await self._objects.get(
                    ConfigMap, meta.namespace, name, meta.uid
                )
            else:
                found = await self._objects.get(Secret, meta.namespace, name, meta.uid)
            objects[kind, name] = found
        sources = EnvSources(
            objects=objects,
            services=services,
            host_ips=self._deps.host_ips,
            pod_ips=self._pod_ips(pod, sandbox_id),
            allocatable=allocatable(self._deps),
            volumes={name: volume.folder for name, volume in mounted.items()},
        )
        return make_environment(pod, container, sources)

    def _pod_ips(self, pod: Pod, sandbox_id: str) -> tuple[str, ...]:
        if pod.spec.hostNetwork:
            return self._deps.host_ips
        sandboxes = self._deps.runtime.sandboxes()
        return next((sandbox.ips for sandbox in sandboxes if sandbox.id == sandbox_id), ())

    async def _remove_old(self, container: Container, status: PodRuntimeStatus) -> None:
        """Keep one dead container of each name: that is what `logs --previous` shows."""
        dead = [s for s in status.all(container.name) if s.state != RUNNING]
        for old in dead[1:]:
            await self._deps.runtime.remove_container(old.id)

    async def _post_start(self, pod: Pod, container: Container, id_: str, sandbox_id: str) -> None:
        hook = container.lifecycle.postStart if container.lifecycle is not None else None
        if hook is None:
            return
        ip = next(iter(self._pod_ips(pod, sandbox_id)), "")
        try:
            await run_handler(self._deps, hook, container, id_, ip)
        except (HookFailed, RuntimeFailed) as error:
            about = container_reference(pod, container)
            message = "PostStartHook failed"
            self._deps.recorder.event_about(about, WARNING, "FailedPostStartHook", message)
            await self.killer.kill_container(pod, container, id_, "FailedPostStartHook")
            raise ContainerNotStarted("PostStartHookError", str(error)) from None


def _must_end(pod: Pod, container: Container) -> bool:
    """Say whether the Pod waits for the container's end."""
    if is_restartable_init(container):
        return False
    return container in pod.spec.initContainers or pod.spec.restartPolicy != "Always"


def _pid_target(pod: Pod, container: Container, status: PodRuntimeStatus) -> str:
    """Return the id of the container that an ephemeral container was aimed at."""
    for found in pod.spec.ephemeralContainers:
        if found.name == container.name and found.targetContainerName:
            target = status.find(found.targetContainerName)
            if target is None:
                raise ConfigError(f"unable to find target container {found.targetContainerName}")
            return target.id
    return ""


def port_mappings(pod: Pod) -> tuple[tuple[str, str, int, int], ...]:
    """Return the host ports that lead to the Pod: protocol, host ip, host port, container port."""
    if pod.spec.hostNetwork:
        return ()
    return tuple(
        (port.protocol or "TCP", port.hostIP, port.hostPort, port.containerPort)
        for container in all_containers(pod.spec)
        for port in container.ports
        if port.hostPort
    )
