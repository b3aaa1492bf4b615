"""The number of replicas, on its own.

Interface: ``Scale``, the subresource by which anything scalable is resized, and the first
version of ``HorizontalPodAutoscaler``.

Upstream: staging/src/k8s.io/api/autoscaling/v1/types.go
"""

from k8slab.api.meta import Object
from k8slab.api.struct import Part, Time, always


class ScaleSpec(Part):
    """The number wanted."""

    replicas: int = 0


class ScaleStatus(Part):
    """The number there is, and the selector of the Pods as text."""

    replicas: int = always(0)
    selector: str = ""


class Scale(Object):
    """The size of something scalable."""

    apiVersion: str = always("autoscaling/v1")
    kind: str = always("Scale")
    spec: ScaleSpec = always(ScaleSpec())
    status: ScaleStatus = always(ScaleStatus())


class CrossVersionObjectReference(Part):
    """The thing to scale."""

    name: str = always("")
    kind: str = always("")
    apiVersion: str = ""


class HorizontalPodAutoscalerSpec(Part):
    """Bounds, and the CPU use to aim at."""

    maxReplicas: int = always(0)
    scaleTargetRef: CrossVersionObjectReference = always(CrossVersionObjectReference())
    minReplicas: int | None = None
    targetCPUUtilizationPercentage: int | None = None


class HorizontalPodAutoscalerStatus(Part):
    """The number there is and the number wanted."""

    currentReplicas: int = always(0)
    desiredReplicas: int = always(0)
    currentCPUUtilizationPercentage: int = 0
    lastScaleTime: Time | None = None
    observedGeneration: int = 0


class HorizontalPodAutoscaler(Object):
    """Keeps the CPU use of Pods near a target by changing their number."""

    apiVersion: str = always("autoscaling/v1")
    kind: str = always("HorizontalPodAutoscaler")
    spec: HorizontalPodAutoscalerSpec = always(HorizontalPodAutoscalerSpec())
    status: HorizontalPodAutoscalerStatus = always(HorizontalPodAutoscalerStatus())
