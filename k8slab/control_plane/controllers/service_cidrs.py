"""The ServiceCIDR controller: says which ranges are ready, and keeps those that are in use.

A ServiceCIDR that is deleted stays while a Service has an address that no other range has.

    kubectl apply -f more-addresses.yaml     # spec: {cidrs: [10.200.0.0/24]}

Rule of use: ten seconds pass between the deletion and the first look, so that whoever allocates has
heard of it.

Upstream: pkg/controller/servicecidrs/servicecidrs_controller.go
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from msgspec.structs import replace

from k8slab.api.meta import Condition, seconds, timestamp
from k8slab.api.networking import IPAddress, ServiceCIDR
from k8slab.client import Client, EventRecorder, Informers, WorkQueue
from k8slab.control_plane.controllers.controller_utils import decide, work

FINALIZER = "networking.k8s.io/service-cidr-finalizer"
GRACE = 10.0  # s, deletionGracePeriod
READY = "Kubernetes Service CIDR is ready"
IN_USE = (
    "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new "
    "ServiceCIDR"
)


def orphans(
    cidr: ServiceCIDR, others: Iterable[ServiceCIDR], addresses: Iterable[IPAddress]
) -> list[str]:
    """Return the addresses that would belong to no range without this one.

    >>> from k8slab.api.meta import ObjectMeta
    >>> from k8slab.api.networking import ServiceCIDRSpec
    >>> cidr, other = (
    ...     ServiceCIDR(spec=ServiceCIDRSpec(cidrs=(n,))) for n in ("10.0.0.0/24", "10.0.0.0/28")
    ... )
    >>> used = [IPAddress(metadata=ObjectMeta(name=n)) for n in ("10.0.0.1", "10.0.0.200")]
    >>> orphans(cidr, [other], used)
    ['10.0.0.200']
    """
    own = [ip_network(each) for each in cidr.spec.cidrs]
    rest = [ip_network(each) for other in others for each in other.spec.cidrs]
    names = [address.metadata.name for address in addresses]
    return [
        name
        for name in names
        if any(ip_address(name) in network for network in own)
        and not any(ip_address(name) in network for network in rest)
    ]


class ServiceCIDRController:
    """Keeps the conditions and finalizers of ServiceCIDRs."""

    component = "service-cidr-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._cidrs = informers.informer(ServiceCIDR)
        self._addresses = informers.informer(IPAddress)
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Look at ranges for ever."""
        self._cidrs.add_handler(self._on_cidr)
        self._addresses.add_handler(self._on_address)
        await self._cidrs.synced.wait()
        await self._addresses.synced.wait()
        await work(self._sim, self._queue, self._sync, 1)

    def _on_cidr(self, old: ServiceCIDR | None, new: ServiceCIDR | None) -> None:
        if new is not None:
            self._queue.add(new.metadata.name)
        if old is None or new is None:
            self._look_at_deleted()

    def _on_address(self, old: IPAddress | None, new: IPAddress | None) -> None:
        if new is None:
            self._look_at_deleted()

    def _look_at_deleted(self) -> None:
        for cidr in self._cidrs.all():
            if cidr.metadata.deletionTimestamp is not None:
                self._queue.add(cidr.metadata.name)

    async def _sync(self, name: str) -> None:
        cidr = self._cidrs.get("", name)
        if cidr is None:
            return
        if cidr.metadata.deletionTimestamp is not None:
            await self._end(cidr)
            return
        meta = cidr.metadata
        if FINALIZER not in meta.finalizers:
            held = replace(meta, finalizers=(*meta.finalizers, FINALIZER))
            cidr = await self._client.update(replace(cidr, metadata=held))
        if not cidr.status.conditions:
            await self._say(cidr, "True", "", READY)

    async def _end(self, cidr: ServiceCIDR) -> None:
        meta = cidr.metadata
        if FINALIZER not in meta.finalizers:
            return
        left = seconds(meta.deletionTimestamp) + GRACE - self._sim.now
        if left > 0:
            self._queue.add_after(meta.name, left)
            return
        others = [
            each
            for each in self._cidrs.all()
            if each.metadata.name != meta.name and each.metadata.deletionTimestamp is None
        ]
        if orphans(cidr, others, self._addresses.all()):
            await self._say(cidr, "False", "Terminating", IN_USE)
            return
        decide(self._sim, self.component, cidr, "let it go: no Service needs it")
        rest = tuple(each for each in meta.finalizers if each != FINALIZER)
        await self._client.update(replace(cidr, metadata=replace(meta, finalizers=rest)))

    async def _say(self, cidr: ServiceCIDR, status: str, reason: str, message: str) -> None:
        known = cidr.status.conditions
        if any(each.type == "Ready" and each.status == status for each in known):
            return
        ready = Condition(
            type="Ready",
            status=status,
            reason=reason,
            message=message,
            lastTransitionTime=timestamp(self._sim.now),
        )
        kept = tuple(each for each in known if each.type != "Ready")
        new = replace(cidr, status=replace(cidr.status, conditions=(*kept, ready)))
        await self._client.update_status(new)
