from __future__ import annotations

from typing import Any

import pytest

MORE = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "ServiceCIDR",
    "metadata": {"name": "more"},
    "spec": {"cidrs": ["10.200.0.0/24"]},
}


@pytest.fixture
def more(lab: Any) -> Any:
    lab.apply(MORE)
    lab.run(1)
    return lab


def web(lab: Any) -> None:
    spec = {"clusterIP": "10.200.0.9", "ports": [{"port": 80}]}
    lab.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})


def condition(lab: Any) -> Any:
    (found,) = lab.get("ServiceCIDR", "more").status.conditions
    return found


def test_a_range_is_ready(more: Any) -> None:
    assert (condition(more).type, condition(more).status) == ("Ready", "True")
    assert condition(more).message == "Kubernetes Service CIDR is ready"


def test_a_range_that_nobody_needs_goes_after_ten_seconds(more: Any) -> None:
    more.request("delete", "ServiceCIDR", "more")
    more.run(8)
    assert more.all("ServiceCIDR")
    more.run(3)
    assert more.all("ServiceCIDR") == []


def test_a_range_in_use_stays_until_its_last_service_goes(more: Any) -> None:
    web(more)
    more.request("delete", "ServiceCIDR", "more")
    more.run(12)
    assert (condition(more).status, condition(more).reason) == ("False", "Terminating")
    assert "There are still IPAddresses referencing the ServiceCIDR" in condition(more).message
    more.request("delete", "Service", "web")
    more.run(1)
    assert more.all("ServiceCIDR") == []


def test_a_range_within_another_can_go(more: Any) -> None:
    web(more)
    wide = {**MORE, "metadata": {"name": "wide"}, "spec": {"cidrs": ["10.200.0.0/16"]}}
    more.apply(wide)
    more.request("delete", "ServiceCIDR", "more")
    more.run(12)
    assert [each.metadata.name for each in more.all("ServiceCIDR")] == ["wide"]
