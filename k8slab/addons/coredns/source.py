"""The kubernetes plugin's view of the cluster: informers with the right indexes.

Rule of use: look up, never list; an answer must not take longer in a larger cluster.

Upstream: coredns plugin/kubernetes/controller.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8slab.addons.coredns.records import SERVICE_NAME_LABEL, cluster_ips, endpoint_ips
from k8slab.api.core import Namespace, Pod, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.api.labels import parse as parse_selector
from k8slab.api.meta import Object
from k8slab.client import Client, Informers
from k8slab.sim import Simulation


class InformerSource:
    """A `records.Source` that is kept true by watches."""

    def __init__(self, sim: Simulation, client: Client, *, pods: bool) -> None:
        self._sim = sim
        self._informers = Informers(sim, client)
        self.knows_pods = pods
        self.changed = 0.0  # virtual second of the last change: the serial of the zone
        self.synced = False
        self._services = self._informers.informer(Service)
        self._services.add_index("ip", cluster_ips)
        self._slices = self._informers.informer(EndpointSlice)
        self._slices.add_index("service", lambda each: (_service_of(each),))
        self._slices.add_index("ip", endpoint_ips)
        self._namespaces = self._informers.informer(Namespace)
        self._pods = self._informers.informer(Pod) if pods else None
        if self._pods is not None:
            self._pods.add_index("ip", lambda pod: (pod.status.podIP,))
        self._services.add_handler(self._on_change)
        self._slices.add_handler(self._on_change)

    async def wait_for_sync(self) -> None:
        """Return once everything has been listed."""
        await self._informers.wait_for_sync()
        self.synced = True

    def service(self, namespace: str, name: str) -> Service | None:
        """Return the Service, None if there is none."""
        return self._services.get(namespace, name)

    def slices(self, namespace: str, service: str) -> Sequence[EndpointSlice]:
        """Return the EndpointSlices of a Service."""
        found = self._slices.by_index("service", f"{namespace}/{service}")
        return sorted(found, key=lambda each: each.metadata.name)

    def service_with_ip(self, ip: str) -> Service | None:
        """Return the Service that has the cluster IP."""
        return next(iter(self._services.by_index("ip", ip)), None)

    def slices_with_ip(self, ip: str) -> Sequence[EndpointSlice]:
        """Return the EndpointSlices that have an endpoint with the address."""
        return self._slices.by_index("ip", ip)

    def has_pod(self, namespace: str, ip: str) -> bool:
        """Say whether a Pod of the namespace has the address."""
        found = self._pods.by_index("ip", ip) if self._pods is not None else ()
        return any(pod.metadata.namespace == namespace for pod in found)

    def namespace_of(self, ip: str) -> str:
        """Return the namespace of the Pod with the address, "" if none is known to have it."""
        found = self._pods.by_index("ip", ip) if self._pods is not None else ()
        return next((pod.metadata.namespace for pod in found), "")

    def has_namespace(self, namespace: str, labels: str = "") -> bool:
        """Say whether the namespace exists, and its labels fit a selector."""
        found = self._namespaces.get("", namespace)
        if found is None:
            return False
        return not labels or parse_selector(labels).matches(found.metadata.labels)

    def objects(self) -> Mapping[str, Sequence[Object]]:
        """Return everything, as `answer` takes it: what a learner's own is given."""
        return {
            "services": self._services.all(),
            "endpoint_slices": self._slices.all(),
            "pods": self._pods.all() if self._pods is not None else (),
        }

    def names_of_server(self, own_ip: str) -> tuple[tuple[str, str], ...]:
        """Return the name (in the zone) and address of each Service that the server is behind.

        Without any it is ns.dns, at its own address.
        """
        found = [
            (f"{svc.metadata.name}.{svc.metadata.namespace}.svc", ip)
            for each in self.slices_with_ip(own_ip)
            if (svc := self._services.by_key(_service_of(each))) is not None
            for ip in cluster_ips(svc)
        ]
        return tuple(dict.fromkeys(found)) or ((("ns.dns", own_ip),) if own_ip else ())

    def _on_change(self, old: object, new: object) -> None:
        self.changed = self._sim.now


def _service_of(each: EndpointSlice) -> str:
    service = each.metadata.labels.get(SERVICE_NAME_LABEL, "")
    return f"{each.metadata.namespace}/{service}"
