"""The Deployment controller: rolls a number of equal Pods from one template to the next.

It makes one ReplicaSet for each template and moves the numbers between them: `plan` says what one
pass changes, `api.rollouts` how far it may go; `DeploymentController` is the loop. A pass
goes through `sync` (find or make the new ReplicaSet, scale, clean up), then `rolling` or
`recreate`, and ends in `progress` (the status).

`adapt` puts a learner's function in the place of `rolling`.

Rule of use: a Deployment never touches a Pod; it only sets the sizes of ReplicaSets.

Upstream: pkg/controller/deployment
"""

from k8slab.control_plane.controllers.deployment.deployment_controller import DeploymentController
from k8slab.control_plane.controllers.deployment.learner import Sizes, adapt
from k8slab.control_plane.controllers.deployment.plan import DeploymentPlan, plan

__all__ = [
    "DeploymentController",
    "DeploymentPlan",
    "Sizes",
    "adapt",
    "plan",
]
