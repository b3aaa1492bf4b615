"""The kubelet: runs the Pods that are bound to its node, and says how they are.

`Kubelet` is the whole agent, `KubeletConfiguration` its settings; the decisions that lessons show
are in `status`, `dns`, `kuberuntime_manager`, `admission`, `preemption`, `resize`, `eviction` and
`backoff`.

Rule of use: only the cluster's wiring makes one; it meets the rest of its node at CRI and CNI.

Upstream: pkg/kubelet
"""

from k8slab.node.kubelet.dependencies import KubeletConfiguration
from k8slab.node.kubelet.dns import resolv_conf
from k8slab.node.kubelet.kubelet import Kubelet
from k8slab.node.kubelet.status import pod_conditions, pod_phase

__all__ = [
    "Kubelet",
    "KubeletConfiguration",
    "pod_conditions",
    "pod_phase",
    "resolv_conf",
]
