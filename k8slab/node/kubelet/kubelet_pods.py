"""From what the runtime has to what the API shows: the status of a Pod.

`generate_pod_status` gives phase, conditions, addresses and container statuses. A container that
waits shows why: PodInitializing, ContainerCreating, or what went wrong when it was last tried
(CrashLoopBackOff, ErrImagePull, CreateContainerConfigError ...). What the API last said is taken
along: restart counts and last states survive a runtime that has forgotten the container.

Rule of use: pure; times of conditions are set by the status manager.

Upstream: pkg/kubelet/kubelet_pods.go (generateAPIPodStatus, convertToAPIContainerStatuses)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from k8slab.api.conditions import set_condition
from k8slab.api.core import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerUser,
    HostIP,
    LinuxContainerUser,
    Pod,
    PodCondition,
    PodIP,
    PodStatus,
    ResourceRequirements,
    VolumeMountStatus,
)
from k8slab.api.core import ContainerStatus as ApiContainerStatus
from k8slab.api.meta import timestamp
from k8slab.api.quantity import canonical
from k8slab.node.image_reference import parse_reference
from k8slab.node.interfaces import CREATED, RUNNING, ContainerStatus, LogLine
from k8slab.node.kubelet import status as pod_status
from k8slab.node.kubelet.allocation import changed_resources, container_resources
from k8slab.node.kubelet.container import (
    PodRuntimeStatus,
    ephemeral_containers,
    find_status,
    has_regular_container_started,
    is_restartable_init,
    should_container_be_restarted,
    should_restart_all,
)
from k8slab.node.kubelet.volumes import termination_message

RUNTIME_NAME = "containerd"
NEVER = "1970-01-01T00:00:00Z"  # when a container started that could not be started
MAX_MESSAGE = 4096  # bytes, MaxContainerTerminationMessageLength
MAX_LOG_MESSAGE, MAX_LOG_LINES = 2048, 80  # MaxContainerTerminationMessageLogLength, ...LogLines
KUBELET_CONDITIONS = frozenset(
    (
        *("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"),
        *("PodResizePending", "PodResizeInProgress", pod_status.ALL_RESTARTING),
    )
)
UNKNOWN_STATE = ContainerStateTerminated(
    exitCode=137,
    reason="ContainerStatusUnknown",
    message="The container could not be located when the pod was terminated",
)


class WhyWaiting(msgspec.Struct, frozen=True):
    """Why a container was not started when it was last tried."""

    reason: str
    message: str


class Eviction(msgspec.Struct, frozen=True):
    """Why the kubelet ends the Pod before its time: it will be Failed for this reason."""

    reason: str
    message: str
    condition: PodCondition | None = None


class PodView(msgspec.Struct, frozen=True, kw_only=True):
    """All that a Pod's status is made of, besides the Pod itself."""

    runtime: PodRuntimeStatus
    host_ips: tuple[str, ...]
    old: PodStatus  # what the kubelet said last
    why_waiting: Mapping[str, WhyWaiting] = {}  # by container name
    started: Mapping[str, bool] = {}  # by container id, absent: there is no startup probe
    ready: Mapping[str, bool] = {}  # by container id, absent: there is no readiness probe
    terminal: bool = False  # no container will be started again
    log: Callable[[str], Sequence[LogLine]] | None = None  # of a container, by id
    resize: tuple[PodCondition, ...] = ()
    eviction: Eviction | None = None  # that the kubelet has decided on
    pod_phase: Callable[..., str] = pod_status.pod_phase


