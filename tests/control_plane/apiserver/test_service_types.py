"""A Service whose type changes gives up what only its old type had a use for."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api.errors import ApiError
from k8slab.client import MERGE_PATCH


def made(lab: Any, **spec: Any) -> Any:
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    return lab.create({**body, "spec": {"ports": ports, **spec}})


def patched(lab: Any, **spec: Any) -> Any:
    return lab.patch("Service", "web", {"spec": spec}, MERGE_PATCH).spec


@pytest.mark.parametrize("policy", ["Cluster", "Local"])
def test_node_ports_and_policy_go_with_the_type_node_port(lab: Any, policy: str) -> None:
    before = made(lab, type="NodePort", externalTrafficPolicy=policy).spec
    assert all(port.nodePort for port in before.ports)
    after = patched(lab, type="ClusterIP")
    assert [port.nodePort for port in after.ports] == [0, 0]
    assert after.externalTrafficPolicy == ""
    assert after.clusterIP == before.clusterIP


def test_a_node_port_that_was_given_up_can_be_asked_for(lab: Any) -> None:
    port = made(lab, type="NodePort").spec.ports[0].nodePort
    patched(lab, type="ClusterIP")
    again = patched(lab, type="NodePort", ports=[{"name": "a", "port": 80, "nodePort": port}])
    assert again.ports[0].nodePort == port


def test_what_the_user_changes_as_well_is_refused(lab: Any) -> None:
    made(lab, type="NodePort")
    with pytest.raises(ApiError, match="may not be used when `type` is 'ClusterIP'"):
        patched(lab, type="ClusterIP", ports=[{"name": "a", "port": 80, "nodePort": 31000}])
    with pytest.raises(ApiError, match="may only be set for externally-accessible services"):
        patched(lab, type="ClusterIP", externalTrafficPolicy="Local")


def test_external_addresses_keep_the_policy(lab: Any) -> None:
    made(lab, type="NodePort", externalIPs=["192.0.2.1"])
    assert patched(lab, type="ClusterIP").externalTrafficPolicy == "Cluster"
    assert patched(lab, externalIPs=[]).externalTrafficPolicy == ""


def test_a_load_balancer_s_class_and_wish_for_node_ports_go_with_it(lab: Any) -> None:
    made(lab, type="LoadBalancer", loadBalancerClass="example.com/lb")
    after = patched(lab, type="NodePort")
    assert after.loadBalancerClass is None
    assert after.allocateLoadBalancerNodePorts is None
    assert all(port.nodePort for port in after.ports)
