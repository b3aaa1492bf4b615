from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.api import load_all
from k8slab.client import Client

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1.27", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: default}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: client, image: "busybox:1.37", command: [sleep, "86400"]}]
"""


def create(cluster: Cluster, manifest: str) -> None:
    client = Client(cluster.world.transport("you"), "kubernetes-admin")

    async def all_of_it() -> None:
        for obj in load_all(manifest):
            await client.create(obj)

    cluster.sim.complete(all_of_it(), "create", timeout=60)


@pytest.fixture
def cluster() -> Cluster:
    """Return a cluster with three web Pods behind a Service, and a client."""
    lab = Cluster(workers=3, seed=7)
    create(lab, WEB)
    lab.run_until("deployment/web available")
    lab.run_until("pod/client ready")
    lab.run(2)
    return lab
