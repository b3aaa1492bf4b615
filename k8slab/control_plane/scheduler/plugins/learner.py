"""Turns a learner's plugin into one of the framework's.

A learner writes a small class with a `name` and `filter(pod, node)` or `score(pod, node)` or both:

    class NoFridays:
        name = "NoFridays"
        def filter(self, pod, node):      # True or None: fits; False or a text: does not
            return "node(s) rest on Fridays" if "friday" in node.metadata.labels else None
        def score(self, pod, node):       # 0..100
            return 100 - len(node.metadata.labels)

Rule of use: they see the API objects and keep no state; `weight` may say how much the score counts.

Upstream: none (there, every plugin is of the framework)
"""

from __future__ import annotations

from typing import Any

from k8slab.control_plane.scheduler.framework.interface import Code, CycleState, Plugin, Status
from k8slab.control_plane.scheduler.framework.runtime import PluginError
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo

FRAMEWORK_METHODS = (
    "pre_enqueue",
    "sort_key",
    "pre_filter",
    "post_filter",
    "pre_score",
    "reserve",
    "bind",
)


class LearnerFilter:
    """A learner's class that filters."""

    def __init__(self, plugin: Any) -> None:
        self.plugin = plugin
        self.name: str = plugin.name

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Ask the learner's filter; False gets a text that names the plugin."""
        try:
            answer = self.plugin.filter(pod.pod, node.node)
        except Exception as error:
            text = f'running "{self.name}" filter plugin: {type(error).__name__}: {error}'
            raise PluginError(text) from error
        if answer is None or answer is True:
            return None
        if answer is False:
            answer = f"node(s) didn't pass plugin {self.name}"
        if not isinstance(answer, str):
            kind = type(answer).__name__
            raise PluginError(
                f'running "{self.name}" filter plugin: expected True, False, None or a text, '
                f"got {kind}"
            )
        return Status(Code.UNSCHEDULABLE, (answer,), self.name)


class LearnerScore:
    """A learner's class that scores."""

    def __init__(self, plugin: Any) -> None:
        self.plugin = plugin
        self.name: str = plugin.name

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        """Ask the learner's score."""
        try:
            answer = self.plugin.score(pod.pod, node.node)
        except Exception as error:
            text = f'running Score plugins: plugin "{self.name}" failed with: '
            raise PluginError(f"{text}{type(error).__name__}: {error}") from error
        if isinstance(answer, bool) or not isinstance(answer, int):
            raise PluginError(
                f'running Score plugins: plugin "{self.name}" failed with: expected a whole number '
                f"from 0 to 100, got {answer!r}"
            )
        return answer


class LearnerPlugin(LearnerFilter, LearnerScore):
    """A learner's class that does both."""

    def __init__(self, plugin: Any) -> None:
        self.plugin = plugin
        self.name = plugin.name


def adapt(plugin: Any) -> Plugin:
    """Return the plugin as the framework calls it; TypeError says what is missing."""
    if not isinstance(getattr(plugin, "name", None), str):
        raise TypeError(
            f"expected a plugin with a name, got {plugin!r}: "
            'give its class a line such as name = "MyPlugin"'
        )
    if any(hasattr(plugin, method) for method in FRAMEWORK_METHODS):
        framework_plugin: Plugin = plugin
        return framework_plugin
    filters, scores = hasattr(plugin, "filter"), hasattr(plugin, "score")
    if not filters and not scores:
        raise TypeError(
            f"plugin {plugin.name} does nothing: give it filter(self, pod, node) "
            "or score(self, pod, node)"
        )
    if not filters:
        return LearnerScore(plugin)
    return LearnerPlugin(plugin) if scores else LearnerFilter(plugin)
