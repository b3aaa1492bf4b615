"""Every figure of the package, drawn from one running cluster: all of it can be read, or heard."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

import pytest

import k8slab.viz as viz
from k8slab import Cluster
from k8slab.api.core import Node, Pod
from k8slab.control_plane.scheduler import explain
from k8slab.viz.figure import Figure
from k8slab.viz.style import DARK, LIGHT
from tests.viz.legibility import faults

MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: "nginx:1.26", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: crash}
spec: {containers: [{name: main, image: busybox, command: [sh, -c, "sleep 2; exit 1"]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: huge}
spec: {containers: [{name: main, image: nginx, resources: {requests: {cpu: "500"}}}]}
"""
SAMPLES = {"http://web": [(30 + n / 2, n not in (40, 41)) for n in range(100)]}
RULES = {"rules": [(n, 14 + 18 * n) for n in (3, 30, 300, 3000)], "look-ups": [(3, 3), (3000, 3)]}
ERRORS = {(delay, pause): (200, 40 * delay) for delay in (0, 1, 3) for pause in (0, 5, 10)}
OUTAGES = {"etcd": {"a new Pod": "breaks", "the shop answers": "works"}}


@pytest.fixture(scope="module")
def cluster() -> Any:
    made = Cluster(workers=3, seed=7)
    made.apply(MANIFESTS)
    made.run(30)
    made.kubectl("set image deployment/web nginx=nginx:1.27")
    made.run(30)
    made.answer = made.request("deployment/web", "http://web.default")
    return made


def pod(cluster: Any) -> str:
    return str(next(p for p in cluster.view.list(Pod, "default") if "web" in p.metadata.name)
               .metadata.name)  # fmt: skip


def heat_map(cluster: Any) -> Figure:
    pods = cluster.view.list(Pod)
    huge = next(each for each in pods if each.metadata.name == "huge")
    return viz.scheduling_heat_map(explain(huge, cluster.view.list(Node), pods))


def rules(cluster: Any) -> Figure:
    return viz.rule_chains(cluster.node("worker-1").shell("iptables-save -c"), "web")


def two(cluster: Any) -> Figure:
    return viz.two_timelines({"one": cluster, "other": cluster}, about=("Pod/default/*",))


GALLERY: dict[str, Callable[[Any], Figure]] = {
    "architecture_map": lambda c: viz.architecture_map(c),
    "back_off_staircase": lambda c: viz.back_off_staircase(c, "pod/crash"),
    "bin_packing": lambda c: viz.bin_packing(c, pod="pod/huge"),
    "churn_plot": lambda c: viz.churn_plot(SAMPLES, events=[(45.0, "Pod deleted")]),
    "dns_waterfall": lambda c: viz.dns_waterfall(c.answer),
    "error_heat_map": lambda c: viz.error_heat_map(ERRORS, across="preStop, s", down="delay, s"),
    "event_lane": lambda c: viz.event_lane(c, "pod/crash"),
    "journey_figure": lambda c: viz.journey_figure(c.answer),
    "journey_map": lambda c: viz.journey_map(c, c.answer),
    "membership": lambda c: viz.membership(c),
    "outage_matrix": lambda c: viz.outage_matrix(OUTAGES),
    "provenance": lambda c: viz.provenance(c, "deployment/web"),
    "replica_lane": lambda c: viz.replica_lane(c, "deployment/web"),
    "rollout_areas": lambda c: viz.rollout_areas(c, "deployment/web"),
    "rule_chains": rules,
    "rules_and_cost": lambda c: viz.rules_and_cost(RULES),
    "scheduling_heat_map": heat_map,
    "sequence_diagram": lambda c: viz.sequence_diagram(c, "deployment/web", rules=True),
    "slice_graph": lambda c: viz.slice_graph(c),
    "two_timelines": two,
    "why_graph": lambda c: viz.why_graph(c.why(f"pod/{pod(c)}")),
}


@pytest.fixture(scope="module")
def gallery(cluster) -> dict[str, Figure]:
    return {name: draw(cluster) for name, draw in GALLERY.items()}


def test_the_gallery_has_every_figure() -> None:
    figures = [name for name, home in viz._HOME.items() if not home.startswith("widgets.")]
    assert sorted(GALLERY) == sorted(name for name in figures if name != "Figure")


@pytest.mark.parametrize("name", GALLERY)
def test_no_text_is_clipped_or_lies_on_another_at_any_size(gallery, name) -> None:
    assert faults(gallery[name].drawing) == []


@pytest.mark.parametrize("name", GALLERY)
def test_each_has_a_sentence_and_a_text_for_who_cannot_see_it(gallery, name) -> None:
    figure = gallery[name]
    assert 20 < len(figure.alt) < 400
    assert len(figure.text.splitlines()) > 1
    assert figure.drawing.width == 900


@pytest.mark.parametrize("name", GALLERY)
def test_each_is_drawn_in_both_themes(gallery, name) -> None:
    light, dark = (gallery[name].svg(theme) for theme in ("light", "dark"))
    assert LIGHT["paper"] in light
    assert DARK["paper"] in dark
    assert ElementTree.fromstring(dark).attrib["aria-label"] == gallery[name].alt


def test_the_same_run_gives_the_same_figures(cluster, gallery) -> None:
    for name in ("sequence_diagram", "provenance", "rule_chains"):
        assert GALLERY[name](cluster).svg() == gallery[name].svg()
