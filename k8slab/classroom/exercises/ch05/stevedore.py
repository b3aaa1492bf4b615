"""Exercise 05.3: the learner writes a scheduler plugin, a filter and a score, and a cluster packs.

The filter is asked 28 questions and must agree with the engine's NodeResourcesFit. The score is
judged by what it brings about: in five worlds of many small Pods, are there whole nodes left for
the three large ones that come last? Then a cluster runs on both.

Rule of use: any order of nodes that leaves room in one piece is right, however it is found.

Upstream: none
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from k8slab.api.core import Event
from k8slab.api.pods import is_pod_ready
from k8slab.api.requests import amounts, pod_requests
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import LearnerError, NotStartedError, Terminal, call
from k8slab.classroom.exercises.ch05.stowing import (
    CASES,
    LARGE,
    SEEDS,
    Case,
    Stowed,
    cases,
    profile,
    stow,
)
from k8slab.classroom.exercises.worlds import boot, pods_with, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.client.learner import ReplacementError
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.plugins.learner import Learner, adapt

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

LIVE_SEED = 9
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - name: main
        image: registry.k8s.io/pause:3.10
        resources: {{requests: {{cpu: {cpu}m, memory: 100Mi}}}}
"""
SMALL = MANIFEST.format(name="small", replicas=6, cpu=500)
LARGE_ONES = MANIFEST.format(name="large", replicas=2, cpu=3500)
EXPECTED = "a class with filter(self, pod, node, pods) and score(self, pod, node, pods)"
STUB = "is still a stub"
WHY = {  # what a wrong answer to a question of each kind has overlooked
    "cpu": "Sum the requests of the Pods that are there, add the new one's, and compare.",
    "fits": "What counts is requests. Limits, and what is used, are not asked.",
    "memory": "CPU is left, and memory is not: each resource that is asked for must fit.",
    "exact": "What is left may be taken to the last millicore.",
    "several": "A Pod of several containers needs room for all of them: `pod_requests` adds up.",
    "nothing": "A Pod that asks for nothing fits, however full the node is by requests.",
    "pods": "A node also takes only so many Pods: `pods` is one of its allocatable amounts.",
}


def world(seed: int) -> Cluster:
    """Return a cluster in which small Pods were spread, and large ones wait."""
    cluster = boot(seed, SMALL)
    cluster.apply(LARGE_ONES)
    cluster.run(5)
    return cluster


def grade(answer: Any) -> Finding:
    """Judge a class with a filter and a score."""
    made = call(answer) if isinstance(answer, type) else answer
    for method in ("filter", "score"):
        if not callable(getattr(made, method, None)):
            return wrong_kind(EXPECTED, answer)
    try:
        adapt(made)
    except TypeError as problem:
        return wrong(f"That is no plugin yet: {problem}.")
    return _filter(made) or _score(made) or _live(made)


# -- the filter


def _filter(plugin: Any) -> Finding | None:
    """Ask the questions; return what is wrong with the first answer that is."""
    learner = Learner(plugin)
    wrongs: dict[str, Case] = {}
    for case in cases():
        fits = _fits(learner, case)
        if isinstance(fits, Finding):
            return fits
        if fits != case.fits:
            wrongs.setdefault(case.kind, case)
    if not wrongs:
        return None
    kind, case = next(iter(wrongs.items()))
    said = "fits, and your filter refuses it" if case.fits else "does not fit, and yours takes it"
    message = f"The Pod {said}. {WHY[kind]}"
    return wrong(message, 13 if kind == "fits" else 0, (_evidence(case),))


def _fits(learner: Learner, case: Case) -> bool | Finding:
    node = NodeInfo(case.node, [PodInfo(pod) for pod in case.pods])
    try:
        given = learner.ask("filter", PodInfo(case.pod), node)
    except ReplacementError as problem:
        raised = problem.__context__
        if isinstance(raised, NotStartedError | LearnerError):  # told where the learner's code ran
            raise raised from None
        if STUB in str(problem):
            raise NotStartedError from None
        raise LearnerError(_sentence(str(problem))) from None
    if given is not None and not isinstance(given, bool | str):
        return wrong_kind("True, False or a text from your filter", given)
    return given is None or given is True


def _evidence(case: Case) -> Evidence:
    has = {**amounts(case.node.status.allocatable)}
    for pod in case.pods:
        for name, amount in pod_requests(pod).items():
            has[name] -= amount
    has["pods"] -= len(case.pods)
    asks = pod_requests(case.pod)
    text = (
        f"left: {has['cpu']}m CPU, {has['memory'] >> 20}Mi, room for {has['pods']} Pods; asked "
        f"for: {asks.get('cpu', 0)}m CPU, {asks.get('memory', 0) >> 20}Mi"
    )
    return Evidence(cases().index(case), 0.0, text)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


