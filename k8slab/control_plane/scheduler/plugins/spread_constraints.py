"""The constraints of topology spreading, made ready: selectors merged, defaults filled in.

A Pod's own constraints come from its spec; a Pod without any gets soft ones over hostname and
zone if a Service or its controller selects it (what "its Pods" are is then known).

Upstream: pkg/scheduler/framework/plugins/podtopologyspread/common.go,
pkg/scheduler/framework/plugins/helper/spread.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from k8slab.api.apps import ReplicaSet, StatefulSet
from k8slab.api.core import (
    Node,
    Pod,
    ReplicationController,
    Service,
    TopologySpreadConstraint,
)
from k8slab.api.meta import LabelSelector, LabelSelectorRequirement, controller_of
from k8slab.api.node_affinity import matches_node, required_node_selector
from k8slab.api.taints import NO_EXECUTE, NO_SCHEDULE, untolerated_taint
from k8slab.control_plane.scheduler.framework.matching import selector_matches
from k8slab.control_plane.scheduler.framework.snapshot import HOSTNAME, ZONE, Objects
from k8slab.control_plane.scheduler.framework.types import NodeInfo

HONOR, IGNORE = "Honor", "Ignore"
DO_NOT_SCHEDULE, SCHEDULE_ANYWAY = "DoNotSchedule", "ScheduleAnyway"

SYSTEM_DEFAULTS = (
    TopologySpreadConstraint(topologyKey=HOSTNAME, maxSkew=3, whenUnsatisfiable=SCHEDULE_ANYWAY),
    TopologySpreadConstraint(topologyKey=ZONE, maxSkew=5, whenUnsatisfiable=SCHEDULE_ANYWAY),
)

Requirements: TypeAlias = tuple[LabelSelectorRequirement, ...]


class Constraint(msgspec.Struct, frozen=True):
    """One constraint: Pods that `selector` matches must lie evenly over the values of `key`."""

    key: str
    max_skew: int
    selector: LabelSelector
    min_domains: int
    node_affinity_policy: str
    node_taints_policy: str
    namespace: str
    question: str  # all that makes out a matching Pod, under which nodes remember their number

    def counts_all_nodes(self, pod: Pod) -> bool:
        """Say whether there is no need to ask `counts_node` for each of them."""
        spec = pod.spec
        anywhere = not spec.nodeSelector and required_node_selector(spec) is None
        return self.node_taints_policy == IGNORE and (
            anywhere or self.node_affinity_policy == IGNORE
        )

    def counts_node(self, pod: Pod, node: Node) -> bool:
        """Say whether the node's domain is one that the Pod could go to at all."""
        if self.node_affinity_policy == HONOR and not matches_node(pod.spec, node):
            return False
        if self.node_taints_policy == IGNORE:
            return True
        hard = (NO_SCHEDULE, NO_EXECUTE)
        return untolerated_taint(node.spec.taints, pod.spec.tolerations, hard) is None

    def node_question(self, pod: Pod) -> str:
        """Return as text what `counts_node` goes by."""
        spec = pod.spec
        wanted = f"{spec.nodeSelector} {required_node_selector(spec)} {spec.tolerations}"
        return f"{wanted} {self.node_affinity_policy} {self.node_taints_policy}"

    def count(self, node: NodeInfo) -> int:
        """Count the matching Pods on a node; those on their way out do not count."""
        count: int | None = node.worked_out.get(self.question)
        if count is None:
            count = self._count(node)
            node.remember(self.question, count)
        return count

    def _count(self, node: NodeInfo) -> int:
        selector = self.selector
        wanted = selector.matchLabels
        total = 0
        for info in node.pods.values():
            meta = info.pod.metadata
            if meta.namespace != self.namespace or meta.deletionTimestamp is not None:
                continue
            labels = meta.labels
            for key, value in wanted.items():
                if labels.get(key) != value:
                    break
            else:
                if not selector.matchExpressions or selector_matches(selector, labels):
                    total += 1
        return total


def own_constraints(pod: Pod, action: str) -> tuple[Constraint, ...]:
    """Return the constraints of the Pod's spec with this `whenUnsatisfiable`."""
    labels = pod.metadata.labels
    return tuple(
        _constraint(each, _with_label_keys(each, labels), pod.metadata.namespace)
        for each in pod.spec.topologySpreadConstraints
        if each.whenUnsatisfiable == action
    )


def default_constraints(
    pod: Pod, action: str, defaults: Sequence[TopologySpreadConstraint], objects: Objects
) -> tuple[Constraint, ...]:
    """Return the constraints that a Pod without its own gets."""
    wanted = [each for each in defaults if each.whenUnsatisfiable == action]
    if not wanted:
        return ()
    selector = default_selector(pod, objects)
    if not selector.matchLabels and not selector.matchExpressions:
        return ()
    return tuple(_constraint(each, selector, pod.metadata.namespace) for each in wanted)


def default_selector(pod: Pod, objects: Objects) -> LabelSelector:
    """Return what selects the Pod's likes: the Services that select it, and its controller."""
    meta = pod.metadata
    labels: dict[str, str] = {}
    for service in objects.list(Service, meta.namespace):
        wanted = service.spec.selector
        if wanted and all(meta.labels.get(key) == value for key, value in wanted.items()):
            labels.update(wanted)
    requirements: Requirements = ()
    owner = controller_of(pod)
    kinds: Mapping[str, type[Any]] = {"ReplicaSet": ReplicaSet, "StatefulSet": StatefulSet}
    if owner is not None and owner.kind in kinds:
        for each in objects.list(kinds[owner.kind], meta.namespace):
            if each.metadata.name == owner.name and each.spec.selector is not None:
                requirements += _requirements(each.spec.selector)
    elif owner is not None and owner.kind == "ReplicationController":
        for rc in objects.list(ReplicationController, meta.namespace):
            if rc.metadata.name == owner.name:
                labels.update(rc.spec.selector)
    return LabelSelector(matchLabels=labels, matchExpressions=requirements)


def has_keys(node: Node, constraints: Iterable[Constraint]) -> bool:
    """Say whether the node has a domain for every constraint."""
    return all(each.key in node.metadata.labels for each in constraints)


def _constraint(
    source: TopologySpreadConstraint, selector: LabelSelector, namespace: str
) -> Constraint:
    return Constraint(
        key=source.topologyKey,
        max_skew=source.maxSkew,
        selector=selector,
        min_domains=source.minDomains if source.minDomains is not None else 1,
        node_affinity_policy=source.nodeAffinityPolicy or HONOR,
        node_taints_policy=source.nodeTaintsPolicy or IGNORE,
        namespace=namespace,
        question=f"pods of {namespace} {selector}",
    )


def _with_label_keys(source: TopologySpreadConstraint, labels: Mapping[str, str]) -> LabelSelector:
    """Return the selector narrowed to Pods that share the Pod's values of matchLabelKeys."""
    selector = source.labelSelector
    if selector is None:
        return LabelSelector(matchExpressions=(NOTHING,))
    same = tuple(
        LabelSelectorRequirement(key=key, operator="In", values=(labels[key],))
        for key in source.matchLabelKeys
        if key in labels
    )
    return msgspec.structs.replace(selector, matchExpressions=selector.matchExpressions + same)


def _requirements(selector: LabelSelector) -> Requirements:
    exact = tuple(
        LabelSelectorRequirement(key=key, operator="In", values=(value,))
        for key, value in selector.matchLabels.items()
    )
    return exact + selector.matchExpressions


NOTHING = LabelSelectorRequirement(key="", operator="In")  # no value is in an empty list
