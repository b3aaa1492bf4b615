"""The service controller: orders load balancers for Services and writes down their addresses.

A finalizer makes sure that a Service does not go before its load balancer has. The controller
keeps no books: after a restart it finds the addresses in the Services, and orders again what is
there already.

Rule of use: `await ServiceController(...).run()` in the cloud-controller-manager's container.

Upstream: staging/src/k8s.io/cloud-provider/controllers/service/controller.go
"""

from __future__ import annotations

from k8slab.addons.cloud_controller.decisions import (
    FINALIZER,
    NoAddress,
    addresses_of,
    backends,
    choose_addresses,
    load_balancer,
    wants_load_balancer,
)
from k8slab.addons.cloud_controller.load_balancers import Backend, LoadBalancers
from k8slab.api.core import Node, Service
from k8slab.api.errors import ApiError
from k8slab.client import Client, EventRecorder, Informers, WorkQueue, key_of
from k8slab.sim import Simulation

POOL = "203.0.113.0/24,2001:db8:113::/64"  # addresses of documentation: RFC 5737, RFC 3849
ORDER_TIME = 2.0  # s that a cloud takes to set a load balancer up, an assumption


class ServiceController:
    """One loop for all Services of type LoadBalancer."""

    component = "service-controller"

    def __init__(
        self,
        sim: Simulation,
        client: Client,
        cloud: LoadBalancers,
        *,
        pool: str = POOL,
        ip_mode: str = "VIP",
    ) -> None:
        """Prepare; addresses come from `pool`, CIDRs, and are written down with `ip_mode`."""
        self._sim = sim
        self._client = client
        self._cloud = cloud
        self._pool = pool
        self._ip_mode = ip_mode
        informers = Informers(sim, client)
        self._services = informers.informer(Service)
        self._nodes = informers.informer(Node)
        self._informers = informers
        self._recorder = EventRecorder(sim, client, self.component)
        self._queue = WorkQueue(sim, self.component)
        self._given: dict[str, str] = {}  # address -> key of its Service
        self._backends: tuple[Backend, ...] = ()

    async def run(self) -> None:
        """Follow Services and nodes for ever."""
        await self._informers.wait_for_sync()
        for service in self._services.all():
            if wants_load_balancer(service):
                self._given |= dict.fromkeys(addresses_of(service), key_of(service))
        self._backends = backends(self._nodes.all())
        self._nodes.add_handler(self._on_node)
        self._services.add_handler(self._on_service)
        await self._queue.run(self._sync)

    def _on_service(self, old: Service | None, new: Service | None) -> None:
        changed = new or old
        if changed is not None and (old is None or new is None or _asks_anew(old, new)):
            self._queue.add(key_of(changed))

    def _on_node(self, old: Node | None, new: Node | None) -> None:
        found = backends(self._nodes.all())
        if found != self._backends:
            self._backends = found
            for service in self._services.all():
                if wants_load_balancer(service) and addresses_of(service):
                    self._update_hosts(service)

    def _update_hosts(self, service: Service) -> None:
        key, ips = key_of(service), addresses_of(service)
        self._cloud.ensure(key, load_balancer(service, ips, self._backends, self._ip_mode))
        if self._backends:
            self._tell(service, "UpdatedLoadBalancer", "Updated load balancer with new hosts")
        else:
            text = "There are no available nodes for LoadBalancer"
            self._recorder.event(service, "Warning", "UnAvailableLoadBalancer", text)

    async def _sync(self, key: str) -> None:
        """Bring the load balancer of one Service to what the Service wants."""
        service = self._services.by_key(key)
        if service is None:
            self._free(key)
        elif wants_load_balancer(service):
            await self._ensure(key, service)
        elif FINALIZER in service.metadata.finalizers or addresses_of(service):
            await self._delete(key, service)

    async def _ensure(self, key: str, service: Service) -> None:
        self._tell(service, "EnsuringLoadBalancer", "Ensuring load balancer")
        try:
            ips = self._addresses(key, service)
        except NoAddress as failure:
            text = f"Error syncing load balancer: failed to ensure load balancer: {failure}"
            self._recorder.event(service, "Warning", "SyncLoadBalancerFailed", text)
            self._queue.add_rate_limited(key)
            return
        self._queue.forget(key)
        if FINALIZER not in service.metadata.finalizers:
            await self._set_finalizers(service, (*service.metadata.finalizers, FINALIZER))
        await self._sim.sleep(ORDER_TIME, f"{self.component}: the cloud makes a load balancer")
        self._cloud.ensure(key, load_balancer(service, ips, self._backends, self._ip_mode))
        await self._set_ingress(service, [{"ip": ip, "ipMode": self._ip_mode} for ip in ips])
        self._tell(service, "EnsuredLoadBalancer", "Ensured load balancer")

    async def _delete(self, key: str, service: Service) -> None:
        self._tell(service, "DeletingLoadBalancer", "Deleting load balancer")
        self._free(key)
        if addresses_of(service):
            await self._set_ingress(service, None)
        kept = tuple(name for name in service.metadata.finalizers if name != FINALIZER)
        await self._set_finalizers(service, kept)
        self._tell(service, "DeletedLoadBalancer", "Deleted load balancer")

    def _addresses(self, key: str, service: Service) -> tuple[str, ...]:
        others = {ip: owner for ip, owner in self._given.items() if owner != key}
        ips = choose_addresses(service, self._pool, others)
        self._given = others | dict.fromkeys(ips, key)
        return ips

    def _free(self, key: str) -> None:
        self._cloud.delete(key)
        self._given = {ip: owner for ip, owner in self._given.items() if owner != key}

    def _tell(self, service: Service, reason: str, message: str) -> None:
        self._recorder.event(service, "Normal", reason, message)

    async def _set_finalizers(self, service: Service, names: tuple[str, ...]) -> None:
        meta = service.metadata
        change = {"metadata": {"finalizers": list(names) or None}}
        try:
            await self._client.merge(Service, meta.name, change, meta.namespace)
        except ApiError as error:
            if error.reason != "NotFound":
                raise

    async def _set_ingress(self, service: Service, ingress: list[dict[str, str]] | None) -> None:
        meta = service.metadata
        change = {"status": {"loadBalancer": {"ingress": ingress}}}
        await self._client.patch(Service, meta.name, change, meta.namespace, subresource="status")


def _asks_anew(old: Service, new: Service) -> bool:
    """Say whether the cloud has to be asked again: its own writes are no reason."""
    return (
        old.spec != new.spec
        or old.metadata.uid != new.metadata.uid
        or old.metadata.deletionTimestamp != new.metadata.deletionTimestamp
        or old.metadata.annotations != new.metadata.annotations
    )
