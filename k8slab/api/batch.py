"""Work that comes to an end.

Interface: ``Job``, ``CronJob``. A Job counts Pods that succeeded, not Pods that run.

Upstream: staging/src/k8s.io/api/batch/v1/types.go
"""

from collections.abc import Mapping
from typing import Any

from k8slab.api.core.pod import PodTemplateSpec
from k8slab.api.core.references import ObjectReference
from k8slab.api.meta import LabelSelector, Object, ObjectMeta
from k8slab.api.struct import Part, Time, always


class PodFailurePolicyOnExitCodesRequirement(Part):
    """Exit codes that a failure rule matches."""

    operator: str = always("")
    values: tuple[int, ...] = always(())
    containerName: str | None = None


class PodFailurePolicyOnPodConditionsPattern(Part):
    """A Pod condition that a failure rule matches."""

    type: str = always("")
    status: str = ""


class PodFailurePolicyRule(Part):
    """What a failed Pod means for its Job."""

    action: str = always("")
    onExitCodes: PodFailurePolicyOnExitCodesRequirement | None = None
    onPodConditions: tuple[PodFailurePolicyOnPodConditionsPattern, ...] = ()


class PodFailurePolicy(Part):
    """Rules of which the first that matches decides."""

    rules: tuple[PodFailurePolicyRule, ...] = always(())


class SuccessPolicyRule(Part):
    """Which indexes, or how many, make the Job a success."""

    succeededCount: int | None = None
    succeededIndexes: str | None = None


class SuccessPolicy(Part):
    """Rules of which one must hold."""

    rules: tuple[SuccessPolicyRule, ...] = always(())


class UncountedTerminatedPods(Part):
    """Ended Pods that are not in the counters yet."""

    failed: tuple[str, ...] = ()
    succeeded: tuple[str, ...] = ()


class JobSpec(Part):
    """How often, how many at once, and how many failures."""

    template: PodTemplateSpec = always(PodTemplateSpec())
    activeDeadlineSeconds: int | None = None
    backoffLimit: int | None = None
    backoffLimitPerIndex: int | None = None
    completionMode: str | None = None
    completions: int | None = None
    managedBy: str | None = None
    manualSelector: bool | None = None
    maxFailedIndexes: int | None = None
    parallelism: int | None = None
    podFailurePolicy: PodFailurePolicy | None = None
    podReplacementPolicy: str | None = None
    scheduling: Mapping[str, Any] | None = None
    selector: LabelSelector | None = None
    successPolicy: SuccessPolicy | None = None
    suspend: bool | None = None
    ttlSecondsAfterFinished: int | None = None


class JobCondition(Part):
    """One fact about a Job."""

    type: str = always("")
    lastProbeTime: Time | None = always(None)
    lastTransitionTime: Time | None = always(None)
    message: str = ""
    reason: str = ""
    status: str = always("")


class JobStatus(Part):
    """How many Pods are active, succeeded and failed."""

    active: int = 0
    completedIndexes: str = ""
    completionTime: Time | None = None
    conditions: tuple[JobCondition, ...] = ()
    failed: int = 0
    failedIndexes: str | None = None
    ready: int | None = None
    startTime: Time | None = None
    succeeded: int = 0
    terminating: int | None = None
    uncountedTerminatedPods: UncountedTerminatedPods | None = None


class Job(Object):
    """Pods that must succeed a number of times."""

    apiVersion: str = always("batch/v1")
    kind: str = always("Job")
    spec: JobSpec = always(JobSpec())
    status: JobStatus = always(JobStatus())


class JobTemplateSpec(Part):
    """The Job that a CronJob makes copies of."""

    metadata: ObjectMeta = always(ObjectMeta())
    spec: JobSpec = always(JobSpec())


class CronJobSpec(Part):
    """When to run which Job."""

    jobTemplate: JobTemplateSpec = always(JobTemplateSpec())
    schedule: str = always("")
    concurrencyPolicy: str = ""
    failedJobsHistoryLimit: int | None = None
    startingDeadlineSeconds: int | None = None
    successfulJobsHistoryLimit: int | None = None
    suspend: bool | None = None
    timeZone: str | None = None


class CronJobStatus(Part):
    """Which Jobs are active, and when one ran last."""

    active: tuple[ObjectReference, ...] = ()
    lastScheduleTime: Time | None = None
    lastSuccessfulTime: Time | None = None


class CronJob(Object):
    """A Job at given times."""

    apiVersion: str = always("batch/v1")
    kind: str = always("CronJob")
    spec: CronJobSpec = always(CronJobSpec())
    status: CronJobStatus = always(CronJobStatus())
