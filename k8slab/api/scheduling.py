"""Which Pods matter more.

Interface: ``PriorityClass``. A higher value is scheduled first and may push out lower ones.

Upstream: staging/src/k8s.io/api/scheduling/v1/types.go
"""

from k8slab.api.meta import Object
from k8slab.api.struct import always


class PriorityClass(Object):
    """A name for a priority."""

    apiVersion: str = always("scheduling.k8s.io/v1")
    kind: str = always("PriorityClass")
    description: str = ""
    globalDefault: bool = False
    preemptionPolicy: str | None = None
    value: int = always(0)
