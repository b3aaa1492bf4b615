"""The example of docs/writing-images.md runs, and does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from k8slab import Cluster

PAGE = Path(__file__).parents[2] / "docs" / "writing-images.md"
POD = """
apiVersion: v1
kind: Pod
metadata: {name: greeter}
spec:
  terminationGracePeriodSeconds: GRACE
  restartPolicy: Never
  containers:
  - name: main
    image: example.com/greeter:v1
    ports: [{containerPort: 8080}]
    readinessProbe: {httpGet: {port: 8080}, periodSeconds: 1}
    resources: {limits: {memory: LIMIT}}
"""


@pytest.fixture
def cluster() -> Cluster:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    names: dict[str, Any] = {}
    exec(example, names)  # the page's own words
    found = names["cluster"]
    assert isinstance(found, Cluster)
    return found


def start(cluster: Cluster, *, grace: int = 30, limit: str = "128Mi") -> None:
    cluster.apply(POD.replace("GRACE", str(grace)).replace("LIMIT", limit))


def ended(cluster: Cluster) -> str:
    jsonpath = "{.status.containerStatuses[0].state.terminated.reason}"
    code = "{.status.containerStatuses[0].state.terminated.exitCode}"
    return cluster.kubectl(f"get pod greeter -o jsonpath='{jsonpath} {code}'")


def test_it_takes_its_time_to_start_and_answers(cluster: Cluster) -> None:
    start(cluster)
    cluster.run(4)
    assert "0/1" in cluster.kubectl("get pod greeter")
    cluster.run(4)
    assert "1/1" in cluster.kubectl("get pod greeter")
    answer = cluster.request("pod/greeter", "http://127.0.0.1:8080")
    assert answer.body.strip() == "hello from greeter"


@pytest.mark.parametrize(("grace", "end"), [(30, "Completed 0"), (1, "Error 137")])
def test_how_it_ends_depends_on_the_grace_period(cluster: Cluster, grace: int, end: str) -> None:
    start(cluster, grace=grace)
    cluster.run(10)
    patch = """{"metadata":{"finalizers":["example.com/look"]}}"""
    cluster.kubectl(f"patch pod greeter -p '{patch}'")
    cluster.kubectl("delete pod greeter --wait=false")
    cluster.run(10)
    assert ended(cluster) == end


def test_too_little_memory_ends_it(cluster: Cluster) -> None:
    start(cluster, limit="32Mi")
    cluster.run(10)
    assert ended(cluster) == "OOMKilled 137"
