"""The endpoints that a Service should have, kept true Pod by Pod.

`Desired` is told of each Pod that comes, changes or goes; `groups` are the endpoints by their
family and ports, as slices are: all endpoints of a slice share them. A Service of a thousand Pods
costs as much per change as one with ten.

Rule of use: holds for one version of the Service and of the nodes; make a new one for the next.

Upstream: staging/src/k8s.io/endpointslice/reconciler.go (desiredEndpointsByPortMap)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from k8slab.api.core import Node, Pod, Service
from k8slab.api.discovery import Endpoint, EndpointPort
from k8slab.client import key_of
from k8slab.control_plane.controllers.endpoint_slice.endpoints import endpoint_for, families_of

Group = dict[str, Endpoint]  # desired endpoints with the same ports, by identity
PortKey = tuple[EndpointPort, ...]
GroupKey = tuple[str, PortKey]  # family, ports


class Desired:
    """What the Pods told so far ask for; equal ports are kept as one object."""

    def __init__(
        self, service: Service, nodes: Mapping[str, Node], pods: Iterable[Pod] = ()
    ) -> None:
        self._service = service
        self._nodes = nodes
        self._families = families_of(service)
        self._groups: dict[GroupKey, tuple[PortKey, Group]] = {}
        self._placed: dict[tuple[str, str], tuple[GroupKey, str]] = {}  # by Pod and family
        for pod in pods:
            self.put(pod)

    def put(self, pod: Pod) -> None:
        """Take in a Pod as it is now."""
        for family in self._families:
            self._put(pod, family)

    def _put(self, pod: Pod, family: str) -> None:
        placed = endpoint_for(self._service, pod, self._nodes, family)
        if placed is None:
            self._drop(pod, family)
            return
        ports, endpoint = placed
        place = ((family, port_key(ports)), identity(endpoint))
        if self._placed.get((key_of(pod), family)) != place:
            self._drop(pod, family)
            self._placed[key_of(pod), family] = place
        group = self._groups.setdefault(place[0], (ports, {}))[1]
        if group.get(place[1]) != endpoint:
            group[place[1]] = endpoint

    def drop(self, pod: Pod) -> None:
        """Take out a Pod that is gone or no longer selected."""
        for family in self._families:
            self._drop(pod, family)

    def _drop(self, pod: Pod, family: str) -> None:
        place = self._placed.pop((key_of(pod), family), None)
        if place is not None:
            group = self._groups[place[0]][1]
            del group[place[1]]
            if not group:
                del self._groups[place[0]]

    def groups(self, family: str) -> dict[PortKey, tuple[PortKey, Group]]:
        """Return ports and endpoints of each group; the caller may take the groups apart."""
        return {
            key: (ports, dict(group))
            for (of, key), (ports, group) in self._groups.items()
            if of == family
        }


def port_key(ports: PortKey) -> PortKey:
    """Return the same for ports that differ in their order only."""
    return ports if len(ports) < 2 else tuple(sorted(ports, key=lambda p: (p.name, p.port)))


def identity(endpoint: Endpoint) -> str:
    """Return what makes it the same endpoint, whatever its condition: its Pod."""
    target = endpoint.targetRef
    return (target.uid or target.name) if target is not None else endpoint.addresses[0]
