"""Deciding what to do to the containers of one Pod: the heart of the kubelet.

`compute_pod_actions` compares what the Pod shall be with what the runtime has, and says: kill
everything, make a new sandbox, start these containers, kill those. It is pure; `pod_sync` does
what it says. Called again and again, it brings every Pod from any state to the wanted one:

    nothing runs            ->  new sandbox, first init container
    init container running  ->  wait
    init container exit 0   ->  the next one, at the end all containers at once
    container exited        ->  start it again, if the restart policy says so
    sandbox gone            ->  new sandbox, and everything from the beginning

Rule of use: one pass never does two passes' work; what follows from an action is for the next.

Upstream: pkg/kubelet/kuberuntime/kuberuntime_manager.go (computePodActions)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from k8slab.api.core import Container, Pod
from k8slab.api.pods import container_should_restart
from k8slab.node.interfaces import EXITED, RUNNING, SANDBOX_READY, ContainerStatus
from k8slab.node.kubelet.allocation import changed_resources, container_resources
from k8slab.node.kubelet.container import (
    PodRuntimeStatus,
    ephemeral_containers,
    has_regular_container_started,
    is_restartable_init,
    should_container_be_restarted,
)


class ContainerToKill(msgspec.Struct, frozen=True):
    """A container that has to go, and what its Killing Event says."""

    container: Container
    container_id: str
    message: str
    probe: str = ""  # liveness or startup, if that probe condemned it


class ContainerToUpdate(msgspec.Struct, frozen=True):
    """A running container that gets other resources."""

    container: Container
    container_id: str


class PodActions(msgspec.Struct, frozen=True, kw_only=True):
    """What one pass does: kill, sandbox, ephemeral and init containers, update, the others."""

    kill_pod: bool = False
    create_sandbox: bool = False
    sandbox_id: str = ""
    attempt: int = 0  # of the new sandbox
    init_containers_to_start: tuple[Container, ...] = ()
    containers_to_start: tuple[Container, ...] = ()
    ephemeral_containers_to_start: tuple[Container, ...] = ()
    containers_to_kill: tuple[ContainerToKill, ...] = ()
    containers_to_update: tuple[ContainerToUpdate, ...] = ()


class ProbeVerdicts(msgspec.Struct, frozen=True):
    """What the probes have found, by container id."""

    failed: Mapping[str, str] = {}  # "liveness" or "startup": that probe condemned the container
    starting: tuple[str, ...] = ()  # its startup probe has not succeeded yet


NO_VERDICTS = ProbeVerdicts()


def compute_pod_actions(
    pod: Pod, status: PodRuntimeStatus, probes: ProbeVerdicts = NO_VERDICTS
) -> PodActions:
    """Say what has to be done to the Pod's containers."""
    sandbox = status.sandbox()
    usable = sandbox is not None and sandbox.state == SANDBOX_READY
    if usable and sandbox is not None and not (pod.spec.hostNetwork or sandbox.ips):
        usable = False
    if not usable or sandbox is None:
        return _new_sandbox(pod, status)
    return _in_sandbox(pod, status, probes)


def _new_sandbox(pod: Pod, status: PodRuntimeStatus) -> PodActions:
    """Everything from the beginning, unless there is nothing left to run."""
    sandbox = status.sandbox()
    attempt = sandbox.config.attempt + 1 if sandbox is not None else 0
    nothing = PodActions(kill_pod=True, attempt=attempt)
    if pod.spec.restartPolicy == "Never" and attempt and status.containers:
        return nothing
    to_start = tuple(
        container for container in pod.spec.containers if not _done_for_good(container, pod, status)
    )
    if not to_start:
        return nothing
    first = pod.spec.initContainers[:1]
    return PodActions(
        kill_pod=True,
        create_sandbox=True,
        attempt=attempt,
        init_containers_to_start=first,
        containers_to_start=() if first else to_start,
    )


def _done_for_good(container: Container, pod: Pod, status: PodRuntimeStatus) -> bool:
    """Under OnFailure a success is final, even across sandboxes."""
    newest = status.find(container.name)
    if newest is None or newest.state != EXITED or newest.exit_code != 0:
        return False
    return (container.restartPolicy or pod.spec.restartPolicy) == "OnFailure"


