"""What a CronJob needs now: a Job to create, Jobs to delete, and when to look again.

`plan` first strikes off the list of active Jobs those that have ended, then finds the last time
that has come and has not been seen to, and asks the concurrency policy whether a Job may start.

Rule of use: of several missed times only the last is made up for.

Upstream: syncCronJob in pkg/controller/cronjob/cronjob_controllerv2.go, utils.go
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta, tzinfo

import msgspec
from msgspec.structs import replace

from k8slab.api.batch import CronJob, CronJobStatus, Job
from k8slab.api.core import ObjectReference
from k8slab.api.meta import EPOCH, ObjectMeta, seconds, timestamp
from k8slab.client import reference_to
from k8slab.control_plane.controllers.controller_utils import controller_reference
from k8slab.control_plane.controllers.cron_job.schedule import Schedule

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
UNIX_EPOCH = 1_767_225_600  # virtual time 0 in seconds since 1970
TOO_MANY = 100  # missed times, above which somebody is warned
LOOK_LATER = 0.1  # s after the time, nextScheduleDelta

Told = tuple[str, str, str]  # type, reason and message of an Event


class CronJobPlan(msgspec.Struct, frozen=True):
    """What one look at a CronJob and its Jobs asks for."""

    create: Job | None = None
    delete: tuple[Job, ...] = ()
    status: CronJobStatus = CronJobStatus()
    events: tuple[Told, ...] = ()
    look_again_in: float | None = None  # s


def plan(cron_job: CronJob, jobs: Sequence[Job], *, now: float, zone: tzinfo = UTC) -> CronJobPlan:
    """Say what has to be done now; `jobs` are the CronJob's own, `now` is in virtual seconds."""
    status, events = _update_active(cron_job, jobs)
    result = CronJobPlan(status=status, events=tuple(events), delete=_history(cron_job, jobs))
    if cron_job.metadata.deletionTimestamp is not None:
        return replace(result, delete=())
    if cron_job.spec.suspend:
        return result
    try:
        schedule = Schedule.parse(cron_job.spec.schedule)
    except (ValueError, KeyError):
        text = f"unparseable schedule: {cron_job.spec.schedule!r}"
        return replace(result, events=(*events, ("Warning", "UnparseableSchedule", text)))
    due, missed = last_due(cron_job, schedule, now, zone)
    if missed > TOO_MANY:
        text = (
            "too many missed start times. Set or decrease .spec.startingDeadlineSeconds "
            "or check clock skew"
        )
        result = replace(result, events=(*result.events, ("Warning", "TooManyMissedTimes", text)))
    following = schedule.next_after(now, zone)
    if following is not None:
        result = replace(result, look_again_in=following - now + LOOK_LATER)
    return result if due is None else _start(cron_job, jobs, result, due, now)


def last_due(
    cron_job: CronJob, schedule: Schedule, now: float, zone: tzinfo = UTC
) -> tuple[float | None, int]:
    """Return the last time that has come since the last Job, and how many have."""
    last = cron_job.status.lastScheduleTime
    earliest = seconds(last or cron_job.metadata.creationTimestamp)
    deadline = cron_job.spec.startingDeadlineSeconds
    if deadline is not None:
        earliest = max(earliest, now - deadline)
    due, count = None, 0
    following = schedule.next_after(earliest, zone)
    while following is not None and following <= now:
        due, count = following, count + 1
        following = schedule.next_after(following, zone)
    return due, count


def job_for(cron_job: CronJob, due: float) -> Job:
    """Return the Job of a time; its name says which, so that no time gets two."""
    template = cron_job.spec.jobTemplate
    meta = template.metadata
    return Job(
        metadata=ObjectMeta(
            name=f"{cron_job.metadata.name}-{(int(due) + UNIX_EPOCH) // 60}",
            namespace=cron_job.metadata.namespace,
            labels=meta.labels,
            annotations={**meta.annotations, SCHEDULED: timestamp(due)},
            ownerReferences=(controller_reference(cron_job),),
        ),
        spec=template.spec,
    )


