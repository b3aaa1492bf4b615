"""The loop of the node life-cycle controller.

Two things happen. NoSchedule taints follow a node's conditions at once. And every 5 s all nodes are
looked at: who was silent beyond the grace period becomes Unknown, its Pods not ready, and, at a
limited rate, it gets a NoExecute taint. A look that could find nothing is left out: the controller
works out when the first node's grace ends and looks then, at the same moments as upstream would.

Rule of use: news of a node brings the next look forward, never past its 5 s.

Upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go
"""

from __future__ import annotations

import math

import msgspec
from msgspec.structs import replace

from k8slab.api.conditions import get_condition, set_condition
from k8slab.api.coordination import Lease
from k8slab.api.core import Node, Pod, Taint
from k8slab.api.errors import ApiError
from k8slab.api.meta import seconds, timestamp
from k8slab.client import (
    MERGE_PATCH,
    Client,
    ConnectionFailed,
    EventRecorder,
    Informers,
    WorkQueue,
)
from k8slab.control_plane.controllers.controller_utils import decide
from k8slab.control_plane.controllers.node_lifecycle.health import (
    MONITOR_PERIOD,
    LeaseClock,
    grace_end,
    judge,
    last_status,
    ready_status,
)
from k8slab.control_plane.controllers.node_lifecycle.taints import (
    all_disrupted,
    eviction_rate,
    has_no_execute,
    no_execute_taint,
    no_schedule_taints,
    with_no_execute,
    zone_of,
    zone_states,
)
from k8slab.sim import Signal

LEASE_NAMESPACE = "kube-node-lease"
NEVER = math.inf


