"""The environment of a container: from its manifest, from ConfigMaps and Secrets, from Services.

Three layers, later ones win: Services that exist now, envFrom, env. `$(NAME)` in a value, a
command or an argument is replaced by a variable defined before; `$$` is a dollar sign. What a
container was started with never changes.

Rule of use: collect the objects first (`referenced_objects`), then everything here is pure.

Upstream: pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables), pkg/kubelet/envvars/envvars.go
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from k8slab.api.core import (
    ConfigMap,
    Container,
    EnvVarSource,
    FileKeySelector,
    Pod,
    Secret,
    Service,
)
from k8slab.node.folder import Folder
from k8slab.node.kubelet.env_file import parse_env_file
from k8slab.node.kubelet.pod_fields import pod_field, resource_field

Key = tuple[str, str]  # kind and name
_REFERENCE = re.compile(r"\$(\$|\([^()]*\))")


class ConfigError(Exception):
    """The container's configuration cannot be made: CreateContainerConfigError."""


class EnvSources(msgspec.Struct, frozen=True, kw_only=True):
    """All that variables are made of, besides the Pod."""

    objects: Mapping[Key, ConfigMap | Secret | None] = {}
    services: tuple[Service, ...] = ()
    host_ips: Sequence[str] = ()
    pod_ips: Sequence[str] = ()
    allocatable: Mapping[str, str] = {}
    volumes: Mapping[str, Folder] = {}  # the Pod's own, by name


def referenced_objects(container: Container) -> list[Key]:
    """Return the ConfigMaps and Secrets that the container's environment names."""
    found: dict[Key, None] = {}
    for source in container.envFrom:
        if source.configMapRef is not None:
            found["ConfigMap", source.configMapRef.name] = None
        if source.secretRef is not None:
            found["Secret", source.secretRef.name] = None
    for variable in container.env:
        ref = variable.valueFrom
        if ref is not None and ref.configMapKeyRef is not None:
            found["ConfigMap", ref.configMapKeyRef.name] = None
        if ref is not None and ref.secretKeyRef is not None:
            found["Secret", ref.secretKeyRef.name] = None
    return list(found)


def make_environment(pod: Pod, container: Container, sources: EnvSources) -> dict[str, str]:
    """Return the container's variables. Raises ConfigError in upstream's words."""
    links = pod.spec.enableServiceLinks is not False
    env = service_environment(sources.services, pod.metadata.namespace, links=links)
    result: dict[str, str] = {}
    for name, value in _env_from(container, sources):
        result[name] = value
    for variable in container.env:
        if variable.valueFrom is not None:
            value_from = _value_from(pod, container, variable.valueFrom, sources)
            if value_from is None:
                continue
            result[variable.name] = value_from
        else:
            result[variable.name] = expand(variable.value, result, env)
    return {**env, **result}


