"""Workloads: controllers' wishes for Pods.

Interface: ``Deployment``, ``ReplicaSet``, ``DaemonSet``, ``StatefulSet``, ``ControllerRevision``.
``maxSurge`` and ``maxUnavailable`` are a number or a percentage such as "25%".

Upstream: staging/src/k8s.io/api/apps/v1/types.go
"""

from collections.abc import Mapping
from typing import Any

from k8slab.api.core.persistent_volume import PersistentVolumeClaim
from k8slab.api.core.pod import PodTemplateSpec
from k8slab.api.meta import LabelSelector, Object
from k8slab.api.struct import Part, Time, always


class ReplicaSetSpec(Part):
    """How many Pods of which template."""

    selector: LabelSelector | None = None
    minReadySeconds: int = 0
    replicas: int | None = None
    template: PodTemplateSpec = always(PodTemplateSpec())


class ReplicaSetCondition(Part):
    """One fact about a ReplicaSet."""

    type: str = ""
    lastTransitionTime: Time | None = always(None)
    message: str = ""
    reason: str = ""
    status: str = ""


class ReplicaSetStatus(Part):
    """How many Pods there are, and how they are."""

    replicas: int = always(0)
    availableReplicas: int = 0
    conditions: tuple[ReplicaSetCondition, ...] = ()
    fullyLabeledReplicas: int = 0
    observedGeneration: int = 0
    readyReplicas: int = 0
    terminatingReplicas: int | None = None


class ReplicaSet(Object):
    """A number of equal Pods."""

    apiVersion: str = always("apps/v1")
    kind: str = always("ReplicaSet")
    spec: ReplicaSetSpec = always(ReplicaSetSpec())
    status: ReplicaSetStatus = always(ReplicaSetStatus())


class RollingUpdateDeployment(Part):
    """How far a rollout may go above and below the wanted number."""

    maxSurge: int | str | None = None
    maxUnavailable: int | str | None = None


class DeploymentStrategy(Part):
    """How old Pods are replaced by new ones."""

    type: str = ""
    rollingUpdate: RollingUpdateDeployment | None = None


class DeploymentSpec(Part):
    """Template, number of Pods and how to get from one template to the next."""

    selector: LabelSelector | None = None
    template: PodTemplateSpec = always(PodTemplateSpec())
    minReadySeconds: int = 0
    paused: bool = False
    progressDeadlineSeconds: int | None = None
    replicas: int | None = None
    revisionHistoryLimit: int | None = None
    strategy: DeploymentStrategy = always(DeploymentStrategy())


class DeploymentCondition(Part):
    """One fact about a Deployment: Available, Progressing, ReplicaFailure."""

    type: str = ""
    lastTransitionTime: Time | None = always(None)
    lastUpdateTime: Time | None = always(None)
    message: str = ""
    reason: str = ""
    status: str = ""


class DeploymentStatus(Part):
    """How many Pods there are, old and new."""

    availableReplicas: int = 0
    collisionCount: int | None = None
    conditions: tuple[DeploymentCondition, ...] = ()
    observedGeneration: int = 0
    readyReplicas: int = 0
    replicas: int = 0
    terminatingReplicas: int | None = None
    unavailableReplicas: int = 0
    updatedReplicas: int = 0


class Deployment(Object):
    """A number of equal Pods that can be rolled to a new template."""

    apiVersion: str = always("apps/v1")
    kind: str = always("Deployment")
    spec: DeploymentSpec = always(DeploymentSpec())
    status: DeploymentStatus = always(DeploymentStatus())


class RollingUpdateDaemonSet(Part):
    """How many nodes may be without, or with a second, Pod in a rollout."""

    maxSurge: int | str | None = None
    maxUnavailable: int | str | None = None


class DaemonSetUpdateStrategy(Part):
    """How old Pods are replaced by new ones."""

    type: str = ""
    rollingUpdate: RollingUpdateDaemonSet | None = None


