"""The lab prints what real kubectl printed, wherever the clusters are alike.

What differs is the cluster: the recordings have no kubelet, no system Pods and no control-plane
node, but rights, Endpoints, quotas and the API's own descriptions of its fields.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.kubectl.replay import agrees, group_of, scenes

RECORDED = Path(__file__).parents[3] / "shared" / "reference" / "kubectl_text.json"
FLOOR = {
    "annotate": 2,
    "apply": 10,
    "auth": 2,
    "autoscale": 1,
    "cordon": 1,
    "create": 38,
    "delete": 5,
    "describe": 13,
    "exec": 1,
    "expose": 2,
    "get": 34,
    "label": 6,
    "patch": 9,
    "replace": 2,
    "rollout": 16,
    "run": 1,
    "scale": 4,
    "set": 4,
    "taint": 1,
    "uncordon": 1,
    "wait": 3,
}


@pytest.mark.skipif(not RECORDED.exists(), reason="the recordings are not here")
def test_recorded_sessions_print_the_same() -> None:
    recordings = json.loads(RECORDED.read_text(encoding="utf-8"))
    matched, total = Counter[str](), Counter[str]()
    for recording, result in scenes(recordings):
        group = group_of(recording["command"])
        total[group] += 1
        matched[group] += agrees(recording, result)
    print({group: f"{matched[group]}/{total[group]}" for group in total})
    short = {group: matched[group] for group, floor in FLOOR.items() if matched[group] < floor}
    assert not short, f"fewer agree than before: {short}"
    assert matched.total() >= 156, f"{matched.total()} of {total.total()}"
