"""A rollout as areas: what serves and what takes room at each moment."""

from itertools import pairwise
from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.apps import Deployment
from k8slab.viz import rollout_areas
from k8slab.viz.rollout import AREAS, Count, read
from k8slab.viz.style import contrast
from tests.viz.legibility import faults

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: nginx, image: "nginx:1.26", lifecycle: {preStop: {sleep: {seconds: 5}}}}
"""


@pytest.fixture(scope="module")
def cluster() -> Any:
    made = Cluster(workers=2, seed=7)
    made.apply(DEPLOYMENT)
    made.run(20)
    made.kubectl("set image deployment/web nginx=nginx:1.27")
    made.run(60)
    return made


def changes(cluster, since: float = 0.0) -> list[Count]:
    return read(cluster, cluster.view.get(Deployment, "web"), (since, cluster.now))


def test_a_rollout_ends_with_new_pods_only(cluster) -> None:
    *_, last = changes(cluster)
    assert (last.old_ready, last.old_waiting, last.new_ready, last.new_waiting) == (0, 0, 4, 0)


def test_pods_that_are_being_deleted_take_no_room(cluster) -> None:
    assert max(count.all for count in changes(cluster)) == 5  # 4 and the surge


def test_the_first_count_is_of_the_beginning_of_the_window(cluster) -> None:
    first, *_ = changes(cluster, since=33.0)
    assert (first.time, first.old_ready, first.all) == (33.0, 4, 4)


def test_the_words_say_the_least_and_the_most(cluster) -> None:
    figure = rollout_areas(cluster, "deployment/web", since=33.0)
    head = figure.text.splitlines()[0]
    assert "maxSurge 1, maxUnavailable 0" in head
    counts = changes(cluster, since=33.0)
    assert f"at least {min(c.ready for c in counts)} ready" in head
    assert f"at most {max(c.all for c in counts)} in all" in head


def test_areas_that_touch_differ_in_grey_as_well() -> None:
    fills = [look.fill for look in AREAS.values()]
    touching = [*pairwise(fills), (fills[0], fills[2])]  # no new Pod is ready at first
    assert all(contrast(below, above) > 1.2 for below, above in touching)


def test_by_default_it_is_the_last_rollout(cluster) -> None:
    first, *_, last = rollout_areas(cluster, "deployment/web").text.splitlines()[1:]
    assert "wants 4: 4 old ready" in first
    assert 30 < float(first.split()[0]) < float(last.split()[0]) < 50


def test_a_rollout_back_is_one_too(cluster) -> None:
    own = cluster.fork()
    own.kubectl("rollout undo deployment/web")
    own.run(60)
    assert rollout_areas(own, "deployment/web").text.splitlines()[1].endswith("4 old ready")


def test_the_first_rollout_begins_with_no_pods(cluster) -> None:
    early = rollout_areas(cluster, "deployment/web", until=30.0)
    assert early.text.splitlines()[1].endswith("no Pods")


@pytest.mark.parametrize("since", [None, 0.0, 33.0, 93.0])
def test_the_areas_can_be_read_during_and_after_a_rollout(cluster, since) -> None:
    assert faults(rollout_areas(cluster, "web", since=since).drawing, (1.0,)) == []


def test_a_deployment_that_is_not_there_is_named(cluster) -> None:
    with pytest.raises(ValueError, match="deployment/none was not there"):
        rollout_areas(cluster, "deployment/none")
