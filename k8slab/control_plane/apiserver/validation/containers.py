"""Validation of containers: of the Pod, before it (init), and beside it (ephemeral).

Rule of use: all three go through `_common`; what only some may have is checked by their function.

Upstream: pkg/apis/core/validation/validation.go (validateContainers, validateInitContainers)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from k8slab.api.core import Container, ContainerPort, EphemeralContainer, PodSpec, Volume
from k8slab.api.errors import (
    duplicate,
    field_not_found,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from k8slab.control_plane.apiserver.validation import mounts, probes, resources, security
from k8slab.control_plane.apiserver.validation.environment import env_from, environment
from k8slab.control_plane.apiserver.validation.formats import (
    PROTOCOLS,
    Errors,
    dns_label,
    each,
    one_of,
    port_name,
    port_number,
)

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
RESIZE_POLICIES = ("NotRequired", "RestartContainer")
ONLY_SIDECARS = "may not be set for init containers without restartPolicy=Always"
NOT_EPHEMERAL = (
    "ports",
    "resources",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
    "resizePolicy",
    "restartPolicy",
)
NOT_FOR_EPHEMERAL = "cannot be set for an Ephemeral Container"
WHITESPACE = "must not have leading or trailing whitespace"


class Surroundings(Struct, frozen=True, gc=False):
    """What of its Pod the rules for a container depend on."""

    volumes: Mapping[str, Volume]
    claims: frozenset[str]
    restart_policy: str
    grace: int | None  # s
    is_pod: bool  # and not a template


def surroundings(spec: PodSpec, usable: Mapping[str, Volume], *, is_pod: bool) -> Surroundings:
    """Return what the containers of a Pod are checked against."""
    return Surroundings(
        volumes=usable,
        claims=frozenset(claim.name for claim in spec.resourceClaims),
        restart_policy=spec.restartPolicy,
        grace=spec.terminationGracePeriodSeconds,
        is_pod=is_pod,
    )


def containers(path: str, spec: PodSpec, pod: Surroundings) -> Errors:
    """Yield what is wrong with the containers of a Pod."""
    if not spec.containers:
        yield required(path)
    names: list[str] = []
    for index, container in enumerate(spec.containers):
        where = f"{path}[{index}]"
        yield from _common(where, container, pod)
        if container.name in names:
            yield duplicate(f"{where}.name", container.name)
        names.append(container.name)
        yield from _hooks_and_probes(where, container, pod.grace)
    yield from host_port_conflicts(path, spec.containers)


def init_containers(path: str, spec: PodSpec, pod: Surroundings) -> Errors:
    """Yield what is wrong with init containers, sidecars among them."""
    names = [container.name for container in spec.containers]
    for index, container in enumerate(spec.initContainers):
        where = f"{path}[{index}]"
        yield from _common(where, container, pod)
        if container.restartPolicy is not None:
            yield from one_of_or_empty(f"{where}.restartPolicy", container.restartPolicy)
        if container.name in names:
            yield duplicate(f"{where}.name", container.name)
        if container.name:
            names.append(container.name)
        yield from host_port_conflicts(path, (container,))
        if container.restartPolicy == "Always":
            yield from _hooks_and_probes(where, container, pod.grace)
        else:
            for field in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
                if getattr(container, field) is not None:
                    yield forbidden_field(f"{where}.{field}", ONLY_SIDECARS)


def ephemeral_containers(path: str, spec: PodSpec, pod: Surroundings) -> Errors:
    """Yield what is wrong with containers that were added to look around."""
    names = [container.name for container in (*spec.containers, *spec.initContainers)]
    others = tuple(names)
    for index, container in enumerate(spec.ephemeralContainers):
        where = f"{path}[{index}]"
        yield from _common(where, container, pod)
        if container.name in names:
            yield duplicate(f"{where}.name", container.name)
        names.append(container.name)
        target = container.targetContainerName
        if target and target not in others:
            yield field_not_found(f"{where}.targetContainerName", target)
        empty: Any = EphemeralContainer()
        for field in NOT_EPHEMERAL:
            if getattr(container, field) != getattr(empty, field):
                yield forbidden_field(f"{where}.{field}", NOT_FOR_EPHEMERAL)
        for number, mount in enumerate(container.volumeMounts):
            for field in ("subPath", "subPathExpr"):
                if getattr(mount, field):
                    at = f"{where}.volumeMounts[{number}].{field}"
                    yield forbidden_field(at, NOT_FOR_EPHEMERAL)


def host_port_conflicts(path: str, found: Iterable[Container]) -> Errors:
    """Yield an error for each host port that is wanted twice."""
    taken: list[str] = []
    for index, container in enumerate(found):
        for number, port in enumerate(container.ports):
            if not port.hostPort:
                continue
            text = f"{port.protocol}/{port.hostIP}/{port.hostPort}"
            if text in taken:
                yield duplicate(f"{path}[{index}].ports[{number}].hostPort", text)
            taken.append(text)


def one_of_or_empty(path: str, policy: str) -> Errors:
    """Yield an error if the restart policy of an init container is not that of a sidecar."""
    if policy not in ("Always", "OnFailure", "Never"):
        yield not_supported(path, policy, ("Always", "OnFailure", "Never"))


def _common(path: str, container: Container, pod: Surroundings) -> Errors:
    if not container.name:
        yield required(f"{path}.name")
    else:
        yield from each(f"{path}.name", container.name, dns_label(container.name))
    if not container.image:
        yield required(f"{path}.image")
    if container.terminationMessagePolicy not in MESSAGE_POLICIES:
        where = f"{path}.terminationMessagePolicy"
        yield from one_of(where, container.terminationMessagePolicy, MESSAGE_POLICIES)
    if container.ports:
        yield from ports(f"{path}.ports", container.ports)
    if container.env:
        yield from environment(f"{path}.env", container.env)
    if container.envFrom:
        yield from env_from(f"{path}.envFrom", container.envFrom)
    if container.volumeMounts:
        yield from mounts.volume_mounts(f"{path}.volumeMounts", container, pod.volumes)
    if container.volumeDevices:
        yield from mounts.volume_devices(f"{path}.volumeDevices", container, pod.volumes)
    if container.imagePullPolicy not in PULL_POLICIES:
        where = f"{path}.imagePullPolicy"
        yield from one_of(where, container.imagePullPolicy, PULL_POLICIES)
    yield from resources.requirements(f"{path}.resources", container.resources, pod.claims)
    if container.resizePolicy:
        yield from _resize_policy(f"{path}.resizePolicy", container, pod.restart_policy)
    if container.securityContext is not None:
        yield from security.container(f"{path}.securityContext", container.securityContext)
    if pod.is_pod and container.image != container.image.strip():
        yield invalid_value(f"{path}.image", container.image, WHITESPACE)


def _hooks_and_probes(path: str, container: Container, grace: int | None) -> Errors:
    if container.lifecycle is not None:
        yield from probes.lifecycle(f"{path}.lifecycle", container.lifecycle, grace)
    if container.livenessProbe is not None:
        yield from probes.liveness(f"{path}.livenessProbe", container.livenessProbe, grace)
    if container.readinessProbe is not None:
        yield from probes.readiness(f"{path}.readinessProbe", container.readinessProbe, grace)
    if container.startupProbe is not None:
        yield from probes.liveness(f"{path}.startupProbe", container.startupProbe, grace)


def ports(path: str, found: tuple[ContainerPort, ...]) -> Errors:
    """Yield what is wrong with the ports of a container."""
    names: list[str] = []
    for index, port in enumerate(found):
        where = f"{path}[{index}]"
        if port.name:
            reasons = port_name(port.name)
            yield from each(f"{where}.name", port.name, reasons)
            if port.name in names:
                yield duplicate(f"{where}.name", port.name)
            elif not reasons:
                names.append(port.name)
        if not port.containerPort:
            yield required(f"{where}.containerPort")
        else:
            reasons = port_number(port.containerPort)
            yield from each(f"{where}.containerPort", port.containerPort, reasons)
        if port.hostPort:
            yield from each(f"{where}.hostPort", port.hostPort, port_number(port.hostPort))
        if port.protocol not in PROTOCOLS:
            yield from one_of(f"{where}.protocol", port.protocol, PROTOCOLS)


def _resize_policy(path: str, container: Container, restart_policy: str) -> Errors:
    seen: list[str] = []
    for index, policy in enumerate(container.resizePolicy):
        if policy.resourceName in seen:
            yield duplicate(f"{path}[{index}]", policy.resourceName)
        seen.append(policy.resourceName)
        yield from one_of(path, policy.resourceName, ("cpu", "memory"))
        yield from one_of(path, policy.restartPolicy, RESIZE_POLICIES)
        if restart_policy == "Never" and policy.restartPolicy != "NotRequired":
            text = "must be 'NotRequired' when `restartPolicy` is 'Never'"
            yield invalid_value(path, policy.restartPolicy, text)
