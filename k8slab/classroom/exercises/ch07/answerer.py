"""Exercise 07.4: the learner writes the DNS server's answers for Services: `addresses(name, ...)`.

It gets a whole name, all Services and all EndpointSlices, and returns addresses, another name, or
None if there is no such name. It is held against CoreDNS in fresh clusters, and then CoreDNS runs
on it.

Rule of use: `k8slab.addons.coredns.answer` is the judge; only names of Services are asked for.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.addons.coredns import answer as coredns_answer
from k8slab.addons.coredns.records import NOERROR, NXDOMAIN, Answer, Record
from k8slab.api import load, to_dict
from k8slab.api.core import Service
from k8slab.api.discovery import EndpointSlice
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal, call
from k8slab.classroom.exercises.ch07.stage import town
from k8slab.classroom.exercises.worlds import seen
from k8slab.classroom.verdicts import Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (4, 12)
LIVE_SEED = 6
DOMAIN = "svc.cluster.local"
MORE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shy}
spec:
  replicas: 2
  selector: {matchLabels: {app: shy}}
  template:
    metadata: {labels: {app: shy}}
    spec:
      containers:
      - {name: main, image: "nginx:1.27", readinessProbe: {exec: {command: ["false"]}}}
---
apiVersion: v1
kind: Service
metadata: {name: shy}
spec: {clusterIP: None, selector: {app: shy}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: shy-early}
spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {app: shy}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 80}]}
"""
NAMES = (
    *(f"web.default.{DOMAIN}", f"db.shop.{DOMAIN}", f"crew.default.{DOMAIN}"),
    *(f"partner.default.{DOMAIN}", f"shy.default.{DOMAIN}", f"shy-early.default.{DOMAIN}"),
    *(f"web.shop.{DOMAIN}", f"db.default.{DOMAIN}", f"nobody.default.{DOMAIN}"),
)
WHY = {
    "web.default": "It has a ClusterIP, and that is its address.",
    "db.shop": "The second part of the name is the namespace.",
    "crew.default": "It is headless (clusterIP is None): the addresses are those of its ready "
    "endpoints.",
    "partner.default": "It is an ExternalName: the answer is another name.",
    "shy.default": "It is headless, and none of its endpoints is ready: CoreDNS then knows no such "
    "name. None.",
    "shy-early.default": "It publishes addresses that are not ready: the EndpointSlice says ready.",
    "web.shop": "Another Service has this name in another namespace: compare both.",
    "db.default": "There is no such Service in that namespace: None.",
    "nobody.default": "There is no such Service: None.",
}


class Case(msgspec.Struct, frozen=True):
    """One question about a cluster, and CoreDNS' answer to it."""

    seed: int
    time: float  # virtual seconds
    name: str
    services: tuple[Service, ...]
    slices: tuple[EndpointSlice, ...]
    wanted: Any


def world(seed: int) -> Cluster:
    """Return Services of all kinds, some with Pods that are not ready."""
    return _with_more(town(seed))


def _with_more(cluster: Cluster) -> Cluster:
    Terminal(cluster).run(f"apply -f -\n{MORE}")
    cluster.run(30)
    return cluster


@cache
def cases(seed: int) -> tuple[Case, ...]:
    """Return all questions about a cluster."""
    cluster = world(seed)
    services = tuple(cluster.view.list(Service))
    slices = tuple(cluster.view.list(EndpointSlice))
    found = []
    for name in NAMES:
        said = coredns_answer(name, "A", services=services, endpoint_slices=slices)
        found.append(Case(seed, cluster.now, name, services, slices, _plain(said)))
    return tuple(found)


def _plain(said: Answer) -> Any:
    """Return an answer as the exercise has it: None, a name, or sorted addresses."""
    if said.rcode != NOERROR:
        return None
    if said.answers and said.answers[0].type == "CNAME":
        return said.answers[0].data.rstrip(".")
    return sorted(record.data for record in said.answers)


