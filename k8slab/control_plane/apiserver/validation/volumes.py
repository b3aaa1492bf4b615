"""Validation of volumes: a name, and exactly one well-formed source.

Rule of use: `volumes` returns the errors, and the volumes that containers may mount: whoever mounts
a volume with a fault is told that there is no such volume, as upstream does.

Upstream: pkg/apis/core/validation/validation.go (ValidateVolumes, validateVolumeSource)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from k8slab.api import quantity
from k8slab.api.core import KeyToPath, Volume, VolumeProjection
from k8slab.api.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from k8slab.control_plane.apiserver.validation.environment import (
    VOLUME_FIELDS,
    field_ref,
    resource_ref,
)
from k8slab.control_plane.apiserver.validation.formats import Errors, dns_label, each
from k8slab.control_plane.apiserver.validation.mounts import local_descending_path, no_backsteps

MODE_TEXT = "must be a number between 0 and 0777 (octal), both inclusive"
ONE_TYPE = "may not specify more than 1 volume type"
HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
PROJECTIONS = (
    "secret",
    "configMap",
    "downwardAPI",
    "serviceAccountToken",
    "clusterTrustBundle",
    "podCertificate",
)
MIN_TOKEN_LIFE, MAX_TOKEN_LIFE = 600, 1 << 32  # s
SOURCES = tuple(field for field in Volume.__struct_fields__ if field != "name")
ALL_SOURCES = attrgetter(*SOURCES)


def volumes(path: str, found: tuple[Volume, ...]) -> tuple[list[FieldError], Mapping[str, Volume]]:
    """Return what is wrong with the volumes of a Pod, and by name those that may be mounted."""
    wrong: list[FieldError] = []
    usable: dict[str, Volume] = {}
    names: list[str] = []
    for index, volume in enumerate(found):
        where = f"{path}[{index}]"
        faults = list(source(where, volume))
        if not volume.name:
            faults.append(required(f"{where}.name"))
        else:
            faults += each(f"{where}.name", volume.name, dns_label(volume.name))
            if volume.name in names:
                faults.append(duplicate(f"{where}.name", volume.name))
        names.append(volume.name)
        wrong += faults
        if not faults:
            usable[volume.name] = volume
    return wrong, usable


def source(path: str, volume: Volume) -> Errors:
    """Yield what is wrong with where a volume comes from."""
    # Nearly all of the thirty are absent, and this runs for every volume of every Pod.
    given = [(n, v) for n, v in zip(SOURCES, ALL_SOURCES(volume), strict=True) if v is not None]
    if not given:
        yield required(path, "must specify a volume type")
        return
    name, chosen = given[0]
    check = CHECKS.get(name)
    if check is not None:
        yield from check(f"{path}.{name}", chosen)
    for name, _ in given[1:]:
        yield forbidden_field(f"{path}.{name}", ONE_TYPE)


def _empty_dir(path: str, given: Any) -> Errors:
    if given.sizeLimit is not None and quantity.milli_value(given.sizeLimit) < 0:
        text = "SizeLimit field must be a valid resource quantity"
        yield forbidden_field(f"{path}.sizeLimit", text)


def _host_path(path: str, given: Any) -> Errors:
    if not given.path:
        yield required(f"{path}.path")
        return
    yield from no_backsteps(f"{path}.path", given.path)
    if given.type is not None and given.type not in HOST_PATH_TYPES:
        yield not_supported(f"{path}.type", given.type, HOST_PATH_TYPES)


def _config_map(path: str, given: Any) -> Errors:
    if not given.name:
        yield required(f"{path}.name")
    yield from _files(path, given)


def _secret(path: str, given: Any) -> Errors:
    if not given.secretName:
        yield required(f"{path}.secretName")
    yield from _files(path, given)


def _files(path: str, given: Any) -> Errors:
    if given.defaultMode is not None:
        yield from _mode(f"{path}.defaultMode", given.defaultMode)
    for index, item in enumerate(given.items):
        yield from _key_to_path(f"{path}.items[{index}]", item)


def _downward_api(path: str, given: Any) -> Errors:
    if given.defaultMode is not None:
        yield from _mode(f"{path}.defaultMode", given.defaultMode)
    yield from _downward_files(path, given.items)


def _downward_files(path: str, items: tuple[Any, ...]) -> Errors:
    for item in items:
        if not item.path:
            yield required(f"{path}.path")
        else:
            yield from _file_path(f"{path}.path", item.path)
        if item.fieldRef is not None:
            yield from field_ref(f"{path}.fieldRef", item.fieldRef, VOLUME_FIELDS)
            if item.resourceFieldRef is not None:
                text = "fieldRef and resourceFieldRef can not be specified simultaneously"
                yield invalid_value(path, "resource", text)
        elif item.resourceFieldRef is not None:
            ref = item.resourceFieldRef
            yield from resource_ref(f"{path}.resourceFieldRef", ref, in_volume=True)
        else:
            yield required(path, "one of fieldRef and resourceFieldRef is required")
        if item.mode is not None:
            yield from _mode(f"{path}.mode", item.mode)


def _claim(path: str, given: Any) -> Errors:
    if not given.claimName:
        yield required(f"{path}.claimName")


def _nfs(path: str, given: Any) -> Errors:
    if not given.server:
        yield required(f"{path}.server")
    if not given.path:
        yield required(f"{path}.path")
    elif not given.path.startswith("/"):
        yield invalid_value(f"{path}.path", given.path, "must be an absolute path")


def _projected(path: str, given: Any) -> Errors:
    if given.defaultMode is not None:
        yield from _mode(f"{path}.defaultMode", given.defaultMode)
    taken: list[str] = []
    for index, projection in enumerate(given.sources):
        where = f"{path}.sources[{index}]"
        names = [name for name in PROJECTIONS if getattr(projection, name) is not None]
        for name in names[:1]:
            yield from _projection(f"{where}.{name}", name, getattr(projection, name))
        for name in names[1:]:
            yield forbidden_field(f"{where}.{name}", ONE_TYPE)
        for file in _paths_of(projection):
            if file in taken:
                yield invalid_value(path, file, "conflicting duplicate paths")
            taken.append(file)


def _projection(path: str, name: str, given: Any) -> Errors:
    if name in ("secret", "configMap"):
        if not given.name:
            yield required(f"{path}.name")
        for index, item in enumerate(given.items):
            yield from _key_to_path(f"{path}.items[{index}]", item)
    elif name == "downwardAPI":
        yield from _downward_files(path, given.items)
    elif name == "serviceAccountToken":
        yield from _token(path, given)


def _token(path: str, given: Any) -> Errors:
    life = given.expirationSeconds
    if life is not None and life < MIN_TOKEN_LIFE:
        text = "may not specify a duration less than 10 minutes"
        yield invalid_value(f"{path}.expirationSeconds", life, text)
    if life is not None and life > MAX_TOKEN_LIFE:
        text = "may not specify a duration larger than 2^32 seconds"
        yield invalid_value(f"{path}.expirationSeconds", life, text)
    if not given.path:
        yield required(f"{path}.path")
    else:
        yield from _file_path(f"{path}.path", given.path)


def _paths_of(projection: VolumeProjection) -> list[str]:
    found = []
    for name in ("secret", "configMap", "downwardAPI"):
        given = getattr(projection, name)
        found += [item.path for item in given.items if item.path] if given is not None else []
    token = projection.serviceAccountToken
    return [*found, token.path] if token is not None and token.path else found


def _key_to_path(path: str, item: KeyToPath) -> Errors:
    if not item.key:
        yield required(f"{path}.key")
    if not item.path:
        yield required(f"{path}.path")
    else:
        yield from _file_path(f"{path}.path", item.path)
    if item.mode is not None:
        yield from _mode(f"{path}.mode", item.mode)


def _file_path(path: str, value: str) -> Errors:
    yield from local_descending_path(path, value)
    if value.startswith("..") and ".." not in value.split("/"):
        yield invalid_value(path, value, "must not start with '..'")


def _mode(path: str, mode: int) -> Errors:
    if not 0 <= mode <= 0o777:
        yield invalid_value(path, mode, MODE_TEXT)


# Sources that are not here exist outside the cluster; they are stored as they are.
CHECKS: Mapping[str, Callable[[str, Any], Errors]] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "configMap": _config_map,
    "secret": _secret,
    "downwardAPI": _downward_api,
    "persistentVolumeClaim": _claim,
    "nfs": _nfs,
    "projected": _projected,
}
