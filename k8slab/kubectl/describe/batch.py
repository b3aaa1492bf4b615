"""`kubectl describe` of Jobs and CronJobs.

Rule of use: what is not set is `<unset>`, not left out.

Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go
"""

from __future__ import annotations

from k8slab.api.batch import CronJob, Job
from k8slab.api.duration import human_duration
from k8slab.api.labels import from_label_selector
from k8slab.api.meta import seconds
from k8slab.kubectl.describe.pods import describe_template
from k8slab.kubectl.describe.writer import NONE, UNSET, Writer, controller_text, time_text, truth
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.pods_of import selector_of


async def describe_job(call: Invocation, writer: Writer, job: Job) -> None:
    """Write a Job."""
    spec, status = job.spec, job.status
    writer.field("Name", job.metadata.name)
    writer.field("Namespace", job.metadata.namespace)
    if spec.selector is not None:
        writer.field("Selector", selector_of(job))
    writer.labels("Labels", job.metadata.labels)
    writer.annotations("Annotations", job.metadata.annotations)
    start, end = status.startTime, status.completionTime
    ready = "" if status.ready is None else f" ({status.ready} Ready)"
    deadline = spec.activeDeadlineSeconds
    writer.fields(
        {
            "Controlled By": controller_text(job),
            "Parallelism": spec.parallelism,
            "Completions": UNSET if spec.completions is None else spec.completions,
            "Completion Mode": spec.completionMode,
            "Suspend": str(spec.suspend).lower() if spec.suspend is not None else None,
            "Backoff Limit": spec.backoffLimit,
            "TTL Seconds After Finished": spec.ttlSecondsAfterFinished,
            "Start Time": time_text(start) if start else None,
            "Completed At": time_text(end) if end else None,
            "Duration": human_duration(seconds(end) - seconds(start)) if start and end else None,
            "Active Deadline Seconds": f"{deadline}s" if deadline is not None else None,
            "Pods Statuses": f"{status.active} Active{ready} / {status.succeeded} Succeeded / "
            f"{status.failed} Failed",
        }
    )
    if status.completedIndexes or spec.completionMode == "Indexed":
        writer.field("Completed Indexes", status.completedIndexes or NONE)
    describe_template(writer, spec.template)


async def describe_cron_job(call: Invocation, writer: Writer, cron_job: CronJob) -> None:
    """Write a CronJob, and the Job that it makes."""
    spec, status = cron_job.spec, cron_job.status
    writer.heading(cron_job)
    deadline = spec.startingDeadlineSeconds
    writer.fields(
        {
            "Schedule": spec.schedule,
            "Time Zone": UNSET if spec.timeZone is None else spec.timeZone,
            "Concurrency Policy": spec.concurrencyPolicy,
            "Suspend": UNSET if spec.suspend is None else truth(spec.suspend),
            "Successful Job History Limit": _number(spec.successfulJobsHistoryLimit),
            "Failed Job History Limit": _number(spec.failedJobsHistoryLimit),
            "Starting Deadline Seconds": UNSET if deadline is None else f"{deadline}s",
        }
    )
    job = spec.jobTemplate.spec
    chosen = UNSET if job.selector is None else str(from_label_selector(job.selector))
    writer.field("Selector", chosen)
    writer.field("Parallelism", _number(job.parallelism))
    writer.field("Completions", _number(job.completions))
    if job.activeDeadlineSeconds is not None:
        writer.field("Active Deadline Seconds", f"{job.activeDeadlineSeconds}s")
    describe_template(writer, job.template)
    last = status.lastScheduleTime
    writer.field("Last Schedule Time", time_text(last) if last else UNSET)
    writer.field("Active Jobs", ", ".join(each.name for each in status.active) or NONE)


def _number(value: int | None) -> str:
    return UNSET if value is None else str(value)
