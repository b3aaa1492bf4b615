"""The plugins of a profile: the default ones, and what a configuration makes of them.

A profile's `enabled` plugins come after the default ones; one that is a default plugin already
keeps its place and gets the new weight. `disabled` takes default plugins away, "*" all of them.

Rule of use: `merged` first; `expanded` then says for each extension point who is asked, in order.

Upstream: pkg/scheduler/apis/config/v1/default_plugins.go,
pkg/scheduler/framework/runtime/framework.go (expandMultiPointPlugins)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from k8slab.control_plane.scheduler.config.decoding import ConfigError
from k8slab.control_plane.scheduler.config.types import (
    ALL,
    EXTENSION_POINTS,
    Plugin,
    Plugins,
    PluginSet,
)

DEFAULT_PLUGINS: tuple[tuple[str, int], ...] = (  # the weight counts where there is a score
    ("SchedulingGates", 1),
    ("PrioritySort", 1),
    ("NodeUnschedulable", 1),
    ("NodeName", 1),
    ("TaintToleration", 3),
    ("NodeAffinity", 2),
    ("NodePorts", 1),
    ("NodeResourcesFit", 1),
    ("VolumeRestrictions", 1),
    ("NodeVolumeLimits", 1),
    ("VolumeBinding", 1),
    ("VolumeZone", 1),
    ("PodTopologySpread", 2),
    ("InterPodAffinity", 2),
    ("DefaultPreemption", 1),
    ("NodeResourcesBalancedAllocation", 1),
    ("ImageLocality", 1),
    ("DefaultBinder", 1),
)


def default_plugins() -> Plugins:
    """Return the plugins of a profile that says nothing of plugins."""
    enabled = tuple(Plugin(name=name, weight=weight) for name, weight in DEFAULT_PLUGINS)
    return Plugins(multiPoint=PluginSet(enabled=enabled))


def merged(defaults: Plugins, custom: Plugins) -> Plugins:
    """Return the plugins that a profile has, its own changes made to the default ones."""
    points = (*EXTENSION_POINTS, "multiPoint")
    return Plugins(
        **{point: _merged(getattr(defaults, point), getattr(custom, point)) for point in points}
    )


def expanded(
    plugins: Plugins, has: Callable[[str, str], bool], exists: Callable[[str], bool]
) -> dict[str, list[str]]:
    """Return the names of the plugins of each extension point, in the order of their turn.

    `has(name, point)` says whether a plugin can do something there. First come those that the
    point itself configures anew, then the others of `multiPoint`, then the point's own.
    """
    found: dict[str, list[str]] = {}
    for point in EXTENSION_POINTS:
        own: PluginSet = getattr(plugins, point)
        names = [each.name for each in own.enabled]
        _check(names, point, has, exists)
        off = {each.name: None for each in own.disabled}
        everywhere: list[str] = []
        for each in () if ALL in off else plugins.multiPoint.enabled:
            if not exists(each.name):
                raise ConfigError(f'{_type(point)} "{each.name}" does not exist')
            if not has(each.name, point) or each.name in off:
                continue
            if each.name in everywhere:
                raise ConfigError(f'plugin "{each.name}" already registered as "{_type(point)}"')
            everywhere.append(each.name)
        first = [name for name in names if name in everywhere]
        found[point] = first + [name for name in everywhere if name not in names]
        found[point] += [name for name in names if name not in first]
    return found


def weights(plugins: Plugins) -> dict[str, int]:
    """Return the weights of the scores; what `score` says goes before what `multiPoint` says."""
    found: dict[str, int] = {}
    for each in (*plugins.score.enabled, *plugins.multiPoint.enabled):
        found.setdefault(each.name, each.weight or 1)
    return found


def _merged(defaults: PluginSet, custom: PluginSet) -> PluginSet:
    disabled = (*custom.disabled, *defaults.disabled)
    off = {each.name: None for each in disabled}
    anew = {each.name: index for index, each in enumerate(custom.enabled)}
    enabled: list[Plugin] = []
    replaced: dict[int, None] = {}
    for each in () if ALL in off else defaults.enabled:
        if each.name in off:
            continue
        index = anew.get(each.name)
        if index is not None:
            replaced[index] = None
        enabled.append(each if index is None else custom.enabled[index])
    enabled += [each for index, each in enumerate(custom.enabled) if index not in replaced]
    return PluginSet(enabled=tuple(enabled), disabled=disabled)


def _check(
    names: Sequence[str],
    point: str,
    has: Callable[[str, str], bool],
    exists: Callable[[str], bool],
) -> None:
    for index, name in enumerate(names):
        if not exists(name):
            raise ConfigError(f'{_type(point)} "{name}" does not exist')
        if not has(name, point):
            raise ConfigError(f'plugin "{name}" does not extend {_type(point)} plugin')
        if name in names[:index]:
            raise ConfigError(f'plugin "{name}" already registered as "{_type(point)}"')


def _type(point: str) -> str:
    """Return the name of the interface in Go: "preFilter" is a PreFilterPlugin."""
    return f"{point[0].upper()}{point[1:]}Plugin"