# -- the score


@cache
def _default() -> int:
    """Return how many large Pods the default scheduler finds a place for."""
    return sum(stow(None, seed).large for seed in SEEDS)


def _score(plugin: Any) -> Finding | None:
    """Let it pack; return what is wrong unless all the large Pods have found a node."""
    worlds = {seed: stow(profile(plugin), seed) for seed in SEEDS}
    failed = [found.failure for found in worlds.values() if found.failure]
    if failed and any(words in failed[0] for words in (STUB, NotStartedError.__name__)):
        return almost(f"Your filter is right in all {CASES} questions. Your score is still a stub.")
    if failed:
        message = f"Your filter is right. The scheduler could not use your score: {failed[0]}."
        return wrong(message)
    large, all_of_them = sum(each.large for each in worlds.values()), LARGE * len(SEEDS)
    if large == all_of_them:
        return None
    evidence = tuple(
        Evidence(seed, 0.0, f"{_bins(found)}; {found.large} of {LARGE} large Pods placed")
        for seed, found in worlds.items()
        if found.large < LARGE
    )
    finding = almost if large > all_of_them // 2 else wrong
    how = "spreads as ours does" if large <= _default() else "packs better than ours, not enough"
    return finding(
        f"Your filter is right. {large} of {all_of_them} large Pods found a node; our scheduler, "
        f"which spreads, places {_default()}. Yours {how}: the small ones must not open a new "
        "node as long as they fit on one that is in use.",
        0,
        evidence,
    )


def _bins(found: Stowed) -> str:
    counts: dict[str, int] = {}
    for name, node in found.nodes.items():
        if name.startswith("small"):
            counts[node] = counts.get(node, 0) + 1
    return "small Pods lie on " + ", ".join(f"{node} ({n})" for node, n in sorted(counts.items()))


# -- a cluster that runs on it


def _live(plugin: Any) -> Finding:
    """Let a cluster schedule with it, and look where its Pods are."""
    from k8slab.cluster import Cluster

    chosen = {"scheduler_plugins": profile(plugin)}
    cluster = Cluster(workers=3, seed=LIVE_SEED, replace=chosen)
    terminal = Terminal(cluster)
    for manifest in (SMALL, LARGE_ONES):
        terminal.run(f"apply -f -\n{manifest}")
        cluster.run(20)
    complaint = _complaint(cluster)
    if complaint:
        message = f"Right in all {CASES} questions and {len(SEEDS)} worlds. In a cluster it failed"
        return wrong(f"{message}: {complaint}.")
    pods = [pod for name in ("small", "large") for pod in pods_with(cluster.view, f"app={name}")]
    where = [f"{pod.metadata.labels['app']} on {pod.spec.nodeName or 'no node'}" for pod in pods]
    counted = ", ".join(f"{where.count(each)} {each}" for each in dict.fromkeys(where))
    if not all(map(is_pod_ready, pods)):
        return almost(
            f"Right in all {CASES} questions and {len(SEEDS)} worlds. In a cluster, other plugins "
            "have a say as well: those that spread a Deployment outvoted yours. Give it more "
            "`weight`.",
            0,
            (seen(cluster, counted),),
        )
    return right(
        f"Right in {CASES} questions, and all large Pods found a node in {len(SEEDS)} worlds; our "
        f"own scheduler places {_default()} of {LARGE * len(SEEDS)}. A cluster has run on it.",
        (seen(cluster, counted),),
    )


def _complaint(cluster: Cluster) -> str:
    """Return what the scheduler had against the plugin, empty for nothing."""
    for event in cluster.view.list(Event, "default"):
        if event.reason == "FailedScheduling" and "your " in event.message:
            return event.message
    return ""


EXERCISE = Exercise(
    key="05.3",
    title="Make: the stevedore",
    points=4,
    hints=(
        "`pods` are those on the node. Sum up what they ask for, add what the new one asks for, "
        "and compare with `amounts(node.status.allocatable)`, resource by resource.",
        "The number of Pods is limited, too. For the score, look at what the default does, and "
        "turn it round: the fuller a node is, the better.",
        "filter: len(pods) + 1 <= has['pods'], and for each name, n of pod_requests(pod).items(): "
        "n + sum(pod_requests(p).get(name, 0) for p in pods) <= has[name]. score: 100 * requested "
        "CPU // has['cpu'].",
    ),
    grade=grade,
    world=world,
)
