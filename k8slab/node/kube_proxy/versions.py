"""Versions of Services, taken apart once for many nodes.

Nodes of a cluster see the same Services, though not all at the same time. A `Version` is one
Service with its slices at their resourceVersions: its ports with their endpoints, and a place
where whoever renders them keeps what is the same on all nodes.

Rule of use: objects that never saw an API server (no uid) are taken apart anew each time.

Upstream: none (every real node does it for itself)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from k8slab.api.core import Service
from k8slab.api.discovery import EndpointSlice
from k8slab.node.kube_proxy.types import (
    Endpoint,
    PortKey,
    ServicePort,
    endpoints_of,
    service_ports,
)

KEPT_VERSIONS = 8  # of a Service: nodes are not all at the same one


class Version(msgspec.Struct):
    """One version of a Service and its slices: taken apart, and rendered as far as it was asked."""

    ports: dict[PortKey, tuple[ServicePort, tuple[Endpoint, ...]]]
    count: int  # endpoints of all ports
    shared: dict[Any, Any] = {}  # what is rendered the same on all nodes, by what it depends on


class Versions:
    """The versions that somebody has asked for."""

    def __init__(self) -> None:
        self._known: dict[str, dict[tuple[object, ...], Version]] = {}

    def of(self, service: Service, slices: Sequence[EndpointSlice], family: str) -> Version:
        """Return the version that these objects are, for "IPv4" or "IPv6"."""
        meta = service.metadata
        if not meta.uid or not all(each.metadata.uid for each in slices):
            return _take_apart(service, slices, family)
        versions = self._known.setdefault(meta.uid, {})
        key = (
            family,
            meta.resourceVersion,
            *((each.metadata.uid, each.metadata.resourceVersion) for each in slices),
        )
        version = versions.get(key)
        if version is None:
            version = versions[key] = _take_apart(service, slices, family)
            if len(versions) > KEPT_VERSIONS:
                del versions[next(iter(versions))]
        return version

    def forget(self, service: Service) -> None:
        """Drop a Service that is gone."""
        self._known.pop(service.metadata.uid, None)


def _take_apart(service: Service, slices: Sequence[EndpointSlice], family: str) -> Version:
    endpoints = endpoints_of(slices, family)
    ports = {
        key: (port, endpoints.get(key, ())) for key, port in service_ports(service, family).items()
    }
    return Version(ports, sum(len(each) for _, each in ports.values()), {})
