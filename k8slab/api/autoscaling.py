"""Sizes: the number of replicas on its own, and who changes it by what Pods use.

Interface: ``Scale``, the subresource by which anything scalable is resized, and
``HorizontalPodAutoscaler`` in its second version; the first is in ``autoscaling_v1``.

Upstream: staging/src/k8s.io/api/autoscaling/v2/types.go, autoscaling/v1/types.go (Scale)
"""

from k8slab.api.meta import LabelSelector, Object
from k8slab.api.quantity import Quantity
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


class MetricIdentifier(Part):
    """Which metric, and of which objects."""

    name: str = always("")
    selector: LabelSelector | None = None


class MetricTarget(Part):
    """What to aim at: an amount, an amount for each Pod, or a percentage of what Pods request."""

    type: str = always("")
    value: Quantity | None = None
    averageValue: Quantity | None = None
    averageUtilization: int | None = None


class ResourceMetricSource(Part):
    """CPU or memory of the Pods, as the metrics API tells it."""

    name: str = always("")
    target: MetricTarget = always(MetricTarget())


class ContainerResourceMetricSource(Part):
    """CPU or memory of one container of each Pod."""

    name: str = always("")
    target: MetricTarget = always(MetricTarget())
    container: str = always("")


class PodsMetricSource(Part):
    """A metric of each Pod, as the custom metrics API tells it."""

    metric: MetricIdentifier = always(MetricIdentifier())
    target: MetricTarget = always(MetricTarget())


class ObjectMetricSource(Part):
    """A metric of one other object."""

    describedObject: CrossVersionObjectReference = always(CrossVersionObjectReference())
    target: MetricTarget = always(MetricTarget())
    metric: MetricIdentifier = always(MetricIdentifier())


class ExternalMetricSource(Part):
    """A metric of something outside the cluster."""

    metric: MetricIdentifier = always(MetricIdentifier())
    target: MetricTarget = always(MetricTarget())


class MetricSpec(Part):
    """One reason to scale; ``type`` says which of the others is set."""

    type: str = always("")
    object: ObjectMetricSource | None = None
    pods: PodsMetricSource | None = None
    resource: ResourceMetricSource | None = None
    containerResource: ContainerResourceMetricSource | None = None
    external: ExternalMetricSource | None = None


class HPAScalingPolicy(Part):
    """How much may change within a period: a number of Pods or a percentage."""

    type: str = always("")
    value: int = always(0)
    periodSeconds: int = always(0)


class HPAScalingRules(Part):
    """How fast to go in one direction, and how long to look back first."""

    stabilizationWindowSeconds: int | None = None
    selectPolicy: str | None = None
    policies: tuple[HPAScalingPolicy, ...] = ()
    tolerance: Quantity | None = None


class HorizontalPodAutoscalerBehavior(Part):
    """How fast to grow, and how fast to shrink."""

    scaleUp: HPAScalingRules | None = None
    scaleDown: HPAScalingRules | None = None


class HorizontalPodAutoscalerSpec(Part):
    """What to scale, within which bounds, and by what."""

    scaleTargetRef: CrossVersionObjectReference = always(CrossVersionObjectReference())
    minReplicas: int | None = None
    maxReplicas: int = always(0)
    metrics: tuple[MetricSpec, ...] = ()
    behavior: HorizontalPodAutoscalerBehavior | None = None


class MetricValueStatus(Part):
    """What was found."""

    value: Quantity | None = None
    averageValue: Quantity | None = None
    averageUtilization: int | None = None


class ResourceMetricStatus(Part):
    """The CPU or memory found."""

    name: str = always("")
    current: MetricValueStatus = always(MetricValueStatus())


class ContainerResourceMetricStatus(Part):
    """The CPU or memory found in one container of each Pod."""

    name: str = always("")
    current: MetricValueStatus = always(MetricValueStatus())
    container: str = always("")


class PodsMetricStatus(Part):
    """The metric of each Pod that was found."""

    metric: MetricIdentifier = always(MetricIdentifier())
    current: MetricValueStatus = always(MetricValueStatus())


class ObjectMetricStatus(Part):
    """The metric of the other object that was found."""

    metric: MetricIdentifier = always(MetricIdentifier())
    current: MetricValueStatus = always(MetricValueStatus())
    describedObject: CrossVersionObjectReference = always(CrossVersionObjectReference())


class ExternalMetricStatus(Part):
    """The metric from outside that was found."""

    metric: MetricIdentifier = always(MetricIdentifier())
    current: MetricValueStatus = always(MetricValueStatus())


class MetricStatus(Part):
    """What one of the metrics was, when it was last looked at."""

    type: str = always("")
    object: ObjectMetricStatus | None = None
    pods: PodsMetricStatus | None = None
    resource: ResourceMetricStatus | None = None
    containerResource: ContainerResourceMetricStatus | None = None
    external: ExternalMetricStatus | None = None


class HorizontalPodAutoscalerCondition(Part):
    """AbleToScale, ScalingActive or ScalingLimited, and why."""

    type: str = always("")
    status: str = always("")
    lastTransitionTime: Time | None = None
    reason: str = ""
    message: str = ""


class HorizontalPodAutoscalerStatus(Part):
    """The number there is, the number wanted, and what was measured."""

    observedGeneration: int | None = None
    lastScaleTime: Time | None = None
    currentReplicas: int = 0
    desiredReplicas: int = always(0)
    currentMetrics: tuple[MetricStatus, ...] | None = always(None)
    conditions: tuple[HorizontalPodAutoscalerCondition, ...] = ()


class HorizontalPodAutoscaler(Object):
    """Changes the number of Pods by what they use."""

    apiVersion: str = always("autoscaling/v2")
    kind: str = always("HorizontalPodAutoscaler")
    spec: HorizontalPodAutoscalerSpec = always(HorizontalPodAutoscalerSpec())
    status: HorizontalPodAutoscalerStatus = always(HorizontalPodAutoscalerStatus())
