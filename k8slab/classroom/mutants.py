"""Worlds that behave as somebody wrongly believes: one decision each is another one.

    what_if(cluster, "readiness restarts")   # the same run in that world, and where the two part

`MUTANTS` has them by name. The mutant world lives through what was done to the cluster, each act at
its moment. So a wrong prediction is answered with the world in which it would have come true: a
`reveal` that is given the cluster does that by itself.

Rule of use: a mutant replaces one function, by `Cluster(replace=...)`; all else follows from it.

Upstream: none
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from k8slab.addons.coredns.kubernetes import answer
from k8slab.addons.coredns.records import NXDOMAIN, Answer, cluster_ips
from k8slab.api.meta import controller_of
from k8slab.control_plane.controllers import endpoint_slice, replica_set
from k8slab.control_plane.controllers.endpoint_slice import SlicePlan
from k8slab.control_plane.controllers.replica_set import Plan
from k8slab.node.kube_proxy.render import render
from k8slab.node.kubelet.probe_effects import probe_effects
from k8slab.node.kubelet.status import pod_phase

RANDOM = re.compile(r"--mode random --probability ([0-9.]+)")
SERVICES = ".svc.cluster.local"
LETS_GO = (
    5.0  # s; a list is written in milliseconds, kube-proxy's --iptables-min-sync-period is 1 s
)


class Mutant(msgspec.Struct, frozen=True):
    """One belief, and the function that would make it true."""

    misconception: int  # its number in the course's table of misunderstandings
    belief: str
    replaces: str  # see `k8slab.cluster.replacing.REPLACEABLE`
    by: Any


def in_turn(services: Any, endpoint_slices: Any, **given: Any) -> str:
    """Return kube-proxy's rules with a counter in the place of each throw of dice."""

    def count(found: re.Match[str]) -> str:
        return f"--mode nth --every {round(1 / float(found[1]))} --packet 0"

    return RANDOM.sub(count, str(render(services, endpoint_slices, **given)))


def crash_fails(spec: Any, regular: Any, init: Any, **facts: bool) -> str:
    """Return Failed for a Pod with a container that ended badly, though it starts again."""
    bad = (status.state.terminated or status.lastState.terminated for status in regular)
    if any(ended is not None and ended.exitCode for ended in bad):
        return "Failed"
    return pod_phase(spec, regular, init, **facts)


def running_is_ready(spec: Any, regular: Any, init: Any, **facts: bool) -> str:
    """Return Running only once all containers are ready."""
    phase = pod_phase(spec, regular, init, **facts)
    return "Pending" if phase == "Running" and not all(s.ready for s in regular) else phase


def swapped(kind: str, success: bool) -> Mapping[str, bool]:
    """Return the effects of the other probe: readiness restarts, liveness only stops traffic."""
    if kind == "readiness":
        return {"ready": success, **({} if success else {"restart": True})}
    return {"ready": success} if kind == "liveness" else probe_effects(kind, success)


def only_made(rs: Any, pods: Sequence[Any], *, now: float, related: Sequence[Any] = ()) -> Plan:
    """Plan without adopting and releasing: whom it made is its own for ever."""
    own = [p for p in pods if (owner := controller_of(p)) and owner.uid == rs.metadata.uid]
    labels = rs.spec.template.metadata.labels
    alike = [replace(pod, metadata=replace(pod.metadata, labels=labels)) for pod in own]
    return replace(replica_set.plan(rs, alike, now=now, related=related), release=())


def made_once(rs: Any, pods: Sequence[Any], *, now: float, related: Sequence[Any] = ()) -> Plan:
    """Plan without ever replacing a Pod: only a change of the wish makes new ones."""
    decided = replica_set.plan(rs, pods, now=now, related=related)
    seen = rs.status.observedGeneration == rs.metadata.generation and rs.status.replicas
    return replace(decided, create=0) if seen else decided


