"""Exercise 04.3: the learner writes the phase: `pod_phase(spec, containers, init_containers)`.

It is asked about every combination of two containers' states and of an init container's, under each
restart policy, and must agree with the kubelet. Then a cluster runs on it.

Rule of use: `k8slab.node.kubelet.status.pod_phase` is the judge; nothing here decides a phase.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api import load, to_dict
from k8slab.api.core import ContainerStatus, Pod
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal, call
from k8slab.classroom.exercises.worlds import boot, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.node.kubelet.status import pod_phase

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

LIVE_SEED, AFTER = 5, 40.0  # virtual seconds
RUNNING: dict[str, Any] = {"running": {}}
WAITING = {"waiting": {"reason": "ContainerCreating"}}
OVER = {"terminated": {"exitCode": 0}}
FAILED = {"terminated": {"exitCode": 1}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff"}}
# By name: what a container is doing, and what it did before.
STATES: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "waits for its first start": (WAITING, {}),
    "runs": (RUNNING, {}),
    "ended well": (OVER, {}),
    "failed": (FAILED, {}),
    "waits after a failure": (BACK_OFF, FAILED),
}
POLICIES = ("Always", "OnFailure", "Never")
LIVE = """
apiVersion: v1
kind: Pod
metadata: {name: works}
spec: {containers: [{name: main, image: "nginx:1.27"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: done}
spec: {restartPolicy: Never, containers: [{name: main, image: hello-world}]}
---
apiVersion: v1
kind: Pod
metadata: {name: fails}
spec:
  restartPolicy: Never
  containers: [{name: main, image: "busybox:1.37", command: [sh, -c, "exit 3"]}]
"""
EXPECTED = {"works": "Running", "done": "Succeeded", "fails": "Failed"}


class Case(msgspec.Struct, frozen=True):
    """One Pod as a kubelet sees it, in words and in statuses."""

    words: str
    pod: Pod
    containers: tuple[ContainerStatus, ...]
    init: tuple[ContainerStatus, ...]
    wanted: str


def world(seed: int) -> Cluster:
    """Return three Pods: one that works, one that is done, one that fails."""
    cluster = boot(seed, workers=1)
    Terminal(cluster).run(f"apply -f -\n{LIVE}")
    cluster.run(AFTER)
    return cluster


@cache
def cases() -> tuple[Case, ...]:
    """Return all combinations."""
    return tuple(_cases())


def _cases() -> Iterator[Case]:
    for policy in POLICIES:
        for state in STATES:
            yield _case(policy, (state,), "")
        for first, second in product(STATES, repeat=2):
            yield _case(policy, (first, second), "")
        for init in STATES:
            yield _case(policy, ("waits for its first start",), init)
        yield _case(policy, ("runs",), "ended well")


def _case(policy: str, states: Sequence[str], init: str) -> Case:
    containers = [{"name": f"c{n}", "image": "x"} for n in range(len(states))]
    spec: dict[str, Any] = {"restartPolicy": policy, "containers": containers}
    status: dict[str, Any] = {
        "containerStatuses": [_status(f"c{n}", state) for n, state in enumerate(states)]
    }
    if init:
        spec["initContainers"] = [{"name": "first", "image": "x"}]
        status["initContainerStatuses"] = [_status("first", init)]
    pod: Any = load({"apiVersion": "v1", "kind": "Pod", "spec": spec, "status": status})
    regular, before = pod.status.containerStatuses, pod.status.initContainerStatuses
    wanted = pod_phase(pod.spec, regular, before)
    words = " and ".join(f"one {state}" for state in states)
    if init:
        words = f"the init container {init}, then {words}"
    return Case(f"restartPolicy {policy}; {words}", pod, regular, before, wanted)


def _status(name: str, state: str) -> dict[str, Any]:
    now, before = STATES[state]
    return {"name": name, "image": "x", "state": now, "lastState": before}


def grade(answer: Any) -> Finding:
    """Judge a function of a spec and statuses that returns a phase."""
    if not callable(answer):
        return wrong_kind("the function pod_phase(spec, containers, init_containers)", answer)
    wrongs: list[tuple[Case, str]] = []
    for case in cases():
        pod: Any = load(to_dict(case.pod))
        given = call(
            answer, pod.spec, pod.status.containerStatuses, pod.status.initContainerStatuses
        )
        if not isinstance(given, str):
            return wrong_kind('a phase from your function, such as "Running"', given)
        if given != case.wanted:
            wrongs.append((case, given))
    if wrongs:
        return _explain(wrongs)
    return _live(answer)


def _explain(wrongs: list[tuple[Case, str]]) -> Finding:
    # The case with the fewest containers says it best.
    case, given = min(wrongs, key=lambda pair: len(pair[0].words))
    share = f"{len(cases()) - len(wrongs)} of {len(cases())} cases are right."
    message = f"{share} You say {given!r}, the kubelet says {case.wanted!r}: {case.words}."
    kinds = {(one.wanted, said) for one, said in wrongs}
    finding = almost if len(kinds) == 1 and len(wrongs) <= 12 else wrong
    return finding(f"{message} {_why(case)}", 11 if "waits after" in case.words else 9)


def _why(case: Case) -> str:
    if "init container" in case.words and case.wanted in ("Pending", "Failed"):
        return "Init containers come first, and one that fails for good ends the Pod."
    if "waits after" in case.words:
        return "A container that waits for its restart has been started before."
    return {
        "Pending": "Some container has not been started yet.",
        "Running": "All have been started, and one runs, or will be started again.",
        "Succeeded": "All have ended with exit code 0, and none will be started again.",
        "Failed": "All have ended, one of them badly, and none will be started again.",
    }[case.wanted]


def _live(answer: Callable[..., Any]) -> Finding:
    """Let kubelets decide with it."""
    from k8slab.cluster import Cluster

    def decide(spec: Any, regular: Any, init: Any, **facts: Any) -> Any:
        return answer(spec, regular, init)

    cluster = Cluster(workers=1, seed=LIVE_SEED, replace={"pod_phase": decide})
    Terminal(cluster).run(f"apply -f -\n{LIVE}")
    cluster.run(AFTER)
    found = {pod.metadata.name: pod.status.phase for pod in cluster.view.list(Pod, "default")}
    if found != EXPECTED:
        said = ", ".join(f"{name} {phase}" for name, phase in sorted(found.items()))
        text = "All cases are right, and in a cluster that runs on your function the Pods are wrong"
        return almost(f"{text}: {said}.", 0, (seen(cluster, said),))
    return right(
        f"Right in all {len(cases())} cases, and a whole cluster has lived by it: its kubelets "
        "asked your function for the phase of every Pod, their own ones too.",
        (Evidence(LIVE_SEED, cluster.now, "works Running, done Succeeded, fails Failed"),),
    )


EXERCISE = Exercise(
    key="04.3",
    title="Make: the phase",
    points=3,
    hints=(
        "Ask in this order: has an init container failed for good? Is anything still to be started "
        "for the first time? Does anything run? Then all have ended: will one start again?",
        "A status has `state` and `lastState`, each with `running`, `waiting` or `terminated`. A "
        "container that waits, with a `lastState.terminated`, has been started before.",
        "Ended containers start again under Always; under OnFailure if the exit code is not 0; "
        "never under Never. If one will, the phase is still Running.",
    ),
    grade=grade,
    world=world,
)