def generate_pod_status(pod: Pod, view: PodView) -> PodStatus:
    """Return the Pod's status as the kubelet sees it now."""
    spec = pod.spec
    waiting = "PodInitializing" if spec.initContainers else "ContainerCreating"
    init = container_statuses(pod, spec.initContainers, view, waiting)
    regular = container_statuses(pod, spec.containers, view, waiting)
    ephemeral = container_statuses(pod, ephemeral_containers(spec), view, waiting)
    initialized = has_regular_container_started(pod, view.runtime)
    phase = view.pod_phase(spec, regular, init, terminal=view.terminal, initialized=initialized)
    eviction = view.eviction if view.terminal else None  # not before its containers have ended
    if eviction is not None:
        phase = pod_status.FAILED
    if view.old.phase in (pod_status.SUCCEEDED, pod_status.FAILED):
        phase = view.old.phase  # final phases stay
    others = [c for c in pod.status.conditions if c.type not in KUBELET_CONDITIONS]
    if view.eviction is not None and view.eviction.condition is not None:
        others = list(set_condition(tuple(others), view.eviction.condition))
    ips = _addresses(pod, view)
    sandbox = view.runtime.ready_sandbox()
    conditions = pod_status.pod_conditions(
        pod,
        regular,
        init,
        phase,
        initialized=initialized,
        ready_to_start=sandbox is not None and bool(sandbox.ips or spec.hostNetwork),
        all_restarting=should_restart_all(pod, view.runtime, view.old),
        others=others,
    )
    generation = pod.metadata.generation
    conditions = tuple(replace(c, observedGeneration=generation) for c in conditions)
    return PodStatus(
        phase=phase,
        conditions=(*view.resize, *conditions, *others),
        containerStatuses=regular,
        initContainerStatuses=init,
        ephemeralContainerStatuses=ephemeral,
        hostIP=view.host_ips[0],
        hostIPs=tuple(HostIP(ip=ip) for ip in view.host_ips),
        podIP=ips[0] if ips else "",
        podIPs=tuple(PodIP(ip=ip) for ip in ips),
        qosClass=view.old.qosClass or pod.status.qosClass,
        startTime=view.old.startTime,
        reason=eviction.reason if eviction is not None else view.old.reason,
        message=eviction.message if eviction is not None else view.old.message,
        observedGeneration=generation,
    )


def _addresses(pod: Pod, view: PodView) -> tuple[str, ...]:
    if pod.spec.hostNetwork:
        return view.host_ips
    ips = view.runtime.ips()
    if not ips and (view.terminal or pod.metadata.deletionTimestamp is not None):
        return tuple(known.ip for known in view.old.podIPs)  # the last address is kept
    return ips


def container_statuses(
    pod: Pod, containers: Iterable[Container], view: PodView, waiting: str
) -> tuple[ApiContainerStatus, ...]:
    """Return the statuses of the containers, in the order of the manifest."""
    old = (
        *view.old.initContainerStatuses,
        *view.old.containerStatuses,
        *view.old.ephemeralContainerStatuses,
    )
    return tuple(
        _container_status(pod, container, find_status(old, container.name), view, waiting)
        for container in containers
    )


def _container_status(
    pod: Pod, container: Container, old: ApiContainerStatus | None, view: PodView, waiting: str
) -> ApiContainerStatus:
    history = view.runtime.all(container.name)
    if history:
        status = _from_runtime(container, history, view, old)
    else:
        status = _without_container(pod, container, old, view, waiting)
    if view.terminal and status.state.waiting is not None and pod.metadata.deletionTimestamp:
        return _lost(status)
    why = view.why_waiting.get(container.name)
    if why is not None and should_container_be_restarted(container, pod, view.runtime):
        last = status.state if status.state.terminated is not None else status.lastState
        state = ContainerState(waiting=ContainerStateWaiting(**msgspec.structs.asdict(why)))
        status = replace(status, state=state, lastState=last)
    if any(container.name == other.name for other in pod.spec.ephemeralContainers):
        return status  # nobody asks an ephemeral container how it is
    is_init = container in pod.spec.initContainers
    return _with_probes(container, history, status, view, is_init=is_init)


def _from_runtime(
    container: Container,
    history: list[ContainerStatus],
    view: PodView,
    old: ApiContainerStatus | None,
) -> ApiContainerStatus:
    newest = history[0]
    last = ContainerState()
    if len(history) > 1:
        last = _state(container, history[1], view)
    elif newest.config.attempt and old is not None:  # its predecessor was removed: see what it said
        last = old.lastState if old.containerID.endswith(newest.id) else old.state
        last = last if last.terminated is not None else ContainerState()
    return ApiContainerStatus(
        name=container.name,
        image=_image_name(newest.config.image),
        imageID=newest.image_id,
        restartCount=newest.config.attempt,
        containerID=f"{RUNTIME_NAME}://{newest.id}",
        state=_state(container, newest, view),
        lastState=last,
        allocatedResources=container.resources.requests,
        resources=_actual_resources(container, newest),
        volumeMounts=_mounts(container),
        user=_user(newest.user, newest.config.run_as_group or 0, newest.config.supplemental_groups),
    )


@lru_cache(maxsize=256)  # the same few users, container after container
def _user(uid: int, gid: int, groups: tuple[int, ...]) -> ContainerUser:
    """Return as whom a container's first process runs."""
    every = tuple(sorted({gid, *groups}))
    return ContainerUser(linux=LinuxContainerUser(gid=gid, supplementalGroups=every, uid=uid))


