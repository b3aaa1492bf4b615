"""The nouns of DNS: `Record`s make an `Answer`, and where the kubernetes plugin looks things up.

`Source` is what the plugin must be able to ask; `Tables` answers from plain lists of objects, and
`server.py` from informers.

Rule of use: names are absolute, in lower case, with the dot at the end.

Upstream: github.com/miekg/dns, coredns plugin/kubernetes/controller.go
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from k8slab.api.core import Pod, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.linux.dns_wire import Record

NOERROR, NXDOMAIN, SERVFAIL, REFUSED = "NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED"
FORMERR, NOTIMP, BADVERS = "FORMERR", "NOTIMP", "BADVERS"
SERVICE_NAME_LABEL = "kubernetes.io/service-name"

__all__ = ["Answer", "Record", "Source", "Tables", "cluster_ips", "endpoint_ips"]


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What a DNS server says; no answers with NOERROR mean NODATA: the name exists."""

    rcode: str
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    authoritative: bool = False  # AA: said by who owns the zone (or, in CoreDNS, by its cache)
    recursion_available: bool = False  # RA: said by a resolver
    truncated: bool = False  # TC: there is more, ask by TCP

    @property
    def is_nodata(self) -> bool:
        """Whether the name exists, but has nothing of the type that was asked for."""
        return self.rcode == NOERROR and not self.answers

    def __str__(self) -> str:
        parts = [f";; status: {self.rcode}"]
        for title, records in (
            ("ANSWER", self.answers),
            ("AUTHORITY", self.authority),
            ("ADDITIONAL", self.additional),
        ):
            if records:
                parts += [f";; {title} SECTION:", *map(str, records)]
        return "\n".join(parts)


class Source(Protocol):
    """What the kubernetes plugin can look up."""

    def service(self, namespace: str, name: str) -> Service | None:
        """Return the Service, None if there is none."""

    def slices(self, namespace: str, service: str) -> Sequence[EndpointSlice]:
        """Return the EndpointSlices of a Service."""

    def service_with_ip(self, ip: str) -> Service | None:
        """Return the Service that has the cluster IP."""

    def slices_with_ip(self, ip: str) -> Sequence[EndpointSlice]:
        """Return the EndpointSlices that have an endpoint with the address."""

    def has_pod(self, namespace: str, ip: str) -> bool:
        """Say whether a Pod of the namespace has the address."""

    def has_namespace(self, namespace: str, labels: str = "") -> bool:
        """Say whether the namespace exists, and its labels fit a selector."""


class Tables:
    """A `Source` made of lists; `namespaces=None` means that all of them exist."""

    def __init__(
        self,
        services: Iterable[Service],
        endpoint_slices: Iterable[EndpointSlice],
        pods: Iterable[Pod] = (),
        namespaces: Iterable[str] | None = None,
    ) -> None:
        self._services = {(_namespace(svc), svc.metadata.name): svc for svc in services}
        self._by_ip = {ip: svc for svc in self._services.values() for ip in cluster_ips(svc)}
        self._slices: dict[tuple[str, str], list[EndpointSlice]] = {}
        for each in sorted(endpoint_slices, key=lambda each: each.metadata.name):
            service = each.metadata.labels.get(SERVICE_NAME_LABEL, "")
            self._slices.setdefault((_namespace(each), service), []).append(each)
        self._pods = tuple(pods)
        self._namespaces = None if namespaces is None else tuple(namespaces)

    def service(self, namespace: str, name: str) -> Service | None:
        """Return the Service, None if there is none."""
        return self._services.get((namespace, name))

    def slices(self, namespace: str, service: str) -> Sequence[EndpointSlice]:
        """Return the EndpointSlices of a Service."""
        return self._slices.get((namespace, service), ())

    def service_with_ip(self, ip: str) -> Service | None:
        """Return the Service that has the cluster IP."""
        return self._by_ip.get(ip)

    def slices_with_ip(self, ip: str) -> Sequence[EndpointSlice]:
        """Return the EndpointSlices that have an endpoint with the address."""
        everything = (each for slices in self._slices.values() for each in slices)
        return [each for each in everything if ip in endpoint_ips(each)]

    def has_pod(self, namespace: str, ip: str) -> bool:
        """Say whether a Pod of the namespace has the address."""
        return any(_namespace(pod) == namespace and pod.status.podIP == ip for pod in self._pods)

    def has_namespace(self, namespace: str, labels: str = "") -> bool:
        """Say whether the namespace exists; what labels it has is not known here."""
        return self._namespaces is None or namespace in self._namespaces


def cluster_ips(service: Service) -> tuple[str, ...]:
    """Return the addresses of a Service; none for headless ones."""
    spec = service.spec
    return tuple(ip for ip in spec.clusterIPs or (spec.clusterIP,) if ip not in ("", "None"))


def endpoint_ips(endpoint_slice: EndpointSlice) -> tuple[str, ...]:
    """Return the addresses of all endpoints of a slice, ready or not."""
    return tuple(ip for endpoint in endpoint_slice.endpoints for ip in endpoint.addresses)


def _namespace(obj: Service | EndpointSlice | Pod) -> str:
    return obj.metadata.namespace or "default"
