"""Validation of Deployments, ReplicaSets, DaemonSets, StatefulSets and ReplicationControllers.

All have a selector that must match their template and may not change, and Pods that are restarted
for ever. Where upstream's message speaks of another kind, so does ours.

Rule of use: `*_update` checks the whole new object too; `*_status` only the status.

Upstream: pkg/apis/apps/validation/validation.go, pkg/registry/apps/*/strategy.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from k8slab.api import labels
from k8slab.api.apps import (
    DaemonSet,
    DaemonSetUpdateStrategy,
    Deployment,
    DeploymentSpec,
    DeploymentStrategy,
    ReplicaSet,
    StatefulSet,
    StatefulSetSpec,
)
from k8slab.api.core import PodTemplateSpec, ReplicationController
from k8slab.api.errors import forbidden_field, invalid_value, not_supported, required
from k8slab.api.meta import LabelSelector
from k8slab.control_plane.apiserver.validation import go_text
from k8slab.control_plane.apiserver.validation.formats import (
    Errors,
    at_most_all,
    immutable,
    is_zero,
    not_negative,
    number_or_percent,
)
from k8slab.control_plane.apiserver.validation.metadata import annotation_map, label_map
from k8slab.control_plane.apiserver.validation.pods import pod_annotations, pod_template
from k8slab.control_plane.apiserver.validation.selectors import label_selector

MISMATCH = "`selector` does not match template `labels`"
ABOVE_REPLICAS = "cannot be greater than status.replicas"
FREE_IN_STATEFUL_SETS = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)


def deployment(obj: Deployment) -> Errors:
    """Yield what is wrong with a Deployment, metadata apart."""
    spec = obj.spec
    yield from not_negative("spec.replicas", spec.replicas)
    yield from _selector(spec.selector, "empty selector is invalid for deployment")
    yield from _template(spec.template, spec.selector, "ReplicaSet")
    yield from _deployment_strategy("spec.strategy", spec.strategy)
    yield from not_negative("spec.minReadySeconds", spec.minReadySeconds)
    yield from not_negative("spec.revisionHistoryLimit", spec.revisionHistoryLimit)
    yield from _progress_deadline(spec)


def deployment_update(new: Deployment, old: Deployment) -> Errors:
    """Yield what is wrong with a changed Deployment: its selector stays."""
    yield from deployment(new)
    yield from immutable("spec.selector", new.spec.selector, old.spec.selector)


def replica_set(obj: ReplicaSet) -> Errors:
    """Yield what is wrong with a ReplicaSet, metadata apart."""
    spec = obj.spec
    yield from not_negative("spec.replicas", spec.replicas)
    yield from not_negative("spec.minReadySeconds", spec.minReadySeconds)
    yield from _selector(spec.selector, "empty selector is invalid for deployment")
    yield from _template(spec.template, spec.selector, "ReplicaSet")


def replica_set_update(new: ReplicaSet, old: ReplicaSet) -> Errors:
    """Yield what is wrong with a changed ReplicaSet: its selector stays."""
    yield from replica_set(new)
    yield from immutable("spec.selector", new.spec.selector, old.spec.selector)


def replication_controller(obj: ReplicationController) -> Errors:
    """Yield what is wrong with a ReplicationController, whose selector is a plain map."""
    spec = obj.spec
    yield from not_negative("spec.minReadySeconds", spec.minReadySeconds)
    if not spec.selector:
        yield required("spec.selector")
    yield from not_negative("spec.replicas", spec.replicas)
    if spec.template is None:
        yield required("spec.template")
        return
    found = spec.template.metadata.labels
    if any(found.get(key) != value for key, value in spec.selector.items()):
        text = "`selector` does not match template `labels`"
        yield invalid_value("spec.template.metadata.labels", found, text)
    yield from pod_template("spec.template", spec.template)
    yield from _always_restarted(spec.template, "ReplicationController")


def daemon_set(obj: DaemonSet) -> Errors:
    """Yield what is wrong with a DaemonSet, metadata apart."""
    spec = obj.spec
    yield from label_selector("spec.selector", spec.selector)
    yield from _mismatch(spec.template, spec.selector)
    if spec.selector is not None and _is_empty(spec.selector):
        text = "empty selector is invalid for daemonset"
        yield invalid_value("spec.selector", spec.selector, text)
    yield from pod_template("spec.template", spec.template)
    yield from _always_restarted(spec.template, "DaemonSet")
    yield from not_negative("spec.minReadySeconds", spec.minReadySeconds)
    yield from _daemon_strategy("spec.updateStrategy", spec.updateStrategy)
    yield from not_negative("spec.revisionHistoryLimit", spec.revisionHistoryLimit)


def daemon_set_update(new: DaemonSet, old: DaemonSet) -> Errors:
    """Yield what is wrong with a changed DaemonSet: its selector stays."""
    yield from daemon_set(new)
    yield from immutable("spec.selector", new.spec.selector, old.spec.selector)


def stateful_set(obj: StatefulSet) -> Errors:
    """Yield what is wrong with a StatefulSet, metadata and Pods apart, as upstream does."""
    spec = obj.spec
    if spec.podManagementPolicy not in ("OrderedReady", "Parallel"):
        text = "must be 'OrderedReady' or 'Parallel'"
        yield invalid_value("spec.podManagementPolicy", spec.podManagementPolicy, text)
    yield from _stateful_strategy("spec.updateStrategy", spec)
    yield from not_negative("spec.replicas", spec.replicas)
    yield from not_negative("spec.minReadySeconds", spec.minReadySeconds)
    if spec.ordinals is not None:
        yield from not_negative("spec.ordinals.start", spec.ordinals.start)
    yield from _selector(spec.selector, "empty selector is invalid for statefulset")
    yield from _mismatch(spec.template, spec.selector)
    meta = spec.template.metadata
    yield from label_map("spec.template.labels", meta.labels)
    yield from annotation_map("spec.template.annotations", meta.annotations)
    yield from pod_annotations("spec.template.annotations", meta.annotations, spec.template.spec)
    yield from _always_restarted(spec.template, "StatefulSet")


def stateful_set_update(new: StatefulSet, old: StatefulSet) -> Errors:
    """Yield what is wrong with a changed StatefulSet: identity and storage of its Pods stay."""
    yield from stateful_set(new)
    as_before: dict[str, Any] = {f: getattr(old.spec, f) for f in FREE_IN_STATEFUL_SETS}
    if replace(new.spec, **as_before) != old.spec:
        named = ", ".join(f"'{field}'" for field in FREE_IN_STATEFUL_SETS[:-1])
        text = (
            f"updates to statefulset spec for fields other than {named} and "
            f"'{FREE_IN_STATEFUL_SETS[-1]}' are forbidden"
        )
        yield forbidden_field("spec", text)


# -- status

# By kind: what must not be below zero, and which number may not exceed which.
STATUS_NUMBERS: Mapping[str, str] = {
    "Deployment": "observedGeneration replicas updatedReplicas readyReplicas availableReplicas "
    "unavailableReplicas collisionCount",
    "ReplicaSet": "replicas fullyLabeledReplicas readyReplicas availableReplicas "
    "observedGeneration",
    "DaemonSet": "currentNumberScheduled numberMisscheduled desiredNumberScheduled numberReady "
    "observedGeneration updatedNumberScheduled numberAvailable numberUnavailable collisionCount",
    "StatefulSet": "replicas readyReplicas currentReplicas updatedReplicas availableReplicas "
    "observedGeneration collisionCount",
}
PARTS_OF_REPLICAS: Mapping[str, str] = {
    "Deployment": "updatedReplicas readyReplicas availableReplicas",
    "ReplicaSet": "fullyLabeledReplicas readyReplicas availableReplicas",
    "DaemonSet": "",
    "StatefulSet": "readyReplicas currentReplicas updatedReplicas availableReplicas",
}
ABOVE_READY = {"StatefulSet": "cannot be greater than status.readyReplicas"}


def workload_status(new: Any, old: Any) -> Errors:
    """Yield what is wrong with the numbers in a workload's status."""
    kind, status = new.kind, new.status
    for field in STATUS_NUMBERS[kind].split():
        yield from not_negative(f"status.{field}", getattr(status, field))
    for field in PARTS_OF_REPLICAS[kind].split():
        number = getattr(status, field)
        if number > status.replicas:
            yield invalid_value(f"status.{field}", number, ABOVE_REPLICAS)
    if PARTS_OF_REPLICAS[kind] and status.availableReplicas > status.readyReplicas:
        text = ABOVE_READY.get(kind, "cannot be greater than readyReplicas")
        yield invalid_value("status.availableReplicas", status.availableReplicas, text)


