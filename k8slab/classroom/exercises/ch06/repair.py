"""Exercise 06.4: a Service that answers nobody, to be mended without breaking anything else.

The cluster arrives with a Service whose selector no Pod satisfies, and three Deployments that look
like the right one. A repair is a list of kubectl commands. Whatever brings the checkout Pods, all
of them and only them, behind the same address is accepted; it must outlive a Pod.

Rule of use: what must be kept is compared before and after: identities, addresses, labels.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api.apps import Deployment
from k8slab.api.core import Pod, Service
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair
from k8slab.classroom.exercises.worlds import CLIENT, boot, listed, members, names, pods_with, seen
from k8slab.classroom.verdicts import Finding, almost, right, wrong

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (5, 12)
REQUESTS = 6
URL = "http://checkout"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{run: {name}}}}}
  template:
    metadata: {{labels: {{run: {name}, {labels}}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{{name: main, image: "nginx:1.27", ports: [{{containerPort: 80}}]}}]
---"""
RIGHT = "checkout"
DECOYS: Mapping[str, str] = {
    "checkout-old": "app: checkout-old, tier: backend",
    "checkout-loadtest": "app: checkout, tier: loadtest",
    "cart": "app: cart, tier: backend",
}
WORLD = (
    DEPLOYMENT.format(name=RIGHT, replicas=3, labels="app: checkout, tier: backend")
    + "".join(DEPLOYMENT.format(name=n, replicas=1, labels=x) for n, x in DECOYS.items())
    + """
apiVersion: v1
kind: Service
metadata: {name: checkout}
spec: {selector: {app: checkout, tier: frontend}, ports: [{port: 80}]}
"""
    + CLIENT
)


class Kept(msgspec.Struct, frozen=True):
    """What a repair must not touch."""

    service: str  # uid and address
    deployments: Mapping[str, str]  # name -> uid, those of the cluster itself too
    decoys: Mapping[str, tuple[str, Mapping[str, str]]]  # other Pod's name -> uid and labels


def world(seed: int) -> Cluster:
    """Return the broken cluster."""
    return boot(seed, WORLD)


def keep(cluster: Cluster) -> Kept:
    """Return what must still be so after the repair."""
    view = cluster.view
    service = view.get(Service, "checkout")
    known = "" if service is None else f"{service.metadata.uid} {service.spec.clusterIP}"
    decoys = [pod for name in DECOYS for pod in pods_with(view, f"run={name}")]
    client = view.get(Pod, "client")
    decoys += [] if client is None else [client]
    return Kept(
        known,
        {one.metadata.name: one.metadata.uid for one in view.list(Deployment)},
        {p.metadata.name: (p.metadata.uid, p.metadata.labels) for p in decoys},
    )


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl get pods",
        seeds=SEEDS,
        attempt=attempt_of(world, keep, _judge),
        praise="Repaired: every request is answered by a checkout Pod, at the address that clients "
        "already know, and still after a Pod was replaced. Nothing else was touched.",
    )


def _judge(cluster: Cluster, before: Kept) -> Finding:
    return (
        _broken(cluster, before)
        or _unanswered(cluster)
        or _mixed(cluster)
        or _incomplete(cluster)
        or _lasts(cluster)
    )


def _broken(cluster: Cluster, before: Kept) -> Finding | None:
    """Refuse a repair that took away what was to be kept."""
    after = keep(cluster)
    if after.service != before.service:
        if not after.service:
            return wrong("The Service is gone: its name no longer resolves for anybody.")
        return wrong(
            "The Service was deleted and made again: its ClusterIP is another one, and clients "
            "that have looked it up go on talking to the old address. Change it in place.",
            1,
        )
    for name, uid in before.deployments.items():
        if after.deployments.get(name) != uid:
            return wrong(f"The Deployment {name} was deleted. A repair keeps what runs.", 14)
    for name, (uid, labels) in before.decoys.items():
        found = after.decoys.get(name)
        if found is None or found[0] != uid:
            return wrong(f"{name} is gone, and it had nothing to do with the incident.")
        if found[1] != labels:
            return wrong(f"The labels of {name} were changed: others may select by them.")
    return None


