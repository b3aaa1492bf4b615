"""The endpoints that a Service should have, kept true Pod by Pod.

`Desired` is told of each Pod that comes, changes or goes; `groups` are the endpoints by their
ports, as slices are: all endpoints of a slice have the same ports. A Service with a thousand Pods
costs as much per change as one with ten.

Rule of use: holds for one version of the Service and of the nodes; make a new one for the next.

Upstream: staging/src/k8s.io/endpointslice/reconciler.go (desiredEndpointsByPortMap)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from k8slab.api.core import Node, Pod, Service
from k8slab.api.discovery import Endpoint, EndpointPort
from k8slab.client import key_of
from k8slab.control_plane.controllers.endpoint_slice.endpoints import endpoint_for

Group = dict[str, Endpoint]  # desired endpoints with the same ports, by identity
PortKey = tuple[EndpointPort, ...]


class Desired:
    """What the Pods told so far ask for; equal ports are kept as one object."""

    def __init__(
        self, service: Service, nodes: Mapping[str, Node], pods: Iterable[Pod] = ()
    ) -> None:
        self._service = service
        self._nodes = nodes
        self._groups: dict[PortKey, tuple[PortKey, Group]] = {}
        self._placed: dict[str, tuple[PortKey, str]] = {}  # by key of the Pod
        for pod in pods:
            self.put(pod)

    def put(self, pod: Pod) -> None:
        """Take in a Pod as it is now."""
        placed = endpoint_for(self._service, pod, self._nodes)
        if placed is None:
            self.drop(pod)
            return
        ports, endpoint = placed
        place = (port_key(ports), identity(endpoint))
        if self._placed.get(key_of(pod)) != place:
            self.drop(pod)
            self._placed[key_of(pod)] = place
        group = self._groups.setdefault(place[0], (ports, {}))[1]
        if group.get(place[1]) != endpoint:
            group[place[1]] = endpoint

    def drop(self, pod: Pod) -> None:
        """Take out a Pod that is gone or no longer selected."""
        place = self._placed.pop(key_of(pod), None)
        if place is not None:
            group = self._groups[place[0]][1]
            del group[place[1]]
            if not group:
                del self._groups[place[0]]

    def groups(self) -> dict[PortKey, tuple[PortKey, Group]]:
        """Return ports and endpoints of each group; the caller may take the groups apart."""
        return {key: (ports, dict(group)) for key, (ports, group) in self._groups.items()}


def port_key(ports: PortKey) -> PortKey:
    """Return the same for ports that differ in their order only."""
    return ports if len(ports) < 2 else tuple(sorted(ports, key=lambda p: (p.name, p.port)))


def identity(endpoint: Endpoint) -> str:
    """Return what makes it the same endpoint, whatever its condition: its Pod."""
    target = endpoint.targetRef
    return (target.uid or target.name) if target is not None else endpoint.addresses[0]
