"""Exercise 13.1: a worker dies; after how many seconds is each of five Pods deleted?

One of the tolerations is the learner's own. The answer is a number of seconds after the plug was
pulled, or "never", for each Pod; it is compared with a worker that really died.

Rule of use: `SLACK` is what the age of the last heartbeat and the look every 5 s may take.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.worlds import boot
from k8slab.classroom.variants import pick
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

KEY = "13.1"
SEEDS = (5, 16)
OWN = (120, 45, 90, 200)  # s, of tolerationSeconds of `own`, by variant
GRACE, TOLERATED = 50, 300  # s
SLACK = 12.0  # s
WATCHED = 500.0  # s
NEVER = "never"
PODS = ("usual", "own", "hasty", "patient", "watch")
UNREACHABLE = "node.kubernetes.io/unreachable"
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  nodeName: worker-1
  {tolerations}
  containers: [{{name: main, image: "busybox:1.37", command: [sleep, "1000000"]}}]
---"""
WATCH = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: watch}
spec:
  selector: {matchLabels: {app: watch}}
  template:
    metadata: {labels: {app: watch}}
    spec: {containers: [{name: main, image: "busybox:1.37", command: [sleep, "1000000"]}]}
"""


def manifest(own: int) -> str:
    """Return four Pods of different patience, and a DaemonSet."""
    tolerated = {"usual": None, "own": str(own), "hasty": "0", "patient": ""}
    return "".join(POD.format(name=n, tolerations=_text(s)) for n, s in tolerated.items()) + WATCH


def _text(seconds: str | None) -> str:
    if seconds is None:
        return ""
    limit = f", tolerationSeconds: {seconds}" if seconds else ""
    return f"tolerations: [{{key: {UNREACHABLE}, operator: Exists, effect: NoExecute{limit}}}]"


def world(own: int, seed: int) -> Cluster:
    """Return the five on a worker that is still alive."""
    return boot(seed, manifest(own))


@cache
def observe(own: int, seed: int) -> tuple[Mapping[str, float | str], Mapping[str, Evidence]]:
    """Return after how many seconds each was deleted, and the evidence."""
    cluster = world(own, seed)
    begun = cluster.now
    cluster.break_node("worker-1")
    cluster.run(WATCHED)
    found: dict[str, float | str] = dict.fromkeys(PODS, NEVER)
    for record in cluster.trace:
        if record.verb == "delete" and record.subject.startswith("Pod/default/"):
            found[record.subject.rpartition("/")[2]] = record.time - begun
    evidence = {
        name: Evidence(
            seed, cluster.now if said == NEVER else begun + float(said), _seen(name, said)
        )
        for name, said in found.items()
    }
    return found, evidence


def _seen(name: str, said: float | str) -> str:
    if said == NEVER:
        return f"{name} is not deleted {WATCHED:g} s after the plug"
    return f"{name} is deleted, {float(said):.0f} s after the plug"


def grade(own: int, answer: Any) -> Finding:
    """Judge a mapping of Pods to seconds or "never"."""
    expected = f'seconds or "never" for each of {", ".join(PODS)}'
    if not isinstance(answer, Mapping) or set(answer) != set(PODS):
        return wrong_kind(expected, answer)
    for name in PODS:
        given = answer[name]
        number = isinstance(given, int | float) and not isinstance(given, bool) and given == given
        if not number and not (isinstance(given, str) and given.strip().lower() == NEVER):
            return wrong_kind(f'seconds or "never" for {name}', given)
    for seed in SEEDS:
        truth, evidence = observe(own, seed)
        wrongs = [name for name in PODS if not _near(answer[name], truth[name])]
        if wrongs:
            first = wrongs[0]
            message = f"{len(PODS) - len(wrongs)} of {len(PODS)} are right. "
            message += _why(first, own, answer[first])
            return (almost if len(wrongs) == 1 else wrong)(message, 16, (evidence[first],))
    return right(
        "Right. Two clocks, one after the other: silence until the node is unknown, then each "
        "Pod's own toleration.",
        tuple(observe(own, SEEDS[0])[1].values()),
    )


def _near(given: Any, truth: float | str) -> bool:
    if isinstance(given, str) or isinstance(truth, str):
        return isinstance(given, str) and isinstance(truth, str)
    return bool(abs(given - truth) <= SLACK)


def _why(name: str, own: int, given: Any) -> str:
    limit = {"usual": TOLERATED, "own": own, "hasty": 0}.get(name)
    if limit is None:
        if name == "patient":
            return "patient tolerates the taint, and says no seconds: for ever."
        return "watch is a DaemonSet's: its controller gives its Pods a toleration for ever."
    if given == NEVER:
        return f"{name} tolerates the taint for {limit} s only: then it is deleted."
    if limit and abs(given - limit) <= SLACK:
        return (
            f"{name} tolerates the taint for {limit} s, and there is no taint yet when the plug is "
            f"pulled: it comes after about {GRACE} s of silence."
        )
    if given < GRACE - SLACK:
        return (
            f"{name} is not deleted so soon: for some {GRACE} s a dead node is only silent, and "
            "nobody is sure."
        )
    return f"{name}: first about {GRACE} s of silence, then the seconds of its own toleration."


def variant(own: int) -> Exercise:
    """Return the exercise in which `own` tolerates so many seconds."""
    return Exercise(
        key=KEY,
        title="The minute of replacement",
        points=2,
        hints=(
            "Two waits, one after the other. How long may a node be silent? And how long does each "
            "Pod tolerate the taint that follows?",
            "`kubectl get pod usual -o yaml` shows the tolerations that every Pod is given.",
            f"usual: about {GRACE} + {TOLERATED}. own: about {GRACE} + {own}. A toleration without "
            "seconds holds for ever, and a DaemonSet's Pods have one.",
        ),
        grade=partial(grade, own),
        world=partial(world, own),
        task=f"`own` has tolerationSeconds {own}.",
        variant_for=variant_for,
    )


def variant_for(learner: str) -> Exercise:
    """Return the learner's own."""
    return variant(pick(learner, KEY, OWN))


EXERCISE = variant(OWN[0])
