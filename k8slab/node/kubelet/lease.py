"""The node's heartbeat: a Lease in kube-node-lease, renewed every ten seconds.

Whoever judges whether a node lives needs the time of its last heartbeat, not the write itself. So
by default the kubelet writes its Lease when it starts and when it finds the API server again, and
`last_heartbeat` says when it would have renewed it last: an idle virtual day costs nothing. With
heartbeats="events" each renewal is a write, as it is upstream.

Rule of use: `interrupt` when the kubelet cannot reach the API server any more, then `resume`.

Upstream: staging/src/k8s.io/component-helpers/apimachinery/lease/controller.go
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from k8slab.api.coordination import Lease, LeaseSpec
from k8slab.api.core import Node
from k8slab.api.errors import ApiError
from k8slab.api.meta import ObjectMeta, OwnerReference, micro_timestamp
from k8slab.client import ConnectionFailed
from k8slab.node.kubelet.dependencies import Dependencies
from k8slab.sim import Signal

NAMESPACE = "kube-node-lease"
DURATION = 40  # s, nodeLeaseDurationSeconds
RENEW_PERIOD = 10.0  # s, a quarter of it
RETRY_BACKOFF = (0.2, 7.0)  # s, first and longest wait after a failed write, doubling


class NodeLease:
    """The heartbeat of one node."""

    def __init__(self, deps: Dependencies, node: Callable[[], Node | None]) -> None:
        self._deps = deps
        self._node = node
        self._lease: Lease | None = None
        self._beating_since: float | None = None
        self._last: float | None = None  # of the time before the interruption
        self._resumed = Signal(deps.sim, "lease: connected again")

    def last_heartbeat(self) -> float | None:
        """Return when the last heartbeat was, in virtual seconds; None if there was none."""
        if self._beating_since is None:
            return self._last
        beats = (self._deps.sim.now - self._beating_since) // RENEW_PERIOD
        return self._beating_since + beats * RENEW_PERIOD

    def interrupt(self) -> None:
        """From now on no heartbeat arrives: the kubelet is dead, or cut off."""
        self._last, self._beating_since = self.last_heartbeat(), None

    def resume(self) -> None:
        """The API server can be reached again: renew at once."""
        self._resumed.set()

    async def run(self) -> None:
        """Write the Lease, and renew it as the configuration says, for ever."""
        sim = self._deps.sim
        try:
            while True:
                await self._write_until_done()
                self._beating_since = sim.now
                periodic = self._deps.config.heartbeats == "events"
                await self._resumed.wait(RENEW_PERIOD if periodic else None)
                if self._resumed.is_set:
                    self._resumed = Signal(sim, "lease: connected again")
        finally:
            self.interrupt()

    async def _write_until_done(self) -> None:
        wait, longest = RETRY_BACKOFF
        while True:
            try:
                await self._write()
                return
            except (ApiError, ConnectionFailed):
                self.interrupt()
                await self._deps.sim.sleep(wait, "kubelet: node lease")
                wait = min(wait * 2, longest)

    async def _write(self) -> None:
        client, name = self._deps.client, self._deps.node_name
        now = micro_timestamp(self._deps.sim.now)
        if self._lease is None:
            try:
                self._lease = await client.get(Lease, name, NAMESPACE)
            except ApiError as error:
                if error.reason != "NotFound":
                    raise
                self._lease = await client.create(self._new(now))
                return
        lease = replace(self._lease, spec=replace(self._lease.spec, renewTime=now))
        try:
            self._lease = await client.update(lease)
        except ApiError:
            self._lease = None  # somebody changed or removed it: read it before the next attempt
            raise

    def _new(self, now: str) -> Lease:
        name, node = self._deps.node_name, self._node()
        owners: tuple[OwnerReference, ...] = ()
        if node is not None:
            owners = (
                OwnerReference(apiVersion="v1", kind="Node", name=name, uid=node.metadata.uid),
            )
        return Lease(
            metadata=ObjectMeta(name=name, namespace=NAMESPACE, ownerReferences=owners),
            spec=LeaseSpec(holderIdentity=name, leaseDurationSeconds=DURATION, renewTime=now),
        )
