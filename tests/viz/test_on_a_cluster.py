"""The figures and widgets on a real cluster of the lab: nothing of it is made up."""

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.core import Pod
from k8slab.viz import (
    architecture_map,
    event_lane,
    explorer,
    label_magnet,
    replica_lane,
)
from k8slab.viz.style import component_key
from k8slab.viz.traffic import API, traffic
from tests.viz.legibility import faults

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: nginx, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    made = Cluster(workers=3, seed=7)
    made.apply(WEB)
    made.run(15)
    return made


def first_pod(cluster: Cluster) -> str:
    return cluster.view.list(Pod, "default")[0].metadata.name


def test_the_explorer_of_a_running_cluster_can_be_read(cluster) -> None:
    assert faults(explorer(cluster).figure().drawing) == []


def test_on_a_booted_cluster_every_component_is_well(cluster) -> None:
    assert "not well" not in architecture_map(cluster).text


def test_in_a_booted_cluster_everybody_talks_to_the_api_server_only(cluster) -> None:
    edges = traffic(cluster.trace)
    assert len(edges) > 10
    for edge in edges:
        assert API in (edge.source, edge.target) or edge.target.startswith("containerd/")


def test_nobody_who_acts_in_a_cluster_is_unknown_to_the_figures(cluster) -> None:
    names = sorted({record.component for record in cluster.trace})
    assert [name for name in names if component_key(name) == "other"] == []


def test_the_lanes_of_a_pod_show_the_seven_steps_in_order(cluster) -> None:
    text = event_lane(cluster, first_pod(cluster)).text
    steps = ("replicaset-controller: created it", "kube-scheduler: bound it", "made its network",
             "started container nginx", "Running, ready")  # fmt: skip
    assert [text.index(step) for step in steps] == sorted(text.index(step) for step in steps)


def test_the_map_of_an_earlier_time_has_no_pods_yet(cluster) -> None:
    before = next(r.time for r in cluster.trace if r.subject == "Deployment/default/web")
    assert "web-" not in architecture_map(cluster, at=cluster.at(before)).text


def test_a_moved_label_takes_a_pod_from_its_service_and_its_owner() -> None:
    own: Any = Cluster(workers=1, seed=3)
    own.apply(WEB)
    own.run(15)
    pod = first_pod(own)
    magnet = label_magnet(own, services=("web",))
    said = magnet.move(pod, "app", "quarantine", "loses it", "makes a new Pod")
    assert f"Service: right. web lost {pod}" in said
    assert f"let {pod} go and made web-" in said
    assert f"without a ReplicaSet: {pod}" in magnet.text


def test_a_window_of_milliseconds_fills_the_figure(cluster) -> None:
    """A burst of creations can be looked at: the axis ends where it was asked to."""
    made = [r for r in cluster.trace if r.verb == "create" and r.subject.startswith("Pod/default/")]
    first = made[0].time
    figure = replica_lane(cluster, "deployment/web", since=first - 0.02, until=first + 0.02)
    times = [
        item.text for item in figure.drawing.items if str(getattr(item, "text", "")).endswith(" s")
    ]
    assert len(times) >= 3
    assert float(times[-1].removesuffix(" s")) <= first + 0.02
