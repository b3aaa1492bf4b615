"""Exercise 10.2: the learner writes `build_slices(service, pods)`, and a cluster runs on it.

The slices are lists of plain data, with the fields that they have in YAML. In 18 worlds they must
say of every address what the engine's controller says; how rows are spread over slices is free, as
long as none has more than a hundred. Then a cluster's controller asks the learner's function.

Rule of use: an endpoint in a slice without ports is one that nobody can reach, so it counts for
nothing, here as there.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from k8slab.api import DecodeError, load, to_dict
from k8slab.api.core import Event, Node, Pod, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import LearnerError, NotStartedError, Terminal, call
from k8slab.classroom.exercises.ch10.calls import MANY, WORLDS, Case, Row, cases, rows
from k8slab.classroom.exercises.makes import Mistake, gather, most_telling
from k8slab.classroom.exercises.worlds import CLIENT, SERVICE_NAME, boot, pods_with, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.control_plane.controllers.endpoint_slice.endpoints import IPV4
from k8slab.control_plane.controllers.endpoint_slice.reconciler import (
    MAX_ENDPOINTS,
    SlicePlan,
    is_stranger,
    new_endpoint_slice,
)

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

LIVE_SEED = 6
EXPECTED = 'a list of slices, such as [{"ports": [...], "endpoints": [...]}], from your function'
# Kinds of mistakes; of several, the first one here is talked about.
MOST_TELLING = (
    *("invented", "twice", "ended", "port", "mixed", "nameless", "left out", "open"),
    *("not ready", "serving", "terminating", "too many"),
)
FLEET = (
    """