def _start(
    cron_job: CronJob, jobs: Sequence[Job], result: CronJobPlan, due: float, now: float
) -> CronJobPlan:
    deadline = cron_job.spec.startingDeadlineSeconds
    if deadline is not None and due + deadline < now:
        told = (
            "Warning",
            "MissSchedule",
            f"Missed scheduled time to start a job: {_in_words(due)}",
        )
        return replace(result, events=(*result.events, told))
    made = job_for(cron_job, due)
    there = next((job for job in jobs if job.metadata.name == made.metadata.name), None)
    if there is not None:  # made before the status could be written
        status = replace(with_active(result.status, there), lastScheduleTime=timestamp(due))
        return replace(result, status=status)
    active = result.status.active
    if active and cron_job.spec.concurrencyPolicy == "Forbid":
        text = (
            "Not starting job because prior execution is running and concurrency policy is Forbid"
        )
        return replace(result, events=(*result.events, ("Normal", "JobAlreadyActive", text)))
    if cron_job.spec.concurrencyPolicy == "Replace":
        uids = {reference.uid for reference in active}
        running = tuple(job for job in jobs if job.metadata.uid in uids)
        status = replace(result.status, active=())
        result = replace(result, delete=result.delete + running, status=status)
    status = replace(result.status, lastScheduleTime=timestamp(due))
    return replace(result, create=made, status=status)


def with_active(status: CronJobStatus, job: Job) -> CronJobStatus:
    """Return the status with the Job in its list, unless it has ended or is there."""
    if ending(job) or any(listed.uid == job.metadata.uid for listed in status.active):
        return status
    return replace(status, active=(*status.active, reference_to(job)))


def _in_words(due: float) -> str:
    """Write a time as Go's RFC1123Z.

    >>> _in_words(300)
    'Thu, 01 Jan 2026 00:05:00 +0000'
    """
    return (EPOCH + timedelta(seconds=due)).strftime("%a, %d %b %Y %H:%M:%S %z")


def ending(job: Job) -> str:
    """Return how a Job ended, Complete or Failed, "" if it has not."""
    for condition in job.status.conditions:
        if condition.type in ("Complete", "Failed") and condition.status == "True":
            return condition.type
    return ""


def _update_active(cron_job: CronJob, jobs: Sequence[Job]) -> tuple[CronJobStatus, list[Told]]:
    """Strike ended and missing Jobs off the list of active ones."""
    status, events = cron_job.status, []
    active: list[ObjectReference] = []
    there = {job.metadata.uid: job for job in jobs}
    listed = {reference.uid for reference in status.active}
    for job in jobs:
        if job.metadata.uid not in listed and not ending(job):
            text = "Saw a job that the controller did not create or forgot: "
            events.append(("Warning", "UnexpectedJob", text + job.metadata.name))
    for reference in status.active:
        found = there.get(reference.uid)
        if found is None:
            text = f"Active job went missing: {reference.name}"
            events.append(("Normal", "MissingJob", text))
        elif ending(found):
            text = f"Saw completed job: {reference.name}, condition: {ending(found)}"
            events.append(("Normal", "SawCompletedJob", text))
        else:
            active.append(reference)
    ends = [job.status.completionTime for job in jobs if ending(job) == "Complete"]
    successes = [end for end in (*ends, status.lastSuccessfulTime) if end]
    success = max(successes, key=seconds, default=None)
    return replace(status, active=tuple(active), lastSuccessfulTime=success), events


def _history(cron_job: CronJob, jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Return the oldest ended Jobs beyond those that are kept."""
    found: list[Job] = []
    for end, limit in (
        ("Complete", cron_job.spec.successfulJobsHistoryLimit),
        ("Failed", cron_job.spec.failedJobsHistoryLimit),
    ):
        ended = [job for job in jobs if ending(job) == end]
        ended.sort(key=lambda job: (job.status.startTime or "", job.metadata.name))
        if limit is not None:
            found += ended[: max(len(ended) - limit, 0)]
    return tuple(job for job in found if job.metadata.deletionTimestamp is None)
