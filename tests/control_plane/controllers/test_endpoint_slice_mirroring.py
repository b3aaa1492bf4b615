"""Endpoints that people write, and the slices that are made of them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from k8slab.api import load
from k8slab.control_plane.controllers.endpoint_slice_mirroring import (
    MAX_ENDPOINTS,
    is_mirrored,
    mirror,
    plan,
)

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "outside", "namespace": "default"},
    "spec": {"ports": [{"port": 80}]},
}


def endpoints(*subsets: dict[str, Any], **metadata: Any) -> Any:
    meta = {"name": "outside", "namespace": "default", "uid": "u", **metadata}
    ports = [{"port": 8080, "protocol": "TCP"}]
    filled = [{"ports": ports, **subset} for subset in subsets]
    return load({"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": filled})


def addresses(*ips: str) -> list[dict[str, str]]:
    return [{"ip": ip} for ip in ips]


@pytest.mark.parametrize(
    ("spec", "metadata", "mirrored"),
    [
        ({}, {}, True),
        ({"selector": {"app": "web"}}, {}, False),
        ({}, {"labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}, False),
        ({}, {"annotations": {"control-plane.alpha.kubernetes.io/leader": "{}"}}, False),
    ],
)
def test_only_endpoints_without_another_author_are_mirrored(
    spec: dict[str, Any], metadata: dict[str, Any], mirrored: bool
) -> None:
    service: Any = load({**SERVICE, "spec": {**SERVICE["spec"], **spec}})  # type: ignore[dict-item]
    assert is_mirrored(service, endpoints(**metadata)) is mirrored
    assert not is_mirrored(None, endpoints())


def test_each_family_and_each_set_of_ports_has_a_slice() -> None:
    one = {
        "addresses": addresses("192.0.2.1", "2001:db8::1"),
        "notReadyAddresses": addresses("192.0.2.2"),
    }
    other = {"addresses": addresses("192.0.2.3"), "ports": [{"name": "tls", "port": 8443}]}
    four, six, tls = mirror(endpoints(one, other, labels={"a": "b"}), "outside")
    assert [(e.addresses[0], e.conditions.ready) for e in four.endpoints] == [
        ("192.0.2.1", True),
        ("192.0.2.2", False),
    ]
    assert (six.addressType, six.endpoints[0].addresses) == ("IPv6", ("2001:db8::1",))
    assert [port.port for port in tls.ports] == [8443]
    assert four.metadata.labels == {
        "a": "b",
        "kubernetes.io/service-name": "outside",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    }
    assert four.metadata.ownerReferences[0].kind == "Endpoints"


def test_of_too_many_addresses_the_first_thousand_are_mirrored() -> None:
    many = addresses(*(f"192.0.{n // 250}.{n % 250}" for n in range(MAX_ENDPOINTS + 5)))
    (one,) = mirror(endpoints({"addresses": many}), "outside")
    assert len(one.endpoints) == MAX_ENDPOINTS


def test_a_change_updates_the_slice_that_is_there_and_no_change_writes_nothing() -> None:
    (old,) = mirror(endpoints({"addresses": addresses("192.0.2.1")}), "outside")
    old = replace(old, metadata=replace(old.metadata, name="outside-abc"))
    same = mirror(endpoints({"addresses": addresses("192.0.2.1")}), "outside")
    assert plan(same, [old]) == ([], [], [])
    moved = mirror(endpoints({"addresses": addresses("192.0.2.9")}), "outside")
    _, (update,), _ = plan(moved, [old])
    assert update.metadata.name == "outside-abc"
    assert plan((), [old])[2] == [old]


def test_the_loop_follows_endpoints_and_ends_with_them(lab: Any) -> None:
    def slices() -> list[list[str]]:
        found = lab.all("EndpointSlice")
        return [[e.addresses[0] for e in one.endpoints] for one in found]

    lab.apply(SERVICE)
    lab.request(
        "create", "Endpoints", body=endpoints({"addresses": addresses("192.0.2.1")}, uid="")
    )
    lab.run(2)
    assert slices() == [["192.0.2.1"]]
    lab.request("delete", "Endpoints", "outside")
    lab.run(2)
    assert slices() == []
