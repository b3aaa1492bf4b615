"""The loop of the ReplicaSet controller.

At each change of a ReplicaSet or of one of its Pods it plans, claims, creates or deletes, and
writes the status. It does not act again before it has seen what it did.

Rule of use: deciding is `plan`'s business; this module only watches and writes.

Upstream: pkg/controller/replicaset/replica_set.go
"""

from __future__ import annotations

from msgspec.structs import replace

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.api.errors import ApiError
from k8slab.api.labels import from_label_selector
from k8slab.api.meta import DeleteOptions, Preconditions, controller_of
from k8slab.api.pods import is_pod_active, is_pod_ready
from k8slab.client import Client, ConnectionFailed, EventRecorder, Informers, WorkQueue, key_of
from k8slab.client.learner import ReplacementError
from k8slab.control_plane.controllers.controller_ref_manager import (
    adopt,
    release,
    resolve_controller_ref,
)
from k8slab.control_plane.controllers.controller_utils import (
    BY_CONTROLLER,
    Action,
    Expectations,
    controller_index,
    controller_reference,
    decide,
    in_parallel,
    orphans_of,
    pod_from_template,
    slow_start,
    work,
)
from k8slab.control_plane.controllers.replica_set.learner import Planner
from k8slab.control_plane.controllers.replica_set.plan import Plan, plan, wanted
from k8slab.control_plane.controllers.replica_set.status import available_in, calculate_status
from k8slab.control_plane.controllers.replica_set.tally import (
    READY,
    Kinds,
    Tally,
    asks_for_something,
    kinds_of,
)

WORKERS = 5  # --concurrent-replicaset-syncs
SYSTEM = "kube-system"  # its Pods are never left to a learner's plan: the cluster must come up


