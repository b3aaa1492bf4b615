from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.control_plane.controllers.endpoints import MAX_CAPACITY, subsets_of, truncated
from tests.control_plane.controllers.recorded import RECORDED, live_through, scenario


def slice_(port: int, *endpoints: tuple[str, str]) -> Any:
    """A slice by (address, state): ready, notready, ending or published while it ends."""
    conditions = {
        "ready": {"ready": True},
        "notready": {"ready": False},
        "ending": {"ready": False, "terminating": True},
        "published": {"ready": True, "terminating": True},
    }
    return load(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": f"s{port}"},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [ip], "conditions": conditions[s]} for ip, s in endpoints],
            "ports": [{"name": "", "port": port, "protocol": "TCP"}],
        }
    )


def test_ready_and_not_ready_addresses_stand_apart_and_ending_ones_nowhere() -> None:
    states = (("10.0.0.10", "ready"), ("10.0.0.9", "ready"), ("10.0.0.1", "notready"))
    (subset,) = subsets_of([slice_(80, *states, ("10.0.0.2", "ending"), ("10.0.0.3", "published"))])
    assert [a.ip for a in subset.addresses] == ["10.0.0.3", "10.0.0.9", "10.0.0.10"]
    assert [a.ip for a in subset.notReadyAddresses] == ["10.0.0.1"]


def test_slices_with_the_same_ports_become_one_subset() -> None:
    slices = [slice_(81, ("10.0.0.1", "ready")), slice_(80, ("10.0.0.2", "ready"))]
    subsets = subsets_of([*slices, slice_(80, ("10.0.0.3", "ready"))])
    assert [(s.ports[0].port, len(s.addresses)) for s in subsets] == [(80, 2), (81, 1)]


def test_of_too_many_addresses_the_ready_ones_stay() -> None:
    waiting = [(f"10.0.{n // 250}.{n % 250}", "notready") for n in range(MAX_CAPACITY)]
    subsets, cut = truncated(subsets_of([slice_(80, ("10.9.9.9", "ready"), *waiting)]))
    assert cut
    assert len(subsets[0].addresses) == 1
    assert len(subsets[0].notReadyAddresses) == MAX_CAPACITY - 1


def test_a_service_has_endpoints_as_long_as_it_lives(lab: Any, web: Any) -> None:
    lab.apply(web(2))
    ports = [{"port": 80}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    lab.apply({**service, "spec": {"selector": {"app": "web"}, "ports": ports}})
    lab.run(2)
    found = lab.get("Endpoints", "web")
    assert [len(s.addresses) for s in found.subsets] == [2]
    assert dict(found.metadata.labels) == {
        "endpoints.kubernetes.io/managed-by": "endpoint-controller"
    }
    lab.request("delete", "Service", "web")
    lab.run(1)
    assert lab.all("Endpoints") == []


def test_a_service_that_comes_after_its_pods_gets_its_endpoints_in_one_write(
    lab: Any, web: Any
) -> None:
    lab.apply(web(2))
    lab.run(2)
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    lab.apply({**service, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})
    lab.run(2)
    assert lab.writes("endpoint-controller") == ["create Endpoints/default/web"]


@pytest.mark.skipif(not RECORDED.exists(), reason="no recordings here")
@pytest.mark.parametrize("name", ["sts-create", "sts-scale-down", "sts-update", "sts-partition"])
def test_endpoints_pass_through_the_recorded_states(name: str) -> None:
    found = scenario(name)
    seen = [
        (
            sum(len(subset.addresses) for subset in written.subsets),
            sum(len(subset.notReadyAddresses) for subset in written.subsets),
        )
        for _, request, written in live_through(found).notes
        if request.resource == "endpoints"
    ]
    recorded = [
        tuple(map(sum, zip(*[(s["ready"], s["notReady"]) for s in subsets], strict=True)))
        if (subsets := write.get("fields", {}).get("subsets", []))
        else (0, 0)
        for write in found["writes"]
        if write["who"] == "endpoint-controller" and write["code"] < 300
    ]
    assert seen == recorded
