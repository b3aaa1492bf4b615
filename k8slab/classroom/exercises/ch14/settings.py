"""kube-proxy's settings in a cluster, how they are changed, and how often it writes rules.

    configure(cluster, "nftables", "1s")     # as kubectl would: the ConfigMap, then new Pods
    storm(cluster)                           # a hundred Pods go; how often each node wrote

Rule of use: kube-proxy reads its configuration when it starts, so whoever changes it restarts it.

Upstream: none
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api import yaml_text
from k8slab.api.core import ConfigMap, Node
from k8slab.classroom.exercises.answers import Terminal

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

NAME, NAMESPACE, FIELD = "kube-proxy", "kube-system", "config.conf"
STALLS = 100  # Pods of the market
REST = 5.0  # virtual seconds before a storm
STORM = 15.0  # virtual seconds in which a storm is watched
MARKET = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: stalls}}
spec:
  replicas: {pods}
  selector: {{matchLabels: {{app: stalls}}}}
  template:
    metadata: {{labels: {{app: stalls}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{{name: main, image: "registry.k8s.io/pause:3.10"}}]
---
apiVersion: v1
kind: Service
metadata: {{name: market}}
spec: {{selector: {{app: stalls}}, ports: [{{port: 80}}]}}
"""


class Storm(msgspec.Struct, frozen=True):
    """What a burst of changes cost."""

    writes: dict[str, int]  # by node: how often its kube-proxy wrote rules
    late: float  # virtual seconds from the last change of the slices until every node has it

    @property
    def most(self) -> int:
        """The writes of the busiest node."""
        return max(self.writes.values(), default=0)


def market(pods: int = STALLS) -> str:
    """Return the manifest of a Deployment with so many Pods behind a Service."""
    return MARKET.format(pods=pods)


def settings(cluster: Cluster) -> dict[str, Any]:
    """Return the KubeProxyConfiguration that the ConfigMap holds; empty if there is none."""
    found = cluster.view.get(ConfigMap, NAME, NAMESPACE)
    documents: list[Any] = list(yaml_text.parse(found.data.get(FIELD, ""))) if found else []
    return documents[0] if documents and isinstance(documents[0], dict) else {}


def configure(cluster: Cluster, mode: str, period: str) -> None:
    """Give every kube-proxy this mode and minSyncPeriod; they have restarted afterwards."""
    config = settings(cluster) | {
        "mode": mode,
        mode: {"minSyncPeriod": period, "syncPeriod": "30s"},
    }
    patch = json.dumps({"data": {FIELD: yaml_text.dump(config)}})
    terminal = Terminal(cluster)
    terminal.run(f"patch configmap {NAME} -n {NAMESPACE} --type merge -p '{patch}'")
    terminal.run(f"rollout restart daemonset {NAME} -n {NAMESPACE}")
    cluster.settle(3)


def storm(cluster: Cluster, deployment: str = "stalls") -> Storm:
    """Delete the Deployment, and count the writes of rules on every node until all is quiet."""
    cluster.run(REST)
    before, start = len(cluster.trace), cluster.now
    Terminal(cluster).run(f"delete deployment {deployment} --wait=false")
    cluster.run(STORM)
    writes = {node.metadata.name: 0 for node in cluster.view.list(Node)}
    changed, written = start, dict.fromkeys(writes, start)
    for number, record in enumerate(cluster.trace):
        component, _, node = record.component.partition("/")
        if number < before:
            continue
        if component == "endpointslice-controller":
            changed = record.time
        elif component == NAME and record.verb == "sync" and node in writes:
            writes[node] += 1
            written[node] = record.time
    ends = [at if at >= changed else cluster.now for at in written.values()]
    return Storm(writes, max(ends) - changed)
