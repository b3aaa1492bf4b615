"""Of several Pods, which one is looked into."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.kubectl.pods_of import _least_restarted, _most_restarted

LONG, SHORT = "2026-01-01T00:00:01Z", "2026-01-01T00:00:09Z"


def pod(name: str, since: str = LONG, ready: bool = True, restarts: int = 0, **status: Any) -> Any:
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": since}
    container = {"name": "c", "restartCount": restarts, "image": "x", "imageID": ""}
    return load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name},
            "spec": {"nodeName": status.pop("node", "n"), "containers": [{"name": "c"}]},
            "status": {
                "phase": "Running",
                "conditions": [condition],
                "containerStatuses": [{**container, "ready": ready}],
                **status,
            },
        }
    )


@pytest.mark.parametrize(
    "worse",
    [
        pod("worse", node=""),
        pod("worse", phase="Pending"),
        pod("worse", ready=False),
        pod("worse", since=SHORT),
    ],
)
@pytest.mark.parametrize("order", [_most_restarted, _least_restarted])
def test_the_one_that_is_placed_runs_and_is_ready_for_longer(worse: Any, order: Any) -> None:
    assert min([worse, pod("better")], key=order).metadata.name == "better"


def test_logs_want_the_one_that_restarted_and_commands_the_one_that_did_not() -> None:
    calm, restless = pod("calm"), pod("restless", restarts=3)
    assert min([calm, restless], key=_most_restarted) is restless
    assert min([restless, calm], key=_least_restarted) is calm
