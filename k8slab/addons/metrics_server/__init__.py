"""The metrics server: what nodes and Pods use, gathered from the kubelets and served as an API.

It asks each kubelet every 15 s how much CPU time its containers have used; two answers make a
rate. `kubectl top` and the HorizontalPodAutoscaler controller ask it by way of the API server.

Rule of use: not part of every cluster: apply its manifest, `metrics-server`.

Upstream: sigs.k8s.io/metrics-server
"""

from k8slab.addons.metrics_server.server import GROUP, MetricsServer
from k8slab.addons.metrics_server.storage import Storage

__all__ = ["GROUP", "MetricsServer", "Storage"]
