"""Validation of claims, volumes and storage classes.

Upstream: pkg/apis/core/validation/validation.go (ValidatePersistentVolumeClaim,
ValidatePersistentVolumeSpec), pkg/apis/storage/validation/validation.go
"""

from __future__ import annotations

import msgspec

from k8slab.api import codec, quantity
from k8slab.api.core import (
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeClaimSpec,
    PersistentVolumeSpec,
)
from k8slab.api.errors import (
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
    too_long,
)
from k8slab.api.storage import CSINode, StorageClass
from k8slab.control_plane.apiserver.validation import go_text
from k8slab.control_plane.apiserver.validation.formats import (
    NOT_NEGATIVE,
    Errors,
    dns_subdomain,
    each,
    immutable,
    qualified_name,
)
from k8slab.control_plane.apiserver.validation.mounts import no_backsteps
from k8slab.control_plane.apiserver.validation.selectors import label_selector

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
RECLAIM_POLICIES = ("Delete", "Recycle", "Retain")
BINDING_MODES = ("Immediate", "WaitForFirstConsumer")
LONGEST_DRIVER, LONGEST_NODE_ID = 63, 192  # bytes
ALONE = "may not use ReadWriteOncePod with other access modes"
CLAIM_IS_FINAL = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName "
    "for bound claims"
)
SETTINGS = [
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
]
SOURCES = tuple(field for field in PersistentVolumeSpec.__struct_fields__ if field not in SETTINGS)


def claim(obj: PersistentVolumeClaim) -> Errors:
    """Yield what is wrong with a claim."""
    yield from claim_spec("spec", obj.spec)


def claim_spec(path: str, spec: PersistentVolumeClaimSpec) -> Errors:
    """Yield what is wrong with the wish: the ways to use the storage, and how much."""
    if not spec.accessModes:
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    yield from label_selector(f"{path}.selector", spec.selector)
    yield from _access_modes(f"{path}.accessModes", spec.accessModes)
    where = f"{path}.resources[storage]"
    if "storage" not in spec.resources.requests:
        yield required(where)
    else:
        yield from _size(where, spec.resources.requests["storage"])
    if spec.storageClassName:
        reasons = dns_subdomain(spec.storageClassName)
        yield from each(f"{path}.storageClassName", spec.storageClassName, reasons)
    if spec.volumeMode is not None and spec.volumeMode not in VOLUME_MODES:
        yield not_supported(f"{path}.volumeMode", spec.volumeMode, VOLUME_MODES)


def claim_update(new: PersistentVolumeClaim, old: PersistentVolumeClaim) -> Errors:
    """Yield what is wrong with a changed claim: once bound it may only grow."""
    yield from claim(new)
    # The volume is entered once, by the controller that binds the two; a class may follow.
    allowed = msgspec.structs.replace(
        old.spec,
        volumeName=old.spec.volumeName or new.spec.volumeName,
        storageClassName=old.spec.storageClassName or new.spec.storageClassName,
    )
    if old.status.phase == "Bound":
        allowed = msgspec.structs.replace(
            allowed,
            resources=msgspec.structs.replace(
                allowed.resources, requests=new.spec.resources.requests
            ),
            volumeAttributesClassName=new.spec.volumeAttributesClassName,
        )
    if new.spec != allowed:
        yield forbidden_field("spec", f"{CLAIM_IS_FINAL}\n{go_text.diff(allowed, new.spec)}")
    after, before = (obj.spec.resources.requests.get("storage", "0") for obj in (new, old))
    given = old.status.capacity.get("storage", before)
    if quantity.parse(after)[0] < min(quantity.parse(before)[0], quantity.parse(given)[0]):
        text = "field can not be less than status.capacity"
        yield forbidden_field("spec.resources.requests.storage", text)


def volume(obj: PersistentVolume) -> Errors:
    """Yield what is wrong with a volume: its size, how it is used, and exactly one source."""
    spec = obj.spec
    if not spec.accessModes:
        yield required("spec.accessModes")
    yield from _access_modes("spec.accessModes", spec.accessModes)
    if not spec.capacity:
        yield required("spec.capacity")
    elif list(spec.capacity) != ["storage"]:
        yield not_supported("spec.capacity", spec.capacity, ("storage",))
    for name, amount in spec.capacity.items():
        yield from _size(f"spec.capacity[{name}]", amount)
    policy = spec.persistentVolumeReclaimPolicy
    if policy and policy not in RECLAIM_POLICIES:
        yield not_supported("spec.persistentVolumeReclaimPolicy", policy, RECLAIM_POLICIES)
    sources = [field for field in SOURCES if getattr(spec, field) is not None]
    if not sources:
        yield required("spec", "must specify a volume type")
    for field in sources[1:]:
        yield forbidden_field(f"spec.{field}", "may not specify more than 1 volume type")
    yield from _folders(spec)
    if spec.storageClassName:
        reasons = dns_subdomain(spec.storageClassName)
        yield from each("spec.storageClassName", spec.storageClassName, reasons)
    if spec.volumeMode is not None and spec.volumeMode not in VOLUME_MODES:
        yield not_supported("spec.volumeMode", spec.volumeMode, VOLUME_MODES)


