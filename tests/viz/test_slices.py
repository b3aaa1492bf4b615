"""Services, their slices and the addresses in them."""

import pytest

from k8slab.api.discovery import Endpoint, EndpointConditions
from k8slab.viz import slice_graph
from k8slab.viz.slices import kind_of, read
from tests.viz import pretend
from tests.viz.legibility import faults

CASES = [
    ({}, "ready"),
    ({"ready": True, "serving": True, "terminating": False}, "ready"),
    ({"ready": False, "serving": False}, "not ready"),
    ({"ready": False, "serving": True, "terminating": True}, "terminating"),
    ({"ready": False, "serving": False, "terminating": True}, "ending"),
]


@pytest.mark.parametrize(("conditions", "kind"), CASES)
def test_three_conditions_make_four_kinds(conditions, kind) -> None:
    endpoint = Endpoint(addresses=("10.1.1.1",), conditions=EndpointConditions(**conditions))
    assert kind_of(endpoint) == kind


@pytest.mark.parametrize("pods", [1, 6, 40])
def test_slices_of_any_size_can_be_read(pods) -> None:
    figure = slice_graph(pretend.cluster(2, pods))
    assert f"1 slice with {pods} addresses" in figure.alt
    assert faults(figure.drawing, (1.0,)) == []


def test_the_words_list_every_address_with_its_condition() -> None:
    assert slice_graph(pretend.cluster(1, 3)).text == (
        "EndpointSlices at 12.250 s:\n"
        "  web <- web-abcde, no ports:\n"
        "    10.244.1.2 web-x00kp: ready\n"
        "    10.244.1.3 web-x01kp: ready\n"
        "    10.244.1.4 web-x02kp: not ready"
    )


def test_a_pod_that_is_selected_but_has_no_address_is_in_no_slice() -> None:
    made = pretend.cluster(1, 2)
    made.write("you", pretend.pod("late", labels={"app": "web"}, state="Pending"))
    _, loose = read(made.view, "default")
    assert [spot.pod for spot in loose] == ["late"]
    figure = slice_graph(made)
    assert "in no slice: late (ContainerCreating), no address" in figure.text
    assert faults(figure.drawing, (1.0,)) == []


def test_many_services_and_slices_do_not_lie_on_one_another() -> None:
    made = pretend.cluster(1, 2)
    for name in ("api", "blue", "canary", "door"):
        made.write("you", pretend.service(name, {"app": "web"}))
        made.write(
            "you", pretend.slice_of(name, {f"{name}-{n}": (f"10.1.1.{n}", True) for n in (1, 2)})
        )
    assert faults(slice_graph(made).drawing, (1.0,)) == []
    assert slice_graph(made, services=("api",)).alt.count("1 slice with 2 addresses")


def test_a_service_without_slices_is_named() -> None:
    with pytest.raises(ValueError, match="no EndpointSlices of none in default"):
        slice_graph(pretend.cluster(1, 1), services=("none",))
