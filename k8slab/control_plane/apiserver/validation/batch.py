"""Validation of Jobs and CronJobs.

Upstream: pkg/apis/batch/validation/validation.go, github.com/robfig/cron (parser.go)
"""

from __future__ import annotations

import re

from k8slab.api.batch import CronJob, Job, JobSpec
from k8slab.api.core import PodTemplateSpec
from k8slab.api.errors import invalid_value, not_supported, required
from k8slab.control_plane.apiserver.validation import go_text
from k8slab.control_plane.apiserver.validation.formats import (
    IMMUTABLE,
    Errors,
    immutable,
    not_negative,
    one_of,
)
from k8slab.control_plane.apiserver.validation.pods import pod_template

NUMBERS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
)
RESTART_POLICIES = ("OnFailure", "Never")
CONCURRENCY = ("Allow", "Forbid", "Replace")
MAX_CRON_JOB_NAME = 52  # what Jobs add to it makes 63
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("dom", 1, 31), ("month", 1, 12), ("dow", 0, 6))
NAMES = {
    "month": ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    "dow": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}
DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")


def job(obj: Job) -> Errors:
    """Yield what is wrong with a Job, metadata apart."""
    yield from _job_spec("spec", obj.spec)


def job_update(new: Job, old: Job) -> Errors:
    """Yield what is wrong with a changed Job: its template stays, once it has started."""
    yield from job(new)
    after, before = new.spec, old.spec
    if after.completionMode != "Indexed" or after.completions != after.parallelism:
        yield from immutable("spec.completions", after.completions, before.completions)
    yield from immutable("spec.selector", after.selector, before.selector)
    may_change = bool(before.suspend) and old.status.startTime is None
    if after.template != before.template and not may_change:
        yield invalid_value("spec.template", go_text.quoted(after.template), IMMUTABLE)
    yield from immutable("spec.completionMode", after.completionMode, before.completionMode)
    yield from immutable("spec.podFailurePolicy", after.podFailurePolicy, before.podFailurePolicy)


def cron_job(obj: CronJob) -> Errors:
    """Yield what is wrong with a CronJob, metadata apart."""
    spec = obj.spec
    if len(obj.metadata.name) > MAX_CRON_JOB_NAME:
        text = f"must be no more than {MAX_CRON_JOB_NAME} characters"
        yield invalid_value("metadata.name", obj.metadata.name, text)
    if not spec.schedule:
        yield required("spec.schedule")
    elif wrong := schedule_error(spec.schedule):
        yield invalid_value("spec.schedule", spec.schedule, wrong)
    yield from not_negative("spec.startingDeadlineSeconds", spec.startingDeadlineSeconds)
    if spec.concurrencyPolicy and spec.concurrencyPolicy not in CONCURRENCY:
        yield from one_of("spec.concurrencyPolicy", spec.concurrencyPolicy, CONCURRENCY)
    yield from not_negative("spec.successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit)
    yield from not_negative("spec.failedJobsHistoryLimit", spec.failedJobsHistoryLimit)
    yield from _job_spec("spec.jobTemplate.spec", spec.jobTemplate.spec)


def schedule_error(text: str) -> str:
    """Say why a text is no schedule, in the words of the cron library; empty if it is one.

    >>> schedule_error("nope"), schedule_error("*/5 * * * mon-fri")
    ('expected exactly 5 fields, found 1: [nope]', '')
    """
    if text.startswith("@"):
        known = text in DESCRIPTORS or re.fullmatch(r"@every ([0-9.]+(ns|us|ms|s|m|h))+", text)
        return "" if known else f"unrecognized descriptor: {text}"
    parts = text.split()
    if len(parts) != len(FIELDS):
        listed = " ".join(parts)
        return f"expected exactly 5 fields, found {len(parts)}: [{listed}]"
    for part, (name, lowest, highest) in zip(parts, FIELDS, strict=True):
        for item in part.split(","):
            wrong = _range_error(item, name, lowest, highest)
            if wrong:
                return wrong
    return ""


def _range_error(item: str, name: str, lowest: int, highest: int) -> str:
    span, *steps = item.split("/")
    ends = span.split("-")
    if len(ends) > 2:
        return f"too many hyphens: {item}"
    if len(steps) > 1:
        return f"too many slashes: {item}"
    numbers = [lowest, highest]
    if ends[0] not in ("*", "?"):
        found = [_number(end, name) for end in ends]
        for end, number in zip(ends, found, strict=True):
            if number is None:
                return (
                    f'failed to parse int from {end}: strconv.Atoi: parsing "{end}": invalid syntax'
                )
        plain = [number for number in found if number is not None]
        numbers = [plain[0], plain[-1] if len(plain) > 1 or not steps else highest]
    if steps and not steps[0].isdecimal():
        step = steps[0]
        return f'failed to parse int from {step}: strconv.Atoi: parsing "{step}": invalid syntax'
    if numbers[0] < lowest:
        return f"beginning of range ({numbers[0]}) below minimum ({lowest}): {item}"
    if numbers[1] > highest:
        return f"end of range ({numbers[1]}) above maximum ({highest}): {item}"
    if numbers[0] > numbers[1]:
        return f"beginning of range ({numbers[0]}) beyond end of range ({numbers[1]}): {item}"
    return f"step of range should be a positive number: {item}" if steps == ["0"] else ""


def _number(text: str, name: str) -> int | None:
    names = NAMES.get(name, [])
    if text.lower() in names:
        return names.index(text.lower()) + (1 if name == "month" else 0)
    return int(text) if text.isdecimal() else None


def _job_spec(path: str, spec: JobSpec) -> Errors:
    for field in NUMBERS:
        yield from not_negative(f"{path}.{field}", getattr(spec, field))
    if spec.completionMode not in (None, "", "NonIndexed", "Indexed"):
        supported = ("NonIndexed", "Indexed")
        yield not_supported(f"{path}.completionMode", spec.completionMode, supported)
    if spec.completionMode == "Indexed" and spec.completions is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    yield from _template(f"{path}.template", spec.template)


def _template(path: str, template: PodTemplateSpec) -> Errors:
    yield from pod_template(path, template)
    policy = template.spec.restartPolicy
    if policy in ("", "Always"):
        yield required(f"{path}.spec.restartPolicy", 'valid values: "OnFailure", "Never"')
    elif policy not in RESTART_POLICIES:
        yield not_supported(f"{path}.spec.restartPolicy", policy, RESTART_POLICIES)
