"""Which methods make a plugin take part at which extension point.

Interface: `extends` (can this plugin do something there?), `having` (those of some plugins that
have all methods of a Protocol).

Upstream: pkg/scheduler/framework/runtime/framework.go (getExtensionPoints)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar, cast

from k8slab.control_plane.scheduler.framework.interface import (
    BindPlugin,
    FilterPlugin,
    Plugin,
    PostFilterPlugin,
    PreBindPlugin,
    PreEnqueuePlugin,
    PreFilterPlugin,
    PreScorePlugin,
    QueueSortPlugin,
    ReservePlugin,
    ScoreNodesPlugin,
    ScorePlugin,
)

P = TypeVar("P")

# By the point's name in a configuration: a plugin takes part if it is one of these.
EXTENSION_POINTS: Mapping[str, tuple[type[Plugin], ...]] = {
    "preEnqueue": (PreEnqueuePlugin,),
    "queueSort": (QueueSortPlugin,),
    "preFilter": (PreFilterPlugin,),
    "filter": (FilterPlugin,),
    "postFilter": (PostFilterPlugin,),
    "preScore": (PreScorePlugin,),
    "score": (ScorePlugin, ScoreNodesPlugin),
    "reserve": (ReservePlugin,),
    "permit": (),
    "preBind": (PreBindPlugin,),
    "bind": (BindPlugin,),
    "postBind": (),
}


def extends(plugin: Plugin, point: str) -> bool:
    """Say whether the plugin can take part at an extension point."""
    return any(having((plugin,), protocol) for protocol in EXTENSION_POINTS[point])


def having(plugins: Sequence[Plugin], point: type[P]) -> list[P]:
    """Return the plugins that have all methods of an extension point, in order."""
    # isinstance on a Protocol would say the same, fifty times slower.
    methods = [name for name, value in vars(point).items() if name[0] != "_" and callable(value)]
    return [
        cast(P, plugin)
        for plugin in plugins
        if all(callable(getattr(plugin, method, None)) for method in methods)
    ]
