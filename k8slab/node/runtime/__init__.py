"""The container runtime: images are programs, containers are groups of tasks.

`Containerd` is what a node is given; `ImageRegistry` is where images come from; `Process` is what
a program sees. The programs that the lab ships are in images/, one small file each.

Rule of use: the kubelet knows only the protocols of `node/interfaces.py`.

Upstream: containerd, staging/src/k8s.io/cri-api
"""

from k8slab.node.runtime.containerd import Containerd
from k8slab.node.runtime.images import Image, ImageRegistry
from k8slab.node.runtime.process import Process

__all__ = ["Containerd", "Image", "ImageRegistry", "Process"]
