"""Validation of environment variables and where their values come from.

Upstream: pkg/apis/core/validation/validation.go (ValidateEnv, ValidateEnvFrom)
"""

from __future__ import annotations

import re

from k8slab.api.core import (
    ConfigMapKeySelector,
    EnvFromSource,
    EnvVar,
    FileKeySelector,
    ObjectFieldSelector,
    ResourceFieldSelector,
    SecretKeySelector,
)
from k8slab.api.errors import invalid_value, not_supported, required
from k8slab.control_plane.apiserver.validation.formats import (
    Errors,
    config_key,
    dns_subdomain,
    each,
    env_name,
    qualified_name,
)

# Names that a Pod's fields have for its containers, sorted as the message lists them.
ENV_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
VOLUME_FIELDS = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)
SUBSCRIPT = re.compile(r"(metadata\.(?:annotations|labels))\['(.*)'\]")
CONVERTIBLE = frozenset({*ENV_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "status.phase"})
RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
BYTES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
NO_SOURCE = (
    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or "
    "`fileKeyRef`"
)
TWO_SOURCES = "may not have more than one field specified at a time"


def environment(path: str, variables: tuple[EnvVar, ...]) -> Errors:
    """Yield what is wrong with environment variables."""
    for index, variable in enumerate(variables):
        if not variable.name:
            yield required(f"{path}[{index}].name")
        elif reasons := env_name(variable.name):
            yield from each(f"{path}[{index}].name", variable.name, reasons)
        if variable.valueFrom is not None:
            yield from _value_from(f"{path}[{index}].valueFrom", variable)


def env_from(path: str, sources: tuple[EnvFromSource, ...]) -> Errors:
    """Yield what is wrong with sources of many variables."""
    for index, source in enumerate(sources):
        where = f"{path}[{index}]"
        if source.prefix:
            yield from each(f"{where}.prefix", source.prefix, env_name(source.prefix))
        found = [name for name in ("configMapRef", "secretRef") if getattr(source, name)]
        for name in found:
            yield from _object_name(f"{where}.{name}", getattr(source, name).name)
        if not found:
            text = "must specify one of: `configMapRef` or `secretRef`"
            yield invalid_value(path, "", text)
        elif len(found) > 1:
            yield invalid_value(path, "", TWO_SOURCES)


def field_ref(path: str, ref: ObjectFieldSelector, fields: tuple[str, ...]) -> Errors:
    """Yield what is wrong with a reference to a field of the Pod itself."""
    if not ref.apiVersion:
        yield required(f"{path}.apiVersion")
    elif not ref.fieldPath:
        yield required(f"{path}.fieldPath")
    elif match := SUBSCRIPT.fullmatch(ref.fieldPath):
        key = match[2].lower() if match[1] == "metadata.annotations" else match[2]
        yield from each(path, key, qualified_name(key))
    elif ref.fieldPath not in CONVERTIBLE:
        text = f"error converting fieldPath: field label not supported: {ref.fieldPath}"
        yield invalid_value(f"{path}.fieldPath", ref.fieldPath, text)
    elif ref.fieldPath not in fields:
        yield not_supported(f"{path}.fieldPath", ref.fieldPath, fields)


def resource_ref(path: str, ref: ResourceFieldSelector, *, in_volume: bool) -> Errors:
    """Yield what is wrong with a reference to a request or limit."""
    if in_volume and not ref.containerName:
        yield required(f"{path}.containerName")
    elif not ref.resource:
        yield required(f"{path}.resource")
    elif ref.resource not in RESOURCES and not ref.resource.startswith(HUGE_PAGES):
        yield not_supported(f"{path}.resource", ref.resource, RESOURCES)
    yield from _divisor(f"{path}.divisor", ref)


def _value_from(path: str, variable: EnvVar) -> Errors:
    source = variable.valueFrom
    found = [name for name in SOURCES if getattr(source, name) is not None]
    for name in found:
        ref = getattr(source, name)
        where = f"{path}.{name}"
        if isinstance(ref, ObjectFieldSelector):
            yield from field_ref(where, ref, ENV_FIELDS)
        elif isinstance(ref, ResourceFieldSelector):
            yield from resource_ref(where, ref, in_volume=False)
        else:
            yield from _key_ref(where, ref)
    if not found:
        yield invalid_value(path, "", NO_SOURCE)
    elif variable.value:
        yield invalid_value(path, "", "may not be specified when `value` is not empty")
    elif len(found) > 1:
        yield invalid_value(path, "", TWO_SOURCES)


def _key_ref(path: str, ref: ConfigMapKeySelector | SecretKeySelector | FileKeySelector) -> Errors:
    if isinstance(ref, FileKeySelector):
        for field in ("key", "volumeName", "path"):
            if not getattr(ref, field):
                yield required(f"{path}.{field}")
        return
    yield from each(f"{path}.name", ref.name, dns_subdomain(ref.name))
    if not ref.key:
        yield required(f"{path}.key")
    else:
        yield from each(f"{path}.key", ref.key, config_key(ref.key))


def _object_name(path: str, name: str) -> Errors:
    if not name:
        yield required(f"{path}.name")
    else:
        yield from each(f"{path}.name", name, dns_subdomain(name))


def _divisor(path: str, ref: ResourceFieldSelector) -> Errors:
    if ref.divisor == "0":
        return
    what = ref.resource.partition(".")[2]
    if what == "cpu":
        if ref.divisor not in ("1", "1m"):
            text = "only divisor's values 1m and 1 are supported with the cpu resource"
            yield invalid_value(path, ref.resource, text)
    elif ref.divisor not in BYTES:
        called = "local ephemeral storage" if what == "ephemeral-storage" else what
        text = f"only divisor's values {', '.join(BYTES)} are supported with the {called} resource"
        yield invalid_value(path, ref.resource, text)