def of_its_deployment(
    service: Any, pods: Sequence[Any], nodes: Any, existing: Any, *, trigger_time: str = ""
) -> SlicePlan:
    """Plan slices with the Pods of the Deployment of the Service's name alone."""
    name = service.metadata.name

    def belongs(pod: Any) -> bool:
        owner = controller_of(pod)
        return owner is not None and owner.name.rpartition("-")[0] == name

    own = [pod for pod in pods if belongs(pod)]
    return endpoint_slice.plan(service, own, nodes, existing, trigger_time=trigger_time)


def no_endpoints_no_name(
    qname: str, qtype: str, *, services: Any, endpoint_slices: Any, **given: Any
) -> Answer:
    """Answer that there is no such name where a Service has no ready endpoint."""

    def empty(service: Any) -> bool:
        return bool(cluster_ips(service)) and not any(
            endpoint.conditions.ready
            for one in endpoint_slices
            if one.metadata.namespace == service.metadata.namespace
            and one.metadata.labels.get("kubernetes.io/service-name") == service.metadata.name
            for endpoint in one.endpoints
        )

    left = [service for service in services if not empty(service)]
    return answer(qname, qtype, services=left, endpoint_slices=endpoint_slices, **given)


def names_are_global(
    qname: str, qtype: str, *, services: Any, endpoint_slices: Any, **given: Any
) -> Answer:
    """Answer for a Service of that name in whatever namespace, if the right one has none."""
    tables = {"services": services, "endpoint_slices": endpoint_slices, **given}
    found = answer(qname, qtype, **tables)
    name, _, _ = qname.partition(".")
    if found.rcode != NXDOMAIN or SERVICES not in qname or qname.count(".") < SERVICES.count("."):
        return found
    for service in services:
        if service.metadata.name == name:
            there = f"{name}.{service.metadata.namespace}{SERVICES}."
            said = answer(there, qtype, **tables)
            renamed = tuple(replace(record, name=qname) for record in said.answers)
            return replace(said, answers=renamed)
    return found


def after_removal(pod: Any) -> float:
    """Return a pause in which the Service's list and every proxy's rules let go of the Pod."""
    return LETS_GO


def never_kept(request: Any, answer: Any) -> bool:
    """Keep no connection, so that each request has its own, and its own throw of dice."""
    return False


MUTANTS: Mapping[str, Mutant] = {
    "Services take turns": Mutant(
        3, "A Service sends one connection to each Pod in turn.", "kube_proxy", in_turn
    ),
    "each request is balanced": Mutant(
        5, "A Service chooses a Pod for each request.", "keeps_open", never_kept
    ),
    "a Service belongs to a Deployment": Mutant(
        6, "A Service sends to the Deployment of its name.", "endpoint_slice", of_its_deployment
    ),
    "Running means ready": Mutant(
        9, "A Pod is Running when it can serve.", "pod_phase", running_is_ready
    ),
    "a crash makes a Pod Failed": Mutant(
        9, "The phase of a Pod that crashes again and again is Failed.", "pod_phase", crash_fails
    ),
    "readiness restarts": Mutant(
        10,
        "A readiness probe that fails restarts, a liveness probe only stops traffic.",
        "probe_effects",
        swapped,
    ),
    "a deleted Pod is gone": Mutant(
        14, "Nobody replaces a Pod that was deleted.", "replica_set", made_once
    ),
    "a ReplicaSet keeps what it made": Mutant(
        15, "A ReplicaSet owns the Pods that it created, and no others.", "replica_set", only_made
    ),
    "the Service lets go first": Mutant(
        17,
        "A Pod is told to end once no Service sends to it any more.",
        "stop_delay",
        after_removal,
    ),
    "no endpoints, no name": Mutant(
        18, "A Service without endpoints has no name.", "dns_answer", no_endpoints_no_name
    ),
    "names are global": Mutant(
        19, "A Service's name is known in every namespace.", "dns_answer", names_are_global
    ),
}
