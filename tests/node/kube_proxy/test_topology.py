from __future__ import annotations

import pytest

from k8slab.node.kube_proxy.topology import NodeView, categorize
from k8slab.node.kube_proxy.types import Endpoint, ServicePort

HERE = NodeView("node-1", zone="zone-a")


def port(**fields: object) -> ServicePort:
    return ServicePort(
        name="default/web", protocol="tcp", cluster_ip="10.96.1.2", port=80, **fields
    )


def ep(last: int, **fields: object) -> Endpoint:
    return Endpoint(f"10.244.1.{last}:80", f"10.244.1.{last}", **fields)


def last(endpoints: tuple[Endpoint, ...]) -> list[int]:
    return [int(endpoint.ip.rpartition(".")[2]) for endpoint in endpoints]


GONE = {"ready": False, "serving": True, "terminating": True}
NOT_READY = {"ready": False, "serving": False}


@pytest.mark.parametrize(
    ("endpoints", "usable"),
    [
        ([ep(1), ep(2, **NOT_READY)], [1]),
        ([ep(1), ep(2, **GONE)], [1]),
        ([ep(1, **NOT_READY), ep(2, **GONE)], [2]),
        ([ep(1, **NOT_READY)], []),
        ([ep(1, zone_hints=("zone-a",)), ep(2, zone_hints=("zone-b",))], [1]),
        ([ep(1, zone_hints=("zone-a",)), ep(2)], [1, 2]),
        ([ep(1, zone_hints=("zone-b",)), ep(2, zone_hints=("zone-c",))], [1, 2]),
        ([ep(1, zone_hints=("zone-b",)), ep(2, zone_hints=("zone-a",), **NOT_READY)], [1]),
        ([ep(1, node_hints=("node-1",)), ep(2, node_hints=("node-2",))], [1]),
    ],
)
def test_cluster_policy_takes_ready_endpoints_near_ones_first(
    endpoints: list[Endpoint], usable: list[int]
) -> None:
    found = categorize(endpoints, port(), HERE)
    assert last(found.cluster) == usable
    assert found.any_usable is bool(usable)


@pytest.mark.parametrize(
    ("endpoints", "local", "any_usable"),
    [
        ([ep(1, node="node-1"), ep(2, node="node-2")], [1], True),
        ([ep(2, node="node-2")], [], True),
        ([ep(1, node="node-1", **GONE), ep(2, node="node-2")], [1], True),
        ([ep(1, node="node-1", **NOT_READY)], [], False),
    ],
)
def test_local_policy_stays_on_the_node(
    endpoints: list[Endpoint], local: list[int], any_usable: bool
) -> None:
    found = categorize(endpoints, port(internal_policy_local=True), HERE)
    assert (last(found.local), found.any_usable) == (local, any_usable)
    assert found.cluster == ()


def test_an_external_local_policy_keeps_all_endpoints_for_clients_inside() -> None:
    web = port(external_policy_local=True, node_port=30080)
    found = categorize([ep(1, node="node-1", **GONE), ep(2, node="node-2")], web, HERE)
    assert (last(found.cluster), last(found.local), last(found.reachable)) == ([2], [1], [1, 2])


def test_a_policy_without_an_outside_address_changes_nothing() -> None:
    found = categorize([ep(1, node="node-2")], port(external_policy_local=True), HERE)
    assert (last(found.cluster), found.local) == ([1], ())
