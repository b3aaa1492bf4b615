"""Runs the plugins of one profile, each extension point in the profile's order.

A `Framework` is made of plugins; it looks which methods each has. It knows nothing of queues or
the API: what it is asked it answers at once.

Rule of use: a node stops at its first failing Filter plugin; a plugin that said SKIP in PreFilter
or PreScore is not asked again in this cycle.

Upstream: pkg/scheduler/framework/runtime/framework.go
"""

# `having` takes a Protocol as a value, which mypy allows for concrete classes only.
# mypy: disable-error-code="type-abstract"

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import TypeAlias

import msgspec

from k8slab.api.core import Pod
from k8slab.api.errors import ApiError
from k8slab.client import ConnectionFailed
from k8slab.control_plane.scheduler.framework.extension_points import having
from k8slab.control_plane.scheduler.framework.interface import (
    MAX_NODE_SCORE,
    BindPlugin,
    ClusterEvent,
    Code,
    CycleState,
    EnqueueExtensions,
    FilterMethod,
    FilterPlugin,
    NormalizeScorePlugin,
    NoteMissingError,
    Plugin,
    PluginError,
    PostFilterPlugin,
    PostFilterResult,
    PreBindPlugin,
    PreBindPreFlightPlugin,
    PreEnqueuePlugin,
    PreFilterExtensions,
    PreFilterPlugin,
    PreScorePlugin,
    QueueSortPlugin,
    ReservePlugin,
    ScoreNodesPlugin,
    ScorePlugin,
    SignPlugin,
    Status,
)
from k8slab.control_plane.scheduler.framework.snapshot import Handle
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo

FITS = Status(Code.SUCCESS)
ScoreMethod: TypeAlias = "Callable[[CycleState, PodInfo, Sequence[NodeInfo]], list[int]]"
NormalizeMethod: TypeAlias = "Callable[[CycleState, Sequence[int], Sequence[NodeInfo]], list[int]]"


class PreBindError(PluginError):
    """What had to be done before a Pod was bound could not be done."""


