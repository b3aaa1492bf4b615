"""k8slab: a whole Kubernetes cluster in one Python process, made to be read.

    from k8slab import Cluster
    cluster = Cluster(workers=3, seed=7)

The parts of the cluster are the packages below: `control_plane`, `node`, `addons`; `cluster` puts
them together. Importing this package loads nothing until a name is used.

Upstream: kubernetes/kubernetes
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from k8slab.cluster import Cluster
    from k8slab.cluster.diff import diff

__all__ = ["Cluster", "diff"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the front door at its first use."""
    if name == "Cluster":
        from k8slab.cluster import Cluster

        return Cluster
    if name == "diff":
        from k8slab.cluster.diff import diff

        return diff
    raise AttributeError(f"module 'k8slab' has no attribute {name!r}")


def load_ipython_extension(ipython: Any) -> None:
    """Let `%load_ext k8slab` bring the %kubectl magic."""
    from k8slab.kubectl.magic import load_ipython_extension as load

    load(ipython)
