"""The cluster that all exercises of chapter 01 play in, and which part is behind a record.

Two Pods of the Deployment `web`, a Service in front of them if it is wanted, and a client.

Rule of use: parts are named as the trace names them, without the node: "kubelet".

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.classroom.exercises.worlds import CLIENT, boot
from k8slab.sim import Record
from k8slab.viz.traffic import actor

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

WEB = (
    """
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
      containers: [{name: web, image: "traefik/whoami:v1.11", ports: [{containerPort: 80}]}]
"""
    + CLIENT
)
SERVICE = """---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
NICKNAMES = {
    "api server": "kube-apiserver",
    "apiserver": "kube-apiserver",
    "api": "kube-apiserver",
    "scheduler": "kube-scheduler",
    "controller manager": "kube-controller-manager",
    "kcm": "kube-controller-manager",
    "proxy": "kube-proxy",
    "runtime": "containerd",
    "container runtime": "containerd",
    "dns": "coredns",
}


def shop(seed: int) -> Cluster:
    """Return two Pods behind a Service, and a client."""
    return boot(seed, WEB + SERVICE)


def part(record: Record) -> str:
    """Return which part of the cluster is behind a record, whatever the node."""
    return actor(record).partition("/")[0]


def read_part(given: Any) -> str:
    """Return the name of a part as Kubernetes writes it, from what a learner may call it.

    >>> read_part(" Controller-Manager "), read_part("kubelet/worker-2"), read_part("etcd")
    ('kube-controller-manager', 'kubelet/worker-2', 'etcd')
    """
    name = str(given).strip().lower().replace("_", "-")
    return NICKNAMES.get(name.replace("-", " "), name)
