"""The loop of the StatefulSet controller.

At each change of a StatefulSet or of one of its Pods it keeps the revisions, plans, creates Pods
with their claims, deletes Pods, and writes the status. It does not act again before it has seen
what it did.

Rule of use: deciding is `plan`'s business; this module only watches and writes.

Upstream: pkg/controller/statefulset/stateful_set.go, stateful_pod_control.go
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from k8slab.api.apps import ControllerRevision, StatefulSet
from k8slab.api.core import PersistentVolumeClaim, Pod
from k8slab.api.errors import ApiError
from k8slab.api.labels import from_label_selector
from k8slab.api.meta import controller_of, is_controlled_by
from k8slab.api.pods import is_pod_ready
from k8slab.client import Client, ConnectionFailed, EventRecorder, Informers, WorkQueue, key_of
from k8slab.control_plane.controllers.controller_ref_manager import (
    adopt,
    claim,
    claim_all,
    resolve_controller_ref,
)
from k8slab.control_plane.controllers.controller_utils import (
    BY_CONTROLLER,
    Action,
    Expectations,
    controller_index,
    decide,
    orphans_of,
    slow_start,
    work,
)
from k8slab.control_plane.controllers.stateful_set.history import (
    by_revision,
    equal,
    new_revision,
    superfluous,
)
from k8slab.control_plane.controllers.stateful_set.plan import StatefulSetPlan, plan
from k8slab.control_plane.controllers.stateful_set.stateful_set_utils import (
    claim_owners,
    claims_of,
    index_of,
    ordinal_of,
    revision_of,
    wanted,
    with_identity,
)
from k8slab.control_plane.controllers.stateful_set.status import calculate_status

WORKERS = 5  # --concurrent-statefulset-syncs


class StatefulSetController:
    """The loop: at each change of a StatefulSet or of one of its Pods, plan and write."""

    component = "statefulset-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._sets = informers.informer(StatefulSet)
        self._pods = informers.informer(Pod)
        self._revisions = informers.informer(ControllerRevision)
        self._claims = informers.informer(PersistentVolumeClaim)
        self._queue = WorkQueue(self._sim, self.component)
        self._expectations = Expectations()

    async def run(self) -> None:
        """Keep all StatefulSets for ever."""
        self._pods.add_index(BY_CONTROLLER, controller_index)
        self._revisions.add_index(BY_CONTROLLER, controller_index)
        self._sets.add_index("namespace", lambda set_: (set_.metadata.namespace,))
        self._sets.add_handler(self._on_set)
        self._pods.add_handler(self._on_pod)
        for informer in (self._sets, self._pods, self._revisions, self._claims):
            await informer.synced.wait()
        await work(self._sim, self._queue, self._sync, WORKERS)

    # -- what makes a StatefulSet worth a look

    def _on_set(self, old: StatefulSet | None, new: StatefulSet | None) -> None:
        set_ = new or old
        assert set_ is not None
        self._queue.add(key_of(set_))

    def _on_pod(self, old: Pod | None, new: Pod | None) -> None:
        for owner in dict.fromkeys((self._owner(old), self._owner(new))):
            if owner:
                self._on_own_pod(owner, old, new)
        if new is None or controller_of(new) is not None:
            return
        if old is None or old.metadata.labels != new.metadata.labels or controller_of(old):
            for set_ in self._sets.by_index("namespace", new.metadata.namespace):
                if from_label_selector(set_.spec.selector).matches(new.metadata.labels):
                    self._queue.add(key_of(set_))

    def _on_own_pod(self, key: str, old: Pod | None, new: Pod | None) -> None:
        if old is None:
            self._expectations.creation_seen(key)
        if old is not None and (new is None or new.metadata.deletionTimestamp is not None):
            self._expectations.deletion_seen(key, key_of(old))
        self._queue.add(key)
        set_ = self._sets.by_key(key)
        became_ready = new is not None and is_pod_ready(new) and not (old and is_pod_ready(old))
        if became_ready and set_ is not None and set_.spec.minReadySeconds > 0:
            # A second more, because the Ready condition has whole seconds only.
            self._queue.add_after(key, set_.spec.minReadySeconds + 1)

    def _owner(self, pod: Pod | None) -> str:
        """Return the key of the StatefulSet that controls the Pod, "" if none does."""
        set_ = resolve_controller_ref(pod, "StatefulSet", self._sets)
        return key_of(set_) if set_ is not None else ""

    # -- one look

    async def _sync(self, key: str) -> None:
        set_ = self._sets.by_key(key)
        if set_ is None:
            self._expectations.forget(key)
            return
        if not self._expectations.satisfied(key, self._sim.now):
            return  # the picture is old; what is missing in it will bring us back
        pods = await self._claim(set_)
        set_, current, update, revisions = await self._revise(set_)
        result = plan(set_, pods, current, update, now=self._sim.now)
        failure: Exception | None = None
        try:
            await self._act(key, set_, result)
            await self._keep_claims(set_, pods)
        except (ApiError, ConnectionFailed) as error:
            failure = error
        await self._write_status(set_, pods, current, update, result)
        if failure is not None:
            raise failure
        await self._clean_up(set_, revisions, pods, (current, update))

    async def _claim(self, set_: StatefulSet) -> list[Pod]:
        own = self._pods.by_index(BY_CONTROLLER, set_.metadata.uid)
        orphans = self._pods.by_index(BY_CONTROLLER, orphans_of(set_.metadata.namespace))
        name = set_.metadata.name
        members = [pod for pod in orphans if ordinal_of(pod.metadata.name, name) >= 0]
        selector = from_label_selector(set_.spec.selector)
        claimed = await claim_all(
            self._sim, self._client, self.component, set_, selector, own + members
        )
        return sorted(claimed, key=lambda pod: index_of(set_, pod))

    # -- revisions

    async def _revise(
        self, set_: StatefulSet
    ) -> tuple[StatefulSet, ControllerRevision, ControllerRevision, list[ControllerRevision]]:
        """Return the set, its current and update revision and all others; make what is missing."""
        known = await self._known_revisions(set_)
        count = set_.status.collisionCount or 0
        number = max((revision.revision for revision in known), default=0) + 1
        made = new_revision(set_, number, count)
        same = equal(known, made)
        if not same:
            created = await self._create_revision(set_, made)
            if created is None:  # the name is taken: the next hash counts the collision
                status = replace(set_.status, collisionCount=count + 1)
                set_ = await self._client.update_status(replace(set_, status=status))
                return await self._revise(set_)
            update = created
        else:
            update = next(r for r in known if r.metadata.name == same[-1])
            if update is not known[-1]:  # rolled back: what was old is the newest again
                update = await self._client.update(replace(update, revision=number))
        current = next((r for r in known if r.metadata.name == set_.status.currentRevision), update)
        others = [r for r in known if r.metadata.name != update.metadata.name]
        return set_, current, update, [*others, update]

    async def _known_revisions(self, set_: StatefulSet) -> list[ControllerRevision]:
        own = self._revisions.by_index(BY_CONTROLLER, set_.metadata.uid)
        orphans = self._revisions.by_index(BY_CONTROLLER, orphans_of(set_.metadata.namespace))
        claims = claim(set_, from_label_selector(set_.spec.selector), orphans)
        adopted = [await adopt(self._client, set_, revision) for revision in claims.adopt]
        return sorted([*own, *adopted], key=by_revision)

    async def _create_revision(
        self, set_: StatefulSet, made: ControllerRevision
    ) -> ControllerRevision | None:
        try:
            return await self._client.create(made)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
        meta = made.metadata
        other = await self._client.get(ControllerRevision, meta.name, meta.namespace)
        return other if is_controlled_by(other, set_) and other.data == made.data else None

    async def _clean_up(
        self,
        set_: StatefulSet,
        revisions: Sequence[ControllerRevision],
        pods: Sequence[Pod],
        keep: Sequence[ControllerRevision],
    ) -> None:
        live = [*(revision.metadata.name for revision in keep), *map(revision_of, pods)]
        for revision in superfluous(set_, revisions, live):
            meta = revision.metadata
            await self._client.delete(ControllerRevision, meta.name, meta.namespace)

    # -- Pods and claims

    async def _act(self, key: str, set_: StatefulSet, result: StatefulSetPlan) -> None:
        leaving = (*result.delete, *result.update)
        words = [f"create {pod.metadata.name}" for pod in result.create]
        words += [f"delete {pod.metadata.name}" for pod in result.delete]
        words += [f"delete {pod.metadata.name} for the update" for pod in result.update]
        if words:
            decide(self._sim, self.component, set_, ", ".join(words))
        if result.create or leaving:
            self._expectations.expect(
                key, self._sim.now, creations=len(result.create), deletions=map(key_of, leaving)
            )
        for actions in (
            [partial(self._repair, set_, pod) for pod in result.repair],
            [partial(self._create, key, set_, pod) for pod in result.create],
            [partial(self._delete, key, set_, pod) for pod in leaving],
        ):
            await self._in_order(actions)

    async def _in_order(self, actions: Sequence[Action]) -> None:
        """Do them in batches of 1, 2, 4, ...; an ordered set has only one."""
        remaining = iter(actions)

        async def act() -> None:
            await next(remaining)()

        name = f"{self.component}: Pods"
        _, error = await slow_start(self._sim, len(actions), act, name)
        if error is not None:
            raise error

    async def _create(self, key: str, set_: StatefulSet, pod: Pod) -> None:
        try:
            await self._create_claims(set_, pod)
            await self._client.create(pod)
        except (ApiError, ConnectionFailed) as error:
            self._expectations.creation_seen(key)
            if not isinstance(error, ApiError) or error.reason != "AlreadyExists":
                self._tell(set_, "Create", pod, error)
            raise
        self._tell(set_, "Create", pod)

    async def _delete(self, key: str, set_: StatefulSet, pod: Pod) -> None:
        try:
            await self._client.delete(Pod, pod.metadata.name, pod.metadata.namespace)
        except (ApiError, ConnectionFailed) as error:
            self._expectations.deletion_seen(key, key_of(pod))
            if isinstance(error, ApiError) and error.reason == "NotFound":
                return
            self._tell(set_, "Delete", pod, error)
            raise
        self._tell(set_, "Delete", pod)

    async def _repair(self, set_: StatefulSet, pod: Pod) -> None:
        try:
            await self._client.update(with_identity(set_, pod))
        except (ApiError, ConnectionFailed) as error:
            self._tell(set_, "Update", pod, error)
            raise
        self._tell(set_, "Update", pod)

    def _tell(self, set_: StatefulSet, verb: str, pod: Pod, error: Exception | None = None) -> None:
        text = f"{verb} Pod {pod.metadata.name} in StatefulSet {set_.metadata.name}"
        if error is None:
            self._recorder.event(set_, "Normal", f"Successful{verb}", f"{text} successful")
        else:
            self._recorder.event(set_, "Warning", f"Failed{verb}", f"{text} failed error: {error}")

    async def _create_claims(self, set_: StatefulSet, pod: Pod) -> None:
        for wish in claims_of(set_, pod):
            meta = wish.metadata
            if self._claims.get(meta.namespace, meta.name) is not None:
                continue
            try:
                await self._client.create(wish)
            except ApiError as error:
                if error.reason == "AlreadyExists":
                    continue
                text = (
                    f"Create Claim {meta.name} for Pod {pod.metadata.name} "
                    f"in StatefulSet {set_.metadata.name} failed error: {error}"
                )
                self._recorder.event(set_, "Warning", "FailedCreate", text)
                raise
            text = (
                f"Create Claim {meta.name} Pod {pod.metadata.name} "
                f"in StatefulSet {set_.metadata.name} success"
            )
            self._recorder.event(set_, "Normal", "SuccessfulCreate", text)

    async def _keep_claims(self, set_: StatefulSet, pods: Sequence[Pod]) -> None:
        """Make missing claims of waiting Pods, and have all owned as the policy says."""
        if not set_.spec.volumeClaimTemplates or set_.metadata.deletionTimestamp is not None:
            return
        for pod in pods:
            if pod.status.phase == "Pending" and index_of(set_, pod) < wanted(set_):
                await self._create_claims(set_, pod)
            for wish in claims_of(set_, pod):
                there = self._claims.get(wish.metadata.namespace, wish.metadata.name)
                if there is None:
                    continue
                owners = claim_owners(set_, pod, there.metadata.ownerReferences)
                if owners != there.metadata.ownerReferences:
                    meta = replace(there.metadata, ownerReferences=owners)
                    await self._client.update(replace(there, metadata=meta))

    # -- status

    async def _write_status(
        self,
        set_: StatefulSet,
        pods: Sequence[Pod],
        current: ControllerRevision,
        update: ControllerRevision,
        result: StatefulSetPlan,
    ) -> None:
        status = calculate_status(
            set_,
            pods,
            current=current.metadata.name,
            update=update.metadata.name,
            now=self._sim.now,
            replaced=result.update,
        )
        if status != set_.status:
            await self._client.update_status(replace(set_, status=status))
        if set_.spec.minReadySeconds > 0 and status.availableReplicas != wanted(set_):
            self._queue.add_after(key_of(set_), set_.spec.minReadySeconds)
