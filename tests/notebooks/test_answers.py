"""The answers that a chapter folds away are right: put into the blanks, they run and say so."""

import re
from pathlib import Path
from typing import Any

import pytest

from tools import notebook_files

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FOLDED = re.compile(r"<summary>(?:Answer|One solution)</summary>\s*`([^`]+)`")
SAYS = {  # what the cells print once their blanks are filled
    "00_meet_the_lab": ("deployment.apps/hello scaled", "'Done: 3 Running Pods'"),
    "01_the_cast": ("Pending", "answered without kube-proxy", "True"),
    "02_one_write_many_watchers": ("the object has been modified", "yes", "True"),
    "03_from_manifest_to_running": ("fish   0/1     Pending", "SchedulingGated", "True"),
    "04_the_life_of_a_pod": ("Succeeded", "ready: True, restarts: 0, patience: True", "True"),
    "05_where_pods_land": ("bell   1/1     Running", "worker-3   <none>", "True"),
    "06_why_services_exist": ("service/canary created", "canary scaled", "True"),
    "07_names_cluster_dns": ("1 name asked for: 10.", "ndots 1: 3 as you said", "True"),
    "08_replica_sets_and_scheduling": (
        "the royal box is served: True",
        "replicaset.apps/choir created",
        "True",
    ),
    "09_rollouts": ("maxUnavailable 0: at least 4 ready", "at most 4 in all", "True"),
    "10_from_selector_to_endpoint_slice": (
        "roll-call says ready: True",
        "--to-destination 192.168.10.13:9999",
        "True",
    ),
    "11_from_endpoint_slice_to_network_rules": (
        "as you said: True",
        "1 cabs took 12 calls",
        "True",
    ),
    "12_one_request_end_to_end": ("control-plane: answered", "as you said", "True"),
    "13_when_things_die": ("hasty was deleted in time: True", "as you said", "True"),
    "14_scale_and_other_data_planes": ("meant for: worker-", "2 write(s), 4.5", "True"),
}


def solve(notebook: Any) -> int:
    """Put each folded answer into the code cell below it; return how many there were."""
    answer, found = "", 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            answer = next(iter(FOLDED.findall(cell.source)), "")
            continue
        target = answer.partition(" = ")[0]
        lines = cell.source.splitlines()
        for number, line in enumerate(lines):
            is_blank = answer and line.startswith(f"{target} = ")
            is_body = answer.startswith("return ") and line.lstrip().startswith("return ")
            if is_blank or is_body:
                lines[number] = " " * (len(line) - len(line.lstrip())) + answer
                answer, found = "", found + 1
        cell.source = "\n".join(lines)
    return found


def printed(cell: Any) -> str:
    outputs = cell.get("outputs", ())
    return "".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_folded_answers_are_right(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8SLAB_LEDGER", "off")
    notebook = notebook_files.read(path)
    assert solve(notebook) == 3
    notebook_files.execute(notebook, path.parent)
    said = [printed(cell) for cell in notebook.cells if cell.metadata.part in ("modify", "make")]
    assert "still blank" not in "".join(said)
    for words in SAYS[path.stem]:
        assert any(words in text for text in said), (words, said)
