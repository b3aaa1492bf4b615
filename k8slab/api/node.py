"""Ways to run containers, which a Pod may choose from.

Interface: ``RuntimeClass``. A Pod that names one in ``runtimeClassName`` is run by its handler,
costs its overhead on top of its containers, and goes to nodes that can do it.

Upstream: staging/src/k8s.io/api/node/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.core import Toleration
from k8slab.api.meta import Object
from k8slab.api.quantity import Quantity
from k8slab.api.struct import Part, always, mapping


class Overhead(Part):
    """What a Pod of the class costs beside its containers."""

    podFixed: Mapping[str, Quantity] = mapping()


class Scheduling(Part):
    """Where Pods of the class can run: both are added to theirs."""

    nodeSelector: Mapping[str, str] = mapping()
    tolerations: tuple[Toleration, ...] = ()


class RuntimeClass(Object):
    """A name for a handler of the container runtime."""

    apiVersion: str = always("node.k8s.io/v1")
    kind: str = always("RuntimeClass")
    handler: str = always("")
    overhead: Overhead | None = None
    scheduling: Scheduling | None = None
