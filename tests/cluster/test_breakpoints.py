from __future__ import annotations

import pytest

from k8slab import Cluster

FAILS = "run once --image=busybox:1.37 --restart=Never -- sh -c 'sleep 7; exit 1'"


def test_time_stops_where_a_pod_fails() -> None:
    cluster = Cluster(workers=1)
    cluster.break_on("Pod/* phase=Failed")
    cluster.kubectl(FAILS)
    began = cluster.now
    stop = cluster.run(3600)
    assert stop is not None
    assert cluster.now == stop.time < began + 20
    assert str(stop).endswith("Pod/default/once phase=Failed, by kubelet/worker-1")
    assert cluster.run(60) is None  # it stays so
    assert cluster.now == pytest.approx(stop.time + 60)


def test_a_breakpoint_that_is_cleared_stops_nothing() -> None:
    cluster = Cluster(workers=1)
    mark = cluster.break_on("Pod/default/o?ce phase=Failed")
    cluster.kubectl(FAILS)
    mark.clear()
    mark.clear()
    assert cluster.run(60) is None


def test_a_function_stops_time_when_it_becomes_true() -> None:
    cluster = Cluster(workers=1)
    cluster.break_on(lambda c: len(c.view.list("pods", "default")) == 2)
    cluster.kubectl("create deployment web --image=nginx:1.27 --replicas=3")
    stop = cluster.run(60)
    assert stop is not None
    assert len(cluster.view.list("pods", "default")) == 2


def test_even_the_last_event_for_a_long_time_stops_the_clock() -> None:
    cluster = Cluster(workers=1)
    cluster.kubectl("create namespace other")
    cluster.break_on("Namespace/other deleted")
    cluster.kubectl("delete namespace other --wait=false")
    stop = cluster.run(86400)
    assert stop is not None
    assert stop.time < 100


def test_settle_and_run_until_stop_too() -> None:
    cluster = Cluster(workers=1)
    cluster.break_on("Pod/*/* phase=Failed")
    cluster.kubectl(FAILS)
    cluster.run_until("pod/once deleted", timeout=600)
    assert cluster.breakpoints.last is not None


@pytest.mark.parametrize("words", ["Pod/*", "Pod phase=Failed", "Ghost/* ready", "Pod/a b c"])
def test_words_that_make_no_sense_get_an_example(words: str) -> None:
    with pytest.raises(ValueError, match=r'such as "Pod/\* phase=Failed"'):
        Cluster(workers=0, boot=False).break_on(words)
