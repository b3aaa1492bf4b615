"""What a real API server answered, fact by fact: ours must answer the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.control_plane.apiserver.reference import Replay, load

FACTS = Path(__file__).parents[4] / "shared" / "reference" / "api_behaviour.json"
# How many facts of each group hold; what is missing is explained below.
FLOOR = {
    "crud": 13,
    "fieldValidation": 3,
    "update": 5,
    "delete": 3,
    "finalizers": 4,
    "patch": 15,
    "scale": 3,
    "status": 1,
    "binding": 6,
    "eviction": 2,
    "poddelete": 2,
    "misc": 3,
    "propagation": 3,
    "defaulting": 15,
}
# Options in the URL that only the gateway reads: fv-bogus, dryrun-bad, method2 (a PUT to a
# collection). What controllers write, and none runs here: put-deploy-norv, patch-status-via-main,
# patch-unknown-strict (it quotes them), scale-get, scale-put, status-get, status-neg, pdb-status,
# evict-429, evict-pod-cond, prop-orphan.


def replayed() -> tuple[Counter[str], list[str]]:
    matched: Counter[str] = Counter()
    different = []
    for fact in load(FACTS):
        if fact["group"] not in FLOOR:
            continue
        difference = Replay().difference(fact)
        if difference:
            different.append(f"{fact['group']} {fact['id']}: {difference[:200]}")
        matched[fact["group"]] += not difference
    return matched, different


@pytest.mark.skipif(not FACTS.exists(), reason="the recorded facts are not here")
def test_the_api_server_answers_as_a_real_one_did() -> None:
    matched, different = replayed()
    report = "\n".join(different)
    for group, floor in FLOOR.items():
        assert matched[group] >= floor, f"{group}: {matched[group]} of {floor}\n{report}"
