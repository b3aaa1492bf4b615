"""Bindings and ComponentStatuses: kinds of which nothing is stored."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.api.core import Pod

UNPLACED = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  schedulerName: nobody
  containers: [{name: main, image: "nginx:1.27"}]
"""
BINDING = """
apiVersion: v1
kind: Binding
metadata: {name: web}
target: {kind: Node, name: worker-1}
"""


@pytest.fixture
def cluster() -> Cluster:
    """A cluster with one worker."""
    return Cluster(workers=1, seed=2)


def lines(cluster: Cluster, command: str) -> list[list[str]]:
    """The words of each line that kubectl prints."""
    return [line.split() for line in str(cluster.kubectl(command)).splitlines()]


def test_components_are_asked_how_they_are(cluster: Cluster) -> None:
    warning, head, *rows = lines(cluster, "get componentstatuses")
    assert " ".join(warning) == "Warning: v1 ComponentStatus is deprecated in v1.19+"
    assert head == ["NAME", "STATUS", "MESSAGE", "ERROR"]
    names = ("scheduler", "controller-manager", "etcd-0")
    assert rows == [[name, "Healthy", "ok"] for name in names]


def test_one_that_is_gone_does_not_answer(cluster: Cluster) -> None:
    cluster.kill("kube-scheduler")
    cluster.run(0.1)
    _, _, row = lines(cluster, "get cs scheduler")
    assert row[:2] == ["scheduler", "Unhealthy"]
    assert " ".join(row).endswith("dial tcp 127.0.0.1:10259: connect: connection refused")


def test_nothing_else_can_be_done_with_them(cluster: Cluster) -> None:
    said = str(cluster.kubectl("delete cs scheduler"))
    assert "the server does not allow this method on the requested resource" in said
    assert 'componentstatuses "x" not found' in str(cluster.kubectl("get cs x"))


def test_a_binding_that_is_created_places_its_pod(cluster: Cluster) -> None:
    cluster.apply(UNPLACED)
    cluster.settle(5)
    assert "created" in str(cluster.kubectl("create -f -", BINDING))
    pod = cluster.view.get(Pod, "web")
    assert pod is not None
    assert pod.spec.nodeName == "worker-1"
    again = str(cluster.kubectl("create -f -", BINDING))
    assert 'pod web is already assigned to node "worker-1"' in again
