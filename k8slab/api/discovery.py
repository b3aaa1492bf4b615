"""EndpointSlices: the addresses behind a Service.

Interface: ``EndpointSlice``. A condition that is absent counts as true for ready and serving, and
as false for terminating.

Upstream: staging/src/k8s.io/api/discovery/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.core.references import ObjectReference
from k8slab.api.meta import Object
from k8slab.api.struct import Part, always, mapping


class EndpointConditions(Part):
    """Whether an endpoint is ready, serving, terminating."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class ForNode(Part):
    """A node that should use an endpoint."""

    name: str = always("")


class ForZone(Part):
    """A zone that should use an endpoint."""

    name: str = always("")


class EndpointHints(Part):
    """For whom an endpoint is meant."""

    forNodes: tuple[ForNode, ...] = ()
    forZones: tuple[ForZone, ...] = ()


class Endpoint(Part):
    """The addresses of one Pod, with its condition and place."""

    addresses: tuple[str, ...] = always(())
    conditions: EndpointConditions = always(EndpointConditions())
    deprecatedTopology: Mapping[str, str] = mapping()
    hints: EndpointHints | None = None
    hostname: str | None = None
    nodeName: str | None = None
    targetRef: ObjectReference | None = None
    zone: str | None = None


class EndpointPort(Part):
    """A port of all endpoints of a slice."""

    name: str | None = None
    appProtocol: str | None = None
    port: int | None = None
    protocol: str | None = None


class EndpointSlice(Object):
    """Some of the endpoints of a Service: same address type, same ports."""

    apiVersion: str = always("discovery.k8s.io/v1")
    kind: str = always("EndpointSlice")
    addressType: str = always("")
    endpoints: tuple[Endpoint, ...] = always(())
    ports: tuple[EndpointPort, ...] = always(())
