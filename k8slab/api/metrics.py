"""What Pods and nodes use: metrics.k8s.io, an API of an add-on, not of the API server.

Interface: ``PodMetrics``, ``NodeMetrics``. Nothing of this is stored: it is answered afresh by a
metrics server, if the cluster has one.

Upstream: staging/src/k8s.io/metrics/pkg/apis/metrics/v1beta1/types.go
"""

from collections.abc import Mapping

from k8slab.api.meta import Object
from k8slab.api.quantity import Quantity
from k8slab.api.struct import Part, Time, always, mapping


class ContainerMetrics(Part):
    """What one container uses."""

    name: str = always("")
    usage: Mapping[str, Quantity] = mapping()


class NodeMetrics(Object):
    """What a node used within a window of time."""

    apiVersion: str = always("metrics.k8s.io/v1beta1")
    kind: str = always("NodeMetrics")
    timestamp: Time = always("")
    window: str = always("")
    usage: Mapping[str, Quantity] = mapping()


class PodMetrics(Object):
    """What each container of a Pod used within a window of time."""

    apiVersion: str = always("metrics.k8s.io/v1beta1")
    kind: str = always("PodMetrics")
    timestamp: Time = always("")
    window: str = always("")
    containers: tuple[ContainerMetrics, ...] = always(())
