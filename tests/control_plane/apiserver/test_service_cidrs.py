"""Ranges of Service addresses, and an object for each address that is in use."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api.errors import ApiError
from k8slab.control_plane.apiserver import APIServer


def service(lab: Any, name: str = "web", **spec: Any) -> Any:
    return lab.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"ports": [{"port": 80}], **spec},
        }
    )


def cidr(lab: Any, *cidrs: str, name: str = "more") -> Any:
    manifest = {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR"}
    return lab.create({**manifest, "metadata": {"name": name}, "spec": {"cidrs": list(cidrs)}})


def addresses(lab: Any) -> dict[str, str]:
    found = lab.request("list", "IPAddress").items
    return {each.metadata.name: each.spec.parentRef.name for each in found}


def test_each_service_with_an_address_has_an_object_for_it(lab: Any) -> None:
    made = service(lab)
    service(lab, "headless", clusterIP="None")
    (address,) = lab.request("list", "IPAddress").items
    assert address.metadata.name == made.spec.clusterIP
    assert address.metadata.labels == {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }
    reference = address.spec.parentRef
    assert (reference.resource, reference.namespace, reference.name) == (
        "services",
        "default",
        "web",
    )


def test_the_address_goes_with_the_service_or_its_type(lab: Any) -> None:
    service(lab)
    service(lab, "other")
    lab.request("delete", "Service", "web")
    change = {"spec": {"type": "ExternalName", "externalName": "a.b", "clusterIP": None}}
    lab.patch("Service", "other", change, "application/merge-patch+json")
    assert addresses(lab) == {}


def test_a_new_range_serves_when_it_is_asked_or_the_first_is_full(lab: Any) -> None:
    with pytest.raises(ApiError, match="does not match the current range"):
        service(lab, clusterIP="10.200.0.9")
    cidr(lab, "10.200.0.0/24")
    assert service(lab, clusterIP="10.200.0.9").spec.clusterIP == "10.200.0.9"
    with pytest.raises(ApiError, match="provided IP is already allocated"):
        service(lab, "again", clusterIP="10.200.0.9")


def test_a_full_range_is_helped_out_by_another(lab: Any) -> None:
    lab.server = APIServer(lab.sim, lab.endpoint, service_cidr="10.96.0.0/30")
    lab.server.start()
    for name in ("a", "b"):
        service(lab, name)
    with pytest.raises(ApiError, match="range is full"):
        service(lab, "c")
    cidr(lab, "10.200.0.0/28")
    assert service(lab, "c").spec.clusterIP.startswith("10.200.0.")


def test_ranges_are_known_to_the_next_api_server(lab: Any) -> None:
    cidr(lab, "10.200.0.0/24")
    service(lab, clusterIP="10.200.0.9")
    lab.server.stop()
    lab.server = APIServer(lab.sim, lab.endpoint)
    lab.server.start()
    with pytest.raises(ApiError, match="already allocated"):
        service(lab, "again", clusterIP="10.200.0.9")


@pytest.mark.parametrize(
    ("cidrs", "text"),
    [
        ((), "spec.cidrs: Required value: at least one CIDR required"),
        (("10.0.0.0/24", "10.1.0.0/24"), "may specify no more than one IP for each IP family"),
        (("10.0.0.0",), "spec.cidrs[0]: Invalid value"),
    ],
)
def test_a_range_is_checked(lab: Any, cidrs: tuple[str, ...], text: str) -> None:
    with pytest.raises(ApiError) as found:
        cidr(lab, *cidrs)
    assert text in found.value.message
