"""The port at which nodes answer a load balancer's health checks: who has one, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api.errors import ApiError
from k8slab.client import MERGE_PATCH


def balanced(name: str = "web", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "type": "LoadBalancer",
            "externalTrafficPolicy": "Local",
            "ports": [{"port": 80}],
            **spec,
        },
    }


def test_a_local_load_balancer_gets_a_health_check_node_port(lab: Any) -> None:
    port = lab.create(balanced()).spec.healthCheckNodePort
    assert 30000 <= port <= 32767
    assert (
        lab.create(balanced("any", externalTrafficPolicy="Cluster")).spec.healthCheckNodePort == 0
    )


def test_it_keeps_the_port_as_long_as_it_needs_it(lab: Any) -> None:
    port = lab.create(balanced()).spec.healthCheckNodePort
    more = {"spec": {"sessionAffinity": "ClientIP"}}
    assert lab.patch("Service", "web", more, MERGE_PATCH).spec.healthCheckNodePort == port
    for policy, given in (("Cluster", False), ("Local", True)):
        patched = lab.patch(
            "Service", "web", {"spec": {"externalTrafficPolicy": policy}}, MERGE_PATCH
        )
        assert bool(patched.spec.healthCheckNodePort) is given


def test_a_port_that_was_given_up_can_be_asked_for(lab: Any) -> None:
    lab.create(balanced(healthCheckNodePort=31111))
    with pytest.raises(ApiError, match="HealthCheck NodePort 31111: provided port is already"):
        lab.create(balanced("other", healthCheckNodePort=31111))
    lab.request("delete", "Service", "web")
    assert (
        lab.create(balanced("other", healthCheckNodePort=31111)).spec.healthCheckNodePort == 31111
    )


def test_the_port_cannot_be_changed_and_only_local_load_balancers_have_one(lab: Any) -> None:
    lab.create(balanced(healthCheckNodePort=31111))
    for change in (
        {"healthCheckNodePort": 31112},
        {"type": "NodePort", "healthCheckNodePort": 31112},
    ):
        with pytest.raises(ApiError, match=r"spec\.healthCheckNodePort: Invalid value: 31112"):
            lab.patch("Service", "web", {"spec": change}, MERGE_PATCH)
    assert (
        lab.create(balanced("other", healthCheckNodePort=31112)).spec.healthCheckNodePort == 31112
    )
