"""Expressions over a node's labels and fields.

Interface: ``NodeSelector``. Terms are ORed, the requirements inside a term ANDed; a term with no
requirement matches nothing.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from k8slab.api.struct import Part, always


class TopologySelectorLabelRequirement(Part):
    """The values of one topology label."""

    key: str = always("")
    values: tuple[str, ...] = always(())


class TopologySelectorTerm(Part):
    """Topology labels that must all match."""

    matchLabelExpressions: tuple[TopologySelectorLabelRequirement, ...] = ()


class NodeSelectorRequirement(Part):
    """One test of a label or field: In, NotIn, Exists, DoesNotExist, Gt, Lt."""

    key: str = always("")
    operator: str = always("")
    values: tuple[str, ...] = ()


class NodeSelectorTerm(Part):
    """Requirements that must all hold."""

    matchExpressions: tuple[NodeSelectorRequirement, ...] = ()
    matchFields: tuple[NodeSelectorRequirement, ...] = ()


class NodeSelector(Part):
    """Terms of which one must hold."""

    nodeSelectorTerms: tuple[NodeSelectorTerm, ...] = always(())


class PreferredSchedulingTerm(Part):
    """A term that adds its weight to the score of a node that matches."""

    preference: NodeSelectorTerm = always(NodeSelectorTerm())
    weight: int = always(0)
