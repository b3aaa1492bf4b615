"""What is wrong with the arguments of plugins, in kube-scheduler's words.

Interface: `validate_args`.

Upstream: pkg/scheduler/apis/config/validation/validation_pluginargs.go
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from k8slab.api.core import NodeSelectorRequirement, TopologySpreadConstraint
from k8slab.api.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from k8slab.api.label_syntax import key_errors
from k8slab.control_plane.scheduler.config.types_pluginargs import (
    LEAST_ALLOCATED,
    LIST_DEFAULTING,
    MOST_ALLOCATED,
    REQUESTED_TO_CAPACITY_RATIO,
    SYSTEM_DEFAULTING,
    Args,
    DefaultPreemptionArgs,
    InterPodAffinityArgs,
    NodeAffinityArgs,
    NodeResourcesBalancedAllocationArgs,
    NodeResourcesFitArgs,
    PodTopologySpreadArgs,
    UtilizationShapePoint,
    VolumeBindingArgs,
)

STRATEGIES = (LEAST_ALLOCATED, MOST_ALLOCATED, REQUESTED_TO_CAPACITY_RATIO)
ACTIONS = ("DoNotSchedule", "ScheduleAnyway")
OPERATORS = ("DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn")
MAX_UTILIZATION, MAX_SCORE = 100, 10  # of a point of a shape
NO_SHAPE = "unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring"
NOT_BOTH = "cannot be zero at the same time as {other}"

Faults = Iterator[FieldError]


def validate_args(path: str, args: Args) -> list[FieldError]:
    """Return what is wrong with a plugin's arguments, which are at the path ("": by themselves)."""
    found = CHECKS[type(args)](path, args)
    return [replace(each, path=each.path.removeprefix(".")) for each in found]


def _default_preemption(path: str, args: DefaultPreemptionArgs) -> Faults:
    percentage, absolute = args.minCandidateNodesPercentage, args.minCandidateNodesAbsolute
    of_percentage, of_absolute = "minCandidateNodesPercentage", "minCandidateNodesAbsolute"
    yield from _in_range(f"{path}.{of_percentage}", percentage, 100)
    if absolute < 0:
        yield invalid_value(f"{path}.{of_absolute}", absolute, "not in valid range [0, inf)")
    if percentage == 0 and absolute == 0:
        for own, other in ((of_percentage, of_absolute), (of_absolute, of_percentage)):
            yield invalid_value(f"{path}.{own}", 0, NOT_BOTH.format(other=other))


def _inter_pod_affinity(path: str, args: InterPodAffinityArgs) -> Faults:
    yield from _in_range(f"{path}.hardPodAffinityWeight", args.hardPodAffinityWeight, 100)


def _node_affinity(path: str, args: NodeAffinityArgs) -> Faults:
    added = args.addedAffinity
    if added is None:
        return
    path = f"{path}.addedAffinity"
    needed = added.requiredDuringSchedulingIgnoredDuringExecution
    for index, term in enumerate(needed.nodeSelectorTerms if needed is not None else ()):
        where = f"{path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[{index}]"
        yield from _requirements(f"{where}.matchExpressions", term.matchExpressions)
    for index, soft in enumerate(added.preferredDuringSchedulingIgnoredDuringExecution):
        where = f"{path}.preferredDuringSchedulingIgnoredDuringExecution[{index}]"
        yield from _requirements(f"{where}.matchExpressions", soft.preference.matchExpressions)


def _balanced_allocation(path: str, args: NodeResourcesBalancedAllocationArgs) -> Faults:
    seen: dict[str, None] = {}
    for index, resource in enumerate(args.resources):
        where = f"{path}.resources[{index}]"
        if resource.name in seen:
            yield duplicate(f"{where}.name", resource.name)
        seen[resource.name] = None
        if resource.weight != 1:
            yield invalid_value(f"{where}.weight", resource.weight, "must be 1")


def _fit(path: str, args: NodeResourcesFitArgs) -> Faults:
    for index, name in enumerate(args.ignoredResources):
        yield from _label_name(f"{path}.ignoredResources[{index}]", name)
    for index, group in enumerate(args.ignoredResourceGroups):
        where = f"{path}.ignoredResourceGroups[{index}]"
        if "/" in group:
            yield invalid_value(where, group, "resource group name can't contain '/'")
        yield from _label_name(where, group)
    strategy, path = args.scoringStrategy, f"{path}.scoringStrategy"
    if strategy.type not in STRATEGIES:
        yield not_supported(f"{path}.type", strategy.type, STRATEGIES)
    for index, resource in enumerate(strategy.resources):
        if not 0 < resource.weight <= 100:
            text = f"resource weight of {resource.name} not in valid range (0, 100]"
            yield invalid_value(f"{path}.resources[{index}].weight", resource.weight, text)
    ratio, path = strategy.requestedToCapacityRatio, f"{path}.requestedToCapacityRatio"
    if strategy.type != REQUESTED_TO_CAPACITY_RATIO:
        if ratio is not None:
            text = "must be nil when type is not RequestedToCapacityRatio"
            yield forbidden_field(path, text)
    elif ratio is None:
        yield required(path, "must be specified when type is RequestedToCapacityRatio")
    else:
        yield from _shape(f"{path}.shape", ratio.shape)


