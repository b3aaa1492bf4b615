"""When the kubelet begins to end a deleted Pod: at once, whoever still sends to it.

    deletion  -->  kubelet: preStop, SIGTERM, SIGKILL
              -->  EndpointSlice controller: not ready  -->  each kube-proxy: other rules

Both roads begin with the same write and are walked side by side. Nobody at the end of one looks at
the other: connections may still come to a program that has been told to end. A preStop hook that
sleeps is how a Pod asks for the pause that is not there.

Rule of use: pure; the Pod worker waits so long before it ends the first container.

Upstream: pkg/kubelet/pod_workers.go (UpdatePod), pkg/kubelet/kubelet.go (SyncTerminatingPod)
"""

from __future__ import annotations

from k8slab.api.core import Pod


def stop_delay(pod: Pod) -> float:
    """Return how many seconds pass before a deleted Pod's containers are told to end: none."""
    return 0.0
