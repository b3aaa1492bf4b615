"""How Jobs and CronJobs are summed up in one line.

COMPLETIONS of a Job is "succeeded/wanted", or "0/1 of 5" when any of several workers may finish it.

Rule of use: DURATION runs until the Job completes, and has no end if it never does.

Upstream: pkg/printers/internalversion/printers.go
"""

from __future__ import annotations

from k8slab.api.batch import CronJob, Job
from k8slab.api.conditions import is_true
from k8slab.api.duration import age, human_duration
from k8slab.api.meta import seconds
from k8slab.control_plane.apiserver.table_printers.columns import (
    AGE,
    CONTAINERS,
    IMAGES,
    NAME,
    NONE,
    SELECTOR,
    Cells,
    Printer,
    age_of,
    column,
    container_cells,
    selector_text,
)

# The first of these conditions that is true is the status; a Job without any is running.
_STATUS = (
    ("Complete", "Complete"),
    ("Failed", "Failed"),
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def job_cells(job: Job, now: float) -> Cells:
    """Return the cells of a Job."""
    return (
        job.metadata.name,
        _job_status(job),
        _completions(job),
        _duration(job, now),
        age_of(job, now),
        *container_cells(job.spec.template.spec.containers),
        selector_text(job.spec.selector),
    )


def _job_status(job: Job) -> str:
    for condition, status in _STATUS[:2]:
        if is_true(job.status.conditions, condition):
            return status
    if job.metadata.deletionTimestamp is not None:
        return "Terminating"
    for condition, status in _STATUS[2:]:
        if is_true(job.status.conditions, condition):
            return status
    return "Running"


def _completions(job: Job) -> str:
    if job.spec.completions is not None:
        return f"{job.status.succeeded}/{job.spec.completions}"
    parallelism = job.spec.parallelism or 0
    many = f" of {parallelism}" if parallelism > 1 else ""
    return f"{job.status.succeeded}/1{many}"


def _duration(job: Job, now: float) -> str:
    start, end = job.status.startTime, job.status.completionTime
    if start is None:
        return ""
    return human_duration((seconds(end) if end is not None else now) - seconds(start))


def cron_job_cells(cron_job: CronJob, now: float) -> Cells:
    """Return the cells of a CronJob."""
    spec, last = cron_job.spec, cron_job.status.lastScheduleTime
    return (
        cron_job.metadata.name,
        spec.schedule,
        spec.timeZone or NONE,
        "True" if spec.suspend else "False",
        len(cron_job.status.active),
        age(last, now) if last is not None else NONE,
        age_of(cron_job, now),
        *container_cells(spec.jobTemplate.spec.template.spec.containers),
        selector_text(spec.jobTemplate.spec.selector),
    )


PRINTERS = {
    "Job": Printer(
        (
            NAME,
            column("Status", "Whether it runs, and how it ended."),
            column("Completions", "How many Pods succeeded, and how many must."),
            column("Duration", "How long it has been running, or ran."),
            AGE,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ),
        job_cells,
    ),
    "CronJob": Printer(
        (
            NAME,
            column("Schedule", "When it starts a Job."),
            column("Timezone", "By which clock."),
            column("Suspend", "Whether it is told to rest.", type="boolean"),
            column("Active", "How many of its Jobs run.", type="integer"),
            column("Last Schedule", "How long ago it started one."),
            AGE,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ),
        cron_job_cells,
    ),
}
