from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.control_plane.scheduler.cache import Cache
from k8slab.control_plane.scheduler.event_handlers import EventHandlers
from k8slab.control_plane.scheduler.framework.interface import Action, Resource
from k8slab.control_plane.scheduler.framework.snapshot import (
    Handle,
    Nominator,
    Snapshot,
    tree_order,
)
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.profile import make_framework
from k8slab.control_plane.scheduler.schedule_one import feasible_nodes_to_find, schedule_pod
from k8slab.control_plane.scheduler.scheduling_queue import SchedulingQueue, backoff_end
from k8slab.sim import Simulation

FIT = ("NodeResourcesFit",)


def queue() -> tuple[Simulation, SchedulingQueue]:
    sim = Simulation()
    return sim, SchedulingQueue(sim, {"default-scheduler": make_framework(Handle(Snapshot()))})


def test_priority_comes_before_age(pod: Any) -> None:
    _, waiting = queue()
    for name, priority in (("old", 0), ("high", 5), ("young", 0)):
        waiting.add(pod(name, priority=priority))
    order = [waiting.take().info.key for _ in range(3)]  # type: ignore[union-attr]
    assert order == ["default/high", "default/old", "default/young"]


def test_backing_off_doubles_up_to_ten_seconds() -> None:
    ends = [backoff_end(100.25, attempts) for attempts in range(1, 8)]
    assert ends == [101, 102, 104, 108, 110, 110, 110]


def test_an_idle_scheduler_does_not_wait_for_a_back_off(pod: Any) -> None:
    _, waiting = queue()
    waiting.add(pod())
    entry = waiting.take()
    assert entry is not None
    waiting.add_unschedulable(entry, FIT)
    assert waiting.take() is None
    waiting.move_all(Resource.ASSIGNED_POD, Action.DELETE, pod("x"), None)
    assert waiting.pending()["backoff"] == ["default/web"]
    assert waiting.take() is entry
    assert entry.attempts == 2


def test_a_busy_scheduler_does(pod: Any) -> None:
    sim, waiting = queue()
    waiting.add(pod("refused"))
    entry = waiting.take()
    assert entry is not None
    waiting.add_unschedulable(entry, FIT)
    waiting.move_all(Resource.ASSIGNED_POD, Action.DELETE, pod("x"), None)
    waiting.add(pod("fresh"))
    first = waiting.take()
    assert first is not None
    assert first.info.key == "default/fresh"
    sim.run(1)
    assert waiting.take() is entry


def test_errors_are_counted_apart_from_refusals(pod: Any) -> None:
    sim, waiting = queue()
    waiting.add(pod())
    ends: list[float] = []
    for plugins in (FIT, FIT, (), (), FIT, ()):
        entry = waiting.take()
        while entry is None:
            sim.run(sim.now + 1)
            entry = waiting.take()
        waiting.add_unschedulable(entry, plugins)
        ends.append(entry.backoff_until - sim.now)
        waiting.move_all(Resource.ASSIGNED_POD, Action.DELETE, pod("x"), None)
    assert ends == [1, 2, 1, 2, 4, 1]


def test_an_error_in_front_does_not_keep_a_refused_pod_waiting(pod: Any) -> None:
    _, waiting = queue()
    for name, plugins in (("failed", ()), ("refused", FIT)):
        waiting.add(pod(name))
        entry = waiting.take()
        assert entry is not None
        waiting.add_unschedulable(entry, plugins)
    waiting.move_all(Resource.ASSIGNED_POD, Action.DELETE, pod("x"), None)
    first = waiting.take()
    assert first is not None
    assert first.info.key == "default/refused"
    assert waiting.take() is None


def test_who_is_gated_in_back_off_waits_for_its_gate(pod: Any) -> None:
    _, waiting = queue()
    waiting.add(pod())
    entry = waiting.take()
    assert entry is not None
    gated = pod(schedulingGates=[{"name": "g"}])
    waiting.add_unschedulable(entry, FIT)
    waiting.update(pod(), gated)
    waiting.move_all(Resource.ASSIGNED_POD, Action.DELETE, pod("x"), None)
    assert waiting.pending()["unschedulable"] == ["default/web"]
    waiting.move_all(Resource.ASSIGNED_POD, Action.DELETE, pod("x"), None)
    assert waiting.take() is None
    waiting.update(gated, pod())
    assert waiting.take() is entry


def test_only_what_the_refusing_plugin_waits_for_moves_a_pod(node: Any, pod: Any) -> None:
    _, waiting = queue()
    waiting.add(pod(cpu="2"))
    entry = waiting.take()
    assert entry is not None
    waiting.add_unschedulable(entry, FIT)
    waiting.move_all(Resource.NODE, Action.UPDATE_NODE_TAINT, None, node(cpu="4"))
    waiting.move_all(Resource.NODE, Action.ADD, None, node(cpu="1"))
    assert waiting.pending()["unschedulable"] == ["default/web"]
    waiting.move_all(Resource.NODE, Action.ADD, None, node(cpu="4"))
    assert waiting.pending()["backoff"] == ["default/web"]


def test_a_deleted_pod_does_not_come_back(pod: Any) -> None:
    _, waiting = queue()
    waiting.add(pod())
    entry = waiting.take()
    assert entry is not None
    waiting.delete("default/web")
    waiting.add_unschedulable(entry, FIT)
    waiting.move_all(Resource.ASSIGNED_POD, Action.DELETE, pod("x"), None)
    assert (len(waiting), waiting.take()) == (0, None)


