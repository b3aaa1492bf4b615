"""The back matter says what the course says."""

import json
import re
from pathlib import Path

from k8slab.classroom.mutants import MUTANTS
from k8slab.cluster.replacing import REPLACEABLE

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (\*\*.+?) \| .+ \|$", re.MULTILINE)


def doc(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_every_term_of_the_chapters_is_in_the_glossary_once() -> None:
    terms = [row.split(" | ")[0] for row in ROW.findall(doc("glossary.md"))]
    assert len(terms) == len(set(terms)) > 50
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if "### Glossary" in source:
                assert set(ROW.findall(source)) <= set(terms), path.name


def test_everything_replaceable_is_in_its_table() -> None:
    assert re.findall(r"^\| `(\w+)` \|", doc("replace.md"), re.MULTILINE) == [
        *("controller", "replica_set", "deployment", "scheduler_plugins", "pod_phase"),
        *("probe_effects", "stop_delay", "eviction_delay", "endpoint_slice", "queries"),
        "keeps_open",
        *("dns_answer", "kube_proxy"),
    ]
    assert set(re.findall(r"^\| `(\w+)` \|", doc("replace.md"), re.MULTILINE)) == set(REPLACEABLE)


def test_the_mutants_that_are_named_exist() -> None:
    text = doc("replace.md") + doc("instructors.md")
    assert set(re.findall(r'what_if\(cluster, "([^"]+)"\)', text)) <= set(MUTANTS)
    assert "eleven" in doc("replace.md")
    assert len(MUTANTS) == 11