def volume_update(new: PersistentVolume, old: PersistentVolume) -> Errors:
    """Yield what is wrong with a changed volume: where the storage is cannot change."""
    yield from volume(new)
    if any(getattr(new.spec, field) != getattr(old.spec, field) for field in SOURCES):
        text = "spec.persistentvolumesource is immutable after creation"
        differences = go_text.diff(old.spec, new.spec)
        yield forbidden_field("spec.persistentvolumesource", f"{text}\n{differences}")
    yield from immutable("spec.volumeMode", new.spec.volumeMode, old.spec.volumeMode)


def storage_class(obj: StorageClass) -> Errors:
    """Yield what is wrong with a class: who makes the storage, and when."""
    if not obj.provisioner:
        yield required("provisioner")
    else:
        yield from each("provisioner", obj.provisioner, qualified_name(obj.provisioner.lower()))
    if obj.reclaimPolicy and obj.reclaimPolicy not in ("Delete", "Retain"):
        yield not_supported("reclaimPolicy", obj.reclaimPolicy, ("Delete", "Retain"))
    if obj.volumeBindingMode is None:
        yield required("volumeBindingMode")
    elif obj.volumeBindingMode not in BINDING_MODES:
        yield not_supported("volumeBindingMode", obj.volumeBindingMode, BINDING_MODES)


def storage_class_update(new: StorageClass, old: StorageClass) -> Errors:
    """Yield what is wrong with a changed class: volumes were made as it said."""
    for field in ("parameters", "provisioner", "reclaimPolicy"):
        if getattr(new, field) != getattr(old, field):
            yield forbidden_field(field, f"updates to {field} are forbidden.")
    yield from immutable("volumeBindingMode", new.volumeBindingMode, old.volumeBindingMode)


def csi_node(obj: CSINode) -> Errors:
    """Yield what is wrong with the drivers of a node."""
    seen: dict[str, None] = {}
    for index, driver in enumerate(obj.spec.drivers):
        path = f"spec.drivers[{index}]"
        if not driver.name:
            yield required(f"{path}.name")
        elif len(driver.name) > LONGEST_DRIVER:
            yield too_long(f"{path}.name", LONGEST_DRIVER)
        else:
            yield from each(f"{path}.name", driver.name, dns_subdomain(driver.name.lower()))
        if not driver.nodeID:
            yield required(f"{path}.nodeID")
        elif len(driver.nodeID) > LONGEST_NODE_ID:
            text = f"must be {LONGEST_NODE_ID} characters or less"
            yield invalid_value(f"{path}.nodeID", driver.nodeID, text)
        count = driver.allocatable.count if driver.allocatable is not None else None
        if count is not None and count < 0:
            yield invalid_value(f"{path}.allocatable.count", count, NOT_NEGATIVE)
        for key in driver.topologyKeys:
            yield from each(f"{path}.topologyKeys", key, qualified_name(key))
        if driver.name in seen:
            yield duplicate(f"{path}.name", driver.name)
        seen[driver.name] = None


def csi_node_update(new: CSINode, old: CSINode) -> Errors:
    """Yield what is wrong with changed drivers: they come and go, and only their limits change."""
    yield from csi_node(new)
    for before in old.spec.drivers:
        for after in new.spec.drivers:
            kept = msgspec.structs.replace(after, allocatable=before.allocatable)
            if after.name == before.name and kept != before:
                yield invalid_value("spec.drivers", codec.to_dict(after), "field is immutable")


def _access_modes(path: str, modes: tuple[str, ...]) -> Errors:
    for mode in modes:
        if mode not in ACCESS_MODES:
            yield not_supported(path, mode, ACCESS_MODES)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        yield forbidden_field(path, ALONE)


def _size(path: str, amount: str) -> Errors:
    size = quantity.parse(amount)[0]
    if size < 0:
        yield invalid_value(path, amount, NOT_NEGATIVE)
    if size <= 0:
        yield invalid_value(path, amount, "must be greater than zero")


def _folders(spec: PersistentVolumeSpec) -> Errors:
    if spec.hostPath is not None:
        if not spec.hostPath.path:
            yield required("spec.hostPath.path")
        else:
            yield from no_backsteps("spec.hostPath.path", spec.hostPath.path)
        if spec.hostPath.path == "/" and spec.persistentVolumeReclaimPolicy == "Recycle":
            text = "may not be 'recycle' for a hostPath mount of '/'"
            yield forbidden_field("spec.persistentVolumeReclaimPolicy", text)
    if spec.local is not None:
        if not spec.local.path:
            yield required("spec.local.path")
        else:
            yield from no_backsteps("spec.local.path", spec.local.path)
        if spec.nodeAffinity is None:
            yield required("spec.nodeAffinity", "Local volume requires node affinity")
