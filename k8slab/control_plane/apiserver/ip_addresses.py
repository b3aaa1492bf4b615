"""An IPAddress for each address that a Service has: who has which, for everybody to read.

    kubectl get ipaddresses
    NAME        PARENTREF
    10.96.0.1   services/default/kubernetes

Rule of use: `follow(old, new, user)` after each write of a Service. The allocator decides who gets
an address; these objects say so, and the ServiceCIDR controller reads them.

Upstream: pkg/registry/core/service/ipallocator/ipallocator.go
"""

from __future__ import annotations

from k8slab.api.core import Service
from k8slab.api.meta import Object, ObjectMeta, timestamp
from k8slab.api.networking import IPAddress, IPAddressSpec, ParentReference
from k8slab.api.scheme import resource_for
from k8slab.control_plane.apiserver import strategy
from k8slab.control_plane.apiserver.service_families import family_of
from k8slab.control_plane.apiserver.service_ports import addresses_of
from k8slab.control_plane.apiserver.storage import Storage
from k8slab.sim import Simulation

FAMILY = "ipaddress.kubernetes.io/ip-family"
MANAGED_BY, ALLOCATOR = "ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"


class IpAddresses:
    """Writes and removes the IPAddresses of Services."""

    def __init__(self, sim: Simulation, storage: Storage) -> None:
        self._sim = sim
        self._storage = storage
        self._resource = resource_for(IPAddress)

    def follow(self, old: Object | None, new: Object | None, user: str) -> None:
        """Make the objects what the step from `old` to `new` has made of the addresses."""
        before = addresses_of(old) if isinstance(old, Service) else ()
        after = addresses_of(new) if isinstance(new, Service) else ()
        for address in before:
            if address not in after:
                self._remove(address, user)
        for address in after:
            if address not in before and new is not None:
                self._write(address, new.metadata, user)

    def _write(self, address: str, parent: ObjectMeta, user: str) -> None:
        uid = strategy.new_uid(self._sim.streams.rng("apiserver/ipaddresses").getrandbits(128))
        reference = ParentReference(
            resource="services", namespace=parent.namespace, name=parent.name
        )
        meta = ObjectMeta(
            name=address,
            uid=uid,
            generation=1,
            creationTimestamp=timestamp(self._sim.now),
            labels={FAMILY: family_of(address), MANAGED_BY: ALLOCATOR},
        )
        made = IPAddress(metadata=meta, spec=IPAddressSpec(parentRef=reference))
        self._storage.write(self._resource, made, None, "create", user)

    def _remove(self, address: str, user: str) -> None:
        found = self._storage.get(self._resource, "", address)
        if found is not None:
            self._storage.delete(self._resource, found, user)
