"""Pod networking: an address, a cable and the routes for every Pod.

`Cni` is what the runtime calls for each sandbox, `kindnetd` the agent that runs on every node:
it writes the configuration that makes `Cni` ready, and the routes to the other nodes' Pods.

Rule of use: the two meet only in the file that the agent writes on the machine's disk.

Upstream: containernetworking/plugins, sigs.k8s.io/kind images/kindnetd
"""

from k8slab.node.cni.agent import kindnetd
from k8slab.node.cni.plugin import Cni

__all__ = ["Cni", "kindnetd"]
