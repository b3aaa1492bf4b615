"""The metrics server: what a kubelet tells, and the rates between two answers."""

from __future__ import annotations

from k8slab.addons.metrics_server.decode import Batch, Point, decode
from k8slab.addons.metrics_server.storage import Storage
from k8slab.node.interfaces import ContainerStats, PodSandboxConfig
from k8slab.node.kubelet.resource_metrics import resource_metrics

POD = PodSandboxConfig(name="web-1", namespace="default", uid="u")


def test_what_a_kubelet_tells_is_read_as_it_was_meant() -> None:
    stats = [ContainerStats("id", "web", POD, 5.0, 30.0, 1.25, 4096)]
    found = decode(resource_metrics(stats, 30.0))
    assert found.pods == {("default", "web-1"): {"web": Point(30.0, 1.25, 4096.0, 5.0)}}
    assert found.node == Point(30.0, 1.25, 4096.0)


def batch(time: float, used: float, started: float = 0.0) -> dict[str, Batch]:
    point = Point(time, used, 100.0, started)
    return {"worker-1": Batch(point, {("default", "web-1"): {"web": point}})}


def cpu(storage: Storage) -> list[int] | None:
    found = storage.pod("default", "web-1", "worker-1")
    return [usage.cpu for usage in found.values()] if found else None


def test_two_answers_make_a_rate() -> None:
    storage = Storage()
    storage.store(batch(15, 1.0))
    storage.store(batch(30, 2.5))
    assert cpu(storage) == [100_000_000]


def test_a_container_is_told_of_when_it_is_ten_seconds_old() -> None:
    storage = Storage()
    storage.store(batch(15, 0.5, started=6))
    assert cpu(storage) is None
    storage.store(batch(20, 0.7, started=10))
    assert cpu(storage) == [70_000_000]


def test_a_container_that_started_anew_begins_anew() -> None:
    storage = Storage()
    storage.store(batch(15, 9.0, started=0))
    storage.store(batch(30, 1.0, started=10))
    assert cpu(storage) == [50_000_000]


def test_a_node_that_does_not_answer_is_forgotten() -> None:
    storage = Storage()
    storage.store(batch(15, 1.0))
    storage.store({})
    assert cpu(storage) is None
    assert storage.node("worker-1") is None