def _in_sandbox(pod: Pod, status: PodRuntimeStatus, probes: ProbeVerdicts) -> PodActions:
    sandbox = status.sandbox()
    assert sandbox is not None
    started = has_regular_container_started(pod, status)
    # Containers of an older sandbox do not count: the Pod began anew.
    present = PodRuntimeStatus(
        status.sandboxes,
        tuple(found for found in status.containers if found.sandbox_id == sandbox.id),
    )
    # Started once, whatever the other containers do, and never again.
    looking = tuple(c for c in ephemeral_containers(pod.spec) if status.find(c.name) is None)
    init = _init_actions(pod, present, probes, initialized=started)
    if init.kill_pod or not init.initialized:
        return PodActions(
            kill_pod=init.kill_pod,
            sandbox_id=sandbox.id,
            ephemeral_containers_to_start=looking,
            init_containers_to_start=tuple(init.to_start),
            containers_to_kill=tuple(init.to_kill),
        )
    to_start: list[Container] = []
    to_kill = list(init.to_kill)
    keep = 0
    for container in pod.spec.containers:
        found = present.find(container.name)
        if found is None or found.state != RUNNING:
            if should_container_be_restarted(container, pod, present):
                to_start.append(container)
            continue
        condemned = _condemned(container, found, pod, probes)
        if condemned is None:
            keep += 1
            continue
        to_kill.append(condemned[0])
        if condemned[1]:
            to_start.append(container)
            keep += 1
    finished = keep == 0 and not to_start
    return PodActions(
        kill_pod=finished,
        sandbox_id=sandbox.id,
        ephemeral_containers_to_start=looking,
        init_containers_to_start=() if finished else tuple(init.to_start),
        containers_to_start=tuple(to_start),
        containers_to_kill=tuple(to_kill),
        containers_to_update=() if finished else tuple(_updates(pod, present, to_kill)),
    )


def _updates(
    pod: Pod, status: PodRuntimeStatus, to_kill: list[ContainerToKill]
) -> Iterator[ContainerToUpdate]:
    """Yield the containers that were given other resources and need not restart for it."""
    dying = [condemned.container_id for condemned in to_kill]
    for container in (*pod.spec.initContainers, *pod.spec.containers):
        found = status.find(container.name)
        if found is None or found.state != RUNNING or found.id in dying:
            continue
        if found.config.resources != container_resources(container):
            yield ContainerToUpdate(container, found.id)


def _must_restart_for_resources(container: Container, found: ContainerStatus) -> bool:
    changed = changed_resources(found.config.resources, container_resources(container))
    return any(
        policy.resourceName in changed and policy.restartPolicy == "RestartContainer"
        for policy in container.resizePolicy
    )


def _condemned(
    container: Container, found: ContainerStatus, pod: Pod, probes: ProbeVerdicts
) -> tuple[ContainerToKill, bool] | None:
    """Return why a running container has to go and whether it comes back; None lets it run."""
    probe = probes.failed.get(found.id)
    if probe:
        message = f"Container {container.name} failed {probe} probe"
        restart = container_should_restart(container, pod.spec, 1)
    elif found.config.image != container.image:
        probe, message = "", f"Container {container.name} definition changed"
        restart = True
    elif _must_restart_for_resources(container, found):
        message = f"Container {container.name} resize requires restart"
        return ContainerToKill(container, found.id, message), True
    else:
        return None
    if restart:
        message += ", will be restarted"
    return ContainerToKill(container, found.id, message, probe), restart


class _InitActions(msgspec.Struct):
    initialized: bool = True
    kill_pod: bool = False
    to_start: list[Container] = []
    to_kill: list[ContainerToKill] = []


def _init_actions(
    pod: Pod,
    status: PodRuntimeStatus,
    probes: ProbeVerdicts,
    *,
    initialized: bool,
) -> _InitActions:
    """Walk the init containers in order, up to the first that holds the others up.

    Once a regular container has run, only sidecars matter: they are kept running.
    """
    actions = _InitActions()
    furthest = _furthest(pod, status)
    for index, container in enumerate(pod.spec.initContainers):
        found = status.find(container.name)
        if is_restartable_init(container):
            passed = _sidecar(container, found, pod, probes, actions)
        elif initialized or index < furthest:
            continue
        else:
            passed = _regular_init(container, found, pod, actions)
        # What lies before the furthest container was passed once; it need not be passed again.
        if not passed and not initialized and index >= furthest:
            actions.initialized = False
            return actions
    return actions


def _furthest(pod: Pod, status: PodRuntimeStatus) -> int:
    """Return the index of the last init container that was ever begun in this sandbox."""
    begun = [
        index
        for index, container in enumerate(pod.spec.initContainers)
        if status.find(container.name) is not None
    ]
    return begun[-1] if begun else 0


def _regular_init(
    container: Container, found: ContainerStatus | None, pod: Pod, actions: _InitActions
) -> bool:
    """Return whether the next one may start."""
    if found is not None and found.state == RUNNING:
        return False
    if found is not None and found.state == EXITED:
        if found.exit_code == 0:
            return True
        # Always means OnFailure here: an init container that succeeded is not run again.
        if not container_should_restart(container, pod.spec, found.exit_code):
            actions.kill_pod = True
            return False
    actions.to_start.append(container)
    return False


def _sidecar(
    container: Container,
    found: ContainerStatus | None,
    pod: Pod,
    probes: ProbeVerdicts,
    actions: _InitActions,
) -> bool:
    if found is None or found.state != RUNNING:
        actions.to_start.append(container)
        return False
    condemned = _condemned(container, found, pod, probes)
    if condemned is not None:
        actions.to_kill.append(condemned[0])
        actions.to_start.append(container)
        return False
    # Started means: without a startup probe at once, else when that has succeeded.
    return container.startupProbe is None or found.id not in probes.starting