def expand(text: str, *environments: Mapping[str, str]) -> str:
    """Replace $(NAME) by the variable, leave unknown names as they are.

    >>> expand("$(A)-$(B)-$$(A)", {"A": "1"})
    '1-$(B)-$(A)'
    """

    def replacement(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        name = match[1][1:-1]
        for environment in environments:
            if name in environment:
                return environment[name]
        return match[0]

    return _REFERENCE.sub(replacement, text) if "$" in text else text


def variables_in(text: str) -> list[str]:
    """Return the names that `expand` would look up.

    >>> variables_in("$(A)/$(B)/$$(C)")
    ['A', 'B']
    """
    return [found[1:-1] for found in _REFERENCE.findall(text) if found != "$"]


def service_environment(
    services: Iterable[Service], namespace: str, *, links: bool
) -> dict[str, str]:
    """Return the variables of the Services of the namespace, and of `kubernetes` in any case."""
    chosen: dict[str, Service] = {}
    for service in services:
        if service.spec.clusterIP in ("", "None"):
            continue
        meta = service.metadata
        is_master = meta.namespace == "default" and meta.name == "kubernetes"
        if meta.namespace == namespace and links:
            chosen[meta.name] = service
        elif is_master:
            chosen.setdefault(meta.name, service)
    env: dict[str, str] = {}
    for service in chosen.values():
        env.update(_service_variables(service))
    return env


def _service_variables(service: Service) -> Iterator[tuple[str, str]]:
    """Yield {NAME}_SERVICE_HOST and _PORT, then the variables of Docker's links."""
    prefix = service.metadata.name.upper().replace("-", "_")
    ip, ports = service.spec.clusterIP, service.spec.ports
    yield f"{prefix}_SERVICE_HOST", ip
    if ports:
        yield f"{prefix}_SERVICE_PORT", str(ports[0].port)
    for port in ports:
        if port.name:
            yield f"{prefix}_SERVICE_PORT_{port.name.upper().replace('-', '_')}", str(port.port)
    for index, port in enumerate(ports):
        protocol = port.protocol or "TCP"
        url = f"{protocol.lower()}://{ip}:{port.port}"
        if index == 0:
            yield f"{prefix}_PORT", url
        link = f"{prefix}_PORT_{port.port}_{protocol}"
        yield link, url
        yield f"{link}_PROTO", protocol.lower()
        yield f"{link}_PORT", str(port.port)
        yield f"{link}_ADDR", ip


def _env_from(container: Container, sources: EnvSources) -> Iterator[tuple[str, str]]:
    for source in container.envFrom:
        for kind, ref in (("ConfigMap", source.configMapRef), ("Secret", source.secretRef)):
            if ref is None:
                continue
            obj = sources.objects.get((kind, ref.name))
            if obj is None:
                if ref.optional:
                    continue
                raise ConfigError(f'{kind.lower()} "{ref.name}" not found')
            for key, value in values_of(obj).items():
                yield source.prefix + key, value


def _value_from(
    pod: Pod, container: Container, ref: EnvVarSource, sources: EnvSources
) -> str | None:
    try:
        if ref.fieldRef is not None:
            return pod_field(
                pod, ref.fieldRef.fieldPath, host_ips=sources.host_ips, pod_ips=sources.pod_ips
            )
        if ref.resourceFieldRef is not None:
            return resource_field(pod, container, ref.resourceFieldRef, sources.allocatable)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if ref.fileKeyRef is not None:
        return _file_key(ref.fileKeyRef, sources)
    if ref.configMapKeyRef is not None:
        selector, kind = ref.configMapKeyRef, "ConfigMap"
        return _key(kind, selector.name, selector.key, bool(selector.optional), pod, sources)
    if ref.secretKeyRef is not None:
        secret = ref.secretKeyRef
        return _key("Secret", secret.name, secret.key, bool(secret.optional), pod, sources)
    return None


def _file_key(ref: FileKeySelector, sources: EnvSources) -> str | None:
    volume = sources.volumes.get(ref.volumeName)
    if volume is None:
        name = ref.volumeName
        raise ConfigError(f'cannot find the volume "{name}" referenced by FileKeyRef')
    try:
        found = parse_env_file(str(volume.read(ref.path))).get(ref.key)
    except (FileNotFoundError, ValueError):
        raise ConfigError("couldn't parse env file") from None
    if not found and not ref.optional:
        raise ConfigError(f'environment variable key "{ref.key}" not found in file "{ref.path}"')
    return found or None


def _key(
    kind: str, name: str, key: str, optional: bool, pod: Pod, sources: EnvSources
) -> str | None:
    obj = sources.objects.get((kind, name))
    if obj is None:
        if optional:
            return None
        raise ConfigError(f'{kind.lower()} "{name}" not found')
    values = values_of(obj)
    if key in values:
        return values[key]
    if optional:
        return None
    raise ConfigError(f"couldn't find key {key} in {kind} {pod.metadata.namespace}/{name}")


def values_of(obj: ConfigMap | Secret) -> dict[str, str]:
    """Return the texts that a ConfigMap or Secret holds, by key."""
    if isinstance(obj, Secret):
        return {key: decoded(value) for key, value in sorted(obj.data.items())}
    binary = {key: decoded(value) for key, value in obj.binaryData.items()}
    return dict(sorted({**obj.data, **binary}.items()))


def decoded(text: str) -> str:
    """Return what a base64 text stands for."""
    return base64.b64decode(text).decode(errors="replace")
