"""The arguments of the plugins that have any, with their defaults.

`ARGS` has them by the plugin's name; `decode_args` makes them from the data of a configuration.

Upstream: staging/src/k8s.io/kube-scheduler/config/v1/types_pluginargs.go,
pkg/scheduler/apis/config/v1/defaults.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec.structs import replace

from k8slab.api.core import NodeAffinity, TopologySpreadConstraint
from k8slab.api.struct import Part
from k8slab.control_plane.scheduler.config.decoding import decode
from k8slab.control_plane.scheduler.config.types import API_VERSION

LEAST_ALLOCATED, MOST_ALLOCATED = "LeastAllocated", "MostAllocated"
REQUESTED_TO_CAPACITY_RATIO = "RequestedToCapacityRatio"
SYSTEM_DEFAULTING, LIST_DEFAULTING = "System", "List"

A = TypeVar("A", bound="NodeResourcesBalancedAllocationArgs | ScoringStrategy")


class Args(Part):
    """What all arguments may have: their kind, which is the plugin's name and Args."""

    apiVersion: str = ""
    kind: str = ""


class ResourceSpec(Part):
    """A resource that counts in a score, and how much."""

    name: str = ""
    weight: int = 0


DEFAULT_RESOURCES = (ResourceSpec(name="cpu", weight=1), ResourceSpec(name="memory", weight=1))


class UtilizationShapePoint(Part):
    """A point of a line: at so many percent of use (0 to 100) so high a score (0 to 10)."""

    utilization: int = 0
    score: int = 0


class RequestedToCapacityRatioParam(Part):
    """A line from use to score."""

    shape: tuple[UtilizationShapePoint, ...] = ()


class ScoringStrategy(Part):
    """Which nodes NodeResourcesFit likes: empty ones, full ones, or those on a line."""

    type: str = LEAST_ALLOCATED
    resources: tuple[ResourceSpec, ...] = DEFAULT_RESOURCES
    requestedToCapacityRatio: RequestedToCapacityRatioParam | None = None


class DefaultPreemptionArgs(Args):
    """On how many nodes preemption is tried before it chooses: the larger of the two."""

    minCandidateNodesPercentage: int = 10
    minCandidateNodesAbsolute: int = 100


class InterPodAffinityArgs(Args):
    """What required affinity of Pods that are there is worth, and whether they may wish."""

    hardPodAffinityWeight: int = 1
    ignorePreferredTermsOfExistingPods: bool = False


class NodeAffinityArgs(Args):
    """An affinity that all Pods of the profile have beside their own."""

    addedAffinity: NodeAffinity | None = None


class NodeResourcesBalancedAllocationArgs(Args):
    """Which resources shall be in balance."""

    resources: tuple[ResourceSpec, ...] = DEFAULT_RESOURCES


class NodeResourcesFitArgs(Args):
    """Which extended resources are none of the plugin's business, and how it scores."""

    ignoredResources: tuple[str, ...] = ()
    ignoredResourceGroups: tuple[str, ...] = ()
    scoringStrategy: ScoringStrategy = ScoringStrategy()


class PodTopologySpreadArgs(Args):
    """The constraints of Pods that have none of their own."""

    defaultConstraints: tuple[TopologySpreadConstraint, ...] = ()
    defaultingType: str = SYSTEM_DEFAULTING


class VolumeBindingArgs(Args):
    """For how many seconds a Pod's claims are waited for."""

    bindTimeoutSeconds: int = 600
    shape: tuple[UtilizationShapePoint, ...] = ()


ARGS: Mapping[str, type[Args]] = {
    "DefaultPreemption": DefaultPreemptionArgs,
    "InterPodAffinity": InterPodAffinityArgs,
    "NodeAffinity": NodeAffinityArgs,
    "NodeResourcesBalancedAllocation": NodeResourcesBalancedAllocationArgs,
    "NodeResourcesFit": NodeResourcesFitArgs,
    "PodTopologySpread": PodTopologySpreadArgs,
    "VolumeBinding": VolumeBindingArgs,
}


def decode_args(plugin: str, data: Mapping[str, Any]) -> Args | None:
    """Return a plugin's arguments with their defaults, None if it takes none; raises ConfigError.

    A weight of 0 is one that was not said, and no resources are cpu and memory.
    """
    kind = ARGS.get(plugin)
    if kind is None:
        return None
    args: Args = decode(data, kind, f"{plugin}Args", API_VERSION, named=False)
    if isinstance(args, NodeResourcesBalancedAllocationArgs):
        return _weighted(args)
    if isinstance(args, NodeResourcesFitArgs):
        return replace(args, scoringStrategy=_weighted(args.scoringStrategy))
    return args


def _weighted(args: A) -> A:
    resources = tuple(replace(each, weight=each.weight or 1) for each in args.resources)
    return replace(args, resources=resources or DEFAULT_RESOURCES)
