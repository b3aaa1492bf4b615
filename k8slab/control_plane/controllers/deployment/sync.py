"""Steps that every kind of rollout shares: the new ReplicaSet, revisions, scaling, cleaning up.

`sync_revisions` finds the ReplicaSet of the Deployment's template and makes it if it may;
`is_scaling_event` and `scale` follow a change of the Deployment's size, in mid-rollout in
proportion; `clean_up` deletes ReplicaSets that nobody will go back to.

Rule of use: steps take a `Rollout` and change it; they write nothing.

Upstream: pkg/controller/deployment/sync.go
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.api.apps import Deployment, ReplicaSet, ReplicaSetSpec
from k8slab.api.meta import LabelSelector, ObjectMeta
from k8slab.api.rollouts import desired, is_rolling_update, max_surge
from k8slab.control_plane.controllers.controller_utils import compute_hash, controller_reference
from k8slab.control_plane.controllers.deployment.deployment_util import (
    DESIRED_REPLICAS,
    HASH_LABEL,
    MAX_REPLICAS,
    NO_LIMIT,
    REVISION,
    active,
    age_order,
    find_new_replica_set,
    has_progress_deadline,
    new_replica_set_annotations,
    number,
    revision_of,
    size_annotations,
    total,
)
from k8slab.control_plane.controllers.deployment.rollout import Rollout, new_condition


def sync_revisions(rollout: Rollout, replica_sets: Sequence[ReplicaSet], *, create: bool) -> None:
    """Find the new ReplicaSet, or make it if `create`, and give it the newest revision."""
    deployment = rollout.deployment
    found = find_new_replica_set(deployment, replica_sets)
    rollout.new = found
    rollout.old = [rs for rs in replica_sets if rs is not found]
    revision = max(map(revision_of, rollout.old), default=0) + 1
    if found is not None:
        _refresh(rollout, found, revision)
    elif create:
        _make(rollout, revision)
    if rollout.new is not None:
        _set_revision(rollout, rollout.new.metadata.annotations.get(REVISION, ""))


def _refresh(rollout: Rollout, found: ReplicaSet, revision: int) -> None:
    deployment = rollout.deployment
    meta = found.metadata
    annotations = new_replica_set_annotations(deployment, meta.annotations, revision)
    min_ready = deployment.spec.minReadySeconds
    if annotations != meta.annotations or min_ready != found.spec.minReadySeconds:
        rollout.put(
            replace(
                found,
                metadata=replace(meta, annotations=annotations),
                spec=replace(found.spec, minReadySeconds=min_ready),
            )
        )
    if has_progress_deadline(deployment) and rollout.condition("Progressing") is None:
        message = f'Found new replica set "{meta.name}"'
        condition = new_condition("Progressing", "True", "FoundNewReplicaSet", message, rollout.now)
        rollout.set_condition(condition)


def _make(rollout: Rollout, revision: int) -> None:
    deployment = rollout.deployment
    rs = new_replica_set(deployment, revision)
    size = 0 if rollout.sizes else new_rs_new_replicas(deployment, [*rollout.old, rs], rs)
    rs = replace(rs, spec=replace(rs.spec, replicas=size))
    rollout.new = rollout.create = rs
    name = rs.metadata.name
    if size > 0:
        rollout.events.append(f"Scaled up replica set {name} from 0 to {size}")
    if has_progress_deadline(deployment):
        message = f'Created new replica set "{name}"'
        condition = new_condition(
            "Progressing", "True", "NewReplicaSetCreated", message, rollout.now
        )
        rollout.set_condition(condition)


def new_replica_set(deployment: Deployment, revision: int) -> ReplicaSet:
    """Return an empty ReplicaSet for the Deployment's template, named after its hash."""
    spec = deployment.spec
    digest = compute_hash(spec.template, deployment.status.collisionCount)
    labels = {**spec.template.metadata.labels, HASH_LABEL: digest}
    selector = spec.selector or LabelSelector()
    annotations = new_replica_set_annotations(deployment, {}, revision)
    return ReplicaSet(
        metadata=ObjectMeta(
            name=f"{deployment.metadata.name}-{digest}",
            namespace=deployment.metadata.namespace,
            labels=labels,
            annotations={**annotations, **size_annotations(deployment)},
            ownerReferences=(controller_reference(deployment),),
        ),
        spec=ReplicaSetSpec(
            replicas=0,
            minReadySeconds=spec.minReadySeconds,
            selector=replace(selector, matchLabels={**selector.matchLabels, HASH_LABEL: digest}),
            template=replace(
                spec.template, metadata=replace(spec.template.metadata, labels=labels)
            ),
        ),
    )