class DaemonSetSpec(Part):
    """The Pod that each matching node gets."""

    selector: LabelSelector | None = None
    template: PodTemplateSpec = always(PodTemplateSpec())
    minReadySeconds: int = 0
    revisionHistoryLimit: int | None = None
    updateStrategy: DaemonSetUpdateStrategy = always(DaemonSetUpdateStrategy())


class DaemonSetCondition(Part):
    """One fact about a DaemonSet."""

    type: str = ""
    lastTransitionTime: Time | None = always(None)
    message: str = ""
    reason: str = ""
    status: str = ""


class DaemonSetStatus(Part):
    """On how many nodes the Pod should be, and is."""

    currentNumberScheduled: int = always(0)
    desiredNumberScheduled: int = always(0)
    numberMisscheduled: int = always(0)
    numberReady: int = always(0)
    collisionCount: int | None = None
    conditions: tuple[DaemonSetCondition, ...] = ()
    numberAvailable: int = 0
    numberUnavailable: int = 0
    observedGeneration: int = 0
    updatedNumberScheduled: int = 0


class DaemonSet(Object):
    """One Pod on each matching node."""

    apiVersion: str = always("apps/v1")
    kind: str = always("DaemonSet")
    spec: DaemonSetSpec = always(DaemonSetSpec())
    status: DaemonSetStatus = always(DaemonSetStatus())


class RollingUpdateStatefulSetStrategy(Part):
    """How many Pods may be replaced at once, and from which ordinal on."""

    maxUnavailable: int | str | None = None
    partition: int | None = None


class StatefulSetUpdateStrategy(Part):
    """How old Pods are replaced by new ones."""

    type: str = ""
    rollingUpdate: RollingUpdateStatefulSetStrategy | None = None


class StatefulSetPersistentVolumeClaimRetentionPolicy(Part):
    """What becomes of claims when Pods go."""

    whenDeleted: str = ""
    whenScaled: str = ""


class StatefulSetOrdinals(Part):
    """The number at which Pods start to be counted."""

    start: int = always(0)


class StatefulSetSpec(Part):
    """Number of Pods, template and claims of each."""

    selector: LabelSelector | None = None
    template: PodTemplateSpec = always(PodTemplateSpec())
    minReadySeconds: int = 0
    ordinals: StatefulSetOrdinals | None = None
    persistentVolumeClaimRetentionPolicy: StatefulSetPersistentVolumeClaimRetentionPolicy | None = (
        None
    )
    podManagementPolicy: str = ""
    replicas: int | None = None
    revisionHistoryLimit: int | None = None
    serviceName: str = ""
    updateStrategy: StatefulSetUpdateStrategy = always(StatefulSetUpdateStrategy())
    volumeClaimTemplates: tuple[PersistentVolumeClaim, ...] = ()


class StatefulSetCondition(Part):
    """One fact about a StatefulSet."""

    type: str = ""
    lastTransitionTime: Time | None = always(None)
    message: str = ""
    reason: str = ""
    status: str = ""


class StatefulSetStatus(Part):
    """How many Pods there are, of which revision."""

    replicas: int = always(0)
    availableReplicas: int = always(0)
    collisionCount: int | None = None
    conditions: tuple[StatefulSetCondition, ...] = ()
    currentReplicas: int = 0
    currentRevision: str = ""
    observedGeneration: int = 0
    readyReplicas: int = 0
    updateRevision: str = ""
    updatedReplicas: int = 0


class StatefulSet(Object):
    """Pods with names, places and storage of their own."""

    apiVersion: str = always("apps/v1")
    kind: str = always("StatefulSet")
    spec: StatefulSetSpec = always(StatefulSetSpec())
    status: StatefulSetStatus = always(StatefulSetStatus())


class ControllerRevision(Object):
    """A stored state of a DaemonSet or StatefulSet, to go back to."""

    apiVersion: str = always("apps/v1")
    kind: str = always("ControllerRevision")
    data: Mapping[str, Any] | None = None
    revision: int = always(0)
