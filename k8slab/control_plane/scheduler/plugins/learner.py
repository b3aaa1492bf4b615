"""Turns a learner's plugin into one of the framework's.

A learner writes a small class with `filter(pod, node)` or `score(pod, node)` or both:

    class NoFridays:
        def filter(self, pod, node):         # True or None: fits; False or a text: does not
            return "node(s) rest on Fridays" if "friday" in node.metadata.labels else None
        def score(self, pod, node, pods):    # 0..100; `pods`, if asked for, are those on the node
            return max(100 - len(pods), 0)

`name` is the class's unless it says another; `weight` may say how much the score counts.

Rule of use: they see copies of the API objects; Pods of kube-system are placed without them.

Upstream: none (there, every plugin is of the framework)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from k8slab.api.core import Pod
from k8slab.api.meta import Object
from k8slab.client.learner import ReplacementError, call, copied, shown
from k8slab.control_plane.scheduler.framework.interface import (
    SKIP,
    Code,
    CycleState,
    Plugin,
    PluginError,
    Status,
)
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo

O = TypeVar("O", bound=Object)  # noqa: E741

SYSTEM = "kube-system"  # a mistake must not keep the cluster itself from coming up
MOST_COPIES = 20_000  # objects
FRAMEWORK_METHODS = (
    "pre_enqueue",
    "sort_key",
    "pre_filter",
    "post_filter",
    "pre_score",
    "reserve",
    "bind",
)


class Learner:
    """A learner's plugin and the copies that it has seen, one of each version of an object."""

    def __init__(self, plugin: Any) -> None:
        self.plugin = plugin
        self.name: str = getattr(plugin, "name", type(plugin).__name__)
        self.weight: int = getattr(plugin, "weight", 1)
        functions = {each: getattr(plugin, each, None) for each in ("filter", "score")}
        self.methods = {each: what for each, what in functions.items() if callable(what)}
        self._with_pods = {each: _takes_pods(what) for each, what in self.methods.items()}
        self._copies: dict[int, tuple[Object, Object]] = {}

    def ask(self, method: str, pod: PodInfo, node: NodeInfo) -> Any:
        """Return what a method of the learner's says; raise ReplacementError if it raises."""
        given: dict[str, Any] = {}
        if self._with_pods[method]:
            given["pods"] = [self._copy(each.pod) for each in node.pods.values()]
        usage = f"{method}(pod, node{', pods' if given else ''})"
        function = self.methods[method]
        return call(method, usage, function, self._copy(pod.pod), self._copy(node.node), **given)

    def _copy(self, obj: O) -> O:
        known = self._copies.get(id(obj))
        if known is None:
            if len(self._copies) >= MOST_COPIES:
                self._copies.clear()
            known = self._copies[id(obj)] = (obj, copied(obj))  # with obj, so that its id stays its
        return cast(O, known[1])


class Adapted:
    """What every learner's plugin has."""

    def __init__(self, learner: Learner) -> None:
        self.name, self.weight = learner.name, learner.weight
        self.learner = learner


class LearnerFilter(Adapted):
    """A learner's class that filters."""

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Ask the learner's filter; False gets a text that names the plugin."""
        if _is_systems(pod.pod):
            return None
        try:
            answer = self.learner.ask("filter", pod, node)
            if answer is None or answer is True:
                return None
            if answer is False:
                answer = f"node(s) didn't pass plugin {self.name}"
            if not isinstance(answer, str):
                text = f"your filter returned {shown(answer)}, expected True, False or a text"
                raise ReplacementError(text)
        except ReplacementError as error:
            raise PluginError(f'running "{self.name}" filter plugin: {error}') from None
        return Status(Code.UNSCHEDULABLE, (answer,), self.name)


class LearnerScore(Adapted):
    """A learner's class that scores."""

    def pre_score(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | None:
        """Skip Pods of the cluster's own."""
        return SKIP if _is_systems(pod.pod) else None

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        """Ask the learner's score."""
        try:
            answer = self.learner.ask("score", pod, node)
            if isinstance(answer, bool) or not isinstance(answer, int):
                text = f"your score returned {shown(answer)}, expected a whole number, 0 to 100"
                raise ReplacementError(text)
        except ReplacementError as error:
            text = f'running Score plugins: plugin "{self.name}" failed with: {error}'
            raise PluginError(text) from None
        return answer


class LearnerPlugin(LearnerFilter, LearnerScore):
    """A learner's class that does both."""


def adapt(plugin: Any) -> Plugin:
    """Return the plugin as the framework calls it; TypeError says what is missing.

    A class is as good as an object of it.
    """
    if isinstance(plugin, type):
        plugin = plugin()
    if any(hasattr(plugin, method) for method in FRAMEWORK_METHODS):
        framework_plugin: Plugin = plugin
        return framework_plugin
    learner = Learner(plugin)
    name, weight = learner.name, learner.weight
    if not isinstance(name, str) or not name:
        raise TypeError(f"expected a plugin with a name, got the name {shown(name)}")
    if isinstance(weight, bool) or not isinstance(weight, int) or weight < 1:
        raise TypeError(f"plugin {name}: a weight is a whole number from 1, got {shown(weight)}")
    kinds: dict[tuple[str, ...], type[Any]] = {("filter",): LearnerFilter, ("score",): LearnerScore}
    if not learner.methods:
        raise TypeError(
            f"plugin {name} does nothing: give it filter(self, pod, node) or score(self, pod, node)"
        )
    adapted: Plugin = kinds.get(tuple(learner.methods), LearnerPlugin)(learner)
    return adapted


def _takes_pods(function: Callable[..., Any]) -> bool:
    try:
        return "pods" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # a callable that does not say
        return False


def _is_systems(pod: Pod) -> bool:
    return pod.metadata.namespace == SYSTEM
