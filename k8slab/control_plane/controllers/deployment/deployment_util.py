"""Questions about a Deployment and its ReplicaSets, and the annotations that link them.

`find_new_replica_set` says which ReplicaSet has the Deployment's template; the annotations remember
revisions, and the size of the Deployment for which a ReplicaSet was last scaled.

Rule of use: everything here is a pure function.

Upstream: pkg/controller/deployment/util/deployment_util.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import PodTemplateSpec
from k8slab.api.rollouts import desired, max_surge

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
NOT_COPIED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    "deprecated.deployment.rollback.to",
)
HASH_LABEL = "pod-template-hash"
NO_LIMIT = 2**31 - 1  # what means "never" and "all" in the spec
MAX_HISTORY_LENGTH = 2000  # characters of the revision-history annotation


def total(replica_sets: Iterable[ReplicaSet]) -> int:
    """Return how many Pods the ReplicaSets want together."""
    return sum(map(desired, replica_sets))


def available(replica_sets: Iterable[ReplicaSet]) -> int:
    """Return how many of their Pods are available."""
    return sum(rs.status.availableReplicas for rs in replica_sets)


def active(replica_sets: Iterable[ReplicaSet]) -> list[ReplicaSet]:
    """Return those that want any Pods."""
    return [rs for rs in replica_sets if desired(rs) > 0]


def age_order(rs: ReplicaSet) -> tuple[str, str]:
    """Sort key: oldest first, by name if equally old."""
    return rs.metadata.creationTimestamp, rs.metadata.name


def has_progress_deadline(deployment: Deployment) -> bool:
    """Say whether somebody wants to know that a rollout is stuck."""
    return deployment.spec.progressDeadlineSeconds not in (None, NO_LIMIT)


# -- templates


def without_hash(template: PodTemplateSpec) -> PodTemplateSpec:
    """Return the template without the label that the controller added."""
    labels = template.metadata.labels
    if HASH_LABEL not in labels:
        return template
    kept = {key: value for key, value in labels.items() if key != HASH_LABEL}
    return replace(template, metadata=replace(template.metadata, labels=kept))


def find_new_replica_set(
    deployment: Deployment, replica_sets: Sequence[ReplicaSet]
) -> ReplicaSet | None:
    """Return the ReplicaSet that has the Deployment's template, the oldest if several have."""
    template = without_hash(deployment.spec.template)
    for rs in sorted(replica_sets, key=age_order):
        if without_hash(rs.spec.template) == template:
            return rs
    return None


# -- annotations


def revision_of(rs: ReplicaSet) -> int:
    """Return the number of the rollout that a ReplicaSet belongs to, 0 if it does not say."""
    return number(rs.metadata.annotations, REVISION) or 0


def number(annotations: Mapping[str, str], key: str) -> int | None:
    """Return an annotation as a number, None if it is none."""
    text = annotations.get(key, "")
    return int(text) if text.isdecimal() else None


def size_annotations(deployment: Deployment) -> dict[str, str]:
    """Return what a ReplicaSet remembers of the Deployment for which it was scaled."""
    wanted = desired(deployment)
    return {DESIRED_REPLICAS: str(wanted), MAX_REPLICAS: str(wanted + max_surge(deployment))}


def new_replica_set_annotations(
    deployment: Deployment, annotations: Mapping[str, str], revision: int
) -> dict[str, str]:
    """Return the new ReplicaSet's annotations: the Deployment's, and the revision it now has.

    A ReplicaSet that comes back after a rollback gets the newest revision; the ones that it had
    go into its history.
    """
    result = dict(annotations)
    for key, value in deployment.metadata.annotations.items():
        if key not in NOT_COPIED:
            result[key] = value
    before = annotations.get(REVISION, "")
    if before and not before.isdecimal():
        return result
    if int(before or "0") < revision:
        result[REVISION] = str(revision)
        if before:
            result[REVISION_HISTORY] = _with_history(result.get(REVISION_HISTORY, ""), before)
    return result


def _with_history(history: str, revision: str) -> str:
    revisions = [*history.split(","), revision] if history else [revision]
    while len(",".join(revisions)) > MAX_HISTORY_LENGTH:
        del revisions[0]
    return ",".join(revisions)
