"""What real controllers wrote, scenario by scenario, and what ours write."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control_plane.controllers.reference import (
    RECORDED,
    final_status,
    recorded_status,
    recorded_writes,
    replay,
    scenario,
    wrote,
)

pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason="no recordings here")


@pytest.mark.parametrize(
    "name",
    ["sts-create", "sts-scale-down", "sts-update", "sts-partition", "sts-parallel", "sts-blocked"],
)
def test_a_stateful_set_writes_as_recorded(lab: Any, name: str) -> None:
    found = scenario(name)
    replay(lab, found["steps"])
    user = "statefulset-controller"
    assert wrote(lab, user) == recorded_writes(found, user)
    assert final_status(lab, "StatefulSet", "db") == recorded_status(found, "statefulsets")
    told = [e["message"] for e in found["events"] if e["who"] == user]
    assert len([e for e in lab.events("db") if "StatefulSet db" in e]) == len(set(told))