# -- parts


def _selector(selector: LabelSelector | None, text: str) -> Errors:
    if selector is None:
        yield required("spec.selector")
        return
    yield from label_selector("spec.selector", selector)
    if _is_empty(selector):
        yield invalid_value("spec.selector", selector, text)


def _is_empty(selector: LabelSelector) -> bool:
    return not selector.matchLabels and not selector.matchExpressions


def _template(template: PodTemplateSpec, selector: LabelSelector | None, kind: str) -> Errors:
    yield from _mismatch(template, selector)
    yield from pod_template("spec.template", template)
    yield from _always_restarted(template, kind)


def _mismatch(template: PodTemplateSpec, selector: LabelSelector | None) -> Errors:
    """Yield an error if the Pods of the template would not be found again."""
    try:
        wanted = labels.from_label_selector(selector)
    except ValueError:
        yield invalid_value("spec.selector", selector, "invalid label selector")
        return
    if not wanted.is_empty and not wanted.matches(template.metadata.labels):
        yield invalid_value("spec.template.metadata.labels", template.metadata.labels, MISMATCH)


def _always_restarted(template: PodTemplateSpec, kind: str) -> Errors:
    path, spec = "spec.template.spec", template.spec
    if spec.restartPolicy != "Always":
        yield not_supported(f"{path}.restartPolicy", spec.restartPolicy, ("Always",))
    if spec.activeDeadlineSeconds is not None:
        text = f"activeDeadlineSeconds in {kind} is not Supported"
        yield forbidden_field(f"{path}.activeDeadlineSeconds", text)