apiVersion: apps/v1
kind: Deployment
metadata: {name: cabs}
spec:
  replicas: 3
  selector: {matchLabels: {team: cabs}}
  template:
    metadata: {labels: {team: cabs}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: traefik/whoami:v1.11
        ports: [{name: http, containerPort: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: calls}
spec: {selector: {team: cabs}, ports: [{port: 80, targetPort: http}]}
"""
    + CLIENT
)


def world(seed: int) -> Cluster:
    """Return a fleet of three behind a Service."""
    return boot(seed, FLEET)


def grade(answer: Any) -> Finding:
    """Judge a function that builds slices."""
    if not callable(answer):
        return wrong_kind("the function build_slices(service, pods)", answer)
    mistakes = gather(cases(), lambda case: _ask(answer, case), _mistakes, _evidence)
    if isinstance(mistakes, Finding):
        return mistakes
    return most_telling(mistakes, MOST_TELLING) or _live(answer)


def slices_of(given: Any) -> list[EndpointSlice]:
    """Return what the learner's function gave as EndpointSlices; raises LearnerError."""
    if not isinstance(given, list | tuple):
        raise LearnerError(f"Your function returned a {type(given).__name__}, not a list.")
    found = []
    for one in given:
        try:
            made = one if isinstance(one, EndpointSlice) else load(_complete(one))
        except DecodeError as problem:
            raise LearnerError(f"This is no slice: {problem}.") from None
        assert isinstance(made, EndpointSlice)
        found.append(made)
    return found


def _complete(given: Any) -> dict[str, Any]:
    """Return a slice's data with what every slice begins with."""
    if not isinstance(given, dict) or not {"ports", "endpoints"} <= given.keys():
        raise LearnerError("A slice of yours lacks `ports` or `endpoints`.")
    begin = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": IPV4}
    return begin | given


def _ask(answer: Callable[..., Any], case: Case) -> list[EndpointSlice] | Finding:
    # Copies: what an answer does to the objects must not reach the next question.
    service, *pods = (load(to_dict(one)) for one in (case.service, *case.pods))
    given = call(answer, service, pods)
    if given is None or given is ...:
        raise NotStartedError
    if not isinstance(given, list | tuple):
        return wrong_kind(EXPECTED, given)
    return slices_of(given)


# -- what is wrong with the rows


def _mistakes(case: Case, given: Sequence[EndpointSlice]) -> Iterator[Mistake]:
    said = rows(given)
    found = dict(said)
    pods = {pod.status.podIP: pod for pod in case.pods if pod.status.podIP}
    largest = max((len(one.endpoints) for one in given), default=0)
    if largest > MAX_ENDPOINTS:
        yield Mistake(
            "too many",
            f"A slice of yours has {largest} endpoints. {MAX_ENDPOINTS} is the limit: of {MANY} "
            "Pods, when one changes, only its slice of a hundred is sent to every node.",
        )
    for address, row in found.items():
        if address not in pods:
            yield Mistake("invented", f"No Pod has the address {address!r}.")
        elif address not in case.wanted:
            yield _stranger(pods[address])
        elif [each for each, _ in said].count(address) > 1:
            yield Mistake("twice", f"{pods[address].metadata.name} is in your slices twice.")
        elif row != case.wanted[address]:
            yield _differs(case, pods[address], row, case.wanted[address])
    for address in case.wanted:
        if address not in found:
            yield _missing(pods[address])


def _stranger(pod: Pod) -> Mistake:
    name, phase = pod.metadata.name, pod.status.phase
    if phase in ("Succeeded", "Failed"):
        text = f"{name} has ended ({phase}): nobody will ever answer at its address again."
        return Mistake("ended", text)
    return _nameless(name)


def _nameless(name: str) -> Mistake:
    return Mistake(
        "nameless",
        f"{name} has no port of the name that the Service's targetPort asks for. A name is looked "
        "up in each Pod, among its containers' ports.",
        7,
    )


def _missing(pod: Pod) -> Mistake:
    name = pod.metadata.name
    if pod.metadata.deletionTimestamp is not None:
        return Mistake(
            "left out",
            f"{name} is missing: it is being deleted, and has a row until it is gone. Its lamps "
            "say that it gets no new connections.",
            17,
        )
    return Mistake(
        "left out",
        f"{name} is missing. Every selected Pod that has an address and has not ended has a row, "
        "ready or not: readers look at the conditions.",
        9,
    )


def _differs(case: Case, pod: Pod, given: Row, wanted: Row) -> Mistake:
    """Return what a row says that is not so."""
    name = pod.metadata.name
    if given.ports != wanted.ports:
        if wanted.ports < given.ports:
            return _nameless(name)
        own, shown = _listed(wanted.ports), _listed(given.ports)
        if given.ports in {row.ports for row in case.wanted.values()}:
            return Mistake(
                "mixed",
                f"{name} stands in a slice with the ports {shown}, and listens on {own}. A slice's "
                "ports hold for all its rows: Pods with other ports need another slice.",
                7,
            )
        return Mistake(
            "port",
            f"{name} is reached on {own}, and your slice says {shown}. `targetPort` is a number, "
            "or a name that is looked up in each Pod.",
            7,
        )
    if case.service.spec.publishNotReadyAddresses and not given.ready:
        text = f"The Service has publishNotReadyAddresses, so {name} counts as ready, whatever else"
        return Mistake("open", f"{text} is true of it.", 10)
    if given.terminating != wanted.terminating:
        text = "has a deletionTimestamp" if wanted.terminating else "has no deletionTimestamp"
        return Mistake("terminating", f"{name} {text}: that, and only that, is `terminating`.", 17)
    if given.serving != wanted.serving:
        text = f"`serving` of {name} is its condition Ready, whether it is leaving or not."
        return Mistake("serving", text, 17)
    if wanted.terminating:
        text = f"{name} still serves, and is leaving: not ready for new connections."
        return Mistake("terminating", text, 17)
    return Mistake("not ready", f"{name} is {pod.status.phase}, and its condition Ready is not.", 9)


def _listed(ports: frozenset[tuple[str, int]]) -> str:
    return ", ".join(f"{name or 'port'} {number}" for name, number in sorted(ports)) or "none"


def _evidence(case: Case, given: Sequence[EndpointSlice]) -> Evidence:
    sizes = ", ".join(str(len(one.endpoints)) for one in given) or "no rows"
    text = f'"{case.kind}": {len(case.pods)} Pods, {len(case.wanted)} of them reachable; yours: '
    return Evidence(case.seed, 0.0, f"{text}{len(given)} slices ({sizes})")


# -- a cluster that runs on it


def planner(answer: Callable[..., Any]) -> Callable[..., SlicePlan]:
    """Return a plan for the EndpointSlice controller that asks the learner's function."""

    def plan(
        service: Service,
        pods: Sequence[Pod],
        nodes: Sequence[Node],
        existing: Sequence[EndpointSlice],
        *,
        trigger_time: str = "",
    ) -> SlicePlan:
        selected = [pod for pod in pods if not is_stranger(service, pod)]
        wanted = slices_of(answer(service, selected)) or [new_endpoint_slice(service, IPV4, ())]
        there = sorted(existing, key=lambda one: one.metadata.name)
        updated = [
            replace(old, ports=new.ports, endpoints=new.endpoints)
            for old, new in zip(there, wanted, strict=False)
        ]
        fresh = new_endpoint_slice(service, IPV4, ())
        return SlicePlan(
            create=tuple(
                replace(fresh, ports=new.ports, endpoints=new.endpoints)
                for new in wanted[len(there) :]
            ),
            update=tuple(new for old, new in zip(there, updated, strict=False) if new != old),
            delete=tuple(there[len(wanted) :]),
            keep=tuple(new for old, new in zip(there, updated, strict=False) if new == old),
        )

    return plan


def _live(answer: Callable[..., Any]) -> Finding:
    """Let a cluster run on it; scale, and see who answers."""
    from k8slab.cluster import Cluster

    cluster = Cluster(workers=2, seed=LIVE_SEED, replace={"endpoint_slice": planner(answer)})
    terminal = Terminal(cluster)
    terminal.run(f"apply -f -\n{FLEET}")
    cluster.run(20)
    terminal.run("scale deployment cabs --replicas=5")
    cluster.run(20)
    for event in cluster.view.list(Event, "default"):
        if event.reason == "FailedToUpdateEndpointSlices":
            return wrong(f"Right in {WORLDS} worlds. In a cluster it failed: {event.message}")
    slices = cluster.view.list(EndpointSlice, "default", labels=f"{SERVICE_NAME}=calls")
    ready = {address for address, row in rows(slices) if row.ready}
    wanted = {pod.status.podIP for pod in pods_with(cluster.view, "team=cabs")}
    answers = [cluster.request("pod/client", "http://calls") for _ in range(5)]
    if ready != wanted or not all(one.ok for one in answers):
        missing = sorted(wanted - ready) or sorted(ready - wanted)
        return almost(
            f"Right in {WORLDS} worlds. In a cluster the slices did not follow the Pods: "
            f"{', '.join(missing) or 'a request was not answered'}.",
            0,
            (seen(cluster, f"in the slices: {len(ready)}, Pods: {len(wanted)}"),),
        )
    return right(
        f"Right in {WORLDS} worlds, and a cluster has run on it: kube-proxy and the DNS server on "
        "every node believed what you wrote.",
        (
            seen(
                cluster, f"{len(ready)} addresses in {len(slices)} slice, 5 of 5 requests answered"
            ),
        ),
    )


EXERCISE = Exercise(
    key="10.2",
    title="Make the dispatcher",
    points=4,
    hints=(
        "First one row: who has none (ended, no address)? What are serving, terminating and ready "
        "of the others? Then ports: go through the Service's ports, and look a name up among the "
        "ports of the Pod's containers.",
        "Collect the rows in a dict whose keys are the Pods' ports, as a tuple of (name, number). "
        "Each key makes slices of its own; cut its rows into pieces of a hundred.",
        "ready = publishNotReadyAddresses or (serving and not terminating). Pieces: "
        "rows[start : start + 100] for start in range(0, len(rows), 100).",
    ),
    grade=grade,
    world=world,
)
