"""Validation of Jobs and CronJobs.

Upstream: pkg/apis/batch/validation/validation.go
"""

from __future__ import annotations

from k8slab.api.batch import CronJob, Job, JobSpec
from k8slab.api.errors import invalid_value, not_supported, required, too_long
from k8slab.control_plane.apiserver.validation import go_text
from k8slab.control_plane.apiserver.validation.formats import (
    IMMUTABLE,
    Errors,
    dns_label,
    domain_path,
    immutable,
    not_negative,
    one_of,
)
from k8slab.control_plane.apiserver.validation.job_policies import (
    INDEXED_ONLY,
    pod_failure_policy,
    pod_replacement_policy,
    success_policy,
)
from k8slab.control_plane.apiserver.validation.pods import pod_template
from k8slab.control_plane.apiserver.validation.schedules import schedule, time_zone

NUMBERS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
RESTART_POLICIES = ("OnFailure", "Never")
CONCURRENCY = ("Allow", "Forbid", "Replace")
MAX_CRON_JOB_NAME = 52  # what Jobs add to it makes 63
MAX_MANAGED_BY = 63  # bytes
MOST_INDEXES = 100_000  # in parallel, or failed
MOST_AT_HIGH_COMPLETIONS = 10_000
KEPT = ("podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")


def job(obj: Job) -> Errors:
    """Yield what is wrong with a Job, metadata apart."""
    spec = obj.spec
    yield from _job_spec("spec", spec)
    if spec.completionMode == "Indexed" and (spec.completions or 0) > 0:
        last = f"{obj.metadata.name}-{(spec.completions or 0) - 1}"
        if obj.metadata.name and dns_label(last):
            text = f"will not able to create pod with invalid DNS label: {last}"
            yield invalid_value("metadata.name", obj.metadata.name, text)


def job_update(new: Job, old: Job) -> Errors:
    """Yield what is wrong with a changed Job: its template stays, once it has started."""
    yield from _job_spec("spec", new.spec)
    after, before = new.spec, old.spec
    if after.completionMode != "Indexed":
        yield from immutable("spec.completions", after.completions, before.completions)
    elif after.completions not in (before.completions, None, after.parallelism):
        text = "can only be modified in tandem with spec.parallelism"
        yield invalid_value("spec.completions", after.completions, text)
    yield from immutable("spec.selector", after.selector, before.selector)
    may_change = bool(before.suspend) and old.status.startTime is None
    if after.template != before.template and not may_change:
        yield invalid_value("spec.template", go_text.quoted(after.template), IMMUTABLE)
    yield from immutable("spec.completionMode", after.completionMode, before.completionMode)
    for field in KEPT:
        yield from immutable(f"spec.{field}", getattr(after, field), getattr(before, field))


def cron_job(obj: CronJob) -> Errors:
    """Yield what is wrong with a CronJob, metadata apart."""
    yield from _cron_job_spec(obj, None)
    if len(obj.metadata.name) > MAX_CRON_JOB_NAME:
        text = f"must be no more than {MAX_CRON_JOB_NAME} characters"
        yield invalid_value("metadata.name", obj.metadata.name, text)


def cron_job_update(new: CronJob, old: CronJob) -> Errors:
    """Yield what is wrong with a changed CronJob."""
    yield from _cron_job_spec(new, old)


