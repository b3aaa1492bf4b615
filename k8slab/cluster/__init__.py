"""The cluster: machines, wires and programs put together, and the learner's way in.

`Cluster(...)` boots one. `world` is the hardware, `components` the programs of the cluster's own
images, `kubeadm` how machines become a cluster, `transport` the way to the API server; `view`,
`why`, `requests` and `node_shell` are what a learner looks through.

Rule of use: the only package that knows all parts; nothing below imports it.

Upstream: none
"""

from k8slab.cluster.cluster import Cluster

__all__ = ["Cluster"]
