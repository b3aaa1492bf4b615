"""How ConfigMaps, Secrets, accounts, roles and storage are summed up in one line.

DATA counts keys: a table never shows what a Secret holds.

Rule of use: a Role shows when it was created, as a date, where others show an age.

Upstream: pkg/printers/internalversion/printers.go
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from k8slab.api.core import (
    ConfigMap,
    PersistentVolume,
    PersistentVolumeClaim,
    Secret,
    ServiceAccount,
)
from k8slab.api.meta import Object
from k8slab.api.storage import CSINode, StorageClass
from k8slab.control_plane.apiserver.table_printers.columns import (
    AGE,
    NAME,
    UNSET,
    Cells,
    Printer,
    age_of,
    column,
    wide,
)

_ACCESS_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_DEFAULT_CLASS_BETA = "storageclass.beta.kubernetes.io/is-default-class"


def config_map_cells(config: ConfigMap, now: float) -> Cells:
    """Return the cells of a ConfigMap."""
    return config.metadata.name, len(config.data) + len(config.binaryData), age_of(config, now)


def secret_cells(secret: Secret, now: float) -> Cells:
    """Return the cells of a Secret."""
    return secret.metadata.name, secret.type, len(secret.data), age_of(secret, now)


def service_account_cells(account: ServiceAccount, now: float) -> Cells:
    """Return the cells of a ServiceAccount; nothing makes Secrets for it any more."""
    return account.metadata.name, len(account.secrets), age_of(account, now)


def role_cells(role: Object, now: float) -> Cells:
    """Return the cells of a Role or ClusterRole."""
    return role.metadata.name, role.metadata.creationTimestamp


def role_binding_cells(binding: Any, now: float) -> Cells:
    """Return the cells of a RoleBinding or ClusterRoleBinding."""
    by_kind: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in binding.subjects:
        name = subject.name
        if subject.kind == "ServiceAccount" and subject.namespace:
            name = f"{subject.namespace}/{name}"
        by_kind.setdefault(subject.kind, []).append(name)
    return (
        binding.metadata.name,
        f"{binding.roleRef.kind}/{binding.roleRef.name}",
        age_of(binding, now),
        ", ".join(by_kind["User"]),
        ", ".join(by_kind["Group"]),
        ", ".join(by_kind["ServiceAccount"]),
    )


def volume_cells(volume: PersistentVolume, now: float) -> Cells:
    """Return the cells of a PersistentVolume."""
    spec, claim = volume.spec, volume.spec.claimRef
    return (
        volume.metadata.name,
        spec.capacity.get("storage", "0"),
        _access_modes(spec.accessModes),
        spec.persistentVolumeReclaimPolicy,
        _phase(volume),
        f"{claim.namespace}/{claim.name}" if claim is not None else "",
        spec.storageClassName,
        spec.volumeAttributesClassName or UNSET,
        volume.status.reason,
        age_of(volume, now),
        spec.volumeMode or UNSET,
    )


def claim_cells(claim: PersistentVolumeClaim, now: float) -> Cells:
    """Return the cells of a PersistentVolumeClaim; what it got shows once it is bound."""
    spec, bound = claim.spec, bool(claim.spec.volumeName)
    return (
        claim.metadata.name,
        _phase(claim),
        spec.volumeName,
        claim.status.capacity.get("storage", "0") if bound else "",
        _access_modes(claim.status.accessModes) if bound else "",
        spec.storageClassName or "",
        spec.volumeAttributesClassName or UNSET,
        age_of(claim, now),
        spec.volumeMode or UNSET,
    )


def storage_class_cells(storage_class: StorageClass, now: float) -> Cells:
    """Return the cells of a StorageClass."""
    annotations, name = storage_class.metadata.annotations, storage_class.metadata.name
    if "true" in (annotations.get(_DEFAULT_CLASS), annotations.get(_DEFAULT_CLASS_BETA)):
        name += " (default)"
    return (
        name,
        storage_class.provisioner,
        storage_class.reclaimPolicy or "Delete",
        storage_class.volumeBindingMode or "Immediate",
        bool(storage_class.allowVolumeExpansion),
        age_of(storage_class, now),
    )


def csi_node_cells(csi_node: CSINode, now: float) -> Cells:
    """Return the cells of a CSINode."""
    return csi_node.metadata.name, len(csi_node.spec.drivers), age_of(csi_node, now)


def _phase(obj: PersistentVolume | PersistentVolumeClaim) -> str:
    return "Terminating" if obj.metadata.deletionTimestamp is not None else obj.status.phase


def _access_modes(modes: Iterable[str]) -> str:
    given = dict.fromkeys(modes)
    return ",".join(short for mode, short in _ACCESS_MODES.items() if mode in given)


_ROLE = Printer((NAME, column("Created At", "When it was created.", type="date")), role_cells)
_BINDING = Printer(
    (
        NAME,
        column("Role", "The role that is given."),
        AGE,
        wide("Users", "Users that are given it."),
        wide("Groups", "Groups that are given it."),
        wide("ServiceAccounts", "ServiceAccounts that are given it."),
    ),
    role_binding_cells,
)
PRINTERS = {
    "ConfigMap": Printer((NAME, column("Data", "How many keys it has."), AGE), config_map_cells),
    "Secret": Printer(
        (
            NAME,
            column("Type", "What it is for."),
            column("Data", "How many keys it has."),
            AGE,
        ),
        secret_cells,
    ),
    "ServiceAccount": Printer(
        (NAME, column("Secrets", "How many Secrets belong to it."), AGE), service_account_cells
    ),
    "Role": _ROLE,
    "ClusterRole": _ROLE,
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "PersistentVolume": Printer(
        (
            NAME,
            column("Capacity", "How much it holds."),
            column("Access Modes", "How it may be mounted."),
            column("Reclaim Policy", "What becomes of it after its claim."),
            column("Status", "Whether it is free, bound or released."),
            column("Claim", "Which claim has it."),
            column("StorageClass", "Its class."),
            column("VolumeAttributesClass", "Its class of attributes."),
            column("Reason", "Why it failed."),
            AGE,
            wide("VolumeMode", "File system or block device."),
        ),
        volume_cells,
    ),
    "PersistentVolumeClaim": Printer(
        (
            NAME,
            column("Status", "Whether it is bound."),
            column("Volume", "Which volume it got."),
            column("Capacity", "How much it got."),
            column("Access Modes", "How it may be mounted."),
            column("StorageClass", "Its class."),
            column("VolumeAttributesClass", "Its class of attributes."),
            AGE,
            wide("VolumeMode", "File system or block device."),
        ),
        claim_cells,
    ),
    "StorageClass": Printer(
        (
            NAME,
            column("Provisioner", "Who makes the volumes."),
            column("ReclaimPolicy", "What becomes of a volume after its claim."),
            column("VolumeBindingMode", "When a volume is made."),
            column("AllowVolumeExpansion", "Whether volumes can grow."),
            AGE,
        ),
        storage_class_cells,
    ),
    "CSINode": Printer(
        (NAME, column("Drivers", "How many drivers the node has.", type="integer"), AGE),
        csi_node_cells,
    ),
}
