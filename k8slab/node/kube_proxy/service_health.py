"""Health checks of Services: which nodes a load balancer may send to under the policy Local.

Such a Service has a port of its own on every node, its healthCheckNodePort. There kube-proxy
answers 200 if the node has ready endpoints of the Service and 503 if it has none, so the load
balancer leaves out nodes that would drop the traffic.

Rule of use: `health_check` and `answer` are pure; the server is told after each sync of the rules.

Upstream: pkg/proxy/healthcheck/service_health.go
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from k8slab.api.core import Service
from k8slab.api.discovery import EndpointSlice
from k8slab.linux.errors import NetworkError
from k8slab.linux.tcp_open import Listener
from k8slab.node import http
from k8slab.node.kube_proxy.types import endpoints_of, namespace_of, service_ports
from k8slab.node.machine import Machine
from k8slab.sim import Simulation, Task


class HealthCheck(msgspec.Struct, frozen=True):
    """What a node says about one Service."""

    port: int
    namespace: str
    name: str
    local_endpoints: int  # ready ones on this node


def health_check(
    service: Service | None, slices: Sequence[EndpointSlice], node: str
) -> HealthCheck | None:
    """Return what the node has to answer for the Service, None if nobody may ask."""
    ports = service_ports(service) if service is not None else {}
    number = next((port.health_check_node_port for port in ports.values()), 0)
    if service is None or not number:
        return None
    endpoints = endpoints_of(slices)
    local = {
        endpoint.ip: None
        for key in ports
        for endpoint in endpoints.get(key, ())
        if endpoint.node == node and endpoint.ready
    }
    return HealthCheck(number, namespace_of(service), service.metadata.name, len(local))


def answer(check: HealthCheck) -> http.Response:
    """Return the HTTP answer, which says the same in its status and its body."""
    # Whoever answers is running: a proxy that hangs for long would say false here.
    body = f"""{{
\t"service": {{
\t\t"namespace": "{check.namespace}",
\t\t"name": "{check.name}"
\t}},
\t"localEndpoints": {check.local_endpoints},
\t"serviceProxyHealthy": true
}}"""
    headers = {
        "Content-Type": "application/json",
        "X-Content-Type-Options": "nosniff",
        "X-Load-Balancing-Endpoint-Weight": str(check.local_endpoints),
    }
    return http.Response(200 if check.local_endpoints else 503, body.encode(), headers)


class ServiceHealthServer:
    """The open health-check ports of one node."""

    def __init__(self, sim: Simulation, machine: Machine) -> None:
        self._sim = sim
        self._machine = machine
        self._checks: dict[str, HealthCheck] = {}
        self._open: dict[str, tuple[Listener, Task[None]]] = {}

    def sync(self, key: str, check: HealthCheck | None) -> str:
        """Answer so for the Service from now on; returns why the port cannot be opened, or ""."""
        before = self._checks.pop(key, None)
        if before is not None and (check is None or check.port != before.port):
            listener, task = self._open.pop(key)
            listener.close()
            task.kill()
        if check is None:
            return ""
        if key not in self._open:
            try:
                listener = self._machine.net.listen("0.0.0.0", check.port, owner=self._sim.group)
            except NetworkError as error:
                return str(error)
            serving = self._serve(listener, key)
            self._open[key] = (listener, self._sim.spawn(serving, f"health checks of {key}"))
        self._checks[key] = check
        return ""

    async def _serve(self, listener: Listener, key: str) -> None:
        while True:
            connection = await listener.accept()
            serving = http.serve_connection(connection, lambda request: self._answer(key))
            self._sim.spawn(serving, f"health check of {key}")

    def _answer(self, key: str) -> http.Response:
        # A connection that was kept open may ask when the Service is gone.
        check = self._checks.get(key)
        return answer(check) if check is not None else http.text("", 404)
