"""The lab prints what real kubectl printed, on a control plane like that of the recordings.

Sentences of `kubectl explain` are not compared: the lab has its own.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.kubectl.replay import agrees, group_of, outline, scenes

RECORDED = Path(__file__).parents[3] / "shared" / "reference" / "kubectl_text.json"
NO_DRA = "no plugin for dynamic resources; Events of the scheduler are no series"
DIFFERENT = {
    "kubectl auth can-i --list --as=system:serviceaccount:default:bot": (
        "the downstream's system:discovery names /.well-known, upstream's does not"
    ),
    "kubectl api-resources": "kinds that the lab does not have",
    "kubectl describe pdb db": "whether the budget was looked at before the first Pod: a race",
    "kubectl describe pod big": NO_DRA,
    "kubectl events --for pod/big": NO_DRA,
}


@pytest.mark.skipif(not RECORDED.exists(), reason="the recordings are not here")
def test_recorded_sessions_print_the_same() -> None:
    recordings = json.loads(RECORDED.read_text(encoding="utf-8"))
    matched, total = Counter[str](), Counter[str]()
    different = []
    for recording, result in scenes(recordings):
        command = recording["command"]
        total[group_of(command)] += 1
        if agrees(recording, result):
            matched[group_of(command)] += 1
        elif command not in DIFFERENT:
            different.append(command)
    print({group: f"{matched[group]}/{total[group]}" for group in total})
    assert not different
    assert matched.total() >= total.total() - len(DIFFERENT)


def test_an_outline_of_explain_has_no_sentences() -> None:
    heading = ["KIND:       Job", "FIELD: x <string>", "ENUM:", "    A", "DESCRIPTION:"]
    said = ["    Some words.", "    ", "    Possible enum values:"]
    fields = ["FIELDS:", "  y\t<string>"]
    text = [*heading, *said, '     - `"A"` is', "    the first.", "", *fields, "    It."]
    assert outline("\n".join(text)) == [*heading, '     - `"A"`', *fields]
