"""The revisions of a Deployment: its ReplicaSets, and which of them is the present one.

The present ReplicaSet is the one whose Pod template equals that of the Deployment, the hash label
aside; its revision number is in an annotation.

Rule of use: `replica_sets_of` in order of name, `by_revision` in order of age.

Upstream: staging/src/k8s.io/kubectl/pkg/util/deployment/deployment.go
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import PodTemplateSpec
from k8slab.api.meta import is_controlled_by
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.pods_of import selector_of
from k8slab.kubectl.resources import list_objects

REVISION = "deployment.kubernetes.io/revision"
CHANGE_CAUSE = "kubernetes.io/change-cause"
HASH = "pod-template-hash"


async def replica_sets_of(call: Invocation, deployment: Deployment) -> list[ReplicaSet]:
    """Return the ReplicaSets that the Deployment controls, sorted by name."""
    sets: tuple[ReplicaSet, ...] = await list_objects(
        call,
        "ReplicaSet",
        deployment.metadata.namespace,
        labels=selector_of(deployment) or "",
    )
    return [rs for rs in sets if is_controlled_by(rs, deployment)]


def new_replica_set(deployment: Deployment, sets: Iterable[ReplicaSet]) -> ReplicaSet | None:
    """Return the ReplicaSet that has the Deployment's template, the oldest if there are several."""
    wanted = without_hash(deployment.spec.template)
    same = [rs for rs in sets if without_hash(rs.spec.template) == wanted]
    return min(same, key=lambda rs: rs.metadata.creationTimestamp, default=None)


def without_hash(template: PodTemplateSpec) -> PodTemplateSpec:
    """Return a template without the label that names its ReplicaSet."""
    labels = {key: value for key, value in template.metadata.labels.items() if key != HASH}
    return replace(template, metadata=replace(template.metadata, labels=labels))


def revision_of(rs: ReplicaSet) -> int:
    """Return the number of a ReplicaSet's revision, 0 if it has none."""
    return int(rs.metadata.annotations.get(REVISION, "0"))
