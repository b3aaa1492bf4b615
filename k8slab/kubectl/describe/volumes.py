"""Volumes in descriptions: what kind each is, and where its files come from.

Rule of use: a source that is not described is named, with its fields.

Upstream: describeVolumes in staging/src/k8s.io/kubectl/pkg/describe/describe.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from k8slab.api import codec
from k8slab.api.core import Volume
from k8slab.kubectl.describe.writer import NONE, UNSET, Writer

Lines = list[tuple[str, Any]]


def describe_volumes(writer: Writer, volumes: Iterable[Volume], indent: str = "") -> None:
    """Write a list of volumes; `indent` is that of a template."""
    listed = tuple(volumes)
    writer.line(f"{indent}Volumes:" if listed else f"{indent}Volumes:\t{NONE}")
    for volume in listed:
        writer.line(f"{' ' if indent else ''}{volume.name}:", 1)
        describe_source(writer, volume)


def describe_source(writer: Writer, volume: Any) -> None:
    """Write where the files of a volume, or of a PersistentVolume's spec, come from."""
    for name, value in _source(volume):
        writer.field(name, value, 2)


def _source(volume: Any) -> Lines:
    for field, describe in _DESCRIBERS.items():
        source = getattr(volume, field, None)
        if source is not None:
            return describe(source)
    for field, source in codec.to_dict(volume).items():
        if field != "name":
            return [("Type", field), *source.items()]
    return []


def _host_path(source: Any) -> Lines:
    return [
        ("Type", "HostPath (bare host directory volume)"),
        ("Path", source.path),
        ("HostPathType", NONE if source.type is None else source.type),
    ]


def _empty_dir(source: Any) -> Lines:
    return [
        ("Type", "EmptyDir (a temporary directory that shares a pod's lifetime)"),
        ("Medium", source.medium),
        ("SizeLimit", source.sizeLimit or UNSET),
    ]


def _secret(source: Any) -> Lines:
    return [
        ("Type", "Secret (a volume populated by a Secret)"),
        ("SecretName", source.secretName),
        ("Optional", _lower(source.optional)),
    ]


def _config_map(source: Any) -> Lines:
    return [
        ("Type", "ConfigMap (a volume populated by a ConfigMap)"),
        ("Name", source.name),
        ("Optional", _lower(source.optional)),
    ]


def _claim(source: Any) -> Lines:
    text = "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)"
    return [
        ("Type", text),
        ("ClaimName", source.claimName),
        ("ReadOnly", _lower(source.readOnly)),
    ]


def _nfs(source: Any) -> Lines:
    return [
        ("Type", "NFS (an NFS mount that lasts the lifetime of a pod)"),
        ("Server", source.server),
        ("Path", source.path),
        ("ReadOnly", _lower(source.readOnly)),
    ]


def _downward(source: Any) -> Lines:
    found: Lines = [("Type", "DownwardAPI (a volume populated by information about the pod)")]
    names = []
    for item in source.items:
        reference = item.fieldRef or item.resourceFieldRef
        path = getattr(reference, "fieldPath", "") or getattr(reference, "resource", "")
        names.append(f"{path} -> {item.path}")
    return [*found, ("Items", "; ".join(names))]


def _projected(source: Any) -> Lines:
    found: Lines = [
        ("Type", "Projected (a volume that contains injected data from multiple sources)")
    ]
    for part in source.sources:
        if part.secret is not None:
            found.append(("SecretName", part.secret.name))
            found.append(("Optional", _lower(part.secret.optional)))
        elif part.configMap is not None:
            found.append(("ConfigMapName", part.configMap.name))
            found.append(("Optional", _lower(part.configMap.optional)))
        elif part.serviceAccountToken is not None:
            expiry = part.serviceAccountToken.expirationSeconds
            found.append(("TokenExpirationSeconds", 3600 if expiry is None else expiry))
        elif part.downwardAPI is not None:
            found.append(("DownwardAPI", "true"))
    return found


def _local(source: Any) -> Lines:
    return [
        ("Type", "LocalVolume (a persistent volume backed by local storage on a node)"),
        ("Path", source.path),
    ]


def _csi(source: Any) -> Lines:
    claims = hasattr(source, "volumeHandle")  # a PersistentVolume's, not a Pod's own
    found: Lines = [
        ("Type", "CSI (a Container Storage Interface (CSI) volume source)"),
        ("Driver", source.driver),
        ("FSType", source.fsType or ""),
    ]
    if claims:
        found.append(("VolumeHandle", source.volumeHandle))
    found.append(("ReadOnly", _lower(source.readOnly)))
    attributes = source.volumeAttributes
    values = [f"{key}={attributes[key]}" for key in sorted(attributes)] or [NONE]
    found.append(("VolumeAttributes", values[0]))
    return [*found, *(("", value) for value in values[1:])]


def _lower(value: bool | None) -> str:
    return "true" if value else "false"


_DESCRIBERS: Mapping[str, Callable[[Any], Lines]] = {
    "hostPath": _host_path,
    "emptyDir": _empty_dir,
    "secret": _secret,
    "configMap": _config_map,
    "persistentVolumeClaim": _claim,
    "nfs": _nfs,
    "downwardAPI": _downward,
    "projected": _projected,
    "local": _local,
    "csi": _csi,
}
