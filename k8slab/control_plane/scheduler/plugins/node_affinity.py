"""Puts Pods on nodes with the labels they ask for.

nodeSelector and the required terms filter; the preferred terms score. A Pod whose terms all name
a node (as those of a DaemonSet do) has only those nodes looked at.

Upstream: pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api.core import Node, Pod, PreferredSchedulingTerm
from k8slab.api.core import NodeAffinity as NodeAffinityTerms
from k8slab.api.node_affinity import (
    matches_node,
    node_selector_matches,
    required_node_selector,
    term_matches,
)
from k8slab.control_plane.scheduler.config.types_pluginargs import NodeAffinityArgs
from k8slab.control_plane.scheduler.framework.interface import (
    SKIP,
    Action,
    ClusterEvent,
    Code,
    CycleState,
    Resource,
    Status,
    default_normalize_score,
)
from k8slab.control_plane.scheduler.framework.snapshot import Handle
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo

REASON = "node(s) didn't match Pod's node affinity/selector"
REASON_ENFORCED = "node(s) didn't match scheduler-enforced node affinity"
REASON_CONFLICT = "pod affinity terms conflict"


class NodeAffinity:
    """Filter by nodeSelector and required terms, Score by preferred terms."""

    name = "NodeAffinity"
    _refusal = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (REASON,), name)
    _enforced = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (REASON_ENFORCED,), name)

    def __init__(self, handle: Handle, args: NodeAffinityArgs) -> None:
        self._added = args.addedAffinity or NodeAffinityTerms()

    def pre_filter(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | frozenset[str] | None:
        """Skip Pods that ask for nothing; find out whether they name their nodes."""
        required = required_node_selector(pod.pod.spec)
        if required is None:
            added = self._added.requiredDuringSchedulingIgnoredDuringExecution
            return SKIP if not pod.pod.spec.nodeSelector and added is None else None
        names: frozenset[str] = frozenset()
        for term in required.nodeSelectorTerms:
            named: frozenset[str] | None = None
            for field in term.matchFields:
                if field.key == "metadata.name" and field.operator == "In":
                    values = frozenset(field.values)
                    named = values if named is None else named & values
            if named is None:  # this term may match any node
                return None
            names |= named
        if not names and required.nodeSelectorTerms:
            return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (REASON_CONFLICT,), self.name)
        return names or None

    def sign_pod(self, pod: PodInfo) -> str:
        """Go by the required terms."""
        return f"{pod.pod.spec.nodeSelector} {required_node_selector(pod.pod.spec)}"

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse a node that the Pod, or the scheduler's configuration, does not want."""
        added = self._added.requiredDuringSchedulingIgnoredDuringExecution
        if added is not None and not node_selector_matches(added, node.node):
            return self._enforced
        return None if matches_node(pod.pod.spec, node.node) else self._refusal

    def pre_score(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | None:
        """Skip Pods that prefer nothing."""
        affinity = pod.pod.spec.affinity
        own = affinity.nodeAffinity if affinity is not None else None
        terms = own.preferredDuringSchedulingIgnoredDuringExecution if own is not None else ()
        terms += self._added.preferredDuringSchedulingIgnoredDuringExecution
        if not terms:
            return SKIP
        state.write(f"PreScore{self.name}", terms)
        return None

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        """Add the weights of the preferred terms that match."""
        terms: tuple[PreferredSchedulingTerm, ...] = state.read(f"PreScore{self.name}")
        return sum(each.weight for each in terms if term_matches(each.preference, node.node))

    def normalize_score(
        self, state: CycleState, scores: Sequence[int], nodes: Sequence[NodeInfo]
    ) -> list[int]:
        """Give 100 to the node with the most."""
        return default_normalize_score(scores)

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for a node with the right labels."""
        node = Action.ADD | Action.UPDATE_NODE_LABEL
        return (ClusterEvent(Resource.NODE, node, self._now_matches),)

    def _now_matches(self, pod: Pod, old: Node | None, new: Node) -> bool:
        added = self._added.requiredDuringSchedulingIgnoredDuringExecution
        if added is not None and not node_selector_matches(added, new):
            return False
        return matches_node(pod.spec, new) and (old is None or not matches_node(pod.spec, old))
