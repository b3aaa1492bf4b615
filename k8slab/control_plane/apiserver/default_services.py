"""Defaults of Services and of what is behind them.

Rule of use: rows of `defaults.DEFAULTS`; pure and idempotent, as all of them.

Upstream: pkg/apis/core/v1/defaults.go, pkg/apis/discovery/v1/defaults.go
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from k8slab.control_plane.apiserver.default_filling import absent as _absent
from k8slab.control_plane.apiserver.default_filling import fill

AFFINITY_TIMEOUT = 10800  # s, sessionAffinityConfig.clientIP.timeoutSeconds


def service(obj: Any) -> Any:
    """Default a Service: ClusterIP, TCP, targetPort as port, no affinity."""
    spec = fill(obj.spec, type="ClusterIP", sessionAffinity="None")
    ports = tuple(fill(fill(port, protocol="TCP"), targetPort=port.port) for port in spec.ports)
    spec = replace(spec, ports=ports)
    if spec.type in ("NodePort", "LoadBalancer") or spec.externalIPs:
        spec = fill(spec, externalTrafficPolicy="Cluster")
    if spec.type == "LoadBalancer":
        spec = _absent(spec, allocateLoadBalancerNodePorts=True)
    if spec.type != "ExternalName":
        spec = fill(spec, internalTrafficPolicy="Cluster")
    if spec.sessionAffinity == "None" and spec.sessionAffinityConfig is not None:
        spec = replace(spec, sessionAffinityConfig=None)
    if spec.sessionAffinity == "ClientIP" and spec.sessionAffinityConfig is None:
        from k8slab.api.core import ClientIPConfig, SessionAffinityConfig

        config = SessionAffinityConfig(clientIP=ClientIPConfig(timeoutSeconds=AFFINITY_TIMEOUT))
        spec = replace(spec, sessionAffinityConfig=config)
    return replace(obj, spec=spec)


def endpoint_slice(obj: Any) -> Any:
    """Default an EndpointSlice: TCP, ports without a name have the empty one."""
    ports = tuple(_absent(port, name="", protocol="TCP") for port in (obj.ports or ()))
    return replace(obj, ports=ports)


def endpoints(obj: Any) -> Any:
    """Default Endpoints: TCP."""
    return replace(
        obj,
        subsets=tuple(
            replace(subset, ports=tuple(fill(port, protocol="TCP") for port in subset.ports))
            for subset in obj.subsets
        ),
    )
