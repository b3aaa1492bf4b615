from __future__ import annotations

import pytest

from k8slab.node.kube_proxy.types import endpoints_of, service_ports
from tests.node.kube_proxy.objects import endpoint, endpoint_slice, service


@pytest.mark.parametrize(
    "spec",
    [
        {"clusterIP": "None"},
        {"clusterIP": ""},
        {"type": "ExternalName", "externalName": "example.com", "clusterIP": ""},
        {"clusterIP": "fd00::10"},
    ],
)
def test_services_without_an_ipv4_address_of_their_own_are_not_proxied(spec: dict) -> None:
    assert service_ports(service(**spec)) == {}


def test_missing_protocol_and_conditions_have_their_defaults() -> None:
    (port,) = service_ports(service()).values()
    ((web,),) = endpoints_of([endpoint_slice(endpoint("10.244.1.2"))]).values()
    assert (port.name, port.protocol) == ("default/web", "tcp")
    assert (web.address, web.ready, web.serving, web.terminating) == (
        "10.244.1.2:8080", True, True, False,
    )  # fmt: skip


def test_endpoints_sort_as_text_and_come_once() -> None:
    one = endpoint_slice(endpoint("10.244.1.9"), endpoint("10.244.1.10"), name="a")
    two = endpoint_slice(endpoint("10.244.1.9"), name="b")
    (found,) = endpoints_of([two, one]).values()
    assert [each.ip for each in found] == ["10.244.1.10", "10.244.1.9"]


def test_client_ip_affinity_lasts_three_hours_by_default() -> None:
    (port,) = service_ports(service(sessionAffinity="ClientIP")).values()
    assert port.affinity_seconds == 10800


def test_a_load_balancer_that_rewrites_the_destination_itself_is_left_alone() -> None:
    ingress = [{"ip": "203.0.113.1", "ipMode": "Proxy"}, {"ip": "203.0.113.2", "ipMode": "VIP"}]
    web = service(type="LoadBalancer", status={"loadBalancer": {"ingress": ingress}})
    (port,) = service_ports(web).values()
    assert port.load_balancer_ips == ("203.0.113.2",)
