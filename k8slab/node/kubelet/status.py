"""Phase and conditions of a Pod, as pure functions of its containers' statuses.

A phase is a summary: a Pod whose container crashes again and again is Running all the while. The
conditions say more: PodReadyToStartContainers (it has a network), Initialized (init containers
are done), ContainersReady, Ready (that, and its readiness gates).

Rule of use: nothing here knows the runtime or the clock; statuses in, values out.

Upstream: pkg/kubelet/kubelet_pods.go (getPhase), pkg/kubelet/status/generate.go
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api.core import Container, ContainerStatus, Pod, PodCondition, PodSpec
from k8slab.api.pods import all_containers_could_restart, container_should_restart
from k8slab.node.kubelet.container import find_status, is_restartable_init

ALL_RESTARTING = "AllContainersRestarting"
PENDING, RUNNING, SUCCEEDED, FAILED = "Pending", "Running", "Succeeded", "Failed"
UNKNOWN = "Unknown"


def unknown(*args: object, **keywords: object) -> str:
    """Return the phase of a Pod about which nothing can be said."""
    return UNKNOWN


def pod_phase(
    spec: PodSpec,
    container_statuses: Sequence[ContainerStatus],
    init_container_statuses: Sequence[ContainerStatus],
    *,
    terminal: bool = False,
    initialized: bool = False,
) -> str:
    """Return Pending, Running, Succeeded or Failed.

    `terminal` says that the kubelet has decided never to start a container again, `initialized`
    that a regular container has already run in the present sandbox.
    """
    pending, failed = _regular_init(spec, init_container_statuses)
    sidecars_pending, counts = _sidecars(spec, init_container_statuses)
    _count_regular(spec, container_statuses, counts)
    if failed:
        return FAILED
    if pending or (sidecars_pending and not initialized) or counts["waiting"]:
        return PENDING
    if counts["unknown"]:
        return PENDING
    if counts["running"]:
        return RUNNING
    if not counts["stopped"]:
        return PENDING
    return _stopped_phase(counts, terminal)


def _stopped_phase(counts: dict[str, int], terminal: bool) -> str:
    """Nothing runs: either the Pod is done, or its containers are about to run again."""
    if counts["restarting"] and not terminal:
        return RUNNING
    return SUCCEEDED if counts["stopped"] == counts["succeeded"] else FAILED


def _regular_init(spec: PodSpec, statuses: Sequence[ContainerStatus]) -> tuple[int, int]:
    """Count the init containers still to come (or running) and those that failed for good."""
    pending = failed = 0
    for container in spec.initContainers:
        if is_restartable_init(container):
            continue
        status = find_status(statuses, container.name)
        ended = None
        if status is not None and status.state.running is None:
            ended = status.state.terminated or status.lastState.terminated
        if ended is None:
            pending += 1
        elif ended.exitCode != 0:
            failed += not container_should_restart(container, spec, ended.exitCode)
    return pending, failed


def _sidecars(spec: PodSpec, statuses: Sequence[ContainerStatus]) -> tuple[int, dict[str, int]]:
    """Count the sidecars that have not started; how one ended does not matter."""
    pending = 0
    counts = {"unknown": 0, "running": 0, "waiting": 0, "stopped": 0, "succeeded": 0}
    counts["restarting"] = 0  # those of the stopped that will run again
    for container in spec.initContainers:
        if not is_restartable_init(container):
            continue
        status = find_status(statuses, container.name)
        if status is None:
            counts["unknown"] += 1
        elif status.state.running is not None:
            pending += not status.started
            counts["running"] += 1
        elif status.state.terminated is None and status.lastState.terminated is None:
            pending += 1
            counts["waiting"] += status.state.waiting is not None
            counts["unknown"] += status.state.waiting is None
    return pending, counts


def _count_regular(
    spec: PodSpec, statuses: Sequence[ContainerStatus], counts: dict[str, int]
) -> None:
    for container in spec.containers:
        status = find_status(statuses, container.name)
        if status is None:
            counts["unknown"] += 1
        elif status.state.running is not None:
            counts["running"] += 1
        elif status.state.terminated is not None:
            counts["stopped"] += 1
            code = status.state.terminated.exitCode
            counts["succeeded"] += code == 0
            counts["restarting"] += container_should_restart(container, spec, code)
        elif status.state.waiting is None:
            counts["unknown"] += 1
        elif status.lastState.terminated is not None:
            counts["stopped"] += 1
            code = status.lastState.terminated.exitCode
            counts["restarting"] += container_should_restart(container, spec, code)
        else:
            counts["waiting"] += 1


def pod_conditions(
    pod: Pod,
    container_statuses: Sequence[ContainerStatus],
    init_container_statuses: Sequence[ContainerStatus],
    phase: str,
    *,
    initialized: bool = False,
    ready_to_start: bool = True,
    all_restarting: bool = False,
    others: Sequence[PodCondition] = (),
) -> tuple[PodCondition, ...]:
    """Return the kubelet's conditions, without times; `others` are those that others wrote.

    `ready_to_start` says that the sandbox is ready and has its addresses.
    """
    containers_ready = _containers_ready(
        pod.spec, container_statuses, init_container_statuses, phase
    )
    return (
        _condition("PodReadyToStartContainers", ready_to_start),
        _initialized(pod.spec, init_container_statuses, phase, initialized),
        _ready(pod.spec, containers_ready, others),
        containers_ready,
        _condition("PodScheduled", True),
        *_all_restarting(pod.spec, phase, all_restarting),
    )


def _all_restarting(spec: PodSpec, phase: str, restarting: bool) -> list[PodCondition]:
    """Only a Pod that has a rule for restarting all of its containers has the condition."""
    if not all_containers_could_restart(spec):
        return []
    reason = {SUCCEEDED: "PodCompleted", FAILED: "PodFailed"}.get(phase, "")
    return [_condition(ALL_RESTARTING, restarting and not reason, reason)]


def _condition(type_: str, status: bool, reason: str = "", message: str = "") -> PodCondition:
    return PodCondition(
        type=type_, status="True" if status else "False", reason=reason, message=message
    )


def _initialized(
    spec: PodSpec, statuses: Sequence[ContainerStatus], phase: str, initialized: bool
) -> PodCondition:
    unknown, incomplete = [], []
    for container in spec.initContainers:
        status = find_status(statuses, container.name)
        if status is None:
            unknown.append(container.name)
        elif not (status.started if is_restartable_init(container) else status.ready):
            incomplete.append(container.name)
    if phase == SUCCEEDED and not unknown:
        return _condition("Initialized", True, "PodCompleted")
    if initialized:
        return _condition("Initialized", True)
    message = _names("incomplete", unknown, incomplete)
    return _condition(
        "Initialized", not message, "ContainersNotInitialized" if message else "", message
    )


def _containers_ready(
    spec: PodSpec,
    container_statuses: Sequence[ContainerStatus],
    init_container_statuses: Sequence[ContainerStatus],
    phase: str,
) -> PodCondition:
    expected: list[tuple[Container, Sequence[ContainerStatus]]] = [
        (container, init_container_statuses)
        for container in spec.initContainers
        if is_restartable_init(container)
    ]
    expected += [(container, container_statuses) for container in spec.containers]
    unknown, unready = [], []
    for container, statuses in expected:
        status = find_status(statuses, container.name)
        if status is None:
            unknown.append(container.name)
        elif not status.ready:
            unready.append(container.name)
    if phase == SUCCEEDED and not unknown:
        return _condition("ContainersReady", False, "PodCompleted")
    if phase == FAILED:
        return _condition("ContainersReady", False, "PodFailed")
    message = _names("unready", unknown, unready)
    return _condition(
        "ContainersReady", not message, "ContainersNotReady" if message else "", message
    )


def _ready(
    spec: PodSpec, containers_ready: PodCondition, others: Sequence[PodCondition]
) -> PodCondition:
    if containers_ready.status != "True":
        return _condition("Ready", False, containers_ready.reason, containers_ready.message)
    found = {condition.type: condition.status for condition in others}
    complaints = []
    for gate in spec.readinessGates:
        status = found.get(gate.conditionType)
        if status is None:
            complaints.append(
                "corresponding condition of pod readiness gate "
                f'"{gate.conditionType}" does not exist.'
            )
        elif status != "True":
            complaints.append(
                f'the status of pod readiness gate "{gate.conditionType}" is not "True", '
                f"but {status}"
            )
    if complaints:
        return _condition("Ready", False, "ReadinessGatesNotReady", ", ".join(complaints))
    return _condition("Ready", True)


def _names(adjective: str, unknown: list[str], others: list[str]) -> str:
    parts = []
    if unknown:
        parts.append(f"containers with unknown status: [{' '.join(unknown)}]")
    if others:
        parts.append(f"containers with {adjective} status: [{' '.join(others)}]")
    return ", ".join(parts)