def _actual_resources(container: Container, found: ContainerStatus) -> ResourceRequirements:
    """Return what the container has: what it was given, unless it has not got it yet."""
    has, given = found.config.resources, container_resources(container)
    if found.state != RUNNING or has == given:
        return container.resources
    cpu = {"limits": f"{has.cpu_limit}m", "requests": f"{has.cpu_request}m"}
    memory = {"limits": str(has.memory_limit), "requests": str(has.memory_request)}
    changed = changed_resources(has, given)
    parts: dict[str, dict[str, str]] = {}
    for kind in ("limits", "requests"):
        parts[kind] = dict(getattr(container.resources, kind))
        for resource, text in (("cpu", cpu[kind]), ("memory", memory[kind])):
            if resource in changed and resource in parts[kind]:
                parts[kind][resource] = canonical(text)
    return replace(container.resources, **parts)


def _state(container: Container, found: ContainerStatus, view: PodView) -> ContainerState:
    if found.state == RUNNING:
        return ContainerState(running=ContainerStateRunning(startedAt=timestamp(found.started_at)))
    if found.state == CREATED:
        return ContainerState(waiting=ContainerStateWaiting(reason="ContainerCreating"))
    return ContainerState(
        terminated=ContainerStateTerminated(
            exitCode=found.exit_code,
            reason=found.reason or ("Completed" if found.exit_code == 0 else "Error"),
            message=_last_message(container, found, view),
            startedAt=timestamp(found.started_at) if found.started_at else NEVER,
            finishedAt=timestamp(found.finished_at),
            containerID=f"{RUNTIME_NAME}://{found.id}",
        )
    )


def _last_message(container: Container, found: ContainerStatus, view: PodView) -> str:
    """Return what the container left behind: its file, else (if it wants so) the end of its log."""
    left = termination_message(container, found.config.mounts)[:MAX_MESSAGE]
    wants_log = container.terminationMessagePolicy == "FallbackToLogsOnError"
    if not left and wants_log and found.exit_code != 0 and view.log is not None:
        lines = [f"{line.text}\n" for line in view.log(found.id)[-MAX_LOG_LINES:]]
        left = "".join(lines)[-MAX_LOG_MESSAGE:]
    return left or found.message


def _without_container(
    pod: Pod, container: Container, old: ApiContainerStatus | None, view: PodView, waiting: str
) -> ApiContainerStatus:
    """The runtime has no such container: not yet, or not any more."""
    fresh = ApiContainerStatus(
        name=container.name,
        image=container.image,
        state=ContainerState(waiting=ContainerStateWaiting(reason=waiting)),
        volumeMounts=_mounts(container),
    )
    if old is None:
        return fresh
    if old.state.terminated is not None:
        return old
    fresh = replace(fresh, restartCount=old.restartCount, lastState=old.lastState)
    if old.state.running is None:
        return fresh
    lost = ContainerState(terminated=UNKNOWN_STATE)
    return replace(fresh, lastState=lost, restartCount=old.restartCount + 1)


def _lost(status: ApiContainerStatus) -> ApiContainerStatus:
    """A Pod that ends leaves no container waiting."""
    if status.lastState.terminated is not None:
        return replace(status, state=status.lastState, lastState=ContainerState())
    return replace(status, state=ContainerState(terminated=UNKNOWN_STATE))


def _with_probes(
    container: Container,
    history: list[ContainerStatus],
    status: ApiContainerStatus,
    view: PodView,
    *,
    is_init: bool,
) -> ApiContainerStatus:
    running = status.state.running is not None
    found = history[0].id if history else ""
    started = running and view.started.get(found, True)
    ready = started and view.ready.get(found, True)
    if is_init and not is_restartable_init(container):
        ended = status.state.terminated
        ready = ended is not None and ended.exitCode == 0
    return replace(status, ready=ready, started=started)


def _mounts(container: Container) -> tuple[VolumeMountStatus, ...]:
    return tuple(
        VolumeMountStatus(
            name=mount.name,
            mountPath=mount.mountPath,
            readOnly=mount.readOnly,
            recursiveReadOnly="Disabled" if mount.readOnly else None,
        )
        for mount in container.volumeMounts
    )


def _image_name(image: str) -> str:
    try:
        return str(parse_reference(image))
    except ValueError:
        return image
