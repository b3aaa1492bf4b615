"""Hints by the CPUs of the zones: who gets how many, and why nobody gets any."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.api.core import Node
from k8slab.api.discovery import EndpointSlice
from k8slab.control_plane.controllers.endpoint_slice.topology import (
    Allocation,
    allocations,
    cpu_ratios,
    is_overloaded,
    with_zones,
)

HALVES = {"a": 0.5, "b": 0.5}


def node(zone: str, cpu: str = "4", ready: str = "True", **labels: str) -> Node:
    known = {"topology.kubernetes.io/zone": zone} if zone else {}
    return cast(
        Node,
        load(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": "n", "labels": {**known, **labels}},
                "status": {
                    "allocatable": {"cpu": cpu} if cpu else {},
                    "conditions": [{"type": "Ready", "status": ready}],
                },
            }
        ),
    )


def made(*zones: str, hints: tuple[str, ...] = (), ready: bool = True) -> EndpointSlice:
    endpoints: list[dict[str, Any]] = [
        {"addresses": [f"10.0.0.{n + 1}"], "conditions": {"ready": ready}, "zone": zone or None}
        for n, zone in enumerate(zones)
    ]
    for one, hint in zip(endpoints, hints, strict=False):
        one["hints"] = {"forZones": [{"name": hint}]}
    return cast(
        EndpointSlice,
        load(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "addressType": "IPv4",
                "endpoints": endpoints,
            }
        ),
    )


def hints(*slices: EndpointSlice) -> str:
    found = [e.hints.forZones[0].name if e.hints else "-" for s in slices for e in s.endpoints]
    return "".join(found)


def test_shares_are_those_of_the_cpus_of_ready_workers() -> None:
    control = {"node-role.kubernetes.io/control-plane": ""}
    nodes = [node("b", "1"), node("a", "2"), node("a", "1"), node("b", "8", ready="False")]
    assert cpu_ratios([*nodes, node("", "4", **control)]) == {"a": 0.75, "b": 0.25}


@pytest.mark.parametrize("nodes", [[node("a")], [node("a"), node("")], [node("a"), node("b", "")]])
def test_one_zone_or_a_node_that_says_too_little_makes_no_shares(nodes: list[Node]) -> None:
    assert cpu_ratios(nodes) == {}


@pytest.mark.parametrize(
    ("ratios", "count", "found"),
    [
        (HALVES, 4, {"a": Allocation(2, 2, 2.0), "b": Allocation(2, 2, 2.0)}),
        ({"a": 0.75, "b": 0.25}, 5, {"a": Allocation(4, 4, 4.0), "b": Allocation(2, 2, 2.0)}),
        ({}, 3, "Insufficient Node information: allocatable CPU or zone not specified on one or"),
        (HALVES, 1, "Insufficient number of endpoints (1 endpoints, 2 zones)"),
        (HALVES, 3, "Unable to allocate minimum required endpoints to each zone without exceedin"),
    ],
)
def test_a_zone_may_be_overloaded_by_a_fifth(
    ratios: dict[str, float], count: int, found: Any
) -> None:
    result = allocations(ratios, count)
    if isinstance(found, str):
        assert str(result).startswith(found)
    elif count == 5:  # 4 and 2 are more than 5
        assert "Unable to allocate" in str(result)
    else:
        assert result == found


def test_zones_with_too_many_give_to_those_with_too_few() -> None:
    result = with_zones((made("a", "a", "a", "a"),), (), (), HALVES)
    assert hints(*result.create) == "bbaa"
    assert result.zones == {"a": 2, "b": 2}


def test_slices_that_still_fit_stay_as_they_are() -> None:
    fitting = made("a", "b", hints=("a", "b"))
    result = with_zones((), (made("a", "b"),), (fitting,), HALVES)
    assert result.keep == (fitting,)
    assert hints(*result.update) == "ab"


def test_a_slice_whose_hints_do_not_fit_is_written_anew() -> None:
    result = with_zones((), (), (made("a", "a", "a", "a", hints=("a",) * 4),), HALVES)
    assert (len(result.keep), hints(*result.update)) == (0, "bbaa")


def test_without_a_zone_or_enough_endpoints_all_hints_go() -> None:
    result = with_zones((made("a", ""),), (), (), HALVES)
    assert result.fault == "One or more endpoints do not have a zone specified"
    result = with_zones((made("a"),), (), (made("b", hints=("b",), ready=False),), HALVES)
    assert "Insufficient number of endpoints (1 endpoints, 2 zones)" in result.fault
    assert (hints(*result.create), hints(*result.update)) == ("-", "-")


def test_a_zone_that_grows_overloads_its_endpoints() -> None:
    assert not is_overloaded({"a": 2, "b": 2}, HALVES)
    assert is_overloaded({"a": 2, "b": 2}, {"a": 0.75, "b": 0.25})
    assert is_overloaded({"a": 4}, HALVES)


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
    st.lists(st.integers(1, 9), min_size=2, max_size=3),
)
def test_every_endpoint_is_given_to_one_zone_or_none_is(zones: list[str], cpus: list[int]) -> None:
    ratios = {zone: cpu / sum(cpus) for zone, cpu in zip("abc", cpus, strict=False)}
    result = with_zones((made(*zones),), (), (), ratios)
    if result.fault:
        assert set(hints(*result.create)) == {"-"}
        return
    given_to = hints(*result.create)
    assert sum(result.zones.values()) == len(zones)
    assert all(given_to.count(zone) == count for zone, count in result.zones.items())
