"""The ancestor of the ReplicaSet.

Interface: ``ReplicationController``. Its selector is a plain map of labels.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.core.pod import PodTemplateSpec
from k8slab.api.meta import Object
from k8slab.api.struct import Part, Time, always, mapping


class ReplicationControllerCondition(Part):
    """One fact about a ReplicationController."""

    type: str = always("")
    lastTransitionTime: Time | None = always(None)
    message: str = ""
    reason: str = ""
    status: str = always("")


class ReplicationControllerSpec(Part):
    """How many Pods of which template."""

    minReadySeconds: int = 0
    replicas: int | None = None
    selector: Mapping[str, str] = mapping()
    template: PodTemplateSpec | None = None


class ReplicationControllerStatus(Part):
    """How many Pods there are."""

    replicas: int = always(0)
    availableReplicas: int = 0
    conditions: tuple[ReplicationControllerCondition, ...] = ()
    fullyLabeledReplicas: int = 0
    observedGeneration: int = 0
    readyReplicas: int = 0


class ReplicationController(Object):
    """A number of equal Pods."""

    apiVersion: str = always("v1")
    kind: str = always("ReplicationController")
    spec: ReplicationControllerSpec = always(ReplicationControllerSpec())
    status: ReplicationControllerStatus = always(ReplicationControllerStatus())