class NodeLifecycleController:
    """The loop: taint nodes as their conditions ask, and notice those that fell silent."""

    component = "node-controller"

    def __init__(
        self,
        informers: Informers,
        client: Client,
        recorder: EventRecorder,
        *,
        lease_clock: LeaseClock | None = None,
    ) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._lease_clock = lease_clock
        self._nodes = informers.informer(Node)
        self._pods = informers.informer(Pod)
        self._leases = informers.informer(Lease, namespace=LEASE_NAMESPACE)
        self._queue = WorkQueue(self._sim, f"{self.component}: NoSchedule taints")
        self._first_seen: dict[str, float] = {}
        self._zone_states: dict[str, str] | None = None  # None: some node has changed since
        self._zone_free_at: dict[str, float] = {}  # when the next node of a zone may be tainted
        self._pods_to_mark: dict[str, None] = {}  # nodes whose Pods could not be marked yet
        self._started = self._sim.now
        self._news = Signal(self._sim, f"{self.component}: news")

    async def run(self) -> None:
        """Watch over all nodes for ever."""
        self._pods.add_index("node", lambda pod: (pod.spec.nodeName,))
        for informer in (self._nodes, self._pods, self._leases):
            await informer.synced.wait()
        self._started = self._sim.now
        self._nodes.add_handler(self._on_node)
        self._sim.spawn(self._queue.run(self._sync_taints), f"{self.component}: NoSchedule taints")
        await self._monitor()

    def _on_node(self, old: Node | None, new: Node | None) -> None:
        self._zone_states = None
        if new is None:
            assert old is not None
            self._first_seen.pop(old.metadata.name, None)
            self._tell(old, "RemovingNode", f"Removing Node {old.metadata.name} from Controller")
            return
        name = new.metadata.name
        if name not in self._first_seen:
            self._first_seen[name] = self._sim.now
            self._tell(new, "RegisteredNode", f"Registered Node {name} in Controller")
        self._queue.add(name)
        if old is None or ready_status(old) != ready_status(new):
            self._news.set()

    def _tell(self, node: Node, reason: str, what: str) -> None:
        text = f"Node {node.metadata.name} event: {what}"
        self._recorder.event(node, "Normal", reason, text)

    # -- NoSchedule taints

    async def _sync_taints(self, name: str) -> None:
        node = self._nodes.by_key(name)
        if node is not None:
            await self._write_taints(node, no_schedule_taints(node, self._sim.now))

    async def _write_taints(self, node: Node, taints: tuple[Taint, ...]) -> None:
        if taints == node.spec.taints:
            return
        words = [f"{taint.key}:{taint.effect}" for taint in taints] or ["none"]
        decide(self._sim, self.component, node, f"taints: {', '.join(words)}")
        patch = {
            # With the version, so that a taint which somebody else just set is not lost.
            "metadata": {"resourceVersion": node.metadata.resourceVersion},
            "spec": {"taints": msgspec.to_builtins(taints) or None},
        }
        await self._client.patch(Node, node.metadata.name, patch, patch_type=MERGE_PATCH)

    # -- health

    async def _monitor(self) -> None:
        due = self._sim.now
        while True:
            wait = due - self._sim.now
            if wait > 0 and await self._news.wait(None if due == NEVER else wait):
                self._news = Signal(self._sim, f"{self.component}: news")
                due = min(due, self._next_period(self._sim.now))
                continue
            due = self._next_period(await self._look_at_all())

    def _next_period(self, time: float) -> float:
        """Return the first moment after `time` at which upstream would look, too."""
        if time == NEVER:
            return NEVER
        periods = math.floor((time - self._started) / MONITOR_PERIOD) + 1
        return self._started + periods * MONITOR_PERIOD

    async def _look_at_all(self) -> float:
        """Look at every node; return when the next look is worth it."""
        worth = NEVER
        for node in self._nodes.all():
            try:
                worth = min(worth, await self._look_at(node))
            except (ApiError, ConnectionFailed):
                worth = self._sim.now  # again in the next period
        return worth

    async def _look_at(self, node: Node) -> float:
        before = ready_status(node)
        heard = self._heard(node)
        conditions = judge(node, heard, self._sim.now)
        if conditions != node.status.conditions:
            decide(self._sim, self.component, node, "silent beyond its grace period: Unknown")
            status = replace(node.status, conditions=conditions)
            node = await self._client.update_status(replace(node, status=status))
        await self._mark_pods(node, before)
        retry = await self._sync_no_execute(node)
        return min(retry, NEVER if ready_status(node) == "Unknown" else grace_end(node, heard))

    def _heard(self, node: Node) -> float:
        name = node.metadata.name
        times = [last_status(node), self._first_seen.get(name, self._sim.now)]
        clock = self._lease_clock.last_heartbeat(name) if self._lease_clock is not None else None
        lease = self._leases.get(LEASE_NAMESPACE, name)
        if clock is not None:
            times.append(clock)
        if lease is not None:
            times.append(seconds(lease.spec.renewTime))
        return max(times)

    # -- Pods of silent nodes

    async def _mark_pods(self, node: Node, before: str) -> None:
        name, status = node.metadata.name, ready_status(node)
        if status == "True":
            self._pods_to_mark.pop(name, None)
        elif before == "True":
            text = f"Node {name} status is now: NodeNotReady"
            self._recorder.event(node, "Normal", "NodeNotReady", text)
            self._pods_to_mark[name] = None
        if name not in self._pods_to_mark:
            return
        for pod in self._pods.by_index("node", name):
            await self._mark_not_ready(pod)
        del self._pods_to_mark[name]

    async def _mark_not_ready(self, pod: Pod) -> None:
        ready = get_condition(pod.status.conditions, "Ready")
        if ready is None or ready.status == "False":
            return
        ready = replace(ready, status="False", lastTransitionTime=timestamp(self._sim.now))
        status = replace(pod.status, conditions=set_condition(pod.status.conditions, ready))
        try:
            await self._client.update_status(replace(pod, status=status))
        except ApiError as error:
            if error.reason == "NotFound":
                return
            raise
        self._recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")

    # -- NoExecute taints

    async def _sync_no_execute(self, node: Node) -> float:
        """Give or take the NoExecute taint; return when to try again if the rate forbids it."""
        wanted, present = no_execute_taint(node), has_no_execute(node)
        states = self._states_of_zones() if wanted else {}
        if all_disrupted(states.values()):
            wanted = ""
        if wanted == present:
            return NEVER
        now = self._sim.now
        if wanted and not present:  # swapping one for the other is not limited
            zone = zone_of(node)
            rate = eviction_rate(states[zone], len(self._first_seen))
            free_at = self._zone_free_at.get(zone, now)
            if rate == 0 or free_at > now:
                return now if rate == 0 else free_at
            self._zone_free_at[zone] = now + 1 / rate
        # Taints that were written a moment ago are in the newest version only.
        newest = await self._client.get(Node, node.metadata.name)
        await self._write_taints(newest, with_no_execute(newest, wanted, now))
        return NEVER

    def _states_of_zones(self) -> dict[str, str]:
        if self._zone_states is None:
            self._zone_states = zone_states(self._nodes.all())
        return self._zone_states
