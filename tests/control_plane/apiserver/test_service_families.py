"""ipFamilyPolicy, ipFamilies and clusterIPs, on clusters of one family and of both."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.core import Service
from k8slab.api.errors import ApiError
from k8slab.client import MERGE_PATCH
from k8slab.control_plane.apiserver.allocators import NodePorts, service_ranges
from k8slab.control_plane.apiserver.service_ports import ServiceAllocator
from k8slab.sim import Simulation

BOTH, FOUR, SIX = "10.96.0.0/12,fd00:10:96::/112", "10.96.0.0/12", "fd00:10:96::/112"
PREFER, REQUIRE = "PreferDualStack", "RequireDualStack"


def allocator(ranges: str) -> ServiceAllocator:
    return ServiceAllocator(Simulation(3).streams.rng("t"), service_ranges(ranges), NodePorts())


def service(**spec: Any) -> Service:
    spec = {"type": "ClusterIP", "selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
    made = load({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
    assert isinstance(made, Service)
    return made


def families(made: Service) -> tuple[list[str], str | None]:
    found = ["IPv6" if ":" in address else "IPv4" for address in made.spec.clusterIPs]
    assert found == list(made.spec.ipFamilies)
    assert made.spec.clusterIP == made.spec.clusterIPs[0]
    return found, made.spec.ipFamilyPolicy


@pytest.mark.parametrize(
    ("ranges", "spec", "found"),
    [
        (FOUR, {}, (["IPv4"], "SingleStack")),
        (SIX, {}, (["IPv6"], "SingleStack")),
        (BOTH, {}, (["IPv4"], "SingleStack")),
        ("fd00:10:96::/112,10.96.0.0/12", {}, (["IPv6"], "SingleStack")),
        (BOTH, {"ipFamilies": ["IPv6"]}, (["IPv6"], "SingleStack")),
        (BOTH, {"clusterIP": "fd00:10:96::abc"}, (["IPv6"], "SingleStack")),
        (FOUR, {"ipFamilyPolicy": PREFER}, (["IPv4"], PREFER)),
        (BOTH, {"ipFamilyPolicy": PREFER}, (["IPv4", "IPv6"], PREFER)),
        (BOTH, {"ipFamilyPolicy": REQUIRE, "ipFamilies": ["IPv6"]}, (["IPv6", "IPv4"], REQUIRE)),
        (
            BOTH,
            {"ipFamilyPolicy": REQUIRE, "clusterIPs": ["10.96.0.9"]},
            (["IPv4", "IPv6"], REQUIRE),
        ),
    ],
)
def test_a_service_gets_an_address_of_each_of_its_families(
    ranges: str, spec: dict[str, Any], found: tuple[list[str], str]
) -> None:
    assert families(allocator(ranges).allocate(service(**spec))) == found


@pytest.mark.parametrize(
    ("ranges", "spec", "message"),
    [
        (FOUR, {"ipFamilyPolicy": REQUIRE}, "not configured for dual-stack services"),
        (FOUR, {"ipFamilies": ["IPv6"]}, r'ipFamilies\[0\]: Invalid value: "IPv6": not configured'),
        (BOTH, {"ipFamilies": ["IPv4", "IPv6"]}, "when multiple 'ipFamilies' are specified"),
        (
            BOTH,
            {"clusterIPs": ["10.96.0.9", "fd00:10:96::9"], "ipFamilyPolicy": "SingleStack"},
            "when multiple 'clusterIPs' are specified",
        ),
        (BOTH, {"clusterIP": "fd00::1"}, "does not match the current range"),
    ],
)
def test_what_the_cluster_cannot_give_is_said_so(
    ranges: str, spec: dict[str, Any], message: str
) -> None:
    with pytest.raises(ApiError, match=message):
        allocator(ranges).allocate(service(**spec))


def test_a_service_can_get_a_second_address_and_give_it_up() -> None:
    ranges = allocator(BOTH)
    one = ranges.allocate(service())
    both = ranges.allocate(service(clusterIP=one.spec.clusterIP, ipFamilyPolicy=PREFER), one)
    assert families(both) == (["IPv4", "IPv6"], PREFER)
    assert both.spec.clusterIP == one.spec.clusterIP
    fields = {"clusterIPs": both.spec.clusterIPs, "ipFamilies": both.spec.ipFamilies}
    again = ranges.allocate(service(ipFamilyPolicy="SingleStack", **fields), both)
    assert families(again) == (["IPv4"], "SingleStack")
    ranges.release(both, keep=again)
    assert ranges.allocate(service(clusterIP=both.spec.clusterIPs[1]))


def test_one_that_prefers_both_is_not_changed_behind_its_back() -> None:
    one = allocator(FOUR).allocate(service(ipFamilyPolicy=PREFER))
    grown = allocator(BOTH)
    grown.adopt(one)
    assert families(grown.allocate(one, one)) == (["IPv4"], PREFER)


def test_a_headless_service_without_selector_may_have_both_anywhere() -> None:
    made = allocator(FOUR).allocate(
        service(clusterIP="None", selector={}, ipFamilyPolicy=PREFER, ports=[])
    )
    assert (made.spec.ipFamilies, made.spec.clusterIPs) == (("IPv4", "IPv6"), ("None",))


def test_the_api_server_judges_the_rest(lab: Any) -> None:
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    spec = {"ports": [{"port": 80}], "ipFamilies": ["IPv4", "IPv4"]}
    with pytest.raises(ApiError, match=r'ipFamilies\[1\]: Duplicate value: "IPv4"'):
        lab.create(manifest | {"spec": spec})
    spec = {"ports": [{"port": 80}], "ipFamilyPolicy": PREFER}
    spec["clusterIPs"] = ["10.96.0.8", "10.96.0.9"]
    with pytest.raises(ApiError, match="may specify no more than one IP for each IP family"):
        lab.create(manifest | {"spec": spec})
    assert lab.create(manifest | {"spec": {"ports": [{"port": 80}]}}).spec.ipFamilies == ("IPv4",)
    patched = lab.patch("Service", "web", {"spec": {"ipFamilyPolicy": PREFER}}, MERGE_PATCH)
    assert (patched.spec.ipFamilyPolicy, patched.spec.ipFamilies) == (PREFER, ("IPv4",))
