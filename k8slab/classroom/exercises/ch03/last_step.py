"""Exercise 03.3: the learner reads off an object how far a Pod has come: `last_step(pod)`.

An object says more than its STATUS column: the node's name, the time at which a kubelet took it on,
conditions, the phase. The answer is asked about every state that the Pods of several fresh clusters
went through, good and bad ones.

Rule of use: `reached` is the judge; the states come from the store's history, none is made up.

Upstream: none
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api import load, to_dict
from k8slab.api.conditions import is_true
from k8slab.api.core import Pod
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal, call
from k8slab.classroom.exercises.worlds import boot
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (1, 8, 20)
AFTER = 40.0  # virtual seconds
MISSING_IMAGE = "nginx:1.72"
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  restartPolicy: Never
  containers: [{{name: main, image: "{image}"}}]
{more}
---"""
WORLD = "".join(
    POD.format(name=name, image=image, more=more)
    for name, image, more in (
        ("works", "nginx:1.27", ""),
        ("homeless", "nginx:1.27", "  nodeSelector: {disk: ssd}"),
        ("misspelled", MISSING_IMAGE, ""),
        ("done", "hello-world", ""),
        ("waits", "nginx:1.27", "  volumes: [{name: menu, configMap: {name: menu}}]"),
        ("first-things", "nginx:1.27", "  initContainers: [{name: a, image: hello-world}]"),
    )
)
HAS_SANDBOX = "PodReadyToStartContainers"
NO_NODE, BOUND, TAKEN, SANDBOX, REPORTED = 2, 4, 5, 6, 7
SAID = {
    NO_NODE: "stored, without a node",
    BOUND: "bound to a node whose kubelet has said nothing yet",
    TAKEN: "taken on by its kubelet, without a network yet",
    SANDBOX: "in its sandbox, with nothing running yet",
    REPORTED: "reported: running, or ended",
}


class Case(msgspec.Struct, frozen=True):
    """One state of a Pod, and how far it had come."""

    seed: int
    time: float  # virtual seconds
    pod: Pod
    wanted: int


def reached(pod: Pod) -> int:
    """Return the last of the seven steps that the Pod's object shows."""
    if not pod.spec.nodeName:
        return NO_NODE
    if pod.status.startTime is None:
        return BOUND
    if pod.status.phase != "Pending":
        return REPORTED
    return SANDBOX if is_true(pod.status.conditions, HAS_SANDBOX) else TAKEN


def world(seed: int) -> Cluster:
    """Return six Pods, some of which get stuck."""
    cluster = boot(seed)
    cluster.break_image(MISSING_IMAGE)
    Terminal(cluster).run(f"apply -f -\n{WORLD}")
    cluster.run(AFTER)
    return cluster


@cache
def cases(seed: int) -> tuple[Case, ...]:
    """Return every state that the Pods of a cluster went through."""
    cluster = world(seed)
    found: list[Case] = []
    for record in cluster.trace:
        if record.revision and record.subject.startswith("Pod/default/"):
            pod = cluster.at(record.time).get(Pod, record.subject.rpartition("/")[2])
            if pod is not None:
                found.append(Case(seed, record.time, pod, reached(pod)))
    return tuple(found)


def grade(answer: Any) -> Finding:
    """Judge a function of a Pod that returns a step."""
    if not callable(answer):
        return wrong_kind("the function last_step(pod)", answer)
    wrongs: list[tuple[Case, int]] = []
    asked = 0
    for case in (case for seed in SEEDS for case in cases(seed)):
        asked += 1
        given = call(answer, load(to_dict(case.pod)))
        if isinstance(given, bool) or not isinstance(given, int):
            return wrong_kind("a whole number from your function, such as 5", given)
        if given != case.wanted:
            wrongs.append((case, given))
    if not wrongs:
        return right(f"Right, in all {asked} states that the Pods went through.")
    kinds = {case.wanted for case, _ in wrongs}
    case, given = wrongs[0]
    message = f"{asked - len(wrongs)} of {asked} states are right. {_explain(case, given)}"
    seen = Evidence(case.seed, case.time, _shown(case.pod))
    finding = almost if len(kinds) == 1 and kinds != {REPORTED} else wrong
    return finding(message, _misconception(case, given), (seen,))


def _explain(case: Case, given: int) -> str:
    name, wanted = case.pod.metadata.name, case.wanted
    if given not in SAID:
        return f"Your answer for {name} is {given}; the object shows 2, 4, 5, 6 or 7."
    hint = {
        NO_NODE: "It has no spec.nodeName.",
        BOUND: "It has a spec.nodeName, and no status.startTime: that is the kubelet's.",
        TAKEN: "It has a status.startTime; PodReadyToStartContainers is not True yet.",
        SANDBOX: "PodReadyToStartContainers is True, and the phase is still Pending.",
        REPORTED: f"Its phase is {case.pod.status.phase}: the kubelet has told how it went.",
    }[wanted]
    return f"You say {given} ({SAID[given]}) of {name}, which is {SAID[wanted]}. {hint}"


def _misconception(case: Case, given: int) -> int:
    if case.wanted == REPORTED or given == REPORTED:
        return 9
    return 13 if case.wanted == NO_NODE else 0


def _shown(pod: Pod) -> str:
    status = pod.status
    return (
        f"{pod.metadata.name}: nodeName {pod.spec.nodeName or '-'}, "
        f"startTime {status.startTime or '-'}, phase {status.phase}, "
        f"{HAS_SANDBOX} {is_true(status.conditions, HAS_SANDBOX)}"
    )


EXERCISE = Exercise(
    key="03.3",
    title="How far has it come?",
    points=3,
    hints=(
        "Four facts decide: spec.nodeName, status.startTime, the condition "
        "PodReadyToStartContainers, and status.phase.",
        "Ask from the end or from the beginning, and stop at the first fact that is missing. "
        "`pod.status.conditions` is a list: look for the one with that type.",
        "No nodeName: 2. No startTime: 4. A phase other than Pending: 7. Else the condition's "
        'status, "True" or not, tells 6 from 5.',
    ),
    grade=grade,
    world=world,
)
