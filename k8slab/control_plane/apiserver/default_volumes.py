"""Defaults of volumes: file modes, an empty folder where no source is given, how storage is made.

Rule of use: each function is pure and idempotent, like all defaults.

Upstream: pkg/apis/core/v1/defaults.go (SetDefaults_*Volume*), pkg/apis/storage/v1/defaults.go
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from k8slab.api.core import EmptyDirVolumeSource
from k8slab.control_plane.apiserver.default_filling import absent, fill

MODE = 0o644  # of files made from objects
WITH_MODE = ("configMap", "secret", "downwardAPI", "projected")
TOKEN_SECONDS = 3600  # s, how long a projected token is valid


def volume(v: Any) -> Any:
    """Return the volume with its source's defaults."""
    for name in WITH_MODE:
        source = getattr(v, name)
        if source is None:
            continue
        if source.defaultMode is None:
            source = replace(source, defaultMode=MODE)
        if name == "downwardAPI":
            source = replace(source, items=tuple(_versioned(item) for item in source.items))
        elif name == "projected":
            source = replace(source, sources=tuple(_projection(s) for s in source.sources))
        return replace(v, **{name: source})
    if v.hostPath is not None and v.hostPath.type is None:
        return replace(v, hostPath=replace(v.hostPath, type=""))
    given = (getattr(v, field) for field in v.__struct_fields__ if field != "name")
    if all(source is None for source in given):
        return replace(v, emptyDir=EmptyDirVolumeSource())
    return v


def persistent_volume_claim(obj: Any) -> Any:
    """Default a claim: it wants a file system, and waits for a volume."""
    spec = absent(obj.spec, volumeMode="Filesystem")
    return replace(obj, spec=spec, status=fill(obj.status, phase="Pending"))


def persistent_volume(obj: Any) -> Any:
    """Default a volume: a file system that is kept when its claim goes."""
    spec = fill(obj.spec, persistentVolumeReclaimPolicy="Retain")
    if spec.hostPath is not None:
        spec = replace(spec, hostPath=absent(spec.hostPath, type=""))
    spec = absent(spec, volumeMode="Filesystem")
    return replace(obj, spec=spec, status=fill(obj.status, phase="Pending"))


def storage_class(obj: Any) -> Any:
    """Default a class: volumes are made at once, and go with their claims."""
    return absent(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def _projection(projection: Any) -> Any:
    token = projection.serviceAccountToken
    if token is not None and token.expirationSeconds is None:
        projection = replace(
            projection, serviceAccountToken=replace(token, expirationSeconds=TOKEN_SECONDS)
        )
    downward = projection.downwardAPI
    if downward is not None:
        items = tuple(_versioned(item) for item in downward.items)
        projection = replace(projection, downwardAPI=replace(downward, items=items))
    return projection


def _versioned(item: Any) -> Any:
    if item.fieldRef is None or item.fieldRef.apiVersion:
        return item
    return replace(item, fieldRef=replace(item.fieldRef, apiVersion="v1"))
