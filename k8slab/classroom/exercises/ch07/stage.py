"""The cluster that the exercises of chapter 07 play in: Services of four kinds in two namespaces.

`web` has a ClusterIP, `crew` is headless, `partner` is an alias for a name outside, `db` is in the
namespace `shop`. The world outside knows `example.com` and `api.partner.example`.

Rule of use: names are asked for as a Pod of the namespace would: `cluster.resolve(...)`.

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.worlds import boot

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

OUTSIDE = {"example.com": ["203.0.113.80"], "api.partner.example": ["203.0.113.90"]}
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{{name: main, image: "traefik/whoami:v1.11", ports: [{{containerPort: 80}}]}}]
---"""
WORLD = (
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---"
    + DEPLOYMENT.format(name="web", namespace="default", replicas=2)
    + DEPLOYMENT.format(name="crew", namespace="default", replicas=3)
    + DEPLOYMENT.format(name="db", namespace="shop", replicas=1)
    + """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: crew}
spec: {clusterIP: None, selector: {app: crew}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: partner}
spec: {type: ExternalName, externalName: api.partner.example}
"""
)


def town(seed: int, replace: dict[str, Any] | None = None) -> Cluster:
    """Return the cluster at rest; `replace` puts functions of a learner's into it."""
    from k8slab.cluster import Cluster

    cluster = boot(seed) if replace is None else Cluster(workers=2, seed=seed, replace=replace)
    cluster.world.upstream.records.update(OUTSIDE)
    Terminal(cluster).run(f"apply -f -\n{WORLD}")
    cluster.settle(3)
    return cluster


def names_asked(lookup: Any) -> list[str]:
    """Return the names that were asked for, each once, in order; A and AAAA count as one."""
    return list(dict.fromkeys(query.name.rstrip(".") for query in lookup.queries))
