"""The loop of the Deployment controller.

At each change of a Deployment or of one of its ReplicaSets it claims the ReplicaSets, plans one
pass and writes it: the new ReplicaSet, the sizes, the status.

Rule of use: deciding is `plan`'s business; this module only watches and writes.

Upstream: pkg/controller/deployment/deployment_controller.go
"""

from __future__ import annotations

from msgspec.structs import replace

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Pod
from k8slab.api.errors import ApiError
from k8slab.api.labels import from_label_selector
from k8slab.api.meta import controller_of, is_controlled_by
from k8slab.api.rollouts import is_rolling_update
from k8slab.client import Client, EventRecorder, Informers, WorkQueue, key_of
from k8slab.client.learner import ReplacementError
from k8slab.control_plane.controllers.controller_ref_manager import (
    claim_all,
    resolve_controller_ref,
)
from k8slab.control_plane.controllers.controller_utils import (
    BY_CONTROLLER,
    controller_index,
    decide,
    orphans_of,
    work,
)
from k8slab.control_plane.controllers.deployment.deployment_util import without_hash
from k8slab.control_plane.controllers.deployment.learner import Sizes, unchanged
from k8slab.control_plane.controllers.deployment.plan import DeploymentPlan, plan

WORKERS = 5  # --concurrent-deployment-syncs
SYSTEM = "kube-system"  # never left to a learner's sizes: the cluster must come up


class DeploymentController:
    """The loop: at each change of a Deployment or of one of its ReplicaSets, plan and write."""

    component = "deployment-controller"

    def __init__(
        self,
        informers: Informers,
        client: Client,
        recorder: EventRecorder,
        sizes: Sizes | None = None,
    ) -> None:
        """Prepare to keep Deployments; `sizes` decides about rolling updates in our place."""
        self._sizes = sizes
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._deployments = informers.informer(Deployment)
        self._replica_sets = informers.informer(ReplicaSet)
        self._pods = informers.informer(Pod)
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Keep all Deployments for ever."""
        self._replica_sets.add_index(BY_CONTROLLER, controller_index)
        self._pods.add_index(BY_CONTROLLER, controller_index)
        self._deployments.add_index("namespace", lambda d: (d.metadata.namespace,))
        self._deployments.add_handler(self._on_deployment)
        self._replica_sets.add_handler(self._on_replica_set)
        self._pods.add_handler(self._on_pod)
        for informer in (self._deployments, self._replica_sets, self._pods):
            await informer.synced.wait()
        await work(self._sim, self._queue, self._sync, WORKERS)

    # -- what makes a Deployment worth a look

    def _on_deployment(self, old: Deployment | None, new: Deployment | None) -> None:
        deployment = new or old
        assert deployment is not None
        self._queue.add(key_of(deployment))

    def _on_replica_set(self, old: ReplicaSet | None, new: ReplicaSet | None) -> None:
        for rs in (old, new):
            owner = self._owner(rs)
            if owner is not None:
                self._queue.add(key_of(owner))
        if new is None or controller_of(new) is not None:
            return
        if old is None or old.metadata.labels != new.metadata.labels or controller_of(old):
            for deployment in self._deployments.by_index("namespace", new.metadata.namespace):
                if from_label_selector(deployment.spec.selector).matches(new.metadata.labels):
                    self._queue.add(key_of(deployment))

    def _on_pod(self, old: Pod | None, new: Pod | None) -> None:
        """Go on with a Recreate when the last old Pod is gone."""
        reference = controller_of(old) if old is not None and new is None else None
        if old is None or reference is None or reference.kind != "ReplicaSet":
            return
        deployment = self._owner(self._replica_sets.get(old.metadata.namespace, reference.name))
        if deployment is not None and not is_rolling_update(deployment):
            self._queue.add(key_of(deployment))

    def _owner(self, rs: ReplicaSet | None) -> Deployment | None:
        return resolve_controller_ref(rs, "Deployment", self._deployments)

    # -- one look

    async def _sync(self, key: str) -> None:
        deployment = self._deployments.by_key(key)
        if deployment is None:
            return
        selector = from_label_selector(deployment.spec.selector)
        if selector.is_empty:
            await self._refuse(deployment)
            return
        replica_sets = await self._claim(deployment)
        result = self._plan(deployment, replica_sets)
        await self._write(deployment, result)
        if result.look_again_after is not None:
            self._queue.add_after(key, result.look_again_after)

    def _plan(self, deployment: Deployment, replica_sets: list[ReplicaSet]) -> DeploymentPlan:
        now = self._sim.now
        pods = [] if is_rolling_update(deployment) else self._pods_of(replica_sets)
        sizes = self._sizes if deployment.metadata.namespace != SYSTEM else None
        try:
            return plan(deployment, replica_sets, now=now, pods=pods, sizes=sizes)
        except ReplacementError as error:
            self._recorder.event(deployment, "Warning", "FailedRollout", str(error))
            return plan(deployment, replica_sets, now=now, pods=pods, sizes=unchanged)

    async def _refuse(self, deployment: Deployment) -> None:
        text = "This deployment is selecting all pods. A non-empty selector is required."
        self._recorder.event(deployment, "Warning", "SelectingAll", text)
        generation = deployment.metadata.generation
        if deployment.status.observedGeneration < generation:
            status = replace(deployment.status, observedGeneration=generation)
            await self._client.update_status(replace(deployment, status=status))

    async def _claim(self, deployment: Deployment) -> list[ReplicaSet]:
        orphans = self._replica_sets.by_index(
            BY_CONTROLLER, orphans_of(deployment.metadata.namespace)
        )
        own = self._replica_sets.by_index(BY_CONTROLLER, deployment.metadata.uid)
        selector = from_label_selector(deployment.spec.selector)
        return await claim_all(
            self._sim, self._client, self.component, deployment, selector, own + orphans
        )

    def _pods_of(self, replica_sets: list[ReplicaSet]) -> list[Pod]:
        return [
            p for rs in replica_sets for p in self._pods.by_index(BY_CONTROLLER, rs.metadata.uid)
        ]

    # -- writing

    async def _write(self, before: Deployment, result: DeploymentPlan) -> None:
        if result.events:
            decide(self._sim, self.component, before, "; ".join(result.events))
        if result.create is not None and not await self._create(before, result.create):
            return
        for rs in result.update:
            await self._client.update(rs)
        for message in result.events:
            self._recorder.event(before, "Normal", "ScalingReplicaSet", message)
        for rs in result.delete:
            decide(self._sim, self.component, before, f"delete {rs.metadata.name}: old history")
            await self._client.delete(ReplicaSet, rs.metadata.name, rs.metadata.namespace)
        if result.deployment != before:
            await self._client.update_status(result.deployment)

    async def _create(self, deployment: Deployment, rs: ReplicaSet) -> bool:
        """Create the new ReplicaSet; False if its name belongs to another template."""
        try:
            await self._client.create(rs)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            meta = rs.metadata
            other = await self._client.get(ReplicaSet, meta.name, meta.namespace)
            same = without_hash(other.spec.template) == without_hash(rs.spec.template)
            if is_controlled_by(other, deployment) and same:
                return True  # created a moment ago, and not seen yet
            # The next pass hashes with another count and so gets another name.
            count = (deployment.status.collisionCount or 0) + 1
            status = replace(deployment.status, collisionCount=count)
            await self._client.update_status(replace(deployment, status=status))
            return False
        return True
