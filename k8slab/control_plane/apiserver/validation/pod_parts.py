"""Validation of the two parts of a running Pod that have a door of their own.

`ephemeral_containers_update` is for `ephemeralcontainers`: containers are added, none is changed or
taken away. `resize` is for `resize`: cpu and memory of containers that run, and nothing else.

Rule of use: both compare with the stored Pod; `strategy` has already dropped all other changes.

Upstream: pkg/apis/core/validation/validation.go (ValidatePodEphemeralContainersUpdate,
ValidatePodResize)
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from k8slab.api.core import Container, Pod, ResourceRequirements
from k8slab.api.errors import FieldError, forbidden_field, go_value, invalid_value
from k8slab.control_plane.apiserver.quality_of_service import qos_class
from k8slab.control_plane.apiserver.validation import go_text
from k8slab.control_plane.apiserver.validation.formats import Errors
from k8slab.control_plane.apiserver.validation.pods import MIRROR, pod_annotations, pod_spec

RESIZABLE = ("cpu", "memory")
ONLY_RESIZABLE = "only cpu and memory resources are mutable"
ONLY_OF_SIDECARS = "only cpu and memory resources for sidecar containers are mutable"
NOT_OF_INIT = "resources for non-sidecar init containers are immutable"
QOS_CHANGES = "Pod QOS Class may not change as a result of resizing"


def ephemeral_containers_update(new: Pod, old: Pod) -> list[FieldError]:
    """Return what is wrong with the containers that were added to look around."""
    if MIRROR in old.metadata.annotations:
        return [forbidden_field("", "static pods do not support ephemeral containers")]
    found = _pod(new)
    added = {container.name: container for container in new.spec.ephemeralContainers}
    where = "spec.ephemeralContainers"
    for before in old.spec.ephemeralContainers:
        after, name = added.get(before.name), go_value(before.name)
        if after is None:
            text = f"existing ephemeral containers {name} may not be removed\n"
            found.append(forbidden_field(where, text))
        elif after != before:
            lines = go_text.diff(before, after)
            text = f"existing ephemeral containers {name} may not be changed\n{lines}"
            found.append(forbidden_field(where, text))
    return found


def resize(new: Pod, old: Pod) -> list[FieldError]:
    """Return what is wrong with new amounts of cpu and memory."""
    if MIRROR in old.metadata.annotations:
        return [forbidden_field("", "static pods cannot be resized")]
    if old.spec.os is not None and old.spec.os.name == "windows":
        return [forbidden_field("", "windows pods cannot be resized")]
    found = _pod(new)
    order = [*_order("containers", new, old), *_order("initContainers", new, old)]
    if order:
        return [*found, *order]
    class_now = qos_class(new)
    if class_now != (old.status.qosClass or qos_class(old)):
        found.append(invalid_value("spec", class_now, QOS_CHANGES))
    if not _is_supported(old):
        text = "Pod running on node without support for resize"
        found.append(forbidden_field("spec", text))
    found += _removals(new, old)
    found += _fixed(new, old)
    if not found and _with_resources_of(new, old) != old.spec:
        found.append(forbidden_field("spec", ONLY_RESIZABLE))
    return found


def _pod(new: Pod) -> list[FieldError]:
    found = list(pod_annotations("metadata.annotations", new.metadata.annotations, new.spec))
    return [*found, *pod_spec("spec", new.spec, is_pod=True)]


def _order(field: str, new: Pod, old: Pod) -> Errors:
    after, before = getattr(new.spec, field), getattr(old.spec, field)
    if len(after) != len(before):
        text = f"{field} may not be added or removed on resize"
        yield forbidden_field(f"spec.{field}", text)
        return
    for index, (one, other) in enumerate(zip(after, before, strict=True)):
        if one.name != other.name:
            text = f"{field} may not be renamed or reordered on resize"
            yield forbidden_field(f"spec.{field}[{index}].name", text)


def _is_supported(pod: Pod) -> bool:
    """Say whether the Pod's kubelet tells what its containers have, so that it can change it."""
    running = [s for s in pod.status.containerStatuses if s.state.running is not None]
    return not running or running[0].resources is not None


def _removals(new: Pod, old: Pod) -> Errors:
    """Yield an error for each request or limit that was, and is not any more."""
    for field in ("initContainers", "containers"):
        pairs = zip(getattr(new.spec, field), getattr(old.spec, field), strict=True)
        for index, (after, before) in enumerate(pairs):
            if field == "containers" or before.restartPolicy == "Always":
                where = f"spec.{field}[{index}].resources"
                yield from _removed(where, after.resources, before.resources)
    before_all, after_all = old.spec.resources, new.spec.resources
    if before_all is not None:
        yield from _removed("spec.resources", after_all or ResourceRequirements(), before_all)


def _removed(path: str, after: ResourceRequirements, before: ResourceRequirements) -> Errors:
    for field in ("requests", "limits"):
        kept = getattr(after, field)
        if any(name not in kept for name in getattr(before, field)):
            yield forbidden_field(f"{path}.{field}", f"resource {field} cannot be removed")


def _fixed(new: Pod, old: Pod) -> Errors:
    """Yield an error for each container of which something else changed."""
    for after, before in zip(new.spec.containers, old.spec.containers, strict=True):
        if _with_amounts_of(after, before) != before:
            yield forbidden_field("spec", ONLY_RESIZABLE)
    for after, before in zip(new.spec.initContainers, old.spec.initContainers, strict=True):
        if before.restartPolicy != "Always":
            if after != before:
                yield forbidden_field("spec", NOT_OF_INIT)
        elif _with_amounts_of(after, before) != before:
            yield forbidden_field("spec", ONLY_OF_SIDECARS)


def _with_amounts_of(after: Container, before: Container) -> Container:
    """Return the container with all that a resize may change as it was."""
    return replace(after, resources=_restored(after.resources, before.resources))


def _restored(after: ResourceRequirements, before: ResourceRequirements) -> ResourceRequirements:
    return replace(
        after,
        requests=_amounts(after.requests, before.requests),
        limits=_amounts(after.limits, before.limits),
    )


def _amounts(after: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    others = {name: amount for name, amount in after.items() if name not in RESIZABLE}
    return {**{name: before[name] for name in RESIZABLE if name in before}, **others}


def _with_resources_of(new: Pod, old: Pod) -> object:
    """Return the new spec with all amounts as they were."""
    whole = new.spec.resources
    if whole is not None and old.spec.resources is not None:
        whole = _restored(whole, old.spec.resources)
    return replace(
        new.spec,
        containers=old.spec.containers,
        initContainers=old.spec.initContainers,
        resources=whole,
    )
