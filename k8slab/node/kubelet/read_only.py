"""What a kubelet tells over plain HTTP on its port: its health, its Pods, what they use.

    kubectl get --raw /api/v1/nodes/worker-1/proxy/pods

Rule of use: `run` in a task of the kubelet. Anybody on the network may ask; upstream's port has TLS
and asks the API server who may.

Upstream: pkg/kubelet/server/server.go (InstallAuthNotRequiredHandlers, InstallAuthRequiredHandlers)
"""

from __future__ import annotations

import msgspec

from k8slab.api import codec
from k8slab.node import http
from k8slab.node.interfaces import RuntimeService
from k8slab.node.kubelet.pod_manager import PodManager
from k8slab.node.kubelet.resource_metrics import resource_metrics
from k8slab.node.machine import Machine
from k8slab.sim import Simulation

PORT = 10250
EXPOSITION = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"


async def run(sim: Simulation, machine: Machine, pods: PodManager, runtime: RuntimeService) -> None:
    """Answer on the port, for ever."""

    def answer(request: http.Request) -> http.Response:
        if request.path == "/healthz":
            return http.text("ok", content_type="text/plain; charset=utf-8")
        if request.path in ("/pods", "/pods/"):
            return pod_list(pods)
        if request.path == "/metrics/resource":
            text = resource_metrics(runtime.container_stats(), sim.now)
            return http.text(text, content_type=EXPOSITION)
        return http.text("404 page not found\n", 404, "text/plain; charset=utf-8")

    listener = machine.net.listen("0.0.0.0", PORT, owner=sim.group)
    try:
        while True:
            connection = await listener.accept()
            sim.spawn(http.serve_connection(connection, answer), f"kubelet {machine.name}: server")
    finally:
        listener.close()


def pod_list(pods: PodManager) -> http.Response:
    """Return the Pods that the kubelet works for, static ones too, as a PodList."""
    items = [codec.to_dict(pod) for pod in pods.pods()]
    found = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}
    return http.Response(200, msgspec.json.encode(found), {"Content-Type": "application/json"})
