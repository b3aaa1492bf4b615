"""The metrics server's loop and its API: scrape all kubelets, answer for nodes and Pods.

Rule of use: `await MetricsServer(...).run()` in its container; `serve` answers what the API server
passes on.

Upstream: sigs.k8s.io/metrics-server/pkg/server, pkg/api
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from k8slab.addons.metrics_server.decode import Batch, decode
from k8slab.addons.metrics_server.storage import Storage, Usage
from k8slab.api import errors, fields, labels
from k8slab.api.core import Node, Pod
from k8slab.api.duration import go_duration
from k8slab.api.errors import ApiError
from k8slab.api.meta import Object, ObjectMeta, timestamp
from k8slab.api.metrics import ContainerMetrics, NodeMetrics, PodMetrics
from k8slab.client import Client, Informers, Listing, Request
from k8slab.sim import Simulation

RESOLUTION = 15.0  # s, --metric-resolution
GROUP = "metrics.k8s.io"
Scrape = Callable[[str], Awaitable[str]]  # a node's name -> its kubelet's /metrics/resource


class MetricsServer:
    """Knows what everything uses, as of the last round."""

    component = "metrics-server"

    def __init__(self, sim: Simulation, client: Client, scrape: Scrape) -> None:
        """Prepare; `scrape` asks a node's kubelet and raises ApiError if it does not answer."""
        self._sim = sim
        self._scrape = scrape
        self._informers = Informers(sim, client)
        self._nodes = self._informers.informer(Node)
        self._pods = self._informers.informer(Pod)
        self.storage = Storage()

    def not_ready(self) -> str:
        """Return which of the checks behind /readyz fails, "" if none does."""
        if not all(informer.synced.is_set for informer in (self._nodes, self._pods)):
            return "[-]informer-sync failed: reason withheld\n"
        if not self.storage.is_ready:
            return "[-]metric-storage-ready failed: reason withheld\n"
        return ""

    async def run(self) -> None:
        """Ask all kubelets again and again, for ever."""
        await self._informers.wait_for_sync()
        while True:
            await self.tick()
            await self._sim.sleep(RESOLUTION, "metrics-server: next round")

    async def tick(self) -> None:
        """Ask each kubelet once; one that does not answer is left out."""
        batches: dict[str, Batch] = {}
        for node in self._nodes.all():
            try:
                batches[node.metadata.name] = decode(await self._scrape(node.metadata.name))
            except ApiError as error:
                self._sim.trace.add(
                    self.component, "scrape failed", f"Node/{node.metadata.name}", str(error)
                )
        self.storage.store(batches)

    # -- the API

    async def serve(self, request: Request) -> Object | Listing:
        """Answer get and list of nodes and pods; raises ApiError."""
        if request.verb == "get":
            return self._get(request)
        if request.verb != "list":
            raise errors.method_not_allowed()
        found = self._node_metrics() if request.resource == "nodes" else self._pod_metrics(request)
        return Listing(tuple(obj for obj in found if _wanted(obj, request)), "")

    def _get(self, request: Request) -> Object:
        if request.resource == "nodes":
            node = self._nodes.get("", request.name)
            found: Object | None = self._of_node(node) if node is not None else None
        else:
            pod = self._pods.get(request.namespace, request.name)
            found = self._of_pod(pod) if pod is not None else None
        if found is None:
            kind = "nodemetrics" if request.resource == "nodes" else "podmetrics"
            key = f"{request.namespace}/{request.name}" if request.namespace else request.name
            raise errors.api_error(f'{kind}.metrics.k8s.io "{key}" not found', "NotFound", 404)
        return found

    def _node_metrics(self) -> Iterable[Object]:
        nodes = sorted(self._nodes.all(), key=lambda node: node.metadata.name)
        return (found for found in map(self._of_node, nodes) if found is not None)

    def _pod_metrics(self, request: Request) -> Iterable[Object]:
        pods = [
            pod
            for pod in self._pods.all()
            if request.namespace in ("", pod.metadata.namespace) and pod.status.phase == "Running"
        ]
        pods.sort(key=lambda pod: (pod.metadata.namespace, pod.metadata.name))
        return (found for found in map(self._of_pod, pods) if found is not None)

    def _of_node(self, node: Node) -> NodeMetrics | None:
        usage = self.storage.node(node.metadata.name)
        if usage is None:
            return None
        return NodeMetrics(
            metadata=self._meta(node),
            timestamp=timestamp(usage.time),
            window=go_duration(usage.window),
            usage=amounts(usage),
        )

    def _of_pod(self, pod: Pod) -> PodMetrics | None:
        meta = pod.metadata
        found = self.storage.pod(meta.namespace, meta.name, pod.spec.nodeName)
        if not found:
            return None
        oldest = min(found.values(), key=lambda usage: usage.time)
        return PodMetrics(
            metadata=self._meta(pod),
            timestamp=timestamp(oldest.time),
            window=go_duration(oldest.window),
            containers=tuple(
                ContainerMetrics(name=name, usage=amounts(usage)) for name, usage in found.items()
            ),
        )

    def _meta(self, obj: Object) -> ObjectMeta:
        meta = obj.metadata
        return ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            labels=meta.labels,
            creationTimestamp=timestamp(self._sim.now),
        )


def amounts(usage: Usage) -> dict[str, str]:
    """Return what is used as quantities: CPU in nanocores, memory in kibibytes."""
    return {"cpu": f"{usage.cpu}n" if usage.cpu else "0", "memory": f"{usage.memory // 1024}Ki"}


def _wanted(obj: Object, request: Request) -> bool:
    wanted = labels.parse(request.label_selector).matches(obj.metadata.labels)
    named = {"metadata.name": obj.metadata.name, "metadata.namespace": obj.metadata.namespace}
    return wanted and fields.parse(request.field_selector).matches(named)
