"""From manifest to running: the seven steps are in the trace, and in order."""

import pytest

from k8slab import Cluster
from k8slab.viz import sequence_diagram
from k8slab.viz.conversation import FOLLOWS, SERVES, converse
from tests.viz import pretend
from tests.viz.legibility import faults

MANIFESTS = """
apiVersion: v1
kind: Pod
metadata: {name: alone}
spec: {containers: [{name: main, image: nginx}]}
---
apiVersion: v1
kind: Pod
metadata: {name: huge}
spec: {containers: [{name: main, image: nginx, resources: {requests: {cpu: "500"}}}]}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: old}
spec:
  replicas: 2
  selector: {matchLabels: {app: old}}
  template: {metadata: {labels: {app: old}}, spec: {containers: [{name: main, image: nginx}]}}
---
apiVersion: v1
kind: Service
metadata: {name: old}
spec: {selector: {app: old}, ports: [{port: 80}]}
"""


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    made = Cluster(workers=2, seed=7)
    made.apply(MANIFESTS)
    made.run(15)
    return made


def steps(cluster, what: str, **options) -> list[int]:
    return list(dict.fromkeys(turn.step for turn in converse(cluster, what, **options)))


def test_a_bare_pod_takes_the_seven_steps_in_order(cluster) -> None:
    assert steps(cluster, "pod/alone") == [1, 2, 3, 4, 5, 6, 7]


def test_controllers_come_between_the_manifest_and_the_pod(cluster) -> None:
    assert steps(cluster, "replicaset/old") == [1, 2, FOLLOWS, 3, 4, 5, 6, 7]


def test_rules_follow_readiness(cluster) -> None:
    turns = converse(cluster, "replicaset/old", rules=True)
    served = [turn for turn in turns if turn.step == SERVES]
    assert [turn.kind for turn in served] == ["news", "thought", "write", "news", "thought"]
    assert served[-1].source == "kube-proxy"


def test_only_a_kubelet_and_its_runtime_speak_without_the_api_server(cluster) -> None:
    for turn in converse(cluster, "replicaset/old", rules=True):
        if turn.kind not in ("order", "report", "thought"):
            assert "kube-apiserver" in (turn.source, turn.target)
        assert turn.kind != "news" or not turn.target.startswith("containerd/")


def test_a_pod_that_does_not_fit_stops_at_step_three(cluster) -> None:
    figure = sequence_diagram(cluster, "pod/huge")
    assert steps(cluster, "pod/huge") == [1, 2, 3]
    assert "4 The scheduler binds the Pod to it: not reached" in figure.text
    assert "not reached: steps 4, 5, 6, 7" in str(figure.drawing)
    assert "3 of 7 steps" in figure.alt
    assert faults(figure.drawing, (1.0,)) == []


def test_binding_and_status_say_which_field_they_write(cluster) -> None:
    text = sequence_diagram(cluster, "pod/alone").text
    assert "kube-scheduler -> kube-apiserver: spec.nodeName = worker-" in text
    assert "kube-apiserver: status: Running, ready, revision" in text


def test_the_steps_can_be_replayed_turn_by_turn(cluster) -> None:
    figure = sequence_diagram(cluster, "pod/alone")
    frames = figure.frames()
    assert len(frames) == len(converse(cluster, "pod/alone"))
    assert frames[0].caption.endswith("You send the manifest: create Pod alone")
    assert frames[-1].figure.text == figure.text
    assert frames[0].figure.drawing.height == figure.drawing.height


def test_a_scheduler_that_starts_later_lists_the_pod(cluster) -> None:
    own = cluster.fork()
    own.stop("kube-scheduler")
    own.apply(MANIFESTS.partition("---")[0].replace("alone", "late"))
    own.run(5)
    assert steps(own, "pod/late") == [1, 2]
    own.start("kube-scheduler")
    own.run(90)
    assert steps(own, "pod/late") == [1, 2, 3, 4, 5, 6, 7]
    text = sequence_diagram(own, "pod/late").text
    assert "kube-apiserver -> kube-scheduler: list: Pod late" in text


def test_a_pod_that_was_made_again_is_told_from_its_last_beginning(cluster) -> None:
    own = cluster.fork()
    before = own.now
    own.kubectl("delete pod alone --now")
    own.apply(MANIFESTS.partition("---")[0])
    own.run(10)
    turns = converse(own, "pod/alone")
    assert turns[0].time > before
    assert [turn.step for turn in turns][-1] == 7


def test_what_made_no_pod_is_named() -> None:
    with pytest.raises(ValueError, match="created a Pod for deployment/none in namespace default"):
        sequence_diagram(pretend.cluster(1, 1), "deployment/none")
    with pytest.raises(ValueError, match='expected "pod/NAME"'):
        sequence_diagram(pretend.cluster(1, 1), "nonsense/x")
