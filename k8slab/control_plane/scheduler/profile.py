"""The plugins of a profile, made and put in order.

`make_framework(handle)` builds the default profile. `plugins` may name others: names of the table
below, objects (a learner's plugin), and `...` for all that the profile has, as in
`[..., MyPlugin()]`. `profile` is one of a KubeSchedulerConfiguration.

Rule of use: the order of the table is the order in which Filter plugins are asked.

Upstream: pkg/scheduler/profile/profile.go, pkg/scheduler/framework/plugins/registry.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import Any, TypeAlias

from msgspec.structs import replace

from k8slab.control_plane.scheduler.config import default_plugins, types
from k8slab.control_plane.scheduler.config.decoding import ConfigError
from k8slab.control_plane.scheduler.config.load import aggregated, defaulted
from k8slab.control_plane.scheduler.config.types_pluginargs import decode_args
from k8slab.control_plane.scheduler.config.validation_pluginargs import validate_args
from k8slab.control_plane.scheduler.framework.extension_points import extends
from k8slab.control_plane.scheduler.framework.interface import Plugin
from k8slab.control_plane.scheduler.framework.runtime import Framework
from k8slab.control_plane.scheduler.framework.snapshot import Handle
from k8slab.control_plane.scheduler.plugins.balanced_allocation import (
    NodeResourcesBalancedAllocation,
)
from k8slab.control_plane.scheduler.plugins.default_binder import DefaultBinder
from k8slab.control_plane.scheduler.plugins.default_preemption import DefaultPreemption
from k8slab.control_plane.scheduler.plugins.image_locality import ImageLocality
from k8slab.control_plane.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from k8slab.control_plane.scheduler.plugins.learner import adapt
from k8slab.control_plane.scheduler.plugins.node_affinity import NodeAffinity
from k8slab.control_plane.scheduler.plugins.node_name import NodeName
from k8slab.control_plane.scheduler.plugins.node_ports import NodePorts
from k8slab.control_plane.scheduler.plugins.node_resources_fit import NodeResourcesFit
from k8slab.control_plane.scheduler.plugins.node_unschedulable import NodeUnschedulable
from k8slab.control_plane.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from k8slab.control_plane.scheduler.plugins.pod_topology_spread import PodTopologySpread
from k8slab.control_plane.scheduler.plugins.priority_sort import PrioritySort
from k8slab.control_plane.scheduler.plugins.scheduling_gates import SchedulingGates
from k8slab.control_plane.scheduler.plugins.taint_toleration import TaintToleration
from k8slab.control_plane.scheduler.plugins.volume_binding import VolumeBinding
from k8slab.control_plane.scheduler.plugins.volume_restrictions import VolumeRestrictions
from k8slab.control_plane.scheduler.plugins.volume_zone import VolumeZone

IN_TREE: tuple[type[Any], ...] = (
    SchedulingGates,
    PrioritySort,
    NodeUnschedulable,
    NodeName,
    TaintToleration,
    NodeAffinity,
    NodePorts,
    NodeResourcesFit,
    VolumeRestrictions,
    NodeVolumeLimits,
    VolumeBinding,
    VolumeZone,
    PodTopologySpread,
    InterPodAffinity,
    DefaultPreemption,
    NodeResourcesBalancedAllocation,
    ImageLocality,
    DefaultBinder,
)
REGISTRY: Mapping[str, type[Any]] = {kind.name: kind for kind in IN_TREE}
DEFAULT_WEIGHTS: Mapping[str, int] = dict(default_plugins.DEFAULT_PLUGINS)
DEFAULT_PLUGINS: tuple[tuple[type[Any], int], ...] = tuple(  # each with the weight of its score
    (REGISTRY[name], weight) for name, weight in default_plugins.DEFAULT_PLUGINS
)

PluginChoice: TypeAlias = Sequence[Any]  # names, plugins, or ... for those of the profile


def make_framework(
    handle: Handle,
    plugins: PluginChoice | None = None,
    args: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    profile: types.KubeSchedulerProfile | None = None,
) -> Framework:
    """Build the plugins of a profile; `args` are those of a KubeSchedulerConfiguration, by plugin.

    Raises ValueError for a name that there is no plugin of and for arguments that a plugin cannot
    use, TypeError for an object that is none.
    """
    profile = profile or defaulted(types.KubeSchedulerConfiguration()).profiles[0]
    args = {**{each.name: each.args for each in profile.pluginConfig}, **_known(args or {})}
    needed, own = profile.plugins, dict[str, Plugin]()
    if plugins is not None:
        needed, own = _chosen(profile.plugins, plugins)
    made = dict(own)
    for name in _names(needed):
        if name in REGISTRY and name not in made:
            made[name] = _make(name, handle, args.get(name, {}))
    points = default_plugins.expanded(
        needed,
        has=lambda name, point: extends(made[name], point),
        exists=lambda name: name in made,
    )
    return Framework(
        handle,
        {point: [made[name] for name in names] for point, names in points.items()},
        default_plugins.weights(needed),
        name=profile.schedulerName,
        percentage_of_nodes_to_score=profile.percentageOfNodesToScore,
    )


def make_profile(
    handle: Handle, profile: types.KubeSchedulerProfile, plugins: PluginChoice | None = None
) -> Framework:
    """Build a profile for a scheduler that runs: it needs an order of its queue, and who binds."""
    name = profile.schedulerName
    where = f"initializing profiles: creating profile for scheduler name {name}"
    try:
        framework = make_framework(handle, plugins, profile=profile)
        sorts = len(framework.queue_sort_plugins)
        if plugins is None and sorts != 1:
            text = "only one queue sort plugin required for profile with scheduler name "
            raise ConfigError(f'{text}"{name}", but got {sorts}')
        if plugins is None and not framework.bind_plugins:
            text = "at least one bind plugin is needed for profile with scheduler name "
            raise ConfigError(f'{text}"{name}"')
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    return framework


def _make(name: str, handle: Handle, data: Mapping[str, Any]) -> Plugin:
    args = decode_args(name, data)
    faults = validate_args("", args) if args is not None else []
    if faults:
        raise ConfigError(f'initializing plugin "{name}": {aggregated(faults)}')
    plugin: Plugin = REGISTRY[name](handle, args)
    return plugin


def _chosen(
    profile: types.Plugins, plugins: PluginChoice
) -> tuple[types.Plugins, dict[str, Plugin]]:
    """Return the profile with these plugins in the place of its own, and those that are objects."""
    own: dict[str, Plugin] = {}
    enabled: dict[str, types.Plugin] = {}
    for choice in plugins:
        if isinstance(choice, EllipsisType):
            enabled.update((each.name, each) for each in profile.multiPoint.enabled)
        elif isinstance(choice, str):
            _known({choice: {}})
            enabled[choice] = types.Plugin(name=choice, weight=DEFAULT_WEIGHTS[choice])
        else:
            plugin = adapt(choice)
            own[plugin.name] = plugin
            weight = getattr(plugin, "weight", 1)
            enabled[plugin.name] = types.Plugin(name=plugin.name, weight=weight)
    chosen = types.PluginSet(enabled=tuple(enabled.values()))
    return replace(profile, multiPoint=chosen), own


def _names(plugins: types.Plugins) -> list[str]:
    points = (*types.EXTENSION_POINTS, "multiPoint")
    return [each.name for point in points for each in getattr(plugins, point).enabled]


def _known(args: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    for name in args:
        if name not in REGISTRY:
            raise ValueError(f"there is no plugin {name}; there are {', '.join(REGISTRY)}")
    return args