def _unanswered(cluster: Cluster) -> Finding | None:
    """Say what a client still meets, if nobody is behind the Service."""
    if members(cluster.view, "checkout"):
        return None
    if not pods_with(cluster.view, f"run={RIGHT}"):
        return wrong("There are no checkout Pods any more, so nobody can answer.", 14)
    answer = cluster.request("pod/client", URL)
    service = cluster.view.get(Service, "checkout")
    assert service is not None
    selector = ",".join(f"{key}={value}" for key, value in service.spec.selector.items())
    shown = f"{answer.outcome}: {answer.error}" if answer.error else answer.outcome
    return wrong(
        f"Nobody is behind the Service yet. Its selector is `{selector or 'empty'}`: compare it "
        "with the labels of the Pods that should answer.",
        18,
        (seen(cluster, f"{URL} from pod/client: {shown}"),),
    )


def _mixed(cluster: Cluster) -> Finding | None:
    """Say who is behind the Service that should not be."""
    own = names(pods_with(cluster.view, f"run={RIGHT}"))
    found = members(cluster.view, "checkout")
    strangers = [name for name in found if name not in own]
    if not strangers:
        return None
    share = len(strangers) / len(found)
    return wrong(
        f"It answers, and too many do: {listed(strangers)} bears the labels as well and gets "
        f"{share:.0%} of the connections. An answer is not yet the right answer.",
        6,
        (seen(cluster, f"behind the Service: {listed(found)}"),),
    )


def _incomplete(cluster: Cluster) -> Finding | None:
    """Say which checkout Pods are missing, and whether requests are answered."""
    deployment = cluster.view.get(Deployment, RIGHT)
    assert deployment is not None
    own, found = names(pods_with(cluster.view, f"run={RIGHT}")), members(cluster.view, "checkout")
    evidence = (seen(cluster, f"behind the Service: {listed(found)}"),)
    missing = [name for name in own if name not in found]
    if missing or (deployment.spec.replicas or 0) < 3:
        lost = f"{listed(missing)} is not behind the Service" if missing else "there are fewer Pods"
        return almost(f"Some requests are answered, and {lost}.", evidence=evidence)
    for _ in range(REQUESTS):
        answer = cluster.request("pod/client", URL)
        if not answer.ok:
            said = answer.error or f"{answer.outcome} {answer.status}"
            if answer.outcome == "unresolved":
                return wrong(f"The right Pods are behind the Service, and its name is lost: {said}")
            return almost(
                "The right Pods are behind the Service, and a request fails: look at its ports.",
                7,
                (seen(cluster, f"{URL} from pod/client: {said}"),),
            )
    return None


def _lasts(cluster: Cluster) -> Finding:
    """Delete a checkout Pod, and see whether the one that replaces it is a member as well."""
    victim = pods_with(cluster.view, f"run={RIGHT}")[0]
    Terminal(cluster).run(f"delete pod {victim.metadata.name}")
    cluster.settle(5)
    own, found = names(pods_with(cluster.view, f"run={RIGHT}")), members(cluster.view, "checkout")
    evidence = (seen(cluster, f"after a Pod was replaced, behind the Service: {listed(found)}"),)
    if own == found:
        return right("", evidence)
    return almost(
        "It works until a Pod is replaced: the new one comes from the Deployment's template, "
        "without the label that you put on the live Pods. Repair what makes Pods, or the Service.",
        6,
        evidence,
    )


EXERCISE = Exercise(
    key="06.4",
    title="A Service that answers nobody",
    points=3,
    hints=(
        "The name resolves and the connection is refused: so the Service exists and its list is "
        "empty. Compare `kubectl get service checkout -o wide` with `get pods --show-labels`.",
        "No Pod bears both labels of the selector. Which of the two is wrong? The other one alone "
        "would let a stranger in.",
        "Change the Service in place, with `kubectl apply -f -` and its YAML below, or with "
        "`kubectl patch service checkout -p '{\"spec\": ...}'`.",
    ),
    grade=grade,
    world=world,
)
