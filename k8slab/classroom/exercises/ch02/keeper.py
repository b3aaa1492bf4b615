"""Exercise 02.3: the learner writes a controller: every Pod bears the shift that the rota says.

It runs in fresh clusters beside the lab's own controllers, and its watch loses some events and
brings others twice. Whatever happens to Pods, labels and the rota: half a minute later the labels
must be right, and a controller that has nothing to do must write nothing.

Rule of use: `STEPS` is what happens; after each the labels are compared.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api.core import ConfigMap, Event
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import LearnerError, Terminal, call
from k8slab.classroom.exercises.worlds import pods_with, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.control_plane.controllers.learner_controller import Desk, Heard, UnreliableWatch

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

WAIT = 35.0  # virtual seconds: one look at everything is every 30 s
QUIET = 65.0  # virtual seconds in which nothing is to be done
MOST = 60  # writes, far more than are needed
ROTA = "create configmap rota --from-literal=shift=early"
WEB = """apply -f -
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: "traefik/whoami:v1.11"}]
"""


class Step(msgspec.Struct, frozen=True):
    """Something that happens, and what it means if the labels are wrong afterwards."""

    command: str
    said: str
    misconception: int = 0


STEPS: Sequence[Step] = (
    Step(ROTA, "the rota was made"),
    Step(WEB, "two Pods were created: a Pod comes without the label, so look at every new one"),
    Step(
        "label pod -l app=web shift-",
        "the label was taken away by hand. That is news of the type MODIFIED; whoever acts on "
        "ADDED alone never puts it back",
    ),
    Step(
        "label pod -l app=web shift=never --overwrite",
        "somebody wrote another shift. Compare the label with the rota; that it is there is not "
        "enough",
    ),
    Step(
        """patch configmap rota -p '{"data": {"shift": "late"}}'""",
        "the rota changed. One event of a ConfigMap concerns all Pods",
    ),
    Step("scale deployment web --replicas=4", "there are more Pods"),
    Step("delete pod -l app=web --wait=false", "the Pods were replaced"),
)
# What becomes of events, by seed: numbers of those that are lost, and that come twice.
TROUBLE: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {
    4: ((), ()),
    9: ((2, 3, 7, 11, 16, 24, 31), (1, 5, 12, 18)),
    15: (tuple(range(2, 60, 2)), tuple(range(1, 60, 4))),
}


def world(seed: int) -> Cluster:
    """Return a cluster with a rota and two Pods, which nobody labels."""
    cluster = _boot(seed, lambda desk, event: None)
    for step in STEPS[:2]:
        Terminal(cluster).run(step.command)
    cluster.settle()
    return cluster


def _boot(seed: int, reconcile: Callable[..., Any]) -> Cluster:
    from k8slab.cluster import Cluster

    lost, twice = TROUBLE.get(seed, ((), ()))
    watch = UnreliableWatch(reconcile, lost=lost, twice=twice)
    return Cluster(workers=1, seed=seed, replace={"controller": watch})


class Asked:
    """The learner's function, and how often it asked for a write."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.writes = 0

    def __call__(self, desk: Desk, event: Heard) -> None:
        """Pass the event on."""
        self._function(desk, event)
        self.writes += len(desk.wishes)


def grade(answer: Any) -> Finding:
    """Judge a function reconcile(desk, event)."""
    if not callable(answer):
        return wrong_kind("the function reconcile(desk, event)", answer)
    begin(answer)
    evidence: tuple[Evidence, ...] = ()
    for seed in TROUBLE:
        asked = Asked(answer)
        cluster = _boot(seed, asked)
        finding = _live(cluster, asked) or _idle(cluster, asked)
        if finding is not None:
            return finding
        evidence += (seen(cluster, f"{asked.writes} writes kept every label true"),)
    return right(
        "Right: the labels were true after every step, also where half of the events were lost, "
        "and nothing was written that was not needed. It looks at what is, not at what happened.",
        evidence,
    )


def begin(answer: Callable[..., Any]) -> None:
    """Ask once at an empty desk: a stub is met as one, and whatever cannot be called is told."""

    class Nothing:
        def get(self, namespace: str, name: str) -> None:
            return None

        def all(self) -> list[Any]:
            return []

    nothing = Nothing()
    try:
        call(answer, Desk({"pod": nothing, "configmap": nothing}), Heard("ADDED", "pod", "web"))
    except LearnerError as problem:
        if "could not be called" in str(problem) or "did not come to an end" in str(problem):
            raise  # all else is told with an Event, in a cluster


def _live(cluster: Cluster, asked: Asked) -> Finding | None:
    """Let everything happen; return what was wrong after a step."""
    for step in STEPS:
        Terminal(cluster).run(step.command)
        cluster.run(WAIT)
        complaint = _complaint(cluster)
        if complaint:
            return wrong(complaint)
        wrongs = _wrongs(cluster)
        if wrongs:
            lost = ", and some events were lost" if TROUBLE[cluster.seed][0] else ""
            message = f"Half a minute after this{lost}, labels are wrong: {step.said}."
            return wrong(message, step.misconception, (seen(cluster, wrongs[0]),))
        if asked.writes > MOST:
            return wrong(
                f"It has written {asked.writes} times, and a dozen would have done. Each write is "
                "work for the API server: write only what differs.",
                0,
                (seen(cluster, f"{asked.writes} writes"),),
            )
    return None


def _idle(cluster: Cluster, asked: Asked) -> Finding | None:
    """Let nothing happen; return what was written all the same."""
    before = asked.writes
    cluster.run(QUIET)
    needless = asked.writes - before
    if not needless:
        return None
    return almost(
        f"All labels are true, and yet it wrote {needless} times in a minute in which nothing had "
        "changed. Write only what differs.",
        0,
        (seen(cluster, f"{needless} needless writes"),),
    )


def _wrongs(cluster: Cluster) -> list[str]:
    rota = cluster.view.get(ConfigMap, "rota")
    shift = rota.data["shift"] if rota is not None else ""
    found = []
    for pod in pods_with(cluster.view, "app=web"):
        label = pod.metadata.labels.get("shift", "")
        if label != shift:
            found.append(f"{pod.metadata.name} has shift={label or '-'}, the rota says {shift}")
        if "pod-template-hash" not in pod.metadata.labels:
            found.append(f"{pod.metadata.name} has lost its other labels")
    return found


def _complaint(cluster: Cluster) -> str:
    """Return what the learner's function was seen doing wrong, empty for nothing."""
    for event in cluster.view.list(Event, "default"):
        if event.reason == "FailedReconcile":
            return f"In a cluster, {event.message}."
    return ""


EXERCISE = Exercise(
    key="02.3",
    title="Make: keep a label true",
    points=3,
    hints=(
        "Do not ask what has happened. Ask what is: read the rota, read the Pods, compare.",
        "An event of the rota concerns every Pod. The simplest controller looks at all Pods at "
        "every event, and writes for those that differ.",
        'rota = desk.get("configmap", "rota"); return if it is None. For each pod of '
        'desk.list("pod") whose label "shift" is not rota.data["shift"]: desk.label(...).',
    ),
    grade=grade,
    world=world,
)
