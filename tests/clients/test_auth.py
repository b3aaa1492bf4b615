"""Real kubectl asks who it is and what it may do, and prints what the lab's kubectl prints."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8slab import Cluster
from tests.clients.conftest import KUBECTL, Kubectl

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
ROLES = (
    "create serviceaccount bot",
    "create role reader --verb=get,list --resource=pods",
    "create rolebinding bot-reads --role=reader --serviceaccount=default:bot",
)
BOT = "--as=system:serviceaccount:default:bot"
COMMANDS = (
    "auth whoami",
    "auth whoami --as=bob --as-group=devs",
    f"auth can-i list pods {BOT}",
    f"auth can-i delete pods/web {BOT}",
    f"auth can-i --list {BOT}",
    "auth can-i --list",
    "auth can-i list nodes",
    "auth can-i foo foos.bar",
    "auth can-i get /metrics --as=bob",
    "auth can-i list",
    "auth can-i list pods --no-headers",
    "auth can-i --list -A",
    "get nodes --as=alice",
    "get pods --as-group=devs",
    f"delete pod --all {BOT}",
    "create token nobody",
    "create token bot --duration=5s",
    "create token bot --bound-object-kind=Foo",
    "create token bot --audience=a -o jsonpath={.spec.audiences}",
)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Cluster, Kubectl]]:
    cluster = Cluster(workers=1, seed=7, rbac=True)
    for command in ROLES:
        cluster.kubectl(command)
    with cluster.serve():
        yield cluster, Kubectl({k: v for k, v in os.environ.items() if k.startswith("KUBE")})


@pytest.mark.parametrize("command", COMMANDS)
def test_both_kubectls_print_the_same(served: tuple[Cluster, Kubectl], command: str) -> None:
    cluster, kubectl = served
    real: subprocess.CompletedProcess[str] = kubectl.run(command)
    with cluster.turn:
        task = cluster._get_kubectl().run(command)
        ours = cluster.sim.complete(task, command, 60.0)
    assert (ours.stdout, ours.stderr, ours.exit_code) == (
        real.stdout,
        real.stderr,
        real.returncode,
    )


def test_a_token_opens_the_api_for_its_account(served: tuple[Cluster, Kubectl]) -> None:
    import json
    import urllib.request

    _, kubectl = served
    token = kubectl("create token bot").strip()
    config = Path(os.environ["KUBECONFIG"]).read_text(encoding="utf-8")
    url = next(line.split()[1] for line in config.splitlines() if "server:" in line)
    request = urllib.request.Request(
        f"{url}/api/v1/namespaces/default/pods", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer)["kind"] == "PodList"
