"""Figures and widgets: they read the API and the trace, and drive nothing but the clock.

Figures are functions of a cluster (or of data) that return a `Figure`; widgets are made by
functions of a cluster. `_HOME` says which file has which; `widgets/` has the widgets.

Rule of use: the names below load their module at first use, so that importing this costs nothing.

Upstream: none
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from k8slab.viz.architecture import architecture_map
    from k8slab.viz.back_off import back_off_staircase
    from k8slab.viz.bipartite import membership
    from k8slab.viz.causes import why_graph
    from k8slab.viz.churn import churn_plot
    from k8slab.viz.error_map import error_heat_map
    from k8slab.viz.figure import Figure
    from k8slab.viz.growth import rules_and_cost
    from k8slab.viz.ladder import journey_figure
    from k8slab.viz.outages import outage_matrix
    from k8slab.viz.packing import bin_packing
    from k8slab.viz.pod_lanes import event_lane
    from k8slab.viz.replicas import replica_lane
    from k8slab.viz.rollout import rollout_areas
    from k8slab.viz.route_map import journey_map
    from k8slab.viz.rule_graph import rule_chains
    from k8slab.viz.sequence import sequence_diagram
    from k8slab.viz.slices import slice_graph
    from k8slab.viz.two_runs import two_timelines
    from k8slab.viz.verdicts import scheduling_heat_map
    from k8slab.viz.waterfall import dns_waterfall
    from k8slab.viz.widgets.incident_console import incident_console
    from k8slab.viz.widgets.journey_steps import journey_steps
    from k8slab.viz.widgets.label_magnet import label_magnet
    from k8slab.viz.widgets.light_up import light_up
    from k8slab.viz.widgets.load_generator import load_generator
    from k8slab.viz.widgets.packet_card import packet_card
    from k8slab.viz.widgets.pod_scope import pod_scope
    from k8slab.viz.widgets.reconcile_stepper import reconcile_stepper
    from k8slab.viz.widgets.resolver_trace import resolver_trace
    from k8slab.viz.widgets.rollout_dials import rollout_dials
    from k8slab.viz.widgets.rule_debugger import rule_debugger
    from k8slab.viz.widgets.scale_lens import scale_lens
    from k8slab.viz.widgets.scheduling_board import scheduling_board
    from k8slab.viz.widgets.slice_workbench import slice_workbench
    from k8slab.viz.widgets.steps import steps
    from k8slab.viz.widgets.time_bar import explorer, time_bar
    from k8slab.viz.widgets.watch_stream import watch_stream
    from k8slab.viz.writers import provenance

_HOME = {
    "Figure": "figure",
    "architecture_map": "architecture",
    "back_off_staircase": "back_off",
    "bin_packing": "packing",
    "churn_plot": "churn",
    "dns_waterfall": "waterfall",
    "error_heat_map": "error_map",
    "event_lane": "pod_lanes",
    "explorer": "widgets.time_bar",
    "incident_console": "widgets.incident_console",
    "journey_figure": "ladder",
    "journey_map": "route_map",
    "journey_steps": "widgets.journey_steps",
    "label_magnet": "widgets.label_magnet",
    "light_up": "widgets.light_up",
    "load_generator": "widgets.load_generator",
    "membership": "bipartite",
    "outage_matrix": "outages",
    "packet_card": "widgets.packet_card",
    "pod_scope": "widgets.pod_scope",
    "provenance": "writers",
    "reconcile_stepper": "widgets.reconcile_stepper",
    "replica_lane": "replicas",
    "resolver_trace": "widgets.resolver_trace",
    "rollout_areas": "rollout",
    "rollout_dials": "widgets.rollout_dials",
    "rule_chains": "rule_graph",
    "rule_debugger": "widgets.rule_debugger",
    "rules_and_cost": "growth",
    "scale_lens": "widgets.scale_lens",
    "scheduling_board": "widgets.scheduling_board",
    "scheduling_heat_map": "verdicts",
    "sequence_diagram": "sequence",
    "slice_graph": "slices",
    "slice_workbench": "widgets.slice_workbench",
    "steps": "widgets.steps",
    "time_bar": "widgets.time_bar",
    "two_timelines": "two_runs",
    "watch_stream": "widgets.watch_stream",
    "why_graph": "causes",
}
__all__ = [
    "Figure",
    "architecture_map",
    "back_off_staircase",
    "bin_packing",
    "churn_plot",
    "dns_waterfall",
    "error_heat_map",
    "event_lane",
    "explorer",
    "incident_console",
    "journey_figure",
    "journey_map",
    "journey_steps",
    "label_magnet",
    "light_up",
    "load_generator",
    "membership",
    "outage_matrix",
    "packet_card",
    "pod_scope",
    "provenance",
    "reconcile_stepper",
    "replica_lane",
    "resolver_trace",
    "rollout_areas",
    "rollout_dials",
    "rule_chains",
    "rule_debugger",
    "rules_and_cost",
    "scale_lens",
    "scheduling_board",
    "scheduling_heat_map",
    "sequence_diagram",
    "slice_graph",
    "slice_workbench",
    "steps",
    "time_bar",
    "two_timelines",
    "watch_stream",
    "why_graph",
]


def __getattr__(name: str) -> Any:
    """Load a figure's or widget's module when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"k8slab.viz has no {name!r}; it has {', '.join(sorted(_HOME))}")
    return getattr(import_module(f"k8slab.viz.{_HOME[name]}"), name)
