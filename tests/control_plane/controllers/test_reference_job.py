"""What the real Job and TTL controllers wrote, and what ours write."""

from __future__ import annotations

import re
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
    ("name", "users"),
    [
        ("job-deadline", ["job-controller"]),
        ("job-ttl", ["job-controller", "ttl-after-finished-controller"]),
    ],
)
def test_a_job_writes_as_recorded(lab: Any, name: str, users: list[str]) -> None:
    found = scenario(name)
    replay(lab, found["steps"])
    for user in users:
        assert wrote(lab, user) == recorded_writes(found, user)
    told = [f"{e['reason']}: {e['message']}" for e in found["events"] if e["who"] == users[0]]
    ours = [re.sub(r"pod: j-\w{5}$", "pod: j-p1", text) for text in lab.events("j")]
    assert ours == told


def test_a_job_past_its_deadline_ends_as_recorded(lab: Any) -> None:
    found = scenario("job-deadline")
    replay(lab, found["steps"])
    assert final_status(lab, "Job", "j") == recorded_status(found, "jobs")
    conditions = [(c.type, c.status, c.reason) for c in lab.get("Job", "j").status.conditions]
    recorded = found["final"]["jobs"][0]["conditions"]
    assert conditions == [(c["type"], c["status"], c["reason"]) for c in recorded]