class Framework:
    """The plugins of one profile by extension point, with the weights of those that score."""

    def __init__(
        self,
        handle: Handle,
        points: Mapping[str, Sequence[Plugin]],
        weights: Mapping[str, int],
        *,
        name: str = "",
        percentage_of_nodes_to_score: int | None = None,
    ) -> None:
        handle.framework = self
        self.handle = handle
        self.name = name  # the profile's schedulerName
        self.percentage_of_nodes_to_score = percentage_of_nodes_to_score
        self.weights = {each.name: weights.get(each.name, 1) for each in points["score"]}
        self.pre_enqueue_plugins = having(points["preEnqueue"], PreEnqueuePlugin)
        self.queue_sort_plugins = having(points["queueSort"], QueueSortPlugin)
        self.post_filter_plugins = having(points["postFilter"], PostFilterPlugin)
        self.reserve_plugins = having(points["reserve"], ReservePlugin)
        self.pre_bind_plugins = having(points["preBind"], PreBindPlugin)
        self.bind_plugins = having(points["bind"], BindPlugin)
        self._pre_filters = having(points["preFilter"], PreFilterPlugin)
        self._filters = [(p.name, p.filter) for p in having(points["filter"], FilterPlugin)]
        self._extensions = having(points["preFilter"], PreFilterExtensions)
        self._pre_scores = having(points["preScore"], PreScorePlugin)
        self._scores = _scores(points["score"])
        self._signers = {p.name: p.sign_pod for p in having(points["filter"], SignPlugin)}
        everyone = {p.name: p for plugins in points.values() for p in plugins}
        waiting = having(tuple(everyone.values()), EnqueueExtensions)
        self.events = {p.name: p.events_to_register() for p in waiting}
        # Asked for each waiting Pod at each change, and always the same few questions.
        self._reasons: dict[tuple[str, str, int], Sequence[ClusterEvent]] = {}

    def waits_for(self, name: str, resource: str, actions: int) -> Sequence[ClusterEvent]:
        """Return for which of its reasons a plugin wants to hear of such a change."""
        found = self._reasons.get((name, resource, actions))
        if found is None:
            # A plugin that registers nothing wants to hear of everything.
            events = self.events.get(name, (ClusterEvent(resource, actions),))
            found = [e for e in events if e.resource == resource and e.actions & actions]
            self._reasons[name, resource, actions] = found
        return found

    @property
    def has_scores(self) -> bool:
        """Whether any plugin compares nodes."""
        return bool(self._scores)

    # -- filtering

    def run_pre_filter(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> tuple[Status | None, dict[str, None] | None, list[str]]:
        """Return a refusal or None, the only nodes worth a look (None for all), and who said so."""
        state.filters = self._filters
        wanted: dict[str, None] | None = None
        choosers: list[str] = []
        for plugin in self._pre_filters:
            name = plugin.name
            answer = plugin.pre_filter(state, pod, nodes)
            if isinstance(answer, Status):
                if answer.code is not Code.SKIP:
                    return named(answer, name), None, choosers
                state.skip_filter[name] = None
            elif answer is not None:
                choosers.append(name)
                known = sorted(answer) if wanted is None else [n for n in wanted if n in answer]
                wanted = dict.fromkeys(known)
                if not wanted:
                    return _contradiction(choosers), None, choosers
        filters = [each for each in self._filters if each[0] not in state.skip_filter]
        state.signed = list(takewhile(lambda each: each[0] in self._signers, filters))
        state.filters = filters[len(state.signed) :]
        if state.signed:
            signs = [f"{name} {self._signers[name](pod)}" for name, _ in state.signed]
            state.signature = f"fits {'; '.join(signs)}"
        return None, wanted, choosers

    def run_filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Return the answer of the first plugin that refuses the node, None if it fits."""
        if state.signed:
            known: Status | None = node.worked_out.get(state.signature)
            if known is None:
                known = _first_refusal(state.signed, state, pod, node) or FITS
                node.remember(state.signature, known)
            if known is not FITS:
                return known
        return _first_refusal(state.filters, state, pod, node) if state.filters else None

    def run_filter_with_nominated(
        self, state: CycleState, pod: PodInfo, node: NodeInfo
    ) -> Status | None:
        """Filter as if the Pods nominated for the node ran there, and again as if they did not.

        Only nominated Pods that matter at least as much count. Both must fit: they may come
        (and take room), or never come (and then affinity to them would be in vain).
        """
        rivals = [
            each
            for each in self.handle.nominator.on_node(node.name)
            if each.priority >= pod.priority and each.key != pod.key
        ]
        if rivals:
            imagined, then = node.clone(), state.clone()
            for rival in rivals:
                imagined.add_pod(rival)
                self.add_pod(then, pod, rival, imagined)
            status = self.run_filter(then, pod, imagined)
            if status is not None:
                return status
        return self.run_filter(state, pod, node)

    def add_pod(self, state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo) -> None:
        """Tell the plugins' notes that `added` now runs on the node."""
        for plugin in self._extensions:
            if plugin.name not in state.skip_filter:
                plugin.add_pod(state, pod, added, node)

    def remove_pod(self, state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo) -> None:
        """Tell the plugins' notes that `removed` is gone."""
        for plugin in self._extensions:
            if plugin.name not in state.skip_filter:
                plugin.remove_pod(state, pod, removed, node)

    def run_post_filter(
        self, state: CycleState, pod: PodInfo, statuses: Mapping[str, Status]
    ) -> tuple[PostFilterResult, str]:
        """Return what can be done for a Pod that fits nowhere, and the text about it."""
        reasons: list[str] = []
        last = PostFilterResult()
        for plugin in self.post_filter_plugins:
            result, status = plugin.post_filter(state, pod, statuses)
            if status.code is Code.SUCCESS:
                return result, status.message
            if result.nominated_node is not None:
                last = result
            reasons += status.reasons
        return last, ", ".join(reasons)

    # -- scoring

    def run_score(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> dict[str, list[int]]:
        """Return the scores of each plugin, 0..100 and not yet weighted, in the nodes' order.

        Raises PluginError if a plugin answers with a number out of range.
        """
        for plugin in self._pre_scores:
            status = plugin.pre_score(state, pod, nodes)
            if status is not None and status.code is Code.SKIP:
                state.skip_score[plugin.name] = None
        scores: dict[str, list[int]] = {}
        for name, score, normalize in self._scores:
            if name in state.skip_score:
                continue
            try:
                own = score(state, pod, nodes)
            except NoteMissingError as error:
                text = f'running Score plugins: plugin "{name}" failed with: {error}'
                raise PluginError(text) from None
            if normalize is not None:
                own = normalize(state, own, nodes)
            elif min(own, default=0) < 0 or max(own, default=0) > MAX_NODE_SCORE:
                wrong = next(each for each in own if not 0 <= each <= MAX_NODE_SCORE)
                raise PluginError(
                    "applying score defaultWeights on Score plugins: "
                    f'plugin "{name}" returns an invalid score {wrong}, it should in the range of '
                    f"[0, {MAX_NODE_SCORE}] after normalizing"
                )
            scores[name] = own
        return scores

    def totals(self, scores: Mapping[str, Sequence[int]], count: int) -> list[int]:
        """Return the weighted sums of `count` nodes."""
        totals = [0] * count
        for name, own in scores.items():
            weight = self.weights[name]
            totals = [total + weight * score for total, score in zip(totals, own, strict=True)]
        return totals

    # -- before and after

    def run_pre_enqueue(self, pod: Pod) -> Status | None:
        """Return why the Pod may not be considered yet, None if it may."""
        for plugin in self.pre_enqueue_plugins:
            status = plugin.pre_enqueue(pod)
            if status is not None:
                return named(status, plugin.name)
        return None

    def run_reserve(self, state: CycleState, pod: Pod, node_name: str) -> Status | None:
        """Book what the Pod needs; None if every plugin could, else nothing is left booked."""
        for plugin in self.reserve_plugins:
            status = plugin.reserve(state, pod, node_name)
            if status is not None:
                self.run_unreserve(state, pod, node_name)
                return status
        return None

    def run_unreserve(self, state: CycleState, pod: Pod, node_name: str) -> None:
        """Undo all bookings, last first."""
        for plugin in reversed(self.reserve_plugins):
            plugin.unreserve(state, pod, node_name)

    def will_wait_to_bind(self, pod: Pod, node_name: str) -> bool:
        """Say whether there is something to be done before the Pod is bound."""
        plugins = having(self.pre_bind_plugins, PreBindPreFlightPlugin)
        return any([plugin.pre_bind_pre_flight(pod, node_name) for plugin in plugins])

    async def run_pre_bind(self, pod: Pod, node_name: str) -> None:
        """Do what must be done before; raises PreBindError."""
        for plugin in self.pre_bind_plugins:
            try:
                status = await plugin.pre_bind(CycleState(), pod, node_name)
                why = status.message if status is not None else ""
            except (ApiError, ConnectionFailed) as error:
                why = str(error)
            if why:
                raise PreBindError(f'running PreBind plugin "{plugin.name}": {why}')

    async def run_bind(self, pod: Pod, node_name: str) -> None:
        """Bind with the first plugin that binds; raises ApiError or ConnectionFailed."""
        if not self.bind_plugins:
            raise PluginError("no plugin of this profile binds: add DefaultBinder")
        await self.bind_plugins[0].bind(pod, node_name)


def _scores(plugins: Sequence[Plugin]) -> list[tuple[str, ScoreMethod, NormalizeMethod | None]]:
    """Return how each plugin scores, and how it normalizes if it does, in order."""
    normal = {p.name: p.normalize_score for p in having(plugins, NormalizeScorePlugin)}
    scores: dict[str, ScoreMethod] = {
        **{p.name: one_by_one(p) for p in having(plugins, ScorePlugin)},
        **{p.name: p.score_nodes for p in having(plugins, ScoreNodesPlugin)},
    }
    return [(p.name, scores[p.name], normal.get(p.name)) for p in plugins if p.name in scores]


def one_by_one(plugin: ScorePlugin) -> ScoreMethod:
    """Return the method that has a plugin score each node."""
    score = plugin.score
    return lambda state, pod, nodes: [score(state, pod, node) for node in nodes]


def _first_refusal(
    filters: Sequence[tuple[str, FilterMethod]], state: CycleState, pod: PodInfo, node: NodeInfo
) -> Status | None:
    for name, method in filters:
        try:
            status = method(state, pod, node)
        except NoteMissingError as error:
            raise PluginError(f'running "{name}" filter plugin: {error}') from None
        if status is not None:
            return named(status, name)
    return None


def named(status: Status, plugin: str) -> Status:
    """Return the status with the name of the plugin that gave it."""
    return status if status.plugin else msgspec.structs.replace(status, plugin=plugin)


def _contradiction(choosers: Sequence[str]) -> Status:
    text = f"node(s) didn't satisfy plugin {choosers[0]}"
    if len(choosers) > 1:
        text = f"node(s) didn't satisfy plugin(s) [{' '.join(choosers)}] simultaneously"
    return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (text,))
