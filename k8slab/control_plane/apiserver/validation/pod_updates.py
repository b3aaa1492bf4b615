"""Validation of changes to a Pod: of its spec almost nothing, of its status almost everything.

A Pod is never edited into another Pod: only its images, a shorter deadline, more tolerations and
fewer scheduling gates can be set once it exists.

Rule of use: `pod_update` is for the Pod, `pod_status_update` for its status subresource.

Upstream: pkg/apis/core/validation/validation.go (ValidatePodUpdate, ValidatePodStatusUpdate)
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from k8slab.api.core import Container, ContainerStatus, Pod, PodSpec
from k8slab.api.errors import FieldError, forbidden_field, invalid_value, required
from k8slab.api.pods import all_containers_could_restart, container_should_restart
from k8slab.control_plane.apiserver.validation import go_text
from k8slab.control_plane.apiserver.validation.formats import (
    Errors,
    dns_subdomain,
    each,
    immutable,
    in_range,
    ip,
    qualified_name,
)
from k8slab.control_plane.apiserver.validation.pods import (
    MAX_DEADLINE,
    MIRROR,
    pod_annotations,
    pod_spec,
)

UPDATABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
SYSTEM_CONDITIONS = frozenset({"PodScheduled", "Ready", "Initialized"})
WHITESPACE = "must not have leading or trailing whitespace"
ADDED_OR_REMOVED = "pod updates may not add or remove containers"


def pod_update(new: Pod, old: Pod) -> list[FieldError]:
    """Return what is wrong with a changed Pod, and with the change."""
    found = list(pod_annotations("metadata.annotations", new.metadata.annotations, new.spec))
    found += pod_spec("spec", new.spec, is_pod=True)
    found += _mirror(new, old)
    for field in ("containers", "initContainers"):
        after, before = getattr(new.spec, field), getattr(old.spec, field)
        if len(after) != len(before):
            return [*found, forbidden_field(f"spec.{field}", ADDED_OR_REMOVED)]
        found += _images(f"spec.{field}", after)
    deadline = list(_deadline(new.spec, old.spec))
    found += deadline
    if deadline and new.spec.activeDeadlineSeconds is not None:
        return found
    found += _tolerations(new.spec, old.spec)
    found += _gates(new.spec, old.spec)
    comparable = _with_free_fields_of(new.spec, old.spec)
    if old.spec.schedulingGates:
        found += _gated_selector(comparable, old.spec)
        comparable = replace(comparable, nodeSelector=old.spec.nodeSelector)
    if comparable != old.spec:
        lines = go_text.diff(old.spec, comparable)
        text = f"pod updates may not change fields other than {UPDATABLE}\n{lines}"
        found.append(forbidden_field("spec", text))
    return found


def pod_status_update(new: Pod, old: Pod) -> list[FieldError]:
    """Return what is wrong with a new status of a Pod."""
    found = list(_mirror(new, old))
    for index, condition in enumerate(new.status.conditions):
        if condition.type not in SYSTEM_CONDITIONS:
            where = f"metadata.conditions[{index}].Type"
            found += each(where, condition.type, qualified_name(condition.type))
    nominated = new.status.nominatedNodeName
    if nominated and nominated != old.status.nominatedNodeName:
        found += each("status.nominatedNodeName", nominated, dns_subdomain(nominated))
    found += immutable("status.qosClass", new.status.qosClass, old.status.qosClass)
    if old.spec.restartPolicy != "Always":
        found += _transitions("containerStatuses", new, old, old.spec.containers)
        found += _transitions("initContainerStatuses", new, old, old.spec.initContainers)
    for field in ("podIPs", "hostIPs"):
        for index, address in enumerate(getattr(new.status, field)):
            found += each(f"status.{field}[{index}]", address.ip, ip(address.ip))
    return found


def _mirror(new: Pod, old: Pod) -> Errors:
    after, before = new.metadata.annotations.get(MIRROR), old.metadata.annotations.get(MIRROR)
    where = f"metadata.annotations[{MIRROR}]"
    if before is None and after is not None:
        yield forbidden_field(where, "may not add mirror pod annotation")
    elif before != after:
        yield forbidden_field(where, "may not remove or update mirror pod annotation")


def _images(path: str, containers: tuple[Container, ...]) -> Errors:
    for index, container in enumerate(containers):
        where = f"{path}[{index}].image"
        if not container.image:
            yield required(where)
        if container.image != container.image.strip():
            yield invalid_value(where, container.image, WHITESPACE)


def _deadline(new: PodSpec, old: PodSpec) -> Errors:
    after, before = new.activeDeadlineSeconds, old.activeDeadlineSeconds
    where = "spec.activeDeadlineSeconds"
    if after is None:
        if before is not None:
            text = "must not update from a positive integer to nil value"
            yield invalid_value(where, None, text)
    elif reasons := in_range(after, 0, MAX_DEADLINE):
        yield from each(where, after, reasons)
    elif before is not None and before < after:
        yield invalid_value(where, after, "must be less than or equal to previous value")


def _tolerations(new: PodSpec, old: PodSpec) -> Errors:
    kept = [replace(toleration, tolerationSeconds=None) for toleration in new.tolerations]
    for toleration in old.tolerations:
        if replace(toleration, tolerationSeconds=None) not in kept:
            text = "existing toleration can not be modified except its tolerationSeconds"
            yield forbidden_field("spec.tolerations", text)
            return


def _gates(new: PodSpec, old: PodSpec) -> Errors:
    for index, gate in enumerate(new.schedulingGates):
        if gate not in old.schedulingGates:
            text = f"only deletion is allowed, but found new scheduling gate '{gate.name}'"
            yield forbidden_field(f"spec.schedulingGates[{index}].name", text)


def _gated_selector(new: PodSpec, old: PodSpec) -> Errors:
    """A Pod behind a gate may still become choosier about its node."""
    changed = any(new.nodeSelector.get(key) != value for key, value in old.nodeSelector.items())
    if changed:
        text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        yield invalid_value("spec.nodeSelector", new.nodeSelector, text)


def _with_free_fields_of(new: PodSpec, old: PodSpec) -> PodSpec:
    """Return the new spec with all that may change as it was."""
    changes: dict[str, Any] = {
        field: getattr(old, field)
        for field in ("activeDeadlineSeconds", "schedulingGates", "tolerations")
    }
    for field in ("containers", "initContainers"):
        pairs = zip(getattr(new, field), getattr(old, field), strict=True)
        changes[field] = tuple(replace(after, image=before.image) for after, before in pairs)
    grace = old.terminationGracePeriodSeconds
    if grace is not None and grace < 0 and new.terminationGracePeriodSeconds == 1:
        changes["terminationGracePeriodSeconds"] = grace
    return replace(new, **changes)


def _transitions(field: str, new: Pod, old: Pod, containers: tuple[Container, ...]) -> Errors:
    """Yield an error for each container that has ended for good, and runs again."""
    if all_containers_could_restart(old.spec):
        return
    after: dict[str, ContainerStatus] = {s.name: s for s in getattr(new.status, field)}
    for index, status in enumerate(getattr(old.status, field)):
        ended = status.state.terminated
        if ended is None or status.name not in after:
            continue
        if ended.exitCode != 0 and old.spec.restartPolicy == "OnFailure":
            continue
        if any(
            container.name == status.name
            and container_should_restart(container, old.spec, ended.exitCode)
            for container in containers
        ):
            continue
        if after[status.name].state.terminated is None:
            text = "may not be transitioned to non-terminated state"
            yield forbidden_field(f"status.{field}[{index}].state", text)