def _deployment_strategy(path: str, strategy: DeploymentStrategy) -> Errors:
    rolling = strategy.rollingUpdate
    if strategy.type == "Recreate":
        if rolling is not None:
            text = "may not be specified when strategy `type` is 'Recreate'"
            yield forbidden_field(f"{path}.rollingUpdate", text)
    elif strategy.type != "RollingUpdate":
        yield not_supported(path, go_text.quoted(strategy), ("Recreate", "RollingUpdate"))
    elif rolling is None:
        text = "this should be defaulted and never be nil"
        yield required(f"{path}.rollingUpdate", text)
    else:
        where = f"{path}.rollingUpdate"
        yield from number_or_percent(f"{where}.maxUnavailable", rolling.maxUnavailable)
        yield from number_or_percent(f"{where}.maxSurge", rolling.maxSurge)
        if is_zero(rolling.maxUnavailable) and is_zero(rolling.maxSurge):
            text = "may not be 0 when `maxSurge` is 0"
            yield invalid_value(f"{where}.maxUnavailable", rolling.maxUnavailable, text)
        yield from at_most_all(f"{where}.maxUnavailable", rolling.maxUnavailable)


def _daemon_strategy(path: str, strategy: DaemonSetUpdateStrategy) -> Errors:
    rolling, where = strategy.rollingUpdate, f"{path}.rollingUpdate"
    if strategy.type == "OnDelete":
        return
    if strategy.type != "RollingUpdate":
        yield not_supported(path, go_text.quoted(strategy), ("RollingUpdate", "OnDelete"))
    elif rolling is None:
        yield required(where)
    else:
        for check in (number_or_percent, at_most_all):
            yield from check(f"{where}.maxUnavailable", rolling.maxUnavailable)
            yield from check(f"{where}.maxSurge", rolling.maxSurge)
        surges, yields = not is_zero(rolling.maxSurge), not is_zero(rolling.maxUnavailable)
        if surges and yields:
            text = "may not be set when maxUnavailable is non-zero"
            yield invalid_value(f"{where}.maxSurge", rolling.maxSurge, text)
        elif not surges and not yields:
            yield required(f"{where}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def _stateful_strategy(path: str, spec: StatefulSetSpec) -> Errors:
    strategy = spec.updateStrategy
    rolling = strategy.rollingUpdate
    if not strategy.type:
        yield required(path)
    elif strategy.type == "OnDelete":
        if rolling is not None:
            text = "only allowed for updateStrategy 'RollingUpdate'"
            yield invalid_value(f"{path}.rollingUpdate", go_text.quoted(rolling), text)
    elif strategy.type != "RollingUpdate":
        text = "must be 'RollingUpdate' or 'OnDelete'"
        yield invalid_value(path, go_text.quoted(strategy), text)
    elif rolling is not None:
        yield from not_negative(f"{path}.rollingUpdate.partition", rolling.partition)
        where = f"{path}.rollingUpdate.maxUnavailable"
        unavailable = rolling.maxUnavailable
        if unavailable is not None:
            yield from number_or_percent(where, unavailable)
            if is_zero(unavailable):
                yield invalid_value(where, unavailable, "cannot be 0")
            yield from at_most_all(where, unavailable)


def _progress_deadline(spec: DeploymentSpec) -> Errors:
    deadline = spec.progressDeadlineSeconds
    if deadline is None:
        return
    yield from not_negative("spec.progressDeadlineSeconds", deadline)
    if deadline <= spec.minReadySeconds:
        text = "must be greater than minReadySeconds"
        yield invalid_value("spec.progressDeadlineSeconds", deadline, text)
