"""Is the cluster up, and if not, what keeps it from coming up?

Rule of use: `is_up(view, machines)` while it boots; `what_is_missing(view)` once it took too long.

Upstream: none (kubeadm and kind wait for less)
"""

from __future__ import annotations

from k8slab.addons import manifests
from k8slab.api.apps import DaemonSet, Deployment
from k8slab.api.conditions import is_true
from k8slab.api.core import Event, Node, Pod
from k8slab.api.pods import is_pod_ready
from k8slab.cluster.view import View
from k8slab.cluster.world import CONTROL_PLANE


def is_up(view: View, machines: int) -> bool:
    """Say whether all machines are ready nodes and all system Pods are ready."""
    # One look each, before the long look at everything.
    for name in ("kindnet", "kube-proxy"):
        daemon_set = view.get(DaemonSet, name, "kube-system")
        if daemon_set is None or daemon_set.status.numberReady < machines:
            return False
    for name in manifests.STATIC:
        pod = view.get(Pod, f"{name}-{CONTROL_PLANE}", "kube-system")
        if pod is None or not is_pod_ready(pod):
            return False
    coredns = view.get(Deployment, "coredns", "kube-system")
    if coredns is None or coredns.status.readyReplicas < (coredns.spec.replicas or 0):
        return False
    nodes, pods = view.list(Node), view.list(Pod, "kube-system")
    return (
        sum(is_true(node.status.conditions, "Ready") for node in nodes) == machines
        and len(pods) > len(manifests.STATIC) + 2 * machines
        and all(is_pod_ready(pod) for pod in pods)
    )


def what_is_missing(view: View) -> str:
    """Return who is not ready, and what nodes were warned of, in one sentence."""
    late = [node.metadata.name for node in view.list(Node) if not _ready(node)]
    late += [pod.metadata.name for pod in view.list(Pod, "kube-system") if not is_pod_ready(pod)]
    told = {
        f"{event.involvedObject.name}: {event.reason}: {event.message}"
        for event in view.list(Event, "default")
        if event.type == "Warning" and event.involvedObject.kind == "Node"
    }
    return "; ".join([f"not ready: {', '.join(late) or 'nothing'}", *sorted(told)])


def _ready(node: Node) -> bool:
    return is_true(node.status.conditions, "Ready")
