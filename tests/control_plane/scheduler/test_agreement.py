"""What is explained is what is done, and what is remembered is what would be computed."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8slab.control_plane.scheduler import explain
from k8slab.control_plane.scheduler.cache import Cache
from k8slab.control_plane.scheduler.explain import explanation_of
from k8slab.control_plane.scheduler.framework.interface import CycleState
from k8slab.control_plane.scheduler.framework.snapshot import Handle, Objects, Snapshot
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.plugins.default_preemption import cost
from k8slab.control_plane.scheduler.profile import make_framework
from k8slab.control_plane.scheduler.schedule_one import schedule_pod
from tests.control_plane.scheduler.worlds import (
    PRIORITIES,
    budget,
    cases,
    make_node,
    make_pod,
    node_specs,
    pod_specs,
    service,
    worlds,
)

KINDS = ("Node", "Pod", "Service", "PodDisruptionBudget", "Namespace")
FAST = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def build(lab: Any, node: Any, pod: Any, world: Any) -> None:
    """Create a world behind the scheduler's back, Pods on their nodes."""
    for name, value in PRIORITIES.items():
        kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
        lab.create({**kind, "metadata": {"name": name}, "value": value})
    for number, spec in enumerate(world["nodes"]):
        lab.create(make_node(node, number, spec))
    for number, (where, spec) in enumerate(world["pods"]):
        home = f"n{where % len(world['nodes'])}"
        lab.create(make_pod(pod, f"p{number}", {**spec, "policy": FIRST}, nodeName=home))
    for wanted, made in (("budget", budget), ("service", service)):
        if world[wanted]:
            lab.create(made())


FIRST = "PreemptLowerPriority"


def told(explanation: Any) -> Any:
    """All that an explanation says, but for whom it took of equal candidates."""
    nodes = {name: msgspec.structs.astuple(v) for name, v in sorted(explanation.nodes.items())}
    candidates = sorted(
        (each.node, tuple(sorted(v.metadata.name for v in each.victims)), each.violations)
        for each in explanation.candidates
    )
    event = explanation.event if not explanation.best else ""
    return nodes, sorted(explanation.best), dict(explanation.weights), event, candidates


@FAST
@given(case=cases)
def test_the_running_scheduler_does_what_is_explained(
    make_lab: Any, node: Any, pod: Any, case: Any
) -> None:
    world, asked = case
    lab = make_lab()
    lab.run(0.5)
    build(lab, node, pod, world)
    lab.run(0.5)
    there = {kind: lab.call("list", kind).items for kind in KINDS}
    lab.create(make_pod(pod, "web", asked))
    new = lab.pod("web")
    said = explain(
        new,
        there["Node"],
        there["Pod"],
        services=there["Service"],
        pdbs=there["PodDisruptionBudget"],
        namespaces=there["Namespace"],
    )
    lab.run(0.02)
    assert told(lab.scheduler.verdict("default/web")) == told(said)
    lab.run(0.5)
    first = lab.events("web")[0]
    if said.best:
        placed = lab.pod("web").spec.nodeName
        assert placed in said.best
        assert first == ("Scheduled", f"Successfully assigned default/web to {placed}")
        return
    assert first == ("FailedScheduling", said.event)
    nominated = lab.pod("web").status.nominatedNodeName
    cheapest = [each for each in said.candidates if cost(each) == cost(said.candidates[0])]
    if not said.candidates:
        assert nominated == ""
        return
    chosen = {each.node: each for each in cheapest}.get(nominated or lab.pod("web").spec.nodeName)
    assert chosen is not None
    left = {p.metadata.name: p for p in lab.call("list", "Pod").items}
    for victim in chosen.victims:
        pod_now = left.get(victim.metadata.name)
        assert pod_now is None or pod_now.metadata.deletionTimestamp


steps = st.lists(
    st.one_of(
        st.tuples(st.just("pod"), st.integers(0, 5), pod_specs),
        st.tuples(st.just("pod"), st.integers(0, 5), pod_specs),
        st.tuples(st.just("node"), st.integers(0, 4), node_specs),
        st.tuples(st.just("gone"), st.integers(0, 9), st.none()),
    ),
    max_size=25,
)


@FAST
@given(world=worlds, steps=steps)
def test_a_scheduler_that_remembers_decides_as_one_that_has_just_come(
    node: Any, pod: Any, world: Any, steps: Any
) -> None:
    cache, objects = Cache(), [service()] if world["service"] else []
    kept = make_framework(Handle(cache.snapshot, Objects.of(objects)))
    for number, spec in enumerate(world["nodes"]):
        cache.set_node(make_node(node, number, spec))
    alive: dict[str, Any] = {}
    for turn, (step, number, spec) in enumerate(steps):
        if step == "node":
            cache.set_node(make_node(node, number, spec))
            continue
        if step == "gone":
            if alive:
                key = list(alive)[number % len(alive)]
                cache.remove_pod(key)
                del alive[key]
            continue
        made = make_pod(pod, f"p{turn}", spec)
        decision = schedule_pod(kept, PodInfo(made))
        nodes = [info.node for info in cache.snapshot.nodes.values()]
        fresh = explain(made, nodes, alive.values(), objects=objects)
        assert told(explanation_of(decision, kept)) == told(fresh)
        if decision.node:
            assumed = decision.pod.assumed_on(decision.node)
            cache.assume_pod(assumed)
            alive[assumed.key] = assumed.pod


@FAST
@given(case=cases)
def test_nodes_scored_together_score_as_each_alone(node: Any, pod: Any, case: Any) -> None:
    world, asked = case
    infos = [NodeInfo(make_node(node, n, spec)) for n, spec in enumerate(world["nodes"])]
    for number, (where, spec) in enumerate(world["pods"]):
        infos[where % len(infos)].add_pod(PodInfo(make_pod(pod, f"p{number}", spec)))
    objects = Objects.of([service()] if world["service"] else [])
    framework = make_framework(Handle(Snapshot(infos), objects))
    made = PodInfo(make_pod(pod, "web", asked))
    state = CycleState()
    scores = framework.run_score(state, made, infos)
    for name, score, normalize in framework._scores:
        if name not in scores:
            continue
        alone = [score(state, made, [info])[0] for info in infos]
        own = normalize(state, alone, infos) if normalize is not None else alone
        assert scores[name] == own
