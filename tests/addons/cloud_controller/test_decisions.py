"""Who gets a load balancer, with which address, and which nodes are behind it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from k8slab.addons.cloud_controller.decisions import (
    NoAddress,
    backends,
    choose_addresses,
    load_balancer,
    wants_load_balancer,
)
from k8slab.api import load
from k8slab.api.core import Node, Service

POOL = "203.0.113.0/30"  # two hosts: .1 and .2


def service(ip: str = "", **spec: Any) -> Service:
    ingress = [{"ip": ip}] if ip else []
    manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {
            "type": "LoadBalancer",
            "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}],
            **spec,
        },
        "status": {"loadBalancer": {"ingress": ingress}},
    }
    return cast(Service, load(manifest))


def node(name: str, *taints: str, ip: str = "192.168.10.11", **labels: str) -> Node:
    manifest = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {k.replace("_", "/"): v for k, v in labels.items()}},
        "spec": {"taints": [{"key": taint, "effect": "NoSchedule"} for taint in taints]},
        "status": {"addresses": [{"type": "InternalIP", "address": ip}] if ip else []},
    }
    return cast(Node, load(manifest))


@pytest.mark.parametrize(
    ("svc", "taken", "ip"),
    [
        (service(), (), "203.0.113.1"),
        (service(), ("203.0.113.1",), "203.0.113.2"),
        (service("203.0.113.2"), (), "203.0.113.2"),
        (service("203.0.113.1", loadBalancerIP="203.0.113.2"), (), "203.0.113.2"),
        (service("198.51.100.7"), (), "203.0.113.1"),  # of a cloud that was here before
    ],
)
def test_a_service_keeps_its_address_or_gets_the_wanted_or_the_first_free_one(
    svc: Service, taken: tuple[str, ...], ip: str
) -> None:
    assert choose_addresses(svc, POOL, taken) == (ip,)


@pytest.mark.parametrize(
    ("svc", "why"),
    [
        (service(), "no address is left"),
        (service(loadBalancerIP="203.0.113.1"), "already in use"),
        (service(loadBalancerIP="198.51.100.7"), "not in 203.0.113.0/30"),
    ],
)
def test_an_address_that_cannot_be_had_is_named(svc: Service, why: str) -> None:
    with pytest.raises(NoAddress, match=why):
        choose_addresses(svc, POOL, ("203.0.113.1", "203.0.113.2"))


def test_a_service_of_both_families_gets_an_address_of_each_in_its_order() -> None:
    svc = service("203.0.113.2", ipFamilies=["IPv6", "IPv4"])
    assert choose_addresses(svc, f"{POOL},2001:db8::/64", ()) == ("2001:db8::1", "203.0.113.2")
    with pytest.raises(NoAddress, match="there are no IPv6 addresses in 203"):
        choose_addresses(svc, POOL, ())


def test_a_class_of_its_own_is_somebody_elses() -> None:
    assert wants_load_balancer(service())
    assert not wants_load_balancer(service(loadBalancerClass="example.com/metal"))
    assert not wants_load_balancer(service(type="NodePort"))


def test_nodes_that_leave_or_are_excluded_are_not_behind_it() -> None:
    excluded = {"node.kubernetes.io_exclude-from-external-load-balancers": ""}
    nodes = [
        node("b", "node.kubernetes.io/not-ready"),
        node("a"),
        node("c", **excluded),
        node("d", "ToBeDeletedByClusterAutoscaler"),
        node("e", ip=""),
    ]
    assert [each.name for each in backends(nodes)] == ["a", "b"]


def test_the_policy_says_which_port_is_asked_for_health() -> None:
    assert load_balancer(service(), ("203.0.113.1",), (), "VIP").health_port == 10256
    local = service(externalTrafficPolicy="Local", healthCheckNodePort=31000)
    assert load_balancer(local, ("203.0.113.1",), (), "VIP").health_port == 31000
