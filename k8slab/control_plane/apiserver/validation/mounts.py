"""Validation of what a container sees of its Pod's volumes: mounts, and raw devices.

Upstream: pkg/apis/core/validation/validation.go (ValidateVolumeMounts, ValidateVolumeDevices)
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.api.core import Container, Volume, VolumeMount
from k8slab.api.errors import (
    field_not_found,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from k8slab.control_plane.apiserver.validation.formats import Errors

PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
RECURSIVE = ("Disabled", "Enabled", "IfPossible")
RECURSIVE_LISTED = ("Disabled", "IfPossible", "Enabled")


def volume_mounts(path: str, container: Container, volumes: Mapping[str, Volume]) -> Errors:
    """Yield what is wrong with the mounts of a container."""
    taken: list[str] = []
    for index, mount in enumerate(container.volumeMounts):
        where = f"{path}[{index}]"
        if not mount.name:
            yield required(f"{where}.name")
        if mount.name not in volumes:
            yield field_not_found(f"{where}.name", mount.name)
        if not mount.mountPath:
            yield required(f"{where}.mountPath")
        if mount.mountPath in taken:
            yield invalid_value(f"{where}.mountPath", mount.mountPath, "must be unique")
        taken.append(mount.mountPath)
        if container.volumeDevices:
            yield from _not_also_device(where, mount, container)
        if mount.subPath or mount.subPathExpr:
            yield from _sub_paths(path, index, mount)
        if mount.mountPropagation is not None:
            yield from _propagation(f"{path}.mountPropagation", mount, container)
        if mount.recursiveReadOnly is not None:
            yield from _recursive(f"{path}.recursiveReadOnly", mount)


def volume_devices(path: str, container: Container, volumes: Mapping[str, Volume]) -> Errors:
    """Yield what is wrong with the raw devices of a container."""
    names: list[str] = []
    paths: list[str] = []
    for index, device in enumerate(container.volumeDevices):
        where = f"{path}[{index}]"
        volume = volumes.get(device.name)
        if not device.name:
            yield required(f"{where}.name")
        if device.name in names:
            yield invalid_value(f"{where}.name", device.name, "must be unique")
        if volume is None:
            yield field_not_found(f"{where}.name", device.name)
        elif volume.persistentVolumeClaim is None and volume.ephemeral is None:
            text = (
                "can only use volume source type of PersistentVolumeClaim or Ephemeral for block "
                "mode"
            )
            yield invalid_value(f"{where}.name", device.name, text)
        if not device.devicePath:
            yield required(f"{where}.devicePath")
        if device.devicePath in paths:
            yield invalid_value(f"{where}.devicePath", device.devicePath, "must be unique")
        if ".." in device.devicePath.split("/"):
            text = "can not contain backsteps ('..')"
            yield invalid_value(f"{where}.devicePath", device.devicePath, text)
        names.append(device.name)
        paths.append(device.devicePath)


def local_descending_path(path: str, value: str) -> Errors:
    """Yield an error if a path leads up or starts at the root."""
    if value.startswith("/"):
        yield invalid_value(path, value, "must be a relative path")
    yield from no_backsteps(path, value)


def no_backsteps(path: str, value: str) -> Errors:
    """Yield an error if a path leads up."""
    if ".." in value.split("/"):
        yield invalid_value(path, value, "must not contain '..'")


def _not_also_device(path: str, mount: VolumeMount, container: Container) -> Errors:
    if any(device.name == mount.name for device in container.volumeDevices):
        yield invalid_value(f"{path}.name", mount.name, "must not already exist in volumeDevices")
    if any(device.devicePath == mount.mountPath for device in container.volumeDevices):
        text = "must not already exist as a path in volumeDevices"
        yield invalid_value(f"{path}.mountPath", mount.mountPath, text)


def _sub_paths(path: str, index: int, mount: VolumeMount) -> Errors:
    # Upstream leaves the index out of these two paths.
    yield from local_descending_path(f"{path}.subPath", mount.subPath)
    if mount.subPath and mount.subPathExpr:
        text = "subPathExpr and subPath are mutually exclusive"
        yield invalid_value(f"{path}[{index}].subPathExpr", mount.subPathExpr, text)
    yield from local_descending_path(f"{path}.subPathExpr", mount.subPathExpr)


def _propagation(path: str, mount: VolumeMount, container: Container) -> Errors:
    if mount.mountPropagation not in PROPAGATIONS:
        yield not_supported(path, mount.mountPropagation, PROPAGATIONS)
    context = container.securityContext
    privileged = context is not None and context.privileged
    if mount.mountPropagation == "Bidirectional" and not privileged:
        text = "Bidirectional mount propagation is available only to privileged containers"
        yield forbidden_field(path, text)


def _recursive(path: str, mount: VolumeMount) -> Errors:
    wanted = mount.recursiveReadOnly
    if wanted not in RECURSIVE:
        yield not_supported(path, wanted, RECURSIVE_LISTED)
    elif wanted != "Disabled":
        if not mount.readOnly:
            yield forbidden_field(path, "may only be specified when readOnly is true")
        if mount.mountPropagation not in (None, "None"):
            text = "may only be specified when mountPropagation is None or not specified"
            yield forbidden_field(path, text)