def new_rs_new_replicas(
    deployment: Deployment, replica_sets: Sequence[ReplicaSet], new: ReplicaSet
) -> int:
    """Return the size that the new ReplicaSet may have now: surge limits the sum of all."""
    wanted = desired(deployment)
    if not is_rolling_update(deployment):
        return wanted
    room = wanted + max_surge(deployment) - total(replica_sets)
    if room <= 0:
        return desired(new)
    return desired(new) + min(room, wanted - desired(new))


def _set_revision(rollout: Rollout, revision: str) -> None:
    meta = rollout.deployment.metadata
    if revision and meta.annotations.get(REVISION) != revision:
        annotations = {**meta.annotations, REVISION: revision}
        rollout.deployment = replace(
            rollout.deployment, metadata=replace(meta, annotations=annotations)
        )


# -- scaling


def is_scaling_event(rollout: Rollout) -> bool:
    """Say whether the Deployment's size changed since its ReplicaSets were last scaled."""
    wanted = desired(rollout.deployment)
    sizes = [number(rs.metadata.annotations, DESIRED_REPLICAS) for rs in active(rollout.all)]
    return any(size is not None and size != wanted for size in sizes)


def scale(rollout: Rollout) -> None:
    """Follow a new size: one ReplicaSet takes it all, several share it in proportion."""
    deployment = rollout.deployment
    wanted = desired(deployment)
    only = _active_or_latest(rollout)
    if only is not None:
        if desired(only) != wanted:
            rollout.scale(only, wanted)
    elif _is_saturated(rollout):
        for rs in active(rollout.old):
            rollout.scale(rs, 0)
    elif is_rolling_update(deployment):
        _scale_in_proportion(rollout)


def _active_or_latest(rollout: Rollout) -> ReplicaSet | None:
    """Return the only ReplicaSet with Pods; without any the newest; None if several have Pods."""
    having = active(rollout.all)
    if len(having) > 1 or not rollout.all:
        return None
    if having:
        return having[0]
    return rollout.new or max(rollout.old, key=age_order)


def _is_saturated(rollout: Rollout) -> bool:
    new, wanted = rollout.new, desired(rollout.deployment)
    return (
        new is not None
        and desired(new) == wanted
        and number(new.metadata.annotations, DESIRED_REPLICAS) == wanted
        and new.status.availableReplicas == wanted
    )


def _scale_in_proportion(rollout: Rollout) -> None:
    """Share what is to be added or taken away; the largest ReplicaSet gets what is left over."""
    deployment = rollout.deployment
    wanted = desired(deployment)
    having = active(rollout.all)
    allowed = wanted + max_surge(deployment) if wanted > 0 else 0
    to_add = allowed - total(having)
    # Equally large ones: growing favours the newer, shrinking the older.
    having.sort(key=age_order, reverse=to_add > 0)
    having.sort(key=desired, reverse=True)
    sizes, added = [], 0
    for rs in having:
        share = proportion(rs, deployment, to_add, added)
        sizes.append(desired(rs) + share)
        added += share
    if sizes and to_add:
        sizes[0] = max(sizes[0] + to_add - added, 0)
    for rs, size in zip(having, sizes, strict=True):
        rollout.scale(rs, size)


def proportion(rs: ReplicaSet, deployment: Deployment, to_add: int, added: int) -> int:
    """Return the ReplicaSet's share of `to_add` (negative: to take away) after `added` of it."""
    size = desired(rs)
    if size == 0 or to_add == 0 or to_add == added:
        return 0
    if desired(deployment) == 0:
        fraction = -size
    else:
        largest = desired(deployment) + max_surge(deployment)
        before = number(rs.metadata.annotations, MAX_REPLICAS) or deployment.status.replicas
        fraction = _round(size * largest / before) - size if before else 0
    left = to_add - added
    return min(fraction, left) if to_add > 0 else max(fraction, left)


def _round(value: float) -> int:
    """Round half away from zero, as Go's integer.RoundToInt32 does; sizes are never negative."""
    return int(value + 0.5)


# -- cleaning up


def clean_up(rollout: Rollout) -> None:
    """Delete the oldest empty ReplicaSets beyond the history that the Deployment keeps."""
    limit = rollout.deployment.spec.revisionHistoryLimit
    if limit is None or limit == NO_LIMIT:
        return
    candidates = [rs for rs in rollout.old if rs.metadata.deletionTimestamp is None]
    candidates.sort(key=lambda rs: (revision_of(rs), *age_order(rs)))
    for rs in candidates[: max(len(candidates) - limit, 0)]:
        seen = rs.metadata.generation <= rs.status.observedGeneration
        if rs.status.replicas == 0 and desired(rs) == 0 and seen:
            rollout.delete.append(rs)
