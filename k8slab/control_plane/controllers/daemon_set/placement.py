"""Which nodes a DaemonSet's Pod belongs on, and the Pod for one of them.

`node_should_run` looks at the template's node name, node selector, affinity and tolerations;
`daemon_pod` is the Pod for a node: its affinity leaves the scheduler that one choice, and its
tolerations let it stay where other Pods must go. `target_node` reads the node back.

Rule of use: resources do not matter here; a Pod that does not fit waits for its node.

Upstream: pkg/controller/daemon/util/daemonset_util.go, pkg/controller/daemon/daemon_controller.go
"""

from __future__ import annotations

from msgspec.structs import replace

from k8slab.api.apps import DaemonSet
from k8slab.api.core import (
    Affinity,
    Node,
    NodeAffinity,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    Pod,
    PodSpec,
    PodTemplateSpec,
    Toleration,
)
from k8slab.api.node_affinity import matches_node
from k8slab.api.taints import NO_EXECUTE, NO_SCHEDULE, tolerates
from k8slab.control_plane.controllers.controller_utils import (
    controller_reference,
    pod_from_template,
)

REVISION_HASH = "controller-revision-hash"
GENERATION_LABEL = "pod-template-generation"
GENERATION = "deprecated.daemonset.template.generation"
NAME_FIELD = "metadata.name"
TOLERATED = tuple(
    Toleration(key=f"node.kubernetes.io/{name}", operator="Exists", effect=effect)
    for name, effect in (
        ("not-ready", NO_EXECUTE),
        ("unreachable", NO_EXECUTE),
        ("disk-pressure", NO_SCHEDULE),
        ("memory-pressure", NO_SCHEDULE),
        ("pid-pressure", NO_SCHEDULE),
        ("unschedulable", NO_SCHEDULE),
    )
)
TOLERATED_BY_HOST_NETWORK = (
    *TOLERATED,
    Toleration(key="node.kubernetes.io/network-unavailable", operator="Exists", effect=NO_SCHEDULE),
)


def node_should_run(ds: DaemonSet, node: Node) -> tuple[bool, bool]:
    """Say whether the node should get a Pod, and whether one that is there may go on."""
    spec = ds.spec.template.spec
    if spec.nodeName not in ("", node.metadata.name) or not matches_node(spec, node):
        return False, False
    if not node.spec.taints:
        return True, True
    taints = [taint for taint in node.spec.taints if taint.effect in (NO_SCHEDULE, NO_EXECUTE)]
    blocking = [
        taint.effect
        for taint in taints
        if not (tolerates(spec.tolerations, taint) or tolerates(tolerated_by_daemons(spec), taint))
    ]
    return not blocking, NO_EXECUTE not in blocking


def daemon_pod(ds: DaemonSet, node: str, revision_hash: str) -> Pod:
    """Return the Pod to be created for a node; the API server completes its name."""
    template = ds.spec.template
    labels = {**template.metadata.labels, REVISION_HASH: revision_hash}
    generation = ds.metadata.annotations.get(GENERATION)
    if generation is not None:
        labels[GENERATION_LABEL] = generation
    spec = replace(
        template.spec,
        affinity=only_on(template.spec.affinity, node),
        tolerations=tolerations_of(template.spec),
    )
    meta = replace(template.metadata, labels=labels)
    return pod_from_template(
        PodTemplateSpec(metadata=meta, spec=spec), ds, controller_reference(ds)
    )


def tolerations_of(spec: PodSpec) -> tuple[Toleration, ...]:
    """Return the template's tolerations and those of every daemon."""
    wanted = tolerated_by_daemons(spec)
    return spec.tolerations + tuple(t for t in wanted if t not in spec.tolerations)


def tolerated_by_daemons(spec: PodSpec) -> tuple[Toleration, ...]:
    """Return the tolerations of every daemon; only the host's network needs no other."""
    return TOLERATED_BY_HOST_NETWORK if spec.hostNetwork else TOLERATED


def only_on(affinity: Affinity | None, node: str) -> Affinity:
    """Return the affinity with one node as its only choice.

    The template's own required terms are dropped: the node was chosen by them.
    """
    name = NodeSelectorRequirement(key=NAME_FIELD, operator="In", values=(node,))
    required = NodeSelector(nodeSelectorTerms=(NodeSelectorTerm(matchFields=(name,)),))
    affinity = affinity or Affinity()
    node_affinity = replace(
        affinity.nodeAffinity or NodeAffinity(),
        requiredDuringSchedulingIgnoredDuringExecution=required,
    )
    return replace(affinity, nodeAffinity=node_affinity)


def target_node(pod: Pod) -> str:
    """Return the node on which the Pod is or will be, "" if it does not say."""
    if pod.spec.nodeName or pod.spec.affinity is None or pod.spec.affinity.nodeAffinity is None:
        return pod.spec.nodeName
    required = pod.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution
    for term in required.nodeSelectorTerms if required is not None else ():
        for test in term.matchFields:
            if test.key == NAME_FIELD and test.operator == "In" and len(test.values) == 1:
                return test.values[0]
    return ""
