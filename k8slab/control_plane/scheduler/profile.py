"""The default profile: which plugins, in which order, with which weight.

`make_framework(handle)` builds it. `plugins` may name others: names of the table below, objects
(a learner's plugin), and `...` for all the default ones, as in `[..., MyPlugin()]`.

Rule of use: the order of the table is the order in which Filter plugins are asked.

Upstream: pkg/scheduler/apis/config/v1/default_plugins.go, pkg/scheduler/profile/profile.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import Any, TypeAlias

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
from k8slab.control_plane.scheduler.plugins.pod_topology_spread import PodTopologySpread
from k8slab.control_plane.scheduler.plugins.priority_sort import PrioritySort
from k8slab.control_plane.scheduler.plugins.scheduling_gates import SchedulingGates
from k8slab.control_plane.scheduler.plugins.taint_toleration import TaintToleration
from k8slab.control_plane.scheduler.plugins.volume_binding import VolumeBinding

DEFAULT_PLUGINS: tuple[tuple[type[Any], int], ...] = (  # the weight counts where there is a score
    (SchedulingGates, 1),
    (PrioritySort, 1),
    (NodeUnschedulable, 1),
    (NodeName, 1),
    (TaintToleration, 3),
    (NodeAffinity, 2),
    (NodePorts, 1),
    (NodeResourcesFit, 1),
    (VolumeBinding, 1),
    (PodTopologySpread, 2),
    (InterPodAffinity, 2),
    (DefaultPreemption, 1),
    (NodeResourcesBalancedAllocation, 1),
    (ImageLocality, 1),
    (DefaultBinder, 1),
)

PluginChoice: TypeAlias = Sequence[Any]  # names, plugins, or ... for the default ones


def make_framework(
    handle: Handle,
    plugins: PluginChoice | None = None,
    args: Mapping[str, Mapping[str, Any]] | None = None,
) -> Framework:
    """Build the plugins of a profile; `args` are those of a KubeSchedulerConfiguration, by plugin.

    Raises ValueError for a name that there is no plugin of, TypeError for an object that is none.
    """
    known = {kind.name: (kind, weight) for kind, weight in DEFAULT_PLUGINS}
    args = args or {}
    for name in args:
        _look_up(known, name)
    made: dict[str, Plugin] = {}
    weights: dict[str, int] = {}
    for choice in _spell_out(plugins):
        if isinstance(choice, str):
            kind, weights[choice] = _look_up(known, choice)
            made[choice] = kind(handle, args.get(choice, {}))
        else:
            plugin = adapt(choice)
            made[plugin.name] = plugin
            weights[plugin.name] = getattr(plugin, "weight", 1)
    return Framework(handle, list(made.values()), weights)


def _spell_out(plugins: PluginChoice | None) -> list[Any]:
    defaults = [kind.name for kind, _ in DEFAULT_PLUGINS]
    if plugins is None:
        return defaults
    spelled: list[Any] = []
    for choice in plugins:
        spelled += defaults if isinstance(choice, EllipsisType) else [choice]
    return spelled


def _look_up(known: Mapping[str, tuple[type[Any], int]], name: str) -> tuple[type[Any], int]:
    found = known.get(name)
    if found is None:
        raise ValueError(f"there is no plugin {name}; there are {', '.join(known)}")
    return found
