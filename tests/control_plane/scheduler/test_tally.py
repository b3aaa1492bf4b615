"""What is kept between decisions changes no decision: a scheduler that is new says the same."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8slab.control_plane.scheduler.cache import Cache
from k8slab.control_plane.scheduler.framework.snapshot import Handle, Objects
from k8slab.control_plane.scheduler.framework.tally import MAX_ENTRIES, Journal, Tally
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.profile import make_framework
from k8slab.control_plane.scheduler.schedule_one import schedule_pod

ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
LIKES = {"matchLabels": {"app": "a"}}


def spread(key: str, action: str, **more: Any) -> dict[str, Any]:
    rule = {"topologyKey": key, "maxSkew": 1, "whenUnsatisfiable": action, "labelSelector": LIKES}
    return {"topologySpreadConstraints": [rule | more]}


def affinity(kind: str, key: str, preferred: bool = False) -> dict[str, Any]:
    term = {"topologyKey": key, "labelSelector": LIKES}
    if preferred:
        rule: dict[str, Any] = {"weight": 3, "podAffinityTerm": term}
        return {"affinity": {kind: {"preferredDuringSchedulingIgnoredDuringExecution": [rule]}}}
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


SPECS = (
    {},
    spread(ZONE, "DoNotSchedule"),
    spread(HOST, "DoNotSchedule", minDomains=3),
    spread(ZONE, "ScheduleAnyway"),
    spread(ZONE, "DoNotSchedule", nodeTaintsPolicy="Honor"),
    spread(ZONE, "DoNotSchedule") | {"nodeSelector": {ZONE: "z0"}},
    affinity("podAffinity", ZONE),
    affinity("podAntiAffinity", HOST),
    affinity("podAffinity", ZONE, preferred=True),
    affinity("podAntiAffinity", HOST, preferred=True),
)

steps = st.lists(
    st.tuples(
        st.sampled_from(["pod", "pod", "pod", "pod", "gone", "dying", "node", "unlabel", "taint"]),
        st.integers(0, 9),
        st.sampled_from("ab"),
    ),
    max_size=30,
)


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=steps)
def test_a_new_scheduler_decides_the_same(node: Any, pod: Any, steps: Any) -> None:
    cache = Cache()
    kept = make_framework(Handle(cache.snapshot, Objects()))
    alive: dict[str, Any] = {}
    for number in range(4):
        cache.set_node(labelled(node, number))
    for turn, (step, number, app) in enumerate(steps):
        if step != "pod":
            change(cache, node, alive, step, number)
            continue
        made = pod(f"p{turn}", labels={"app": app}, **SPECS[number])
        decision = schedule_pod(kept, PodInfo(made))
        new = make_framework(Handle(cache.snapshot, Objects()))
        for info in cache.snapshot.order:
            info.worked_out.clear()
        fresh = schedule_pod(new, PodInfo(made))
        assert (decision.feasible, decision.scores) == (fresh.feasible, fresh.scores)
        assert decision.message == fresh.message
        if decision.node:
            assumed = decision.pod.assumed_on(decision.node)
            cache.assume_pod(assumed)
            alive[assumed.key] = assumed.pod


def labelled(node: Any, number: int, **more: Any) -> Any:
    return node(f"n{number}", labels={HOST: f"n{number}", ZONE: f"z{number % 2}"}, **more)


def change(cache: Cache, node: Any, alive: dict[str, Any], step: str, number: int) -> None:
    if step == "gone" and alive:
        key = list(alive)[number % len(alive)]
        cache.remove_pod(key)
        del alive[key]
    elif step == "dying" and alive:
        key = list(alive)[number % len(alive)]
        meta = msgspec.structs.replace(
            alive[key].metadata, deletionTimestamp="2026-01-01T00:00:00Z"
        )
        alive[key] = msgspec.structs.replace(alive[key], metadata=meta)
        cache.set_pod(alive[key])
    elif step == "node" and number < 6:
        if f"n{number}" in cache.snapshot.nodes and len(cache.snapshot.nodes) > 1:
            cache.remove_node(f"n{number}")
        else:
            cache.set_node(labelled(node, number))
    elif step == "unlabel" and number < 4:
        cache.set_node(node(f"n{number}"))
    elif step == "taint" and number < 4:
        taint = {"key": "k", "effect": "NoSchedule"}
        cache.set_node(labelled(node, number, taints=[taint]))


def test_a_journal_that_forgets_says_so(node: Any) -> None:
    journal, info = Journal(), NodeInfo(node("n"))
    start = journal.end
    for _ in range(MAX_ENTRIES + 1):
        journal.note(info)
    assert journal.since(start) is None
    assert journal.since(journal.end) == []


def test_a_tally_asks_only_nodes_that_have_changed(node: Any) -> None:
    cache = Cache()
    for number in range(5):
        cache.set_node(node(f"n{number}"))
    asked: list[str] = []
    tally = Tally(cache.snapshot, lambda info: asked.append(info.name) or {"pods": len(info.pods)})
    tally.counts()
    asked.clear()
    cache.set_node(node("n3", cpu="9"))
    assert (tally.counts(), asked) == ({"pods": 0}, ["n3"])
    cache.remove_node("n3")
    assert tally.counts() == {"pods": 0}
