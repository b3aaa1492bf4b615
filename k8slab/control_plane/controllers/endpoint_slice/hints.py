"""For whom an endpoint is meant, when the Service prefers near ones.

trafficDistribution PreferSameZone (and PreferClose, its older name) hints each ready endpoint to
its own zone, PreferSameNode to its own node and zone; without it there are no hints.

Rule of use: hints are a preference; kube-proxy ignores them when one endpoint has none.

Upstream: staging/src/k8s.io/endpointslice/trafficdist/trafficdist.go
"""

from __future__ import annotations

from msgspec.structs import replace

from k8slab.api.discovery import Endpoint, EndpointHints, EndpointSlice, ForNode, ForZone

SAME_ZONE = ("PreferSameZone", "PreferClose")
SAME_NODE = "PreferSameNode"


def with_hints(one: EndpointSlice, traffic_distribution: str) -> EndpointSlice:
    """Return the slice with the right hints; the very same one if it has them."""
    if not traffic_distribution and all(e.hints is None for e in one.endpoints):
        return one
    endpoints = tuple(_hinted(endpoint, traffic_distribution) for endpoint in one.endpoints)
    return one if endpoints == one.endpoints else replace(one, endpoints=endpoints)


def _hinted(endpoint: Endpoint, traffic_distribution: str) -> Endpoint:
    hints = None
    if endpoint.conditions.ready:
        zones = (ForZone(name=endpoint.zone),) if endpoint.zone else ()
        if traffic_distribution in SAME_ZONE and zones:
            hints = EndpointHints(forZones=zones)
        elif traffic_distribution == SAME_NODE and endpoint.nodeName:
            node = ForNode(name=endpoint.nodeName)
            hints = EndpointHints(forNodes=(node,), forZones=zones)
    return endpoint if endpoint.hints == hints else replace(endpoint, hints=hints)
