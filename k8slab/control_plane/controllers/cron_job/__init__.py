"""The CronJob controller: makes a Job at each time that a schedule names.

`Schedule` reads a schedule and says when its next time is, `plan` what one look asks for;
`CronJobController` is the loop.

Rule of use: a time that was missed is made up for once, never twice: the Job's name is the time.

Upstream: pkg/controller/cronjob
"""

from k8slab.control_plane.controllers.cron_job.cron_job_controller import CronJobController
from k8slab.control_plane.controllers.cron_job.plan import CronJobPlan, plan
from k8slab.control_plane.controllers.cron_job.schedule import Schedule

__all__ = ["CronJobController", "CronJobPlan", "Schedule", "plan"]