class ReplicaSetController:
    """The loop: at each change of a ReplicaSet or of one of its Pods, plan and write."""

    component = "replicaset-controller"
    kind = "ReplicaSet"

    def __init__(
        self,
        informers: Informers,
        client: Client,
        recorder: EventRecorder,
        planner: Planner | None = None,
    ) -> None:
        """Prepare to keep ReplicaSets; `planner` decides in the place of `plan`."""
        self._planner = planner
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._replica_sets = informers.informer(ReplicaSet)
        self._pods = informers.informer(Pod)
        self._queue = WorkQueue(self._sim, self.component)
        self._expectations = Expectations()
        self._tally = Tally()

    async def run(self) -> None:
        """Keep all ReplicaSets for ever."""
        for informer in (self._replica_sets, self._pods):
            informer.add_index(BY_CONTROLLER, controller_index)
        self._replica_sets.add_index("namespace", lambda rs: (rs.metadata.namespace,))
        self._replica_sets.add_handler(self._on_replica_set)
        self._pods.add_handler(self._on_pod)
        await self._replica_sets.synced.wait()
        await self._pods.synced.wait()
        await work(self._sim, self._queue, self._sync, WORKERS)

    # -- what makes a ReplicaSet worth a look

    def _on_replica_set(self, old: ReplicaSet | None, new: ReplicaSet | None) -> None:
        rs = new or old
        assert rs is not None
        if new is None or (old is not None and old.metadata.uid != new.metadata.uid):
            self._expectations.forget(key_of(rs))
        self._queue.add(key_of(rs))

    def _on_pod(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        counts = self._tally.change(old, new)
        before, after = self._owner(old), self._owner(new)
        if before and before != after:
            self._expectations.deletion_seen(before, key_of(pod))
            self._queue.add(before)
        if after:
            self._on_own_pod(after, old, new)
            if counts:
                self._queue.add(after)
        elif new is not None and controller_of(new) is None:
            self._on_orphan(old, new)
        if self._planner is not None and counts:  # it may look at Pods of others
            self._queue_matching(pod)

    def _on_own_pod(self, rs_key: str, old: Pod | None, new: Pod | None) -> None:
        assert new is not None
        if new.metadata.deletionTimestamp is not None:
            self._expectations.deletion_seen(rs_key, key_of(new))
        if old is None:
            self._expectations.creation_seen(rs_key)
        rs = self._replica_sets.by_key(rs_key)
        became_ready = is_pod_ready(new) and (old is None or not is_pod_ready(old))
        if became_ready and rs is not None and rs.spec.minReadySeconds > 0:
            # A second more, because the Ready condition has whole seconds only.
            self._queue.add_after(rs_key, rs.spec.minReadySeconds + 1)

    def _on_orphan(self, old: Pod | None, new: Pod) -> None:
        if old is not None and old.metadata.labels == new.metadata.labels and not _freed(old, new):
            return
        self._queue_matching(new)

    def _queue_matching(self, pod: Pod) -> None:
        for rs in self._replica_sets.by_index("namespace", pod.metadata.namespace):
            if from_label_selector(rs.spec.selector).matches(pod.metadata.labels):
                self._queue.add(key_of(rs))

    def _owner(self, pod: Pod | None) -> str:
        """Return the key of the ReplicaSet that controls the Pod, "" if none does."""
        rs = resolve_controller_ref(pod, self.kind, self._replica_sets)
        return key_of(rs) if rs is not None else ""

    # -- one look

    async def _sync(self, key: str) -> None:
        rs = self._replica_sets.by_key(key)
        if rs is None:
            self._expectations.forget(key)
            return
        kinds, orphans = self._tally.of(rs), self._orphans(rs)
        result = Plan()
        failure: Exception | None = None
        if self._planner is not None or asks_for_something(rs, kinds, orphans):
            may_act = self._expectations.satisfied(key, self._sim.now)
            try:
                result = self._plan(rs, orphans)
            except ReplacementError as error:
                self._recorder.event(rs, "Warning", "FailedPlan", str(error))
                await self._write_status(rs, kinds, Plan(), None)
                return
            kinds = kinds_of(result.pods)
            await self._claim(rs, result)
            if may_act and (result.create or result.delete):
                failure = await self._manage(key, rs, result)
        await self._write_status(rs, kinds, result, failure)
        if failure is not None:
            raise failure
        self._look_again_when_available(key, rs, kinds)

    def _plan(self, rs: ReplicaSet, orphans: list[Pod]) -> Plan:
        now, related = self._sim.now, self._related(rs)
        if self._planner is None or rs.metadata.namespace == SYSTEM:
            pods = self._pods.by_index(BY_CONTROLLER, rs.metadata.uid) + orphans
            return plan(rs, pods, now=now, related=related)
        pods = [p for p in self._pods.all() if p.metadata.namespace == rs.metadata.namespace]
        return self._planner(rs, pods, now=now, related=related)

    def _orphans(self, rs: ReplicaSet) -> list[Pod]:
        return self._pods.by_index(BY_CONTROLLER, orphans_of(rs.metadata.namespace))

    def _related(self, rs: ReplicaSet) -> list[Pod]:
        """Return the Pods of all ReplicaSets with the same owner; only scaling down asks."""
        owner = controller_of(rs)
        if owner is None or len(self._pods.by_index(BY_CONTROLLER, rs.metadata.uid)) <= wanted(rs):
            return []
        siblings = self._replica_sets.by_index(BY_CONTROLLER, owner.uid)
        return [p for s in siblings for p in self._pods.by_index(BY_CONTROLLER, s.metadata.uid)]

    async def _claim(self, rs: ReplicaSet, result: Plan) -> None:
        if not result.adopt and not result.release:
            return
        words = [f"adopt {pod.metadata.name}" for pod in result.adopt]
        words += [f"release {pod.metadata.name}" for pod in result.release]
        decide(self._sim, self.component, rs, ", ".join(words))
        for pod in result.adopt:
            await adopt(self._client, rs, pod)
        for pod in result.release:
            await release(self._client, rs, pod)

    async def _manage(self, key: str, rs: ReplicaSet, result: Plan) -> Exception | None:
        active = sum(map(is_pod_active, result.pods))
        act = f"create {result.create}" if result.create else f"delete {len(result.delete)}"
        decide(self._sim, self.component, rs, f"{active} of {wanted(rs)} replicas: {act}")
        own = [key_of(pod) for pod in result.delete if _may_be_owned(rs, pod)]
        self._expectations.expect(key, self._sim.now, creations=result.create, deletions=own)
        if result.create:
            return await self._create(key, rs, result.create)
        actions = [self._deletion(key, rs, pod) for pod in result.delete]
        outcomes = await in_parallel(self._sim, actions, f"{self.component}: delete")
        return next((outcome for outcome in outcomes if outcome is not None), None)

    async def _create(self, key: str, rs: ReplicaSet, count: int) -> Exception | None:
        pod = pod_from_template(rs.spec.template, rs, controller_reference(rs))

        async def create() -> None:
            try:
                created = await self._client.create(pod)
            except (ApiError, ConnectionFailed) as error:
                self._recorder.event(rs, "Warning", "FailedCreate", f"Error creating: {error}")
                raise
            message = f"Created pod: {created.metadata.name}"
            self._recorder.event(rs, "Normal", "SuccessfulCreate", message)

        done, error = await slow_start(self._sim, count, create, f"{self.component}: create")
        self._expectations.creation_seen(key, count - done)
        gone = isinstance(error, ApiError) and _namespace_is_going(error)
        return None if gone else error

    def _deletion(self, key: str, rs: ReplicaSet, pod: Pod) -> Action:
        async def delete() -> None:
            meta = pod.metadata
            only = DeleteOptions(preconditions=Preconditions(uid=meta.uid or None))
            try:
                await self._client.delete(Pod, meta.name, meta.namespace, only)
            except (ApiError, ConnectionFailed) as error:
                self._expectations.deletion_seen(key, key_of(pod))
                if isinstance(error, ApiError) and error.reason == "NotFound":
                    return
                self._recorder.event(rs, "Warning", "FailedDelete", f"Error deleting: {error}")
                raise
            self._recorder.event(rs, "Normal", "SuccessfulDelete", f"Deleted pod: {meta.name}")

        return delete

    async def _write_status(
        self, rs: ReplicaSet, kinds: Kinds, result: Plan, failure: Exception | None
    ) -> None:
        words = None
        if failure is not None:
            reason = "FailedCreate" if result.create else "FailedDelete"
            words = (reason, str(failure))
        status = calculate_status(rs, kinds, now=self._sim.now, failure=words)
        if status == rs.status:
            return
        try:
            await self._client.update_status(replace(rs, status=status))
        except ApiError as error:
            if error.reason != "Conflict":
                raise
            # Counts are facts about Pods, so the newest version may have them as well.
            newest = await self._client.get(ReplicaSet, rs.metadata.name, rs.metadata.namespace)
            await self._client.update_status(replace(newest, status=status))

    def _look_again_when_available(self, key: str, rs: ReplicaSet, kinds: Kinds) -> None:
        """Ask for another look when the next ready Pod will have been ready for long enough."""
        ready = [kind for kind in kinds if kind.standing == READY and kind.ready_since is not None]
        delays = [available_in(rs, kind, self._sim.now) for kind in ready]
        waiting = [delay for delay in delays if delay > 0]
        if waiting:
            self._queue.add_after(key, min(waiting))


def _may_be_owned(rs: ReplicaSet, pod: Pod) -> bool:
    """Say whether the Pod's end will be told to this ReplicaSet; only `plan` is sure of it."""
    reference = controller_of(pod)
    return reference is None or reference.uid == rs.metadata.uid


def _freed(old: Pod, new: Pod) -> bool:
    return controller_of(old) is not None and controller_of(new) is None


def _namespace_is_going(error: ApiError) -> bool:
    details = error.status.details
    return details is not None and any(c.reason == "NamespaceTerminating" for c in details.causes)
