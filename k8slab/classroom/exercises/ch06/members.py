"""Exercise 06.3: the learner writes `members(service, pods)`, the heart of a Service.

Which Pods are behind a Service right now? The same labels, the same namespace, ready, and not on
their way out. The answer is asked about every Service of a living cluster, at several moments, and
must agree with what the cluster's own EndpointSlice controller has written.

Rule of use: the controller is the judge; `_reason` only puts a disagreement into words.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api import load, to_dict
from k8slab.api.core import Pod, Service
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import NotStartedError, Terminal, call
from k8slab.classroom.exercises.makes import Mistake, gather, most_telling
from k8slab.classroom.exercises.worlds import boot, listed, members, pods_with
from k8slab.classroom.verdicts import Evidence, Finding, right, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (1, 4, 9)
NEARLY = 2  # kinds of mistakes; with fewer an answer is almost right
# Kinds of mistakes; of several, the first one here is talked about.
MOST_TELLING = (
    *("invented", "twice", "labels", "owner", "no selector", "all labels"),
    *("namespace", "ready", "terminating", "left out"),
)
CONTAINER = '{name: main, image: "busybox:1.37", command: [sleep, "1000000"]}'
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {{{labels}}}}}
spec: {{terminationGracePeriodSeconds: 20, containers: [{container}]}}
"""
NEVER_READY = CONTAINER.replace(
    "}", ', readinessProbe: {exec: {command: ["false"]}, periodSeconds: 1}}'
)
DEPLOYMENT = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: web, tier: front}}}}
  template:
    metadata: {{labels: {{app: web, tier: front, track: stable}}}}
    spec: {{terminationGracePeriodSeconds: 20, containers: [{CONTAINER}]}}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{selector: {{{selector}}}, ports: [{{port: 80}}]}}
"""
PODS = (
    ("web-by-hand", "default", "app: web, tier: front", CONTAINER),  # no controller, no matter
    ("web-starting", "default", "app: web, tier: front", NEVER_READY),
    ("web-back", "default", "app: web, tier: back", CONTAINER),
    ("web-namesake", "default", "app: other, tier: side", CONTAINER),
    ("web-elsewhere", "staging", "app: web, tier: front", CONTAINER),
)
SERVICES = (
    ("web", "default", "app: web, tier: front"),
    ("fronts", "default", "tier: front"),
    ("by-hand", "default", ""),  # without a selector: its list is somebody else's business
    ("web", "staging", "app: web"),
)
WORLD = "---".join(
    (
        "\napiVersion: v1\nkind: Namespace\nmetadata: {name: staging}\n",
        DEPLOYMENT,
        *(POD.format(name=n, namespace=ns, labels=x, container=c) for n, ns, x, c in PODS),
        *(SERVICE.format(name=n, namespace=ns, selector=s) for n, ns, s in SERVICES),
    )
)


class Case(msgspec.Struct, frozen=True):
    """One question to the answer: a Service, all Pods, and what the controller wrote."""

    seed: int
    time: float  # virtual seconds
    service: Service
    pods: tuple[Pod, ...]
    wanted: tuple[str, ...]  # sorted names


def world(seed: int) -> Cluster:
    """Return Services and Pods in two namespaces, ready and not ready, owned and not."""
    return boot(seed, WORLD)


@cache
def cases(seed: int) -> tuple[Case, ...]:
    """Return what the answer is asked in one cluster: at rest, then while a member is ending."""
    cluster = world(seed)
    at_rest = tuple(_now(cluster))
    leaving = pods_with(cluster.view, "track=stable")[seed % 3].metadata.name
    Terminal(cluster).run(f"delete pod {leaving} --wait=false")
    cluster.run(4)  # of its 20 s; its successor is ready by then
    return (*at_rest, *_now(cluster))


def _now(cluster: Cluster) -> Iterator[Case]:
    view = cluster.view
    pods = tuple(pod for pod in view.list(Pod) if pod.metadata.namespace != "kube-system")
    for name, namespace, _ in SERVICES:
        service = view.get(Service, name, namespace)
        assert service is not None
        wanted = tuple(members(view, name, namespace))
        yield Case(cluster.seed, cluster.now, service, pods, wanted)


def grade(answer: Any) -> Finding:
    """Judge a function of a Service and Pods that returns the members' names, or the members."""
    if not callable(answer):
        return wrong_kind("the function members(service, pods)", answer)
    asked = (case for seed in SEEDS for case in cases(seed))
    mistakes = gather(asked, lambda case: _ask(answer, case), _mistakes, _evidence)
    if isinstance(mistakes, Finding):
        return mistakes
    found = most_telling(mistakes, MOST_TELLING, NEARLY)
    if found is not None:
        return found
    times = sum(len(cases(seed)) for seed in SEEDS)
    return right(
        f"Right, {times} times out of {times}: for every Service, at every moment, your list "
        "is the one that the EndpointSlice controller wrote. Four tests of a Pod are all that "
        "a Service is."
    )


