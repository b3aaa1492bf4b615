"""What kube-proxy says on port 10256."""

from __future__ import annotations

import json
from typing import Any

import pytest

from k8slab.api import load
from k8slab.linux.netns import NetNamespace
from k8slab.node import http
from k8slab.node.kube_proxy.proxy_health import ProxyHealthServer
from k8slab.node.machine import Machine
from k8slab.sim import Simulation


class Lab:
    def __init__(self) -> None:
        self.sim = Simulation(7)
        net = NetNamespace(self.sim, "node-1")
        machine = Machine(self.sim, "node-1", net, cpu=1000, memory=1 << 30)
        self.node: Any = self.labelled()
        self.health = ProxyHealthServer(self.sim, machine, 60.0, lambda: self.node)

    def labelled(self, **spec: Any) -> Any:
        meta = {"name": "node-1"}
        return load({"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": spec})

    def ask(self, path: str) -> tuple[int, dict[str, Any]]:
        answer = self.health.answer(path)
        return answer.status, json.loads(answer.body)


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_who_keeps_up_is_healthy_and_was_updated_just_now(lab: Lab) -> None:
    lab.health.queued("IPv4")
    lab.sim.run(3)
    lab.health.updated("IPv4")
    lab.sim.run(100)
    status, body = lab.ask("/healthz")
    assert status == 200
    assert body == {
        "lastUpdated": "2026-01-01T00:01:40.000000Z",
        "currentTime": "2026-01-01T00:01:40.000000Z",
        "nodeEligible": True,
        "healthy": True,
        "status": {"IPv4": {"lastUpdated": "2026-01-01T00:00:03.000000Z", "healthy": True}},
    }


def test_a_change_that_waits_for_a_minute_is_late(lab: Lab) -> None:
    lab.health.updated("IPv4")
    lab.health.queued("IPv4")
    lab.sim.run(59)
    lab.health.queued("IPv4")
    assert lab.ask("/livez")[0] == 200
    lab.sim.run(60)
    status, body = lab.ask("/livez")
    assert (status, body["healthy"], body["status"]["IPv4"]["healthy"]) == (503, False, False)
    assert body["lastUpdated"] == "2026-01-01T00:00:00.000000Z"
    lab.health.updated("IPv4")
    assert lab.ask("/livez")[0] == 200


@pytest.mark.parametrize("spec", [{"taints": [{"key": "ToBeDeletedByClusterAutoscaler"}]}, None])
def test_a_node_that_is_to_go_is_not_eligible_but_kube_proxy_lives(lab: Lab, spec: Any) -> None:
    lab.health.updated("IPv4")
    lab.node = spec and lab.labelled(**spec)
    assert lab.ask("/healthz")[0] == 503
    assert lab.ask("/healthz")[1]["nodeEligible"] is False
    status, body = lab.ask("/livez")
    assert (status, "nodeEligible" in body) == (200, False)


def test_it_answers_over_http(lab: Lab) -> None:
    lab.sim.spawn(lab.health.run(), "kube-proxy")
    net = lab.health._machine.net
    for path, status in (("/livez", 200), ("/metrics", 404)):
        asked = http.request(net, "127.0.0.1", 10256, http.Request(target=path))
        assert lab.sim.complete(asked, "ask", 10).status == status
