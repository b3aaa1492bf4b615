"""Which volumes a Pod's claims would get on a node: the arithmetic of VolumeBinding.

A claim that waits for its first consumer is served by the smallest free volume that can be reached
from the node, or else by a new one, if its class makes volumes for such a node. Small claims choose
first, and no volume is given twice.

    on worker-1   claim logs -> pv-small,  claim data -> (to be made)
    on worker-2   NOTHING_TO_BIND

Rule of use: pure; the plugin reserves and writes.

Upstream: pkg/scheduler/framework/plugins/volumebinding/binder.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from k8slab.api.core import Node, PersistentVolume, PersistentVolumeClaim
from k8slab.api.node_affinity import node_selector_matches
from k8slab.api.storage import StorageClass
from k8slab.api.volume_matching import SELECTED_NODE, best_volume, requested

Binding: TypeAlias = tuple[PersistentVolumeClaim, PersistentVolume | None]  # None: to be made

NO_PROVISIONER = "kubernetes.io/no-provisioner"
CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
NOTHING_TO_BIND = "node(s) didn't find available persistent volumes to bind"
GONE = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"


def conflict(
    claims: Sequence[PersistentVolumeClaim], volumes: Mapping[str, PersistentVolume], node: Node
) -> str:
    """Return why the volumes of bound claims cannot be used on the node, "" if they can."""
    for claim in claims:
        volume = volumes.get(claim.spec.volumeName)
        if volume is None:
            return GONE
        if not is_reached(volume, node):
            return CONFLICT
    return ""


def find_bindings(
    claims: Sequence[PersistentVolumeClaim],
    volumes: Sequence[PersistentVolume],
    node: Node,
    class_of: Callable[[PersistentVolumeClaim], StorageClass | None],
) -> list[Binding] | None:
    """Return what serves each claim on the node, None if one cannot be served there."""
    reached = [volume for volume in volumes if is_reached(volume, node)]
    found: list[Binding] = []
    for claim in sorted(claims, key=lambda each: (requested(each), each.metadata.name)):
        chosen = claim.metadata.annotations.get(SELECTED_NODE)
        volume = None if chosen else best_volume(claim, reached)
        if volume is not None:
            reached.remove(volume)
        elif chosen not in (None, node.metadata.name) or not _can_be_made(class_of(claim), node):
            return None
        found.append((claim, volume))
    return found


def is_bound(claim: PersistentVolumeClaim) -> bool:
    """Say whether the claim has its volume."""
    return bool(claim.spec.volumeName) and claim.status.phase == "Bound"


def is_reached(volume: PersistentVolume, node: Node) -> bool:
    """Say whether a volume can be reached from a node."""
    affinity = volume.spec.nodeAffinity
    if affinity is None or affinity.required is None:
        return True
    return node_selector_matches(affinity.required, node)


def _can_be_made(found: StorageClass | None, node: Node) -> bool:
    """Say whether a class makes volumes for the node."""
    if found is None or found.provisioner == NO_PROVISIONER:
        return False
    labels = node.metadata.labels
    return not found.allowedTopologies or any(
        all(labels.get(each.key) in each.values for each in term.matchLabelExpressions)
        for term in found.allowedTopologies
    )
