"""The scheduler as a program: take a waiting Pod, decide, assume, bind; for ever.

Deciding happens one Pod after the other; binding (and, for Pods that fit nowhere, reporting and
preempting) goes on beside it, because the API server takes its time and the next Pod should not
wait. In between the Pod is assumed on its node.

Rule of use: `verdict("namespace/name")` tells a learner what the last decision about a Pod was.

Upstream: pkg/scheduler/scheduler.go, schedule_one.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from k8slab.api.apps import ReplicaSet, StatefulSet
from k8slab.api.core import (
    Namespace,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    PodCondition,
    ReplicationController,
    Service,
)
from k8slab.api.errors import ApiError
from k8slab.api.meta import Object
from k8slab.api.policy import PodDisruptionBudget
from k8slab.api.storage import CSINode, StorageClass
from k8slab.client import Client, ConnectionFailed, EventRecorder, Informer, Informers, key_of
from k8slab.control_plane.scheduler.cache import Cache
from k8slab.control_plane.scheduler.config import KubeSchedulerConfiguration, defaulted
from k8slab.control_plane.scheduler.event_handlers import EventHandlers
from k8slab.control_plane.scheduler.explain import Explanation, explanation_of
from k8slab.control_plane.scheduler.framework.interface import (
    Action,
    CycleState,
    PluginError,
    Resource,
)
from k8slab.control_plane.scheduler.framework.pod_status import patch_status, status_patch
from k8slab.control_plane.scheduler.framework.preemption import COMPONENT, Executor
from k8slab.control_plane.scheduler.framework.runtime import (
    Framework,
    PreBindError,
)
from k8slab.control_plane.scheduler.framework.snapshot import Handle, Nominator, Objects
from k8slab.control_plane.scheduler.framework.types import PodInfo, scheduler_name
from k8slab.control_plane.scheduler.profile import PluginChoice, make_profile
from k8slab.control_plane.scheduler.schedule_one import (
    Decision,
    feasible_nodes_to_find,
    schedule_pod,
)
from k8slab.control_plane.scheduler.scheduling_queue import QueuedPodInfo, SchedulingQueue
from k8slab.sim import Simulation

SCHEDULING_CYCLE = 0.001  # s, one decision; kube-scheduler takes about that on a small cluster
MAX_REMEMBERED = 100_000  # verdicts on nodes that are kept for learners, the latest decisions'
MIN_REMEMBERED = 100  # decisions kept in any case
NOTE_LENGTH_LIMIT = 1024  # characters of an Event's text

UNSCHEDULABLE, SCHEDULER_ERROR = "Unschedulable", "SchedulerError"

STORAGE_KINDS: tuple[type[Object], ...] = (
    PersistentVolumeClaim,
    PersistentVolume,
    StorageClass,
    CSINode,
)
# What plugins ask for beside nodes and Pods.
LISTED_KINDS: tuple[type[Object], ...] = (
    Service,
    ReplicaSet,
    StatefulSet,
    ReplicationController,
    Namespace,
    PodDisruptionBudget,
    *STORAGE_KINDS,
)


class Scheduler:
    """Finds a node for each Pod that asks for this scheduler and has none."""

    def __init__(
        self,
        sim: Simulation,
        client: Client,
        *,
        config: KubeSchedulerConfiguration | None = None,
        plugins: PluginChoice | None = None,
    ) -> None:
        """Make a scheduler of a complete configuration; ConfigError if its plugins do not fit.

        `plugins` are those of every profile, `...` among them for the profile's own.
        """
        self.sim = sim
        self.config = config or defaulted(KubeSchedulerConfiguration())
        self.cache = Cache()
        self._client = client
        self._listers: dict[type[Object], Informer[Any]] = {}
        self._nominator = Nominator()
        self._executor = Executor(
            sim,
            client,
            self._nominator,
            lambda key: self._pods.by_key(key),
            lambda name, pod, text: self._recorders[name].event(pod, "Normal", "Preempted", text),
        )
        self.profiles: dict[str, Framework] = {
            each.schedulerName: make_profile(self._handle(), each, plugins)
            for each in self.config.profiles
        }
        self.queue = SchedulingQueue(
            sim,
            self.profiles,
            initial_backoff=float(self.config.podInitialBackoffSeconds),
            max_backoff=float(self.config.podMaxBackoffSeconds),
        )
        self._recorders = {
            name: EventRecorder(sim, client, name, limited=False) for name in self.profiles
        }
        self._decisions: dict[str, Decision] = {}
        self._start = 0  # index of the node at which the next search begins

    async def run(self) -> None:
        """Schedule Pods for ever."""
        informers = Informers(self.sim, self._client)
        for kind in LISTED_KINDS:
            self._listers[kind] = informers.informer(kind)
            self._listers[kind].add_index("namespace", lambda obj: (obj.metadata.namespace,))
        handlers = EventHandlers(self.cache, self.queue, self._nominator, self.profiles)
        for kind in STORAGE_KINDS:
            self._listers[kind].add_handler(handlers.storage)
        informers.informer(Node).add_handler(handlers.node)
        self._pods = informers.informer(Pod)
        self._pods.add_handler(handlers.pod)
        await informers.wait_for_sync()
        while True:
            entry = await self.queue.pop()
            self.sim.cause = entry.cause
            await self.sim.sleep(SCHEDULING_CYCLE, f"{COMPONENT}: schedule {entry.info.key}")
            self._schedule_one(entry)

    def verdict(self, key: str) -> Explanation | None:
        """Return the last decision about the Pod "namespace/name", None if there was none."""
        decision = self._decisions.get(key)
        if decision is None:
            return None
        return explanation_of(decision, self._framework_of(decision.pod.pod))

    # -- one scheduling cycle

    def _schedule_one(self, entry: QueuedPodInfo) -> None:
        key = entry.info.key
        if not self.queue.holds(entry) or self._skips(entry):
            self.queue.done(entry)
            return
        nodes = len(self.cache.snapshot.order)
        framework = self._framework_of(entry.info.pod)
        decision = schedule_pod(
            framework,
            entry.info,
            start=self._start,
            enough=self._enough(framework),
            choose=self._choose,
        )
        self._start = (self._start + decision.evaluated) % nodes if nodes else 0
        self._remember(decision)
        self.sim.cause = self.sim.trace.add(COMPONENT, "decide", f"Pod/{key}", in_short(decision))
        if not decision.node:
            self._fail(entry, decision)
            return
        assumed = entry.info.assumed_on(decision.node)
        self.cache.assume_pod(assumed)
        self._nominator.delete(key)
        state = CycleState()
        refusal = framework.run_reserve(state, assumed.pod, decision.node)
        if refusal is not None:
            self.cache.forget_pod(key)
            self._give_back(entry, (refusal.plugin,), UNSCHEDULABLE, refusal.message)
            return
        self.sim.spawn(self._bind(entry, assumed, state), f"{COMPONENT}: bind {key}")

    def _skips(self, entry: QueuedPodInfo) -> bool:
        pod = entry.info.pod
        if pod.metadata.deletionTimestamp is not None:
            text = f"skip schedule deleting pod: {entry.info.key}"
            self._tell(pod, "Warning", "FailedScheduling", text)
            return True
        return self.cache.is_assumed(entry.info.key)

    async def _bind(self, entry: QueuedPodInfo, assumed: PodInfo, state: CycleState) -> None:
        """Bind an assumed Pod, or forget it and try again later."""
        pod, node_name = assumed.pod, assumed.pod.spec.nodeName
        framework = self._framework_of(pod)
        if framework.will_wait_to_bind(pod, node_name):
            await self._patch_status(pod, {"nominatedNodeName": node_name})
        try:
            await framework.run_pre_bind(pod, node_name)
            await framework.run_bind(pod, node_name)
        except (ApiError, ConnectionFailed, PluginError) as error:
            framework.run_unreserve(state, pod, node_name)
            if self.cache.is_assumed(assumed.key):
                self.cache.forget_pod(assumed.key)
                self.queue.move_all(Resource.ASSIGNED_POD, Action.DELETE, pod, None)
            binder = framework.bind_plugins[0] if framework.bind_plugins else None
            text = f'running Bind plugin "{getattr(binder, "name", "")}": {error}'
            if isinstance(error, PreBindError):
                text = str(error)
            self._give_back(entry, (), SCHEDULER_ERROR, text)
            return
        self.queue.done(entry)
        text = f"Successfully assigned {assumed.key} to {node_name}"
        self._tell(pod, "Normal", "Scheduled", text)

    # -- Pods that fit nowhere

    def _fail(self, entry: QueuedPodInfo, decision: Decision) -> None:
        result = decision.post_filter
        candidate = result.candidates[0] if result is not None and result.candidates else None
        nominated = result.nominated_node if result is not None else ""
        if nominated:
            self._nominator.add(entry.info, nominated)
        elif nominated is not None:
            self._nominator.delete(entry.info.key)
        work = None
        if candidate is not None:
            work = self._executor.prepare(entry.info, candidate, self.queue.retry)
        reason = SCHEDULER_ERROR if decision.failed else UNSCHEDULABLE
        plugins = decision.diagnosis.unschedulable_plugins
        self._give_back(entry, plugins, reason, decision.message, nominated)
        if work is not None:
            self.sim.spawn(work, f"{COMPONENT}: preempt for {entry.info.key}")

    def _give_back(
        self,
        entry: QueuedPodInfo,
        plugins: tuple[str, ...],
        reason: str,
        message: str,
        nominated: str | None = "",
    ) -> None:
        """Return a Pod to the queue, and tell people and the API server why."""
        pod = self._pods.by_key(entry.info.key)
        if pod is None or pod.spec.nodeName:
            self.queue.done(entry)
            return
        entry.info = entry.info.with_pod(pod)
        self.queue.add_unschedulable(entry, plugins)
        self._tell(pod, "Warning", "FailedScheduling", truncated(message))
        condition = PodCondition(
            type="PodScheduled",
            status="False",
            reason=reason,
            message=message,
            observedGeneration=pod.metadata.generation,
        )
        patch = status_patch(pod, condition, nominated, self.sim.now)
        if patch:
            self.sim.spawn(self._patch_status(pod, patch), f"{COMPONENT}: status of {key_of(pod)}")

    async def _patch_status(self, pod: Pod, status: Mapping[str, Any]) -> None:
        try:
            await patch_status(self._client, pod, status)
        except (ApiError, ConnectionFailed):
            return  # the next attempt reports again

    # -- helpers

    def _handle(self) -> Handle:
        handle = Handle(
            self.cache.snapshot,
            Objects(self._list, self._get),
            self._nominator,
            self._choose,
            self._client,
            lambda seconds: self.sim.sleep(seconds, f"{COMPONENT}: waits for claims"),
        )
        handle.is_preempting = self._executor.is_running
        return handle

    def _framework_of(self, pod: Pod) -> Framework:
        return self.profiles[scheduler_name(pod)]

    def _enough(self, framework: Framework) -> Callable[[int], int]:
        """Return how many of so many nodes have to fit before the search stops."""
        if not framework.has_scores:
            return lambda nodes: 1
        percentage = framework.percentage_of_nodes_to_score
        if percentage is None:
            percentage = self.config.percentageOfNodesToScore
        return lambda nodes: feasible_nodes_to_find(nodes, percentage)

    def _tell(self, pod: Pod, type_: str, reason: str, text: str) -> None:
        self._recorders[scheduler_name(pod)].event(pod, type_, reason, text)

    def _choose(self, count: int) -> int:
        return self.sim.streams.rng(COMPONENT).randrange(count)

    def _list(self, kind: type[Any], namespace: str) -> list[Any]:
        informer = self._listers.get(kind)
        if informer is None:
            return []
        return informer.by_index("namespace", namespace) if namespace else informer.all()

    def _get(self, kind: type[Any], name: str, namespace: str) -> Any:
        informer = self._listers.get(kind)
        return informer.by_key(f"{namespace}/{name}" if namespace else name) if informer else None

    def _remember(self, decision: Decision) -> None:
        self._decisions.pop(decision.pod.key, None)
        self._decisions[decision.pod.key] = decision
        nodes = max(1, len(self.cache.snapshot.order))
        if len(self._decisions) > max(MIN_REMEMBERED, MAX_REMEMBERED // nodes):
            del self._decisions[next(iter(self._decisions))]


def in_short(decision: Decision) -> str:
    """Return a decision in one line, as the trace shows it."""
    if not decision.node:
        return decision.message
    feasible, tied = len(decision.feasible), len(decision.best)
    text = f"{decision.node}: {feasible} of {decision.evaluated} nodes fit"
    if decision.totals:
        text += f", best score {max(decision.totals)}"
    return f"{text}, {tied} tied" if tied > 1 else text


def truncated(message: str) -> str:
    """Cut a text to what an Event may hold."""
    if len(message) <= NOTE_LENGTH_LIMIT:
        return message
    return f"{message[: NOTE_LENGTH_LIMIT - 4]} ..."
