"""The revisions of a Deployment: its ReplicaSets, and which of them is the present one.

The present ReplicaSet is the one whose Pod template equals that of the Deployment, the hash label
aside; its revision number is in an annotation.

Rule of use: `replica_sets_of` gives a Deployment's, `revisions` those of any workload; both the
oldest first.

Upstream: staging/src/k8s.io/kubectl/pkg/util/deployment/deployment.go
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from k8slab.api import codec
from k8slab.api.apps import ControllerRevision, Deployment, ReplicaSet
from k8slab.api.core import PodTemplateSpec
from k8slab.api.meta import is_controlled_by
from k8slab.client import STRATEGIC_PATCH, patch
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.pods_of import selector_of
from k8slab.kubectl.resources import list_objects

REVISION = "deployment.kubernetes.io/revision"
CHANGE_CAUSE = "kubernetes.io/change-cause"
HASH = "pod-template-hash"


async def replica_sets_of(call: Invocation, deployment: Deployment) -> list[ReplicaSet]:
    """Return the ReplicaSets that the Deployment controls, the oldest first."""
    sets: tuple[ReplicaSet, ...] = await list_objects(
        call,
        "ReplicaSet",
        deployment.metadata.namespace,
        labels=selector_of(deployment) or "",
    )
    owned = [rs for rs in sets if is_controlled_by(rs, deployment)]
    return sorted(owned, key=lambda rs: (rs.metadata.creationTimestamp, rs.metadata.name))


def new_replica_set(deployment: Deployment, sets: Iterable[ReplicaSet]) -> ReplicaSet | None:
    """Return the ReplicaSet that has the Deployment's template, the oldest if there are several."""
    wanted = without_hash(deployment.spec.template)
    same = [rs for rs in sets if without_hash(rs.spec.template) == wanted]
    return min(same, key=lambda rs: rs.metadata.creationTimestamp, default=None)


async def revisions(call: Invocation, obj: Any) -> list[tuple[int, str]]:
    """Return number and change cause of each revision, the oldest first."""
    if isinstance(obj, Deployment):
        sets = await replica_sets_of(call, obj)
        found = {revision_of(rs): rs.metadata.annotations.get(CHANGE_CAUSE, "") for rs in sets}
    else:
        kept = await _controller_revisions(call, obj)
        found = {one.revision: one.metadata.annotations.get(CHANGE_CAUSE, "") for one in kept}
    return sorted(found.items())


async def objects_of_revisions(call: Invocation, obj: Any) -> dict[int, Any]:
    """Return each revision: its ReplicaSet, or the workload as it was then, as plain data."""
    if isinstance(obj, Deployment):
        return {revision_of(rs): rs for rs in await replica_sets_of(call, obj)}
    kept = await _controller_revisions(call, obj)
    plain = codec.to_dict(obj)
    return {one.revision: patch.apply(plain, one.data, STRATEGIC_PATCH) for one in kept}


async def template_of_revision(call: Invocation, obj: Any, number: int) -> PodTemplateSpec | None:
    """Return the Pod template of a revision, None if it is not kept."""
    if isinstance(obj, Deployment):
        for rs in await replica_sets_of(call, obj):
            if revision_of(rs) == number:
                cause = rs.metadata.annotations.get(CHANGE_CAUSE)
                return _with_cause(rs.spec.template, cause)
        return None
    for one in await _controller_revisions(call, obj):
        if one.revision == number and one.data is not None:
            spec = one.data.get("spec", {}).get("template", {})
            plain = {key: value for key, value in spec.items() if key != "$patch"}
            return codec.convert(plain, PodTemplateSpec)
    return None


async def _controller_revisions(call: Invocation, obj: Any) -> list[ControllerRevision]:
    kept: tuple[ControllerRevision, ...] = await list_objects(
        call, "ControllerRevision", obj.metadata.namespace, labels=selector_of(obj) or ""
    )
    return [one for one in kept if is_controlled_by(one, obj)]


def _with_cause(template: PodTemplateSpec, cause: str | None) -> PodTemplateSpec:
    if not cause:
        return template
    annotations = {**template.metadata.annotations, CHANGE_CAUSE: cause}
    return replace(template, metadata=replace(template.metadata, annotations=annotations))


def without_hash(template: PodTemplateSpec) -> PodTemplateSpec:
    """Return a template without the label that names its ReplicaSet."""
    labels = {key: value for key, value in template.metadata.labels.items() if key != HASH}
    return replace(template, metadata=replace(template.metadata, labels=labels))


def revision_of(rs: ReplicaSet) -> int:
    """Return the number of a ReplicaSet's revision, 0 if it has none."""
    return int(rs.metadata.annotations.get(REVISION, "0"))