def _topology_spread(path: str, args: PodTopologySpreadArgs) -> Faults:
    where, kind = f"{path}.defaultingType", args.defaultingType
    if kind not in (SYSTEM_DEFAULTING, LIST_DEFAULTING):
        yield not_supported(where, kind, (SYSTEM_DEFAULTING, LIST_DEFAULTING))
    elif kind == SYSTEM_DEFAULTING and args.defaultConstraints:
        yield invalid_value(where, kind, "when .defaultConstraints are not empty")
    seen: dict[tuple[str, str], None] = {}
    for index, each in enumerate(args.defaultConstraints):
        where = f"{path}.defaultConstraints[{index}]"
        yield from _constraint(where, each)
        if (each.topologyKey, each.whenUnsatisfiable) in seen:
            yield duplicate(where, f"{{{each.topologyKey}, {each.whenUnsatisfiable}}}")
        seen[each.topologyKey, each.whenUnsatisfiable] = None


def _volume_binding(path: str, args: VolumeBindingArgs) -> Faults:
    if args.bindTimeoutSeconds < 0:
        text = "invalid BindTimeoutSeconds, should not be a negative value"
        yield invalid_value(f"{path}.bindTimeoutSeconds", args.bindTimeoutSeconds, text)
    if args.shape:
        points = [{"Utilization": p.utilization, "Score": p.score} for p in args.shape]
        yield invalid_value(f"{path}.shape", points, NO_SHAPE)


CHECKS: Mapping[type[Args], Callable[[str, Any], Faults]] = {
    DefaultPreemptionArgs: _default_preemption,
    InterPodAffinityArgs: _inter_pod_affinity,
    NodeAffinityArgs: _node_affinity,
    NodeResourcesBalancedAllocationArgs: _balanced_allocation,
    NodeResourcesFitArgs: _fit,
    PodTopologySpreadArgs: _topology_spread,
    VolumeBindingArgs: _volume_binding,
}


# -- parts of arguments


def _in_range(path: str, value: int, most: int) -> Faults:
    if not 0 <= value <= most:
        yield invalid_value(path, value, f"not in valid range [0, {most}]")


def _label_name(path: str, name: str) -> Faults:
    for why in key_errors(name):
        yield invalid_value(path, name, why)


def _constraint(path: str, each: TopologySpreadConstraint) -> Faults:
    if each.maxSkew <= 0:
        yield invalid_value(f"{path}.maxSkew", each.maxSkew, "not in valid range (0, inf)")
    if not each.topologyKey:
        yield required(f"{path}.topologyKey", "can not be empty")
    else:
        yield from _label_name(f"{path}.topologyKey", each.topologyKey)
    if not each.whenUnsatisfiable:
        yield required(f"{path}.whenUnsatisfiable", "can not be empty")
    elif each.whenUnsatisfiable not in ACTIONS:
        yield not_supported(f"{path}.whenUnsatisfiable", each.whenUnsatisfiable, ACTIONS)
    if each.labelSelector is not None:
        text = "constraint must not define a selector, as they deduced for each pod"
        yield forbidden_field(f"{path}.labelSelector", text)


def _shape(path: str, shape: Sequence[UtilizationShapePoint]) -> Faults:
    if not shape:
        yield required(path, "at least one point must be specified")
    for index in range(1, len(shape)):
        if shape[index - 1].utilization >= shape[index].utilization:
            text = "values must be sorted in increasing order"
            yield invalid_value(f"{path}[{index}].utilization", shape[index].utilization, text)
            break
    for index, point in enumerate(shape):
        yield from _in_range(f"{path}[{index}].utilization", point.utilization, MAX_UTILIZATION)
        yield from _in_range(f"{path}[{index}].score", point.score, MAX_SCORE)


def _requirements(path: str, requirements: Sequence[NodeSelectorRequirement]) -> Faults:
    for index, each in enumerate(requirements):
        where, values = f"{path}[{index}]", each.values
        if each.operator not in OPERATORS:
            yield not_supported(f"{where}.operator", each.operator, OPERATORS)
            continue
        for why in key_errors(each.key):
            yield invalid_value(f"{where}.key", each.key, why)
        text = _wrong_values(each.operator, values)
        if text:
            yield invalid_value(f"{where}.values", list(values), text)


def _wrong_values(operator: str, values: Sequence[str]) -> str:
    if operator in ("In", "NotIn") and not values:
        return "for 'in', 'notin' operators, values set can't be empty"
    if operator in ("Exists", "DoesNotExist") and values:
        return "values set must be empty for exists and does not exist"
    if operator in ("Gt", "Lt") and len(values) != 1:
        return "for 'Gt', 'Lt' operators, exactly one value is required"
    if operator in ("Gt", "Lt") and not re.fullmatch(r"[+-]?[0-9]+", values[0]):
        return "for 'Gt', 'Lt' operators, the value must be an integer"
    return ""