def grade(answer: Any) -> Finding:
    """Judge a function addresses(name, services, endpoint_slices)."""
    if not callable(answer):
        return wrong_kind("the function addresses(name, services, endpoint_slices)", answer)
    wrongs: list[tuple[Case, Any]] = []
    everything = [case for seed in SEEDS for case in cases(seed)]
    for case in everything:
        given = _read(_ask(answer, case.name, case.services, case.slices))
        if isinstance(given, Exception):
            return wrong_kind("addresses, a name, or None from your function", given.args[0])
        if given != case.wanted:
            wrongs.append((case, given))
    if not wrongs:
        return _live(answer)
    case, given = wrongs[0]
    short = case.name.removesuffix(f".{DOMAIN}")
    share = f"{len(everything) - len(wrongs)} of {len(everything)} names are right."
    message = f"{share} {short}: you say {_said(given)}, CoreDNS says {_said(case.wanted)}."
    finding = almost if len({one.name for one, _ in wrongs}) == 1 else wrong
    return finding(f"{message} {WHY[short]}", 20 if "crew" in short or "partner" in short else 0)


def _ask(answer: Callable[..., Any], name: str, services: Any, slices: Any) -> Any:
    own = [load(to_dict(one)) for one in services], [load(to_dict(one)) for one in slices]
    return call(answer, name, *own)


def _read(given: Any) -> Any:
    """Return the answer in the form of `Case.wanted`; an exception holds what cannot be read."""
    if given is None:
        return None
    if isinstance(given, str):
        return given.rstrip(".")
    if isinstance(given, list | tuple | set | frozenset) and all(isinstance(x, str) for x in given):
        return sorted(given)
    return ValueError(given)


def _said(value: Any) -> str:
    if value is None:
        return "no such name"
    return value if isinstance(value, str) else (", ".join(value) or "no addresses")


def _live(answer: Callable[..., Any]) -> Finding:
    """Let CoreDNS answer with it."""
    records = _records(answer)
    cluster = _with_more(town(LIVE_SEED, {"dns_answer": records}))
    got = cluster.request("deployment/web", "http://web")
    found = cluster.resolve("crew")
    if not got.ok or len(found.addresses) != 3:
        said = got.error or f"crew has {len(found.addresses)} addresses"
        return almost(f"All names are right, and a cluster that runs on it does not work: {said}.")
    return right(
        f"Right for all {len(NAMES)} names, and CoreDNS of a whole cluster has answered with it: "
        "a request found its way to `web` by your answer.",
        (seen(cluster, f"http://web was answered by {got.served_by}"),),
    )


def _records(answer: Callable[..., Any]) -> Callable[..., Answer]:
    """Return the learner's function as CoreDNS calls it."""

    def look_up(qname: str, qtype: str, *, services: Any, endpoint_slices: Any) -> Answer:
        name = qname.rstrip(".")
        if not name.endswith(DOMAIN):
            return Answer(NXDOMAIN)
        said = _read(answer(name, list(services), list(endpoint_slices)))
        if said is None:
            return Answer(NXDOMAIN)
        if isinstance(said, str):
            return Answer(NOERROR, (Record(qname, "CNAME", 5, f"{said}."),))
        addresses = said if qtype == "A" else []
        return Answer(NOERROR, tuple(Record(qname, "A", 5, one) for one in addresses))

    return look_up


EXERCISE = Exercise(
    key="07.4",
    title="Make: the answers",
    points=3,
    hints=(
        "Take the name apart: service.namespace.svc.cluster.local. Find the Service with both.",
        "Then ask its kind: ExternalName has spec.externalName, headless has spec.clusterIP "
        '"None", all others have spec.clusterIP. A slice belongs to a Service by its label '
        "kubernetes.io/service-name, in the same namespace.",
        "Headless: of each slice of it, of each endpoint with conditions.ready, all addresses. If "
        "there are none, there is no such name: None.",
    ),
    grade=grade,
    world=world,
)
