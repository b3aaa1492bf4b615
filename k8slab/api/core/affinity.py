"""Where a Pod wants to be, and near whom.

Interface: ``Affinity``, ``Toleration``, ``TopologySpreadConstraint``. "Required" terms filter
nodes, "preferred" terms only score them; both are ignored once the Pod runs.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from k8slab.api.core.node_selector import NodeSelector, PreferredSchedulingTerm
from k8slab.api.meta import LabelSelector
from k8slab.api.struct import Part, always


class NodeAffinity(Part):
    """What kind of node the Pod needs or would like."""

    preferredDuringSchedulingIgnoredDuringExecution: tuple[PreferredSchedulingTerm, ...] = ()
    requiredDuringSchedulingIgnoredDuringExecution: NodeSelector | None = None


class PodAffinityTerm(Part):
    """Pods that match, and the topology domain within which they count."""

    topologyKey: str = always("")
    labelSelector: LabelSelector | None = None
    matchLabelKeys: tuple[str, ...] = ()
    mismatchLabelKeys: tuple[str, ...] = ()
    namespaceSelector: LabelSelector | None = None
    namespaces: tuple[str, ...] = ()


class WeightedPodAffinityTerm(Part):
    """A Pod affinity term that adds its weight to a score."""

    podAffinityTerm: PodAffinityTerm = always(PodAffinityTerm())
    weight: int = always(0)


class PodAffinity(Part):
    """Pods that this Pod wants to share a domain with."""

    preferredDuringSchedulingIgnoredDuringExecution: tuple[WeightedPodAffinityTerm, ...] = ()
    requiredDuringSchedulingIgnoredDuringExecution: tuple[PodAffinityTerm, ...] = ()


class PodAntiAffinity(Part):
    """Pods that this Pod refuses to share a domain with."""

    preferredDuringSchedulingIgnoredDuringExecution: tuple[WeightedPodAffinityTerm, ...] = ()
    requiredDuringSchedulingIgnoredDuringExecution: tuple[PodAffinityTerm, ...] = ()


class Affinity(Part):
    """All affinities of a Pod."""

    nodeAffinity: NodeAffinity | None = None
    podAffinity: PodAffinity | None = None
    podAntiAffinity: PodAntiAffinity | None = None


class Toleration(Part):
    """A taint that the Pod puts up with, for a time or for ever."""

    effect: str = ""
    key: str = ""
    operator: str = ""
    tolerationSeconds: int | None = None
    value: str = ""


class TopologySpreadConstraint(Part):
    """How evenly matching Pods must lie over the domains of a topology key."""

    maxSkew: int = always(0)
    topologyKey: str = always("")
    whenUnsatisfiable: str = always("")
    labelSelector: LabelSelector | None = None
    matchLabelKeys: tuple[str, ...] = ()
    minDomains: int | None = None
    nodeAffinityPolicy: str | None = None
    nodeTaintsPolicy: str | None = None


class PodSchedulingGate(Part):
    """A gate that keeps the Pod from being scheduled until somebody removes it."""

    name: str = always("")


class PodSchedulingGroup(Part):
    """The group of Pods that is scheduled together."""

    podGroupName: str | None = None
