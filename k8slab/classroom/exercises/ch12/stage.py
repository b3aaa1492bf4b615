"""What the worlds of chapter 12 are built of: clerks behind a Service, and who calls them.

Rule of use: clerks stand where `node` says, so that every seed has the same ways.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.53"
LISTENS, UDP = 8080, 8081  # where a clerk listens
OUTSIDE_IP = "192.168.10.2"  # of the caller outside
NODE_IPS = {"control-plane": "192.168.10.10", "worker-1": "192.168.10.11",
            "worker-2": "192.168.10.12"}  # fmt: skip


def clerks(node: str, replicas: int = 1) -> str:
    """Return the manifest of a Deployment of clerks on one node."""
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: clerks}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: clerk}}}}
  template:
    metadata: {{labels: {{app: clerk}}}}
    spec:
      terminationGracePeriodSeconds: 1
      nodeSelector: {{kubernetes.io/hostname: {node}}}
      containers:
      - name: clerk
        image: {IMAGE}
        args: [netexec, --http-port={LISTENS}, --udp-port={UDP}]
---"""


def pod(name: str, node: str, script: str = "sleep 1000000") -> str:
    """Return the manifest of a busybox Pod on a node that runs a script."""
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  nodeName: {node}
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:1.37
    command: [sh, -c, '{script}']
---"""


def first_of(hops: Sequence[Any], direction: str) -> Any:
    """Return where a direction begins: the caller's socket, or the clerk's."""
    return next(hop for hop in hops if hop.direction == direction)


def first_end_of(hops: Sequence[Any], direction: str) -> Any:
    """Return where the first packet of a direction arrives."""
    found = first_of(hops, direction)
    for hop in hops[hops.index(found) :]:
        if hop.direction != direction:
            break
        found = hop
    return found
