"""What must be true of the stored object before a write may touch it.

An update may name the version and the uid it was made for; a delete may name both as preconditions.
Whoever names something that is no longer so is told 409 Conflict.

Rule of use: `check_version` and `check_uid` before an update, `check` before a delete; each raises
ApiError or does nothing.

Upstream: staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go,
staging/src/k8s.io/apiserver/pkg/storage/interfaces.go (Preconditions)
"""

from __future__ import annotations

from k8slab.api import errors
from k8slab.api.meta import DeleteOptions, Object
from k8slab.api.scheme import Resource


def check_version(resource: Resource, new: Object, old: Object) -> None:
    """Refuse an update that was made for another version of the object."""
    version = new.metadata.resourceVersion
    if version and not version.isdecimal():
        raise errors.unknown(f'strconv.ParseUint: parsing "{version}": invalid syntax')
    if version and version != old.metadata.resourceVersion:
        raise errors.conflict(resource, old.metadata.name)


def check_uid(resource: Resource, new: Object, old: Object) -> None:
    """Refuse an update that was made for another object of the same name."""
    if new.metadata.uid and new.metadata.uid != old.metadata.uid:
        why = (
            f"Precondition failed: UID in precondition: {new.metadata.uid}, "
            f"UID in object meta: {old.metadata.uid}"
        )
        raise errors.conflict(resource, old.metadata.name, why)


def check(resource: Resource, options: DeleteOptions, old: Object) -> None:
    """Refuse a delete whose preconditions do not hold."""
    wanted = options.preconditions
    if wanted is None:
        return
    for name, expected, found, fate in (
        ("UID", wanted.uid, old.metadata.uid, "deleted and then recreated"),
        ("ResourceVersion", wanted.resourceVersion, old.metadata.resourceVersion, "modified"),
    ):
        if expected is not None and expected != found:
            why = (
                f"the {name} in the precondition ({expected}) does not match the {name} in "
                f"record ({found}). The object might have been {fate}"
            )
            raise errors.precondition_failed(resource, old.metadata.name, why)
