"""What the kubelet knows of one Pod from the runtime, and the questions that all its parts ask.

`PodRuntimeStatus` is a snapshot: sandboxes and containers of one Pod, newest first. The rules of
restarting are here because deciding (kuberuntime_manager) and telling (kubelet_pods) must agree.

Rule of use: take a fresh snapshot for each pass; never keep one across an `await`.

Upstream: pkg/kubelet/container/runtime.go, pkg/kubelet/container/helpers.go
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from k8slab.api.conditions import get_condition
from k8slab.api.core import Container, ObjectReference, Pod, PodSpec, PodStatus
from k8slab.api.core import ContainerStatus as ApiContainerStatus
from k8slab.api.pods import RESTART_ALL, container_should_restart, matching_restart_rule
from k8slab.client import reference_to
from k8slab.node.interfaces import (
    CREATED,
    EXITED,
    RUNNING,
    SANDBOX_READY,
    ContainerStatus,
    PodSandboxStatus,
)


class PodRuntimeStatus(msgspec.Struct, frozen=True):
    """Sandboxes and containers of one Pod, newest first."""

    sandboxes: tuple[PodSandboxStatus, ...] = ()
    containers: tuple[ContainerStatus, ...] = ()

    def find(self, name: str) -> ContainerStatus | None:
        """Return the newest container of that name."""
        for status in self.containers:
            if status.config.name == name:
                return status
        return None

    def all(self, name: str) -> list[ContainerStatus]:
        """Return the containers of that name, newest first."""
        return [status for status in self.containers if status.config.name == name]

    def running(self) -> list[ContainerStatus]:
        """Return the containers that run, oldest first."""
        return [status for status in reversed(self.containers) if status.state == RUNNING]

    def sandbox(self) -> PodSandboxStatus | None:
        """Return the newest sandbox."""
        return self.sandboxes[0] if self.sandboxes else None

    def ready_sandbox(self) -> PodSandboxStatus | None:
        """Return the newest sandbox if it is ready."""
        newest = self.sandbox()
        return newest if newest is not None and newest.state == SANDBOX_READY else None

    def ips(self) -> tuple[str, ...]:
        """Return the addresses of the ready sandbox."""
        sandbox = self.ready_sandbox()
        return sandbox.ips if sandbox is not None else ()


def is_restartable_init(container: Container) -> bool:
    """Say whether an init container is a sidecar: it keeps running beside the others."""
    return container.restartPolicy == "Always"


def all_containers(spec: PodSpec) -> Iterator[Container]:
    """Yield init containers, containers and ephemeral ones, in the order of the manifest."""
    yield from spec.initContainers
    yield from spec.containers
    yield from ephemeral_containers(spec)


def ephemeral_containers(spec: PodSpec) -> tuple[Container, ...]:
    """Return the ephemeral containers as containers: what one was aimed at is not in them.

    They are only ever started once, and nothing about the Pod depends on them.
    """
    return tuple(
        Container(**{field: getattr(found, field) for field in Container.__struct_fields__})
        for found in spec.ephemeralContainers
    )


def field_path(pod: Pod, container: Container) -> str:
    """Return how Events name a container: spec.containers{web}."""
    for kind in ("containers", "initContainers"):
        if any(container.name == other.name for other in getattr(pod.spec, kind)):
            return f"spec.{kind}{{{container.name}}}"
    return f"spec.ephemeralContainers{{{container.name}}}"


def container_reference(pod: Pod, container: Container) -> ObjectReference:
    """Return the reference that Events about one container carry."""
    return reference_to(pod, field_path(pod, container))


def format_pod(pod: Pod) -> str:
    """Return the Pod as the kubelet's messages name it: web_default(uid)."""
    return f"{pod.metadata.name}_{pod.metadata.namespace}({pod.metadata.uid})"


def should_container_be_restarted(container: Container, pod: Pod, status: PodRuntimeStatus) -> bool:
    """Say whether the next pass has to start the container (for the first time, or again)."""
    if pod.metadata.deletionTimestamp is not None:
        return False
    newest = status.find(container.name)
    if newest is None or newest.state == CREATED:
        return True
    if newest.state == RUNNING:
        return False
    return container_should_restart(container, pod.spec, newest.exit_code)


def should_restart_all(pod: Pod, status: PodRuntimeStatus, old: PodStatus) -> bool:
    """Say whether all containers of the Pod have to go, so that it begins from the beginning.

    An exit that a rule says so of starts this, and it is over when no container is left.
    """
    containers = (*pod.spec.initContainers, *pod.spec.containers)
    if all(status.find(container.name) is None for container in containers):
        return False
    begun = get_condition(old.conditions, "AllContainersRestarting")
    if begun is not None and begun.status == "True":
        return True
    for container in containers:
        newest = status.find(container.name) if container.restartPolicyRules else None
        if newest is not None and newest.state == EXITED:
            rule = matching_restart_rule(container, newest.exit_code)
            if rule is not None and rule.action == RESTART_ALL:
                return True
    return False


def has_regular_container_started(pod: Pod, status: PodRuntimeStatus) -> bool:
    """Say whether a regular container has run in the present sandbox: the Pod is initialised.

    A new sandbox starts the Pod anew, a restarting sidecar does not.
    """
    sandbox = status.sandbox()
    if sandbox is None:
        return False
    names = [container.name for container in pod.spec.containers]
    return any(
        found.sandbox_id == sandbox.id
        and found.config.name in names
        and (found.state == RUNNING or (found.state == EXITED and found.started_at > 0))
        for found in status.containers
    )


def find_status(statuses: Sequence[ApiContainerStatus], name: str) -> ApiContainerStatus | None:
    """Return the container's status, None if there is none."""
    for status in statuses:
        if status.name == name:
            return status
    return None
