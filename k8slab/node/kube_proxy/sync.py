"""What both kinds of rules have in common: which Services there are, and which must be rendered.

A `ServiceSync` is told of Services one by one (`set_service`); `apply` brings a kernel's rules up
to date and touches only what changed.

Rule of use: pure but for the rules that are handed in; the loop is in `proxier.py`.

Upstream: pkg/proxy/serviceport.go (ServicePortMap), pkg/proxy/iptables/proxier.go (needFullSync)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from k8slab.api.core import Node, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.node.kube_proxy.config import Config
from k8slab.node.kube_proxy.topology import NodeView
from k8slab.node.kube_proxy.types import IPV4, Endpoint, PortKey, ServicePort
from k8slab.node.kube_proxy.versions import Versions

ZONE_LABEL = "topology.kubernetes.io/zone"


class Rendered(Protocol):
    """A Service port with its endpoints and whatever its rules are."""

    @property
    def port(self) -> ServicePort:
        """The port."""

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All endpoints behind it."""

    @property
    def size(self) -> int:
        """The number of its rules."""


class SyncFailed(Exception):  # noqa: N818 (upstream: "Sync failed")
    """The kernel took none of it: what a partial sync builds upon is not there any more."""


R = TypeVar("R", bound=Rendered)
Ports = Mapping[PortKey, R]
Change = tuple[str, "Ports[R]", "Ports[R]"]  # key of a Service, its ports before and after


class Summary(msgspec.Struct, frozen=True):
    """How much there is after a sync."""

    services: int
    endpoints: int
    rules: int
    changed: int  # chains, sets and elements that were written or removed

    def __str__(self) -> str:
        counts = ((self.services, "Service"), (self.endpoints, "endpoint"), (self.rules, "rule"))
        return ", ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts)


class ServiceSync(Generic[R]):
    """The Services of one node, as far as rules are made of them."""

    def __init__(self, node: NodeView, config: Config, versions: Versions, family: str) -> None:
        self.node = node
        self.config = config
        self.family = family
        self.updated_ports: list[R] = []  # since somebody last cleared it
        self.edited = False  # whether others may have changed the rules since the last full sync
        self.rules = 0  # of all Service ports
        self.endpoints = 0
        self._versions = versions
        self._objects: dict[str, tuple[Service, Sequence[EndpointSlice]]] = {}
        self._ports: dict[str, Ports[R]] = {}
        self._counts: dict[str, int] = {}  # endpoints of each Service
        self._dirty: dict[str, None] = {}  # keys of Services to render

    def set_service(
        self, key: str, service: Service | None, slices: Sequence[EndpointSlice]
    ) -> None:
        """Take note of a Service ("namespace/name") and its slices; None: it is gone."""
        before = self._objects.pop(key, None)
        self.endpoints -= self._counts.pop(key, 0)
        if service is not None:
            self._objects[key] = (service, slices)
            self._counts[key] = self._versions.of(service, slices, self.family).count
            self.endpoints += self._counts[key]
        elif before is not None:
            self._versions.forget(before[0])
        self._dirty[key] = None

    def set_node(self, node: NodeView) -> None:
        """Render everything anew for a node that was labelled differently."""
        if node != self.node:
            self.node = node
            self.render_all()

    def render_all(self) -> None:
        """Render everything at the next `apply`."""
        self._dirty.update(dict.fromkeys(self._objects))

    def start_over(self) -> None:
        """Take nothing for granted at the next `apply`: a full sync."""
        self._ports, self.rules, self.edited = {}, 0, False
        self.render_all()

    def _changes(
        self, render: Callable[[Service, Sequence[EndpointSlice], Ports[R]], Ports[R]]
    ) -> Iterator[Change[R]]:
        """Render what is dirty and yield each Service whose ports differ from before."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            before = self._ports.pop(key, {})
            after = render(*self._objects[key], before) if key in self._objects else {}
            if after:
                self._ports[key] = after
            for port in {**before, **after}:
                old, new = before.get(port), after.get(port)
                if old is not new:
                    self.rules += (new.size if new else 0) - (old.size if old else 0)
                    self.updated_ports += [new] if new else []
            yield key, before, after


def view_of(node: Node | str) -> NodeView:
    """Return what counts of a node for the rules; a name alone will do."""
    if isinstance(node, str):
        return NodeView(node)
    own = tuple(each.address for each in node.status.addresses if each.type.endswith("IP"))
    internal = [each.address for each in node.status.addresses if each.type == "InternalIP"]
    spec = node.spec
    return NodeView(
        name=node.metadata.name,
        zone=node.metadata.labels.get(ZONE_LABEL, ""),
        ip=next((ip for ip in internal if ":" not in ip), ""),
        ip6=next((ip for ip in internal if ":" in ip), ""),
        addresses=own,
        pod_cidrs=tuple(spec.podCIDRs or ((spec.podCIDR,) if spec.podCIDR else ())),
    )


__all__ = ["IPV4", "Change", "Ports", "Rendered", "ServiceSync", "Summary", "SyncFailed", "view_of"]
