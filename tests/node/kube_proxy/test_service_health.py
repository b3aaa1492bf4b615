"""Health-check node ports: what a load balancer hears from each node."""

from __future__ import annotations

import json
from typing import Any

import pytest

from k8slab.api.core import Event, Service
from k8slab.linux.errors import ConnectionRefused
from k8slab.node import http
from k8slab.node.kube_proxy.service_health import answer, health_check
from tests.node.kube_proxy.objects import endpoint, endpoint_slice, service
from tests.node.kube_proxy.test_proxier import Lab, placed

LOCAL = {
    "type": "LoadBalancer",
    "externalTrafficPolicy": "Local",
    "internalTrafficPolicy": "Cluster",
    "healthCheckNodePort": 31000,
}
UNREADY = {"ready": False, "serving": True, "terminating": True}


@pytest.mark.parametrize(
    ("endpoints", "count"),
    [
        ([], 0),
        ([endpoint("10.244.1.2"), endpoint("10.244.1.3"), endpoint("10.244.2.2", "node-2")], 2),
        ([endpoint("10.244.1.2", conditions=UNREADY)], 0),
    ],
)
def test_ready_endpoints_of_the_node_are_counted(endpoints: list[Any], count: int) -> None:
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    slices = [endpoint_slice(*endpoints, ports=ports)]
    check = health_check(service(**LOCAL, ports=ports), slices, "node-1")
    assert check is not None
    assert (check.port, check.local_endpoints) == (31000, count)
    assert answer(check).status == (200 if count else 503)
    assert json.loads(answer(check).text)["localEndpoints"] == count


@pytest.mark.parametrize("change", [{"externalTrafficPolicy": "Cluster"}, {"type": "NodePort"}])
def test_only_local_load_balancers_are_asked(change: dict[str, str]) -> None:
    assert health_check(service(**(LOCAL | change)), [], "node-1") is None


def ask(lab: Lab, port: int = 31000) -> http.Response:
    request = http.Request("GET", "/healthz")
    return lab.do(http.request(lab.machine.net, "127.0.0.1", port, request, timeout=1))


def test_the_port_follows_the_endpoints_and_the_service() -> None:
    lab = Lab()
    lab.start()
    lab.do(lab.client.create(placed(service(**LOCAL, clusterIP=""))))
    lab.run(5)
    assert ask(lab).status == 503
    lab.do(lab.client.create(placed(endpoint_slice(endpoint("10.244.1.2")))))
    lab.run(5)
    assert (ask(lab).status, ask(lab).header("X-Load-Balancing-Endpoint-Weight")) == (200, "1")
    change = {"spec": {"externalTrafficPolicy": "Cluster"}}
    lab.do(lab.client.merge(Service, "web", change, "default"))
    lab.run(5)
    with pytest.raises(ConnectionRefused):
        ask(lab)


def test_a_port_that_is_taken_is_reported() -> None:
    lab = Lab()
    lab.machine.net.listen("0.0.0.0", 31000)
    lab.start()
    lab.do(lab.client.create(placed(service(**LOCAL, clusterIP=""))))
    lab.run(5)
    events = lab.do(lab.client.list(Event, "default"))
    (message,) = [e.message for e in events.items if e.reason == "FailedToStartServiceHealthcheck"]
    assert message.startswith('node node-1 failed to start healthcheck "default/web" on port 31000')
