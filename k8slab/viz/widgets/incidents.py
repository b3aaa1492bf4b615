"""Incidents: a small shop, one thing wrong with it, and what the pager says.

`begin(cluster, INCIDENTS[n])` makes one: the shop comes up, then the fault happens. Each has one
cause, in one of `LAYERS`; `evidence` is what shows it best.

Rule of use: the order of the list tells nothing, and neither does the pager.

Upstream: none (https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from k8slab.viz.widgets.widget import Drivable

NAME, SERVICE, PODS = "the name", "the Service and its endpoints", "the Pods"
RULES, POLICY, CONTROL = "the rules of the nodes", "a network policy", "the control plane"
LAYERS = (NAME, SERVICE, PODS, RULES, POLICY, CONTROL)
SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - name: shop
        image: nginx:1.27
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {path: PATH, port: 80}, periodSeconds: 5}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {containers: [{name: client, image: "busybox:1.37", command: [sleep, "86400"]}]}
"""
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: quiet}
spec: {podSelector: {matchLabels: {app: shop}}, policyTypes: [Ingress]}
"""
UP, AFTER = 20.0, 45.0  # virtual seconds: until the shop is up, until the pager rings


class Stoppable(Drivable, Protocol):
    """A cluster whose components can be stopped."""

    def stop(self, component: str) -> None:
        """Stop a component for good."""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One fault."""

    layer: str
    cause: str  # a sentence
    evidence: str  # the look that shows it best
    path: str = "/"  # of the shop's readiness probe
    stops: Sequence[str] = ()  # components
    commands: Sequence[str] = ()  # of kubectl, after these are stopped
    manifest: str = ""


INCIDENTS = (
    Incident(
        layer=SERVICE,
        cause="The Service selects app=store, and no Pod bears that label: it has no endpoints.",
        evidence="kubectl get endpointslices",
        commands=("""patch service shop -p '{"spec":{"selector":{"app":"store"}}}'""",),
    ),
    Incident(
        layer=POLICY,
        cause="The NetworkPolicy quiet lets nobody in: packets to the Pods are dropped.",
        evidence="kubectl get networkpolicies",
        manifest=DENY,
    ),
    Incident(
        layer=CONTROL,
        cause="The scheduler does not run: Pods that were deleted came back and got no node.",
        evidence="kubectl get pods -o wide",
        stops=("kube-scheduler",),
        commands=("delete pods -l app=shop --now --wait=false",),
    ),
    Incident(
        layer=NAME,
        cause="The cluster's DNS server has no Pods: no name resolves, every address works.",
        evidence="kubectl get pods -n kube-system -l k8s-app=kube-dns",
        commands=("scale deployment coredns -n kube-system --replicas=0",),
    ),
    Incident(
        layer=PODS,
        cause="The readiness probe asks for a path that is not there: no Pod is ever ready.",
        evidence="kubectl describe pods -l app=shop",
        path="/health",
    ),
    Incident(
        layer=RULES,
        cause="kube-proxy is stopped: the rules still lead to Pods that were replaced.",
        evidence="kubectl get pods -n kube-system -o wide",
        stops=("kube-proxy",),
        commands=("delete pods -l app=shop --now --wait=false",),
    ),
    Incident(
        layer=SERVICE,
        cause="targetPort is 8080, and the shop listens on 80: the Pod itself refuses.",
        evidence="kubectl describe service shop",
        commands=(
            """patch service shop -p '{"spec":{"ports":[{"port":80,"targetPort":8080}]}}'""",
        ),
    ),
)
PAGER = "PAGER: customers cannot reach the shop. `http://shop`, asked from pod/client, has failed."


def begin(cluster: Stoppable, incident: Incident) -> None:
    """Bring the shop up, let the fault happen, and wait until somebody notices."""
    cluster.kubectl("apply -f -", stdin=SHOP.replace("PATH", incident.path))
    cluster.run(UP)
    for component in incident.stops:
        cluster.stop(component)
    for command in incident.commands:
        cluster.kubectl(command)
    if incident.manifest:
        cluster.kubectl("apply -f -", stdin=incident.manifest)
    cluster.run(AFTER)
