"""Each version of an object has a writer, fields, and mostly a trigger."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.api.core import Pod, PodCondition, PodSpec, PodStatus
from k8slab.api.meta import ObjectMeta
from k8slab.viz import provenance
from k8slab.viz.writers import PLATE, spots
from k8slab.viz.writes import changed_fields, writes_of
from tests.viz.legibility import faults

MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: main, image: nginx}]}
"""
READY, NOT_READY = (PodCondition(type="Ready", status=status) for status in ("True", "False"))
INITIALIZED = PodCondition(type="Initialized", status="True")
CASES = [
    (Pod(), Pod(spec=PodSpec(nodeName="w")), ["spec.nodeName"]),
    (Pod(), Pod(status=PodStatus(conditions=(READY,))), ["status.conditions[Ready]"]),
    (
        Pod(status=PodStatus(conditions=(INITIALIZED, NOT_READY))),
        Pod(status=PodStatus(conditions=(INITIALIZED, READY), phase="Running")),
        ["status.phase", "status.conditions[Ready]"],
    ),
    (Pod(), Pod(metadata=ObjectMeta(labels={"app": "web"})), ["metadata.labels"]),
    (Pod(), Pod(metadata=ObjectMeta(resourceVersion="7")), []),
    (Pod(spec=PodSpec(nodeName="w")), Pod(spec=PodSpec(nodeName="w")), []),
]


@pytest.mark.parametrize(("before", "after", "fields"), CASES)
def test_fields_that_changed_are_named_and_no_others(before, after, fields) -> None:
    assert changed_fields(before, after) == fields
    assert sorted(changed_fields(after, before)) == sorted(fields)


@pytest.fixture(scope="module")
def cluster() -> Any:
    made = Cluster(workers=1, seed=7)
    made.apply(MANIFEST)
    made.run(15)
    made.kubectl("label pod web tier=front")
    return made


def test_the_node_is_the_schedulers_field_and_the_phase_the_kubelets(cluster) -> None:
    writers = {
        field: write.record.component
        for write in writes_of(cluster, "pod/web")
        for field in write.fields
    }
    assert writers["spec.nodeName"] == "kube-scheduler"
    assert writers["status.phase"] == writers["status.podIP"] == "kubelet/worker-1"
    assert writers["metadata.labels"] == "you"


def test_a_trigger_is_what_somebody_else_did(cluster) -> None:
    writes = writes_of(cluster, "pod/web")
    assert writes[0].trigger is None
    for write in writes[1:-1]:
        assert write.trigger is not None
        assert write.trigger.component != write.record.component
        assert write.trigger.id < write.record.id


def test_provenance_tells_writer_fields_and_trigger(cluster) -> None:
    figure = provenance(cluster, "pod/web")
    assert "by kube-scheduler (create binding): metadata.labels, spec.nodeName" in figure.text
    assert "    set off by you: create Pod web at " in figure.text
    assert faults(figure.drawing, (1.0,)) == []


def test_any_kind_has_its_writers_and_only_the_newest_are_drawn(cluster) -> None:
    for what in ("node/worker-1", "service/kubernetes"):
        assert faults(provenance(cluster, what).drawing, (1.0,)) == []
    own = cluster.fork()
    for number in range(12):
        own.kubectl(f"label pod web round={number} --overwrite")
    figure = provenance(own, "pod/web")
    assert "earlier versions left out" in str(figure.drawing)
    assert faults(figure.drawing, (1.0,)) == []


def test_an_object_that_went_has_a_last_version() -> None:
    own: Any = Cluster(workers=1, seed=3)
    own.apply(MANIFEST)
    own.kubectl("delete pod web --now")
    own.run(5)
    assert "the object is gone" in provenance(own, "pod/web").text


def test_what_nobody_wrote_has_no_provenance(cluster) -> None:
    with pytest.raises(ValueError, match="nobody wrote pod/none"):
        provenance(cluster, "pod/none")
    with pytest.raises(ValueError, match='expected "pod/NAME"'):
        provenance(cluster, "web")


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 900)), min_size=1))
def test_plates_do_not_lie_on_one_another(rows) -> None:
    names, ys = [name for name, _ in rows], [y for _, y in rows]
    places = sorted(spots(names, ys).values())
    assert all(b - a >= PLATE for a, b in pairwise(places))
