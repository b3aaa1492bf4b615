"""Figures and widgets: they read the API and the trace, and drive nothing but the clock.

Figures are functions of a cluster (or of data) that return a `Figure`: `architecture_map`,
`event_lane`, `membership`, `replica_lane`, `churn_plot`, `journey_figure`, `why_graph`. Widgets
are made by `time_bar`, `explorer` and `label_magnet`.

Rule of use: the names below load their module at first use, so that importing this costs nothing.

Upstream: none
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from k8slab.viz.architecture import architecture_map
    from k8slab.viz.figure import Figure

_HOME = {
    "Figure": "figure",
    "architecture_map": "architecture",
    "event_lane": "pod_lanes",
    "membership": "bipartite",
    "churn_plot": "churn",
    "replica_lane": "replicas",
    "journey_figure": "ladder",
    "why_graph": "causes",
    "time_bar": "widgets.time_bar",
    "explorer": "widgets.time_bar",
    "label_magnet": "widgets.label_magnet",
}
__all__ = ["Figure", "architecture_map"]


def __getattr__(name: str) -> Any:
    """Load a figure's or widget's module when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"k8slab.viz has no {name!r}; it has {', '.join(sorted(_HOME))}")
    return getattr(import_module(f"k8slab.viz.{_HOME[name]}"), name)