def _ask(answer: Callable[..., Any], case: Case) -> list[str] | Finding:
    """Return the names that the answer gives, or what is wrong with its form."""
    # Copies: what an answer does to the objects' labels must not reach the next question.
    service, *pods = (load(to_dict(one)) for one in (case.service, *case.pods))
    given = call(answer, service, pods)
    expected = "a list of Pods, or of their names, from your function"
    if given is None or given is ...:
        raise NotStartedError
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        return wrong_kind(expected, given)
    found = [one.metadata.name if isinstance(one, Pod) else one for one in call(list, given)]
    if not all(isinstance(one, str) for one in found):
        return wrong_kind(expected, given)
    return sorted(found)


def _mistakes(case: Case, given: Sequence[str]) -> Iterator[Mistake]:
    pods = {pod.metadata.name: pod for pod in case.pods}
    for name in given:
        if name not in pods:
            yield Mistake("invented", f"There is no Pod called {name!r}.")
        elif name not in case.wanted:
            yield _why_not(case.service, pods[name])
        elif given.count(name) > 1:
            yield Mistake("twice", f"{name} is in your list more than once.")
    for name in case.wanted:
        if name not in given:
            yield _why(case.service, pods[name])


def _why_not(service: Service, pod: Pod) -> Mistake:
    """Return why a Pod that the answer takes in is no member."""
    name, labels, selector = pod.metadata.name, pod.metadata.labels, service.spec.selector
    if not selector:
        return Mistake(
            "no selector",
            f"The Service {service.metadata.name} has no selector, and you gave it {name}. No "
            "selector selects nothing: such a list is written by somebody else.",
        )
    if not selector.items() <= labels.items():
        return _labels_differ(service, pod)
    if pod.metadata.namespace != service.metadata.namespace:
        return Mistake(
            "namespace",
            f"{name} bears the labels, in another namespace ({pod.metadata.namespace}). A Service "
            "sees the Pods of its own namespace only.",
        )
    if pod.metadata.deletionTimestamp is not None:
        return Mistake(
            "terminating",
            f"{name} is being deleted (its deletionTimestamp is set). It still runs and still says "
            "that it is ready, and gets no new connections.",
            17,
        )
    return Mistake(
        "ready",
        f"{name} is {pod.status.phase} and not ready. Running says that a process has started; "
        "only the condition Ready brings traffic.",
        9,
    )


def _labels_differ(service: Service, pod: Pod) -> Mistake:
    labels, selector = pod.metadata.labels, service.spec.selector
    key = next(key for key, value in selector.items() if labels.get(key) != value)
    has = f"{key}={labels[key]}" if key in labels else f"no label {key}"
    said = f"The selector wants {key}={selector[key]}, and {pod.metadata.name} has {has}."
    if any(labels.get(one) == value for one, value in selector.items()):
        return Mistake(
            "all labels", f"{said} One matching label is not enough: a Pod must bear all of them."
        )
    return Mistake("labels", f"{said} Only labels count, whatever the Pod is called.", 6)


def _why(service: Service, pod: Pod) -> Mistake:
    """Return why a Pod that the answer leaves out is a member."""
    name, extra = pod.metadata.name, len(pod.metadata.labels) > len(service.spec.selector)
    if not pod.metadata.ownerReferences:
        return Mistake(
            "owner",
            f"{name} is missing. No ReplicaSet made it, and a Service does not ask: it bears the "
            "labels and is ready.",
            6,
        )
    more = " It may bear more labels than the selector names." if extra else ""
    return Mistake(
        "left out", f"{name} is missing: it is ready and bears every label that is asked for.{more}"
    )


def _evidence(case: Case, given: Sequence[str]) -> Evidence:
    meta = case.service.metadata
    text = (
        f"Service {meta.namespace}/{meta.name}: the controller wrote {listed(case.wanted)}; "
        f"you returned {listed(given)}"
    )
    return Evidence(case.seed, case.time, text)


EXERCISE = Exercise(
    key="06.3",
    title="Make the heart of a Service",
    points=4,
    hints=(
        "Ask four questions of each Pod: is it in the Service's namespace, does it bear every "
        "label of the selector, is it ready, is it staying?",
        "`selector.items() <= pod.metadata.labels.items()` says that all labels match, and is true "
        "for an empty selector too, which a Service must treat the other way.",
        "`is_pod_ready(pod)` reads the condition Ready. A Pod that is being deleted keeps it, and "
        "has a `pod.metadata.deletionTimestamp` that is not None.",
    ),
    grade=grade,
    world=world,
)
