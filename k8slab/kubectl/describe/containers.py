"""Containers in descriptions: image, ports, state, resources, probes, environment, mounts.

Pods and Pod templates are described alike; a template has no states, and is indented.

Rule of use: `describe_containers(writer, title, containers, statuses, ...)`.

Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from k8slab.api.core import (
    Container,
    ContainerState,
    ContainerStatus,
    EnvVar,
    Probe,
    ResourceRequirements,
)
from k8slab.kubectl.describe.writer import NONE, Writer, go_list, time_text, truth

Resolve = Callable[[Container, EnvVar], str]


def describe_containers(
    writer: Writer,
    title: str,
    containers: Iterable[Container],
    *,
    statuses: Iterable[ContainerStatus] = (),
    resolve: Resolve | None = None,
    indent: str = "",
) -> None:
    """Write a list of containers; `indent` is that of a template."""
    by_name = {status.name: status for status in statuses}
    listed = tuple(containers)
    writer.line(f"{indent}{title}:" if listed else f"{indent}{title}: {NONE}")
    for container in listed:
        writer.line(f"{' ' if indent else ''}{container.name}:", 1)
        status = by_name.get(container.name)
        _basics(writer, container, status)
        _words(writer, "Command", container.command)
        _words(writer, "Args", container.args)
        if status is not None:
            _states(writer, status)
        describe_resources(writer, container.resources, 2)
        _probes(writer, container)
        _environment(writer, container, resolve)
        _mounts(writer, container)


def _basics(writer: Writer, container: Container, status: ContainerStatus | None) -> None:
    if status is not None:
        writer.field("Container ID", status.containerID, 2)
    writer.field("Image", container.image, 2)
    if status is not None:
        writer.field("Image ID", status.imageID, 2)
    for title, numbers in (
        ("Port", [(p.containerPort, p) for p in container.ports]),
        ("Host Port", [(p.hostPort, p) for p in container.ports]),
    ):
        texts = [f"{n}/{p.protocol}" + (f" ({p.name})" if p.name else "") for n, p in numbers]
        writer.field(f"{title}s" if len(texts) > 1 else title, ", ".join(texts) or NONE, 2)
    security = container.securityContext
    if security is not None and security.seccompProfile is not None:
        writer.field("SeccompProfile", security.seccompProfile.type, 2)


def _words(writer: Writer, title: str, words: Iterable[str]) -> None:
    listed = [line for word in words for line in word.split("\n")]
    if listed:
        writer.line(f"{title}:", 2)
    for word in listed:
        writer.line(word, 3)


def _states(writer: Writer, status: ContainerStatus) -> None:
    _state(writer, "State", status.state)
    if status.lastState.terminated is not None:
        _state(writer, "Last State", status.lastState)
    writer.field("Ready", truth(status.ready), 2)
    writer.field("Restart Count", status.restartCount, 2)


def _state(writer: Writer, title: str, state: ContainerState) -> None:
    if state.running is not None:
        writer.field(title, "Running", 2)
        writer.field("Started", time_text(state.running.startedAt), 3)
    elif state.terminated is not None:
        ended = state.terminated
        writer.field(title, "Terminated", 2)
        writer.fields(
            {
                "Reason": ended.reason or None,
                "Message": ended.message or None,
                "Exit Code": ended.exitCode,
                "Signal": ended.signal or None,
                "Started": time_text(ended.startedAt),
                "Finished": time_text(ended.finishedAt),
            },
            3,
        )
    else:
        writer.field(title, "Waiting", 2)
        if state.waiting is not None and state.waiting.reason:
            writer.field("Reason", state.waiting.reason, 3)


def describe_resources(writer: Writer, resources: ResourceRequirements, level: int) -> None:
    """Write limits and requests."""
    for title, amounts in (("Limits", resources.limits), ("Requests", resources.requests)):
        if amounts:
            writer.line(f"{title}:", level)
        for name in sorted(amounts):
            writer.field(name, amounts[name], level + 1)


def _probes(writer: Writer, container: Container) -> None:
    for title, probe in (
        ("Liveness", container.livenessProbe),
        ("Readiness", container.readinessProbe),
        ("Startup", container.startupProbe),
    ):
        if probe is not None:
            writer.field(title, probe_text(probe), 2)


def probe_text(probe: Probe) -> str:
    """Write a probe: what it asks, and how often."""
    rhythm = (
        f"delay={probe.initialDelaySeconds}s timeout={probe.timeoutSeconds}s "
        f"period={probe.periodSeconds}s successThreshold={probe.successThreshold} "
        f"failureThreshold={probe.failureThreshold}"
    )
    if probe.exec is not None:
        return f"exec {go_list(probe.exec.command)} {rhythm}"
    if probe.httpGet is not None:
        get = probe.httpGet
        port = f":{get.port}" if get.port else ""
        path = get.path if get.path.startswith("/") or not get.path else f"/{get.path}"
        return f"http-get {get.scheme.lower()}://{get.host}{port}{path} {rhythm}"
    if probe.tcpSocket is not None:
        return f"tcp-socket {probe.tcpSocket.host}:{probe.tcpSocket.port} {rhythm}"
    if probe.grpc is not None:
        return f"grpc <pod>:{probe.grpc.port} {probe.grpc.service or ''} {rhythm}"
    return f"unknown {rhythm}"


def _environment(writer: Writer, container: Container, resolve: Resolve | None) -> None:
    if container.envFrom:
        writer.line("Environment Variables from:", 2)
    for source in container.envFrom:
        reference = source.configMapRef or source.secretRef
        if reference is None:
            continue
        kind = "ConfigMap" if source.configMapRef is not None else "Secret"
        prefix = f" with prefix '{source.prefix}'" if source.prefix else ""
        optional = _lower(reference.optional)
        writer.line(f"{reference.name}\t{kind}{prefix}\tOptional: {optional}", 3)
    writer.line("Environment:" if container.env else f"Environment:\t{NONE}", 2)
    for variable in container.env:
        for line in _variable(container, variable, resolve):
            writer.line(line, 3)


def _variable(container: Container, variable: EnvVar, resolve: Resolve | None) -> list[str]:
    source, name = variable.valueFrom, variable.name
    if source is None:
        first, *rest = variable.value.split("\n")
        return [f"{name}:\t{first}", *(f"\t{line}" for line in rest)]
    value = resolve(container, variable) if resolve is not None else ""
    if source.fieldRef is not None:
        field = source.fieldRef
        return [f"{name}:\t{value} ({field.apiVersion}:{field.fieldPath})"]
    if source.resourceFieldRef is not None:
        return [f"{name}:\t{value} ({source.resourceFieldRef.resource})"]
    if source.secretKeyRef is not None:
        key = source.secretKeyRef
        text = f"<set to the key '{key.key}' in secret '{key.name}'>"
        return [f"{name}:\t{text}\tOptional: {_lower(key.optional)}"]
    if source.configMapKeyRef is not None:
        of_map = source.configMapKeyRef
        text = f"<set to the key '{of_map.key}' of config map '{of_map.name}'>"
        return [f"{name}:\t{text}\tOptional: {_lower(of_map.optional)}"]
    return []


def _mounts(writer: Writer, container: Container) -> None:
    writer.line("Mounts:" if container.volumeMounts else f"Mounts:\t{NONE}", 2)
    for mount in sorted(container.volumeMounts, key=lambda m: m.mountPath):
        flags = ["ro" if mount.readOnly else "rw"]
        if mount.subPath:
            flags.append(f'path="{mount.subPath}"')
        writer.line(f"{mount.mountPath} from {mount.name} ({','.join(flags)})", 3)


def _lower(value: bool | None) -> str:
    return "true" if value else "false"
