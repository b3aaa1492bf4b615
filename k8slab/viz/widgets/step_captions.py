"""The words of the seven steps from manifest to running: who acts, what it writes, and why.

`CAPTIONS[step]` belongs to the step of that number in `conversation.STEPS`.

Rule of use: words only; what really happened is in the trace, and stands beside them.

Upstream: none (https://kubernetes.io/docs/concepts/architecture/ tells it)
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from k8slab.viz.conversation import FOLLOWS, SERVES

YOU, API, SCHEDULER = "you", "kube-apiserver", "kube-scheduler"
CONTROLLERS, KUBELET, RUNTIME = "kube-controller-manager", "kubelet", "containerd"
ACTORS = (YOU, API, CONTROLLERS, SCHEDULER, KUBELET, RUNTIME)


class Caption(msgspec.Struct, frozen=True):
    """What is said of one step."""

    who: tuple[str, ...]  # those who may be said to act
    writes: str  # the fields of the API that it writes
    words: str


CAPTIONS: Mapping[int, Caption] = {
    1: Caption(
        (YOU,),
        "spec, metadata.name",
        "You hand a wish to the API server. It is an object, not an order: nobody is told what "
        "to do.",
    ),
    2: Caption(
        (API,),
        "metadata.uid, resourceVersion, defaults of spec, status.phase: Pending",
        "The API server fills in defaults, asks admission, validates, and writes the object to "
        "etcd under a new revision. Whoever watches hears of it.",
    ),
    FOLLOWS: Caption(
        (CONTROLLERS,),
        "new objects, with ownerReferences",
        "Controllers hear of the object, compare what is with what should be, and write what is "
        "missing. Each knows one kind of owner, and none knows the other.",
    ),
    3: Caption(
        (SCHEDULER,),
        "nothing yet",
        "The scheduler hears of a Pod whose spec.nodeName is empty. It filters the nodes, scores "
        "those that are left, and picks one. So far that is a thought.",
    ),
    4: Caption(
        (SCHEDULER,),
        "spec.nodeName, condition PodScheduled",
        "The scheduler posts a Binding, and the API server sets spec.nodeName, once and for all. "
        "The status is not the scheduler's to write.",
    ),
    5: Caption(
        (KUBELET,),
        "status: containers waiting",
        "Each kubelet watches for Pods that bear the name of its node. This one has found one; "
        "nobody has called it.",
    ),
    6: Caption(
        (RUNTIME, KUBELET),
        "nothing: the runtime does not know the API server",
        "The kubelet asks the container runtime (CRI) for a sandbox, for which the network plugin "
        "(CNI) gets an address; then for the image; then for the container.",
    ),
    7: Caption(
        (KUBELET,),
        "status: phase, conditions, podIP, containerStatuses",
        "The kubelet reports what is so: Running, the address, Ready. The API server keeps it; "
        "kubectl shows it.",
    ),
    SERVES: Caption(
        (CONTROLLERS,),
        "EndpointSlice; then each node's rules",
        "The EndpointSlice controller hears of a ready Pod that a Service selects, and every "
        "kube-proxy hears of the slice and rewrites its rules.",
    ),
}