def _cron_job_spec(obj: CronJob, old: CronJob | None) -> Errors:
    spec, before = obj.spec, old.spec if old else None
    if not spec.schedule:
        yield required("spec.schedule")
    else:
        named = before.schedule if before else ""
        yield from schedule("spec.schedule", spec.schedule, spec.timeZone, named)
    yield from not_negative("spec.startingDeadlineSeconds", spec.startingDeadlineSeconds)
    if before is None or before.timeZone != spec.timeZone:
        yield from time_zone("spec.timeZone", spec.timeZone)
    yield from one_of("spec.concurrencyPolicy", spec.concurrencyPolicy, CONCURRENCY)
    template = spec.jobTemplate.spec
    yield from _job_spec("spec.jobTemplate.spec", template)
    if template.selector is not None:
        text = "`selector` will be auto-generated"
        yield invalid_value("spec.jobTemplate.spec.selector", template.selector, text)
    if template.manualSelector:
        yield not_supported("spec.jobTemplate.spec.manualSelector", True, ("nil", "false"))
    yield from not_negative("spec.successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit)
    yield from not_negative("spec.failedJobsHistoryLimit", spec.failedJobsHistoryLimit)


def _job_spec(path: str, spec: JobSpec) -> Errors:
    for field in NUMBERS:
        yield from not_negative(f"{path}.{field}", getattr(spec, field))
    if spec.maxFailedIndexes is not None and spec.backoffLimitPerIndex is None:
        yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    if spec.completionMode not in (None, "NonIndexed", "Indexed"):
        supported = ("NonIndexed", "Indexed")
        yield not_supported(f"{path}.completionMode", spec.completionMode, supported)
    if spec.completionMode == "Indexed":
        yield from _indexed(path, spec)
    elif spec.completionMode in (None, "NonIndexed"):
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if (value := getattr(spec, field)) is not None:
                yield invalid_value(f"{path}.{field}", value, INDEXED_ONLY)
    if spec.managedBy is not None:
        yield from domain_path(f"{path}.managedBy", spec.managedBy)
        if len(spec.managedBy) > MAX_MANAGED_BY:
            yield too_long(f"{path}.managedBy", MAX_MANAGED_BY)
    yield from pod_failure_policy(f"{path}.podFailurePolicy", spec)
    yield from success_policy(f"{path}.successPolicy", spec)
    yield from pod_replacement_policy(f"{path}.podReplacementPolicy", spec)
    yield from _job_template(f"{path}.template", spec)


def _indexed(path: str, spec: JobSpec) -> Errors:
    completions, failed = spec.completions, spec.maxFailedIndexes
    if completions is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    if (spec.parallelism or 0) > MOST_INDEXES:
        text = f"must be less than or equal to {MOST_INDEXES} when completion mode is Indexed"
        yield invalid_value(f"{path}.parallelism", spec.parallelism, text)
    if failed is not None and completions is not None and failed > completions:
        text = "must be less than or equal to completions"
        yield invalid_value(f"{path}.maxFailedIndexes", failed, text)
    if (failed or 0) > MOST_INDEXES:
        text = f"must be less than or equal to {MOST_INDEXES}"
        yield invalid_value(f"{path}.maxFailedIndexes", failed, text)
    if spec.backoffLimitPerIndex is None or (completions or 0) <= MOST_INDEXES:
        return
    if failed is None:
        text = f"must be specified when completions is above {MOST_INDEXES}"
        yield required(f"{path}.maxFailedIndexes", text)
    for field in ("parallelism", "maxFailedIndexes"):
        if (getattr(spec, field) or 0) > MOST_AT_HIGH_COMPLETIONS:
            text = (
                f"must be less than or equal to {MOST_AT_HIGH_COMPLETIONS} when completions are "
                f"above {MOST_INDEXES} and used with backoff limit per index"
            )
            yield invalid_value(f"{path}.{field}", getattr(spec, field), text)


def _job_template(path: str, spec: JobSpec) -> Errors:
    yield from pod_template(path, spec.template)
    where, policy = f"{path}.spec.restartPolicy", spec.template.spec.restartPolicy
    if policy in ("", "Always"):
        yield required(where, 'valid values: "OnFailure", "Never"')
    elif policy not in RESTART_POLICIES:
        yield not_supported(where, policy, RESTART_POLICIES)
    elif policy != "Never" and spec.podFailurePolicy is not None:
        text = 'only "Never" is supported when podFailurePolicy is specified'
        yield invalid_value(where, policy, text)