def test_new_tolerations_bring_a_pod_back(pod: Any) -> None:
    _, waiting = queue()
    old = pod()
    waiting.add(old)
    entry = waiting.take()
    assert entry is not None
    waiting.add_unschedulable(entry, ("TaintToleration",))
    waiting.update(old, pod(labels={"a": "b"}))
    assert waiting.take() is None
    waiting.update(old, pod(tolerations=[{"operator": "Exists"}]))
    assert waiting.take() is entry


def test_an_assumed_pod_counts_once_and_can_be_forgotten(node: Any, pod: Any) -> None:
    cache = Cache()
    cache.set_node(node())
    info = PodInfo(pod(cpu="1"))
    cache.assume_pod(info.assumed_on("node-1"))
    cache.set_pod(pod(cpu="1", nodeName="node-1"))
    requested = cache.snapshot.nodes["node-1"].requested
    assert (requested["cpu"], cache.is_assumed("default/web")) == (1000, False)
    cache.forget_pod("default/web")  # too late: it is bound
    assert requested["cpu"] == 1000
    cache.remove_pod("default/web")
    assert requested["cpu"] == 0


def test_a_pod_of_which_only_the_end_was_heard_is_not_counted_for_ever(node: Any, pod: Any) -> None:
    cache = Cache()
    cache.set_node(node())
    _, waiting = queue()
    handlers = EventHandlers(cache, waiting, Nominator(), ("default-scheduler",))
    handlers.pod(None, pod(cpu="1"))
    cache.assume_pod(PodInfo(pod(cpu="1")).assumed_on("node-1"))
    handlers.pod(pod(cpu="1"), None)  # bound and deleted while the watch was broken
    assert cache.snapshot.nodes["node-1"].requested["cpu"] == 0


def test_pods_may_be_known_before_their_node(node: Any, pod: Any) -> None:
    cache = Cache()
    cache.set_pod(pod(cpu="1", nodeName="node-1"))
    assert cache.snapshot.order == []
    cache.set_node(node())
    assert cache.snapshot.nodes["node-1"].requested["cpu"] == 1000
    cache.remove_node("node-1")
    cache.set_node(node())
    assert cache.snapshot.nodes["node-1"].requested["cpu"] == 1000


steps = st.lists(
    st.tuples(st.sampled_from(["put", "remove"]), st.integers(0, 5), st.integers(0, 2)),
    max_size=30,
)


@settings(max_examples=50, deadline=None)
@given(steps=steps)
def test_the_sums_stay_those_of_the_pods_that_are_there(steps: list[tuple[str, int, int]]) -> None:
    cache = Cache()
    names = [f"n{i}" for i in range(3)]
    for name in names:
        manifest = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
        cache.set_node(load(manifest))  # type: ignore[arg-type]
    there: dict[str, tuple[str, Any]] = {}
    for turn, (step, number, home) in enumerate(steps):
        key = f"default/p{number}"
        if step == "put":
            made = _pod(number, names[home], 100 + turn)
            cache.set_pod(made)
            there[key] = (names[home], made)
        else:
            cache.remove_pod(key)
            there.pop(key, None)
    for name in names:
        mine = [made for home, made in there.values() if home == name]
        fresh = NodeInfo(None, [PodInfo(made) for made in mine])
        info = cache.snapshot.nodes[name]
        assert {k: v for k, v in info.requested.items() if v} == fresh.requested
        assert set(info.pods) == set(fresh.pods)
        assert (name in cache.snapshot.with_affinity) is bool(fresh.pods_with_affinity)


def _pod(number: int, home: str, cpu: int) -> Any:
    affinity = {"podAntiAffinity": {}} if number % 2 else None
    requests = {"cpu": f"{cpu}m"}
    return load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"p{number}", "namespace": "default"},
            "spec": {
                "nodeName": home,
                "affinity": affinity,
                "containers": [{"name": "c", "resources": {"requests": requests}}],
            },
        }
    )


def test_a_sample_of_a_wide_cluster_covers_all_zones(node: Any) -> None:
    key = "topology.kubernetes.io/zone"
    infos = [NodeInfo(node(f"{z}{i}", labels={key: z})) for z in "ab" for i in range(3)]
    assert [info.name for info in tree_order(infos)] == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_above_a_hundred_nodes_only_some_are_looked_at(node: Any, pod: Any) -> None:
    infos = [NodeInfo(node(f"n{i}", cpu="0" if i < 5 else "4")) for i in range(300)]
    framework = make_framework(Handle(Snapshot(infos)))
    to_find = feasible_nodes_to_find(300)
    decision = schedule_pod(framework, PodInfo(pod(cpu="1")), enough=lambda nodes: to_find)
    assert (to_find, len(decision.feasible), decision.evaluated) == (144, 144, 149)
    later = schedule_pod(framework, PodInfo(pod(cpu="1")), start=149, enough=lambda nodes: to_find)
    assert later.feasible[0] == "n149"


def test_a_relabelled_or_leaving_pod_is_counted_anew(node: Any, pod: Any) -> None:
    key, labels = "kubernetes.io/hostname", {"app": "web"}
    wanted = {
        "topologyKey": key,
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": labels},
    }
    asked = PodInfo(pod("new", labels=labels, topologySpreadConstraints=[wanted]))
    cache = Cache()
    cache.set_node(node("a"))
    cache.set_node(node("b"))
    framework = make_framework(Handle(cache.snapshot))
    leaving = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    for change, feasible in (({"labels": labels}, ("b",)), ({}, ("a", "b"))):
        cache.set_pod(pod("p", nodeName="a", **change))
        assert schedule_pod(framework, asked).feasible == feasible
    cache.set_pod(pod("p", nodeName="a", labels=labels))
    assert schedule_pod(framework, asked).feasible == ("b",)
    cache.set_pod(pod("p", nodeName="a", labels=labels, metadata=leaving))
    assert schedule_pod(framework, asked).feasible == ("a", "b")
