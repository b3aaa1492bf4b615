"""Doing what a preemption has decided, beside the scheduling of other Pods.

Deleting victims takes a few calls, and the next Pod should not wait for them. Until the last
victim is on its way out, the Pod that is to come is kept out of the queue: an attempt in between
would find a node that is half cleared, and preempt once more.

    preempting:  web -> None        others are being deleted
    preempting:  web -> victim-3    the last one: web may come as soon as its deletion is known
    preempting:                     done; if a call failed, web is tried again later

Rule of use: the plugin DefaultPreemption decides and gates, the scheduler starts this.

Upstream: pkg/scheduler/framework/preemption/executor.go
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from k8slab.api.core import Pod, PodCondition
from k8slab.api.errors import ApiError
from k8slab.client import Client, ConnectionFailed, key_of
from k8slab.control_plane.scheduler.framework.interface import Candidate
from k8slab.control_plane.scheduler.framework.pod_status import patch_status, status_patch
from k8slab.control_plane.scheduler.framework.snapshot import Nominator
from k8slab.control_plane.scheduler.framework.types import PodInfo, scheduler_name
from k8slab.sim import Simulation

COMPONENT = "kube-scheduler"


class Executor:
    """Deletes victims; knows for which Pods it is still at it."""

    def __init__(
        self,
        sim: Simulation,
        client: Client,
        nominator: Nominator,
        lookup: Callable[[str], Pod | None],
        tell: Callable[[str, Pod, str], None],
    ) -> None:
        self._sim = sim
        self._client = client
        self._nominator = nominator
        self._lookup = lookup  # a Pod by its key, None if it is gone
        self._tell = tell  # (profile, victim, text) that a victim was preempted
        self._preempting: dict[str, str] = {}  # uid of who is to come: key of the last victim

    def is_running(self, pod: Pod) -> bool:
        """Say whether victims of the Pod have still to be told to go."""
        last = self._preempting.get(pod.metadata.uid)
        if not last:
            return last is not None
        victim = self._lookup(last)
        return victim is not None and victim.metadata.deletionTimestamp is None

    def prepare(
        self, pod: PodInfo, candidate: Candidate, retry: Callable[[str], None]
    ) -> Coroutine[Any, Any, None] | None:
        """Return the work to be done, None if all victims are leaving already.

        From now on the Pod counts as preempting. If the work fails, `retry` is called for it.
        """
        victims = [v for v in candidate.victims if v.metadata.deletionTimestamp is None]
        if not victims:
            return None
        self._preempting[pod.pod.metadata.uid] = ""
        return self._run(pod, victims, candidate.node, retry)

    async def _run(
        self, pod: PodInfo, victims: list[Pod], node: str, retry: Callable[[str], None]
    ) -> None:
        uid = pod.pod.metadata.uid
        done = False
        try:
            await self._clear_nominations(pod, node)
            *others, last = victims
            tasks = [
                self._sim.spawn(
                    self._preempt(pod, victim, node), f"{COMPONENT}: preempt {key_of(victim)}"
                )
                for victim in others
            ]
            # The last victim is spared if another could not be deleted: it would go in vain.
            if all([await task for task in tasks]):
                self._preempting[uid] = key_of(last)
                done = await self._preempt(pod, last, node)
        finally:
            del self._preempting[uid]
        if not done:
            retry(pod.key)

    async def _clear_nominations(self, pod: PodInfo, node: str) -> None:
        """Withdraw the nominations of less important Pods: they will not fit there any more."""
        for rival in self._nominator.on_node(node):
            if rival.priority >= pod.priority:
                continue
            self._nominator.delete(rival.key)
            try:
                await patch_status(self._client, rival.pod, {"nominatedNodeName": None})
            except (ApiError, ConnectionFailed):
                continue  # not critical: its next attempt says what holds then

    async def _preempt(self, pod: PodInfo, victim: Pod, node: str) -> bool:
        """Delete a victim, and say why; False if a call failed. One that is gone is no failure."""
        scheduler = scheduler_name(pod.pod)
        condition = PodCondition(
            type="DisruptionTarget",
            status="True",
            reason="PreemptionByScheduler",
            message=f"{scheduler}: preempting to accommodate a higher priority pod",
            observedGeneration=victim.metadata.generation,
        )
        patch = status_patch(victim, condition, None, self._sim.now)
        try:
            if patch:
                await patch_status(self._client, victim, patch)
            await self._client.delete(Pod, victim.metadata.name, victim.metadata.namespace)
        except ApiError as error:
            return error.reason == "NotFound"
        except ConnectionFailed:
            return False
        text = f"Preempted by pod {pod.pod.metadata.uid} on node {node}"
        self._tell(scheduler, victim, text)
        return True
