"""The Job controller: runs Pods until enough of them have succeeded, or too many have failed.

`plan` says what one look asks for, `calculate_status` what the Job then says of itself; an ended
Pod counts exactly once, however often the controller is killed: its finalizer is taken off only
when the Job has its uid. `JobController` is the loop.

Rule of use: a Job counts Pods that succeeded; a Deployment counts Pods that run.

Upstream: pkg/controller/job
"""

from k8slab.control_plane.controllers.job.job_controller import JobController
from k8slab.control_plane.controllers.job.plan import JobPlan, plan
from k8slab.control_plane.controllers.job.status import calculate_status

__all__ = ["JobController", "JobPlan", "calculate_status", "plan"]
