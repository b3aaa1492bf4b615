"""Telling the API server how the Pods are: the only place that writes a Pod's status.

Pod workers set statuses here as often as they like; only a change is written. Conditions of others
(readiness gates) are left alone. When the containers of a Pod under deletion are gone for good, its
object is deleted with a grace period of 0: only then does it disappear.

Rule of use: what is set is what is true on this node; the API server hears of it when it can.

Upstream: pkg/kubelet/status/status_manager.go
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from k8slab.api.conditions import get_condition
from k8slab.api.core import Pod, PodCondition, PodStatus
from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions, Preconditions, timestamp
from k8slab.client import Client, ConnectionFailed, WorkQueue
from k8slab.node.kubelet.kubelet_pods import KUBELET_CONDITIONS
from k8slab.sim import Simulation

DISRUPTION = "DisruptionTarget"
SYNC_PERIOD = 10.0  # s, syncPeriod: when a write that failed is tried again


class _Known(msgspec.Struct):
    status: PodStatus
    finished: bool = False  # the containers are gone for good


class StatusManager:
    """The newest status of each Pod of the node."""

    def __init__(
        self, sim: Simulation, client: Client, api_pod: Callable[[str], Pod | None]
    ) -> None:
        self._sim = sim
        self._client = client
        self._api_pod = api_pod  # by the kubelet's uid: a static Pod's mirror has another
        self._known: dict[str, _Known] = {}
        self._queue = WorkQueue(sim, f"{client.user}: pod statuses")
        self._written: dict[str, Pod] = {}  # what our last write of each Pod returned

    def get(self, uid: str) -> PodStatus | None:
        """Return the status that was set last."""
        known = self._known.get(uid)
        return known.status if known is not None else None

    def set(self, uid: str, old: PodStatus, status: PodStatus, *, finished: bool = False) -> None:
        """Note the Pod's status; have it written if it differs from what was noted before.

        `old` is the status to compare with if none was set yet.
        """
        known = self._known.get(uid)
        before = known.status if known is not None else old
        status = replace(
            status,
            conditions=_with_times(status.conditions, before.conditions, self._sim.now),
            startTime=before.startTime or timestamp(self._sim.now),
        )
        if known is not None and known.status == status and known.finished == finished:
            return
        self._known[uid] = _Known(status, finished)
        self._queue.add(uid)

    def changed(self, uid: str) -> None:
        """Look again: the API's object of a Pod has changed, or is there for the first time."""
        if uid in self._known:
            self._queue.add(uid)

    def forget(self, uid: str) -> None:
        """Drop a Pod whose object is gone."""
        self._known.pop(uid, None)
        self._written.pop(uid, None)

    async def run(self) -> None:
        """Write statuses for ever, one after the other."""
        while True:
            uid = await self._queue.get()
            try:
                await self._sync(uid)
            except ApiError as error:
                if error.reason == "Conflict":
                    await self._refresh(uid)
                elif error.reason != "NotFound":
                    self._queue.add_after(uid, SYNC_PERIOD)
            except ConnectionFailed:
                self._queue.add_after(uid, SYNC_PERIOD)
            finally:
                self._queue.done(uid)

    async def _sync(self, uid: str) -> None:
        pod, known = self._newest(uid), self._known.get(uid)
        if pod is None or known is None:
            return
        status = merged(pod.status, known.status)
        if status != pod.status:
            pod = await self._client.update_status(replace(pod, status=status))
            self._written[uid] = pod
        if known.finished and pod.metadata.deletionTimestamp is not None:
            options = DeleteOptions(
                gracePeriodSeconds=0, preconditions=Preconditions(uid=pod.metadata.uid)
            )
            await self._client.delete(Pod, pod.metadata.name, pod.metadata.namespace, options)

    async def _refresh(self, uid: str) -> None:
        """Somebody else has changed the Pod: read it and write again."""
        pod = self._newest(uid)
        if pod is None:
            return
        try:
            fresh = await self._client.get(Pod, pod.metadata.name, pod.metadata.namespace)
        except (ApiError, ConnectionFailed):
            self._queue.add_after(uid, SYNC_PERIOD)
            return
        if fresh.metadata.uid == pod.metadata.uid:
            self._written[uid] = fresh
            self._queue.add(uid)

    def _newest(self, uid: str) -> Pod | None:
        """Return the API's Pod, from the informer or from our last write, whichever is newer."""
        heard, written = self._api_pod(uid), self._written.get(uid)
        if heard is None or written is None or heard.metadata.uid != written.metadata.uid:
            return heard
        newer = int(written.metadata.resourceVersion) > int(heard.metadata.resourceVersion)
        return written if newer else heard


def merged(stored: PodStatus, own: PodStatus) -> PodStatus:
    """Return the kubelet's status with what others wrote into the stored one."""
    ours = [c for c in own.conditions if c.type in KUBELET_CONDITIONS]
    ours += [c for c in own.conditions if c.type == DISRUPTION]  # shared: ours if we have one
    owned = [c.type for c in ours]
    others = [
        c for c in stored.conditions if c.type not in KUBELET_CONDITIONS and c.type not in owned
    ]
    conditions = tuple(_since(get_condition(stored.conditions, c.type), c) for c in ours)
    return replace(
        own,
        conditions=(*conditions, *others),
        qosClass=stored.qosClass,
        nominatedNodeName=stored.nominatedNodeName,
        resourceClaimStatuses=stored.resourceClaimStatuses,
        extendedResourceClaimStatus=stored.extendedResourceClaimStatus,
        startTime=stored.startTime or own.startTime,
    )


def _since(stored: PodCondition | None, own: PodCondition) -> PodCondition:
    """Keep the stored time of a condition whose status is the same."""
    if stored is None or stored.status != own.status:
        return own
    return replace(own, lastTransitionTime=stored.lastTransitionTime)


def _with_times(
    conditions: tuple[PodCondition, ...], before: tuple[PodCondition, ...], now: float
) -> tuple[PodCondition, ...]:
    timed = []
    for condition in conditions:
        old = get_condition(before, condition.type)
        same = old is not None and old.status == condition.status and old.lastTransitionTime
        time = old.lastTransitionTime if same and old is not None else timestamp(now)
        made = replace(condition, lastTransitionTime=time)
        timed.append(old if old is not None and old == made else made)  # versions share it
    return tuple(timed)
