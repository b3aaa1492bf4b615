"""The loop of the DaemonSet controller.

At each change of a DaemonSet, of one of its Pods, or of a node it keeps the history, plans, creates
and deletes Pods, and writes the status.

Rule of use: deciding is `plan`'s business; this module only watches and writes.

Upstream: pkg/controller/daemon/daemon_controller.go
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from k8slab.api.apps import ControllerRevision, DaemonSet
from k8slab.api.core import Node, Pod
from k8slab.api.errors import ApiError
from k8slab.api.labels import from_label_selector
from k8slab.api.meta import is_controlled_by
from k8slab.api.pods import is_pod_ready
from k8slab.client import Client, ConnectionFailed, EventRecorder, Informers, WorkQueue, key_of
from k8slab.control_plane.controllers.controller_ref_manager import (
    claim_all,
    resolve_controller_ref,
)
from k8slab.control_plane.controllers.controller_utils import (
    BY_CONTROLLER,
    Action,
    Expectations,
    controller_index,
    decide,
    in_parallel,
    orphans_of,
    work,
)
from k8slab.control_plane.controllers.daemon_set.history import new_revision, patch_of, superfluous
from k8slab.control_plane.controllers.daemon_set.placement import (
    REVISION_HASH,
    daemon_pod,
    node_should_run,
)
from k8slab.control_plane.controllers.daemon_set.plan import (
    DaemonPlan,
    calculate_status,
    plan,
    standing,
)

WORKERS = 2  # --concurrent-daemonset-syncs
FAILED_PODS_BACKOFF = (1.0, 900.0)  # s, first and longest wait before a failed Pod is replaced


class DaemonSetController:
    """The loop: at each change of a DaemonSet, its Pods or the nodes, plan and write."""

    component = "daemon-set-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._daemon_sets = informers.informer(DaemonSet)
        self._pods = informers.informer(Pod)
        self._nodes = informers.informer(Node)
        self._revisions = informers.informer(ControllerRevision)
        self._queue = WorkQueue(self._sim, self.component)
        self._expectations = Expectations()
        self._backoff: dict[tuple[str, int, str], tuple[float, float]] = {}  # delay, since when

    async def run(self) -> None:
        """Keep all DaemonSets for ever."""
        self._pods.add_index(BY_CONTROLLER, controller_index)
        self._revisions.add_index(BY_CONTROLLER, controller_index)
        self._daemon_sets.add_handler(self._on_daemon_set)
        self._pods.add_handler(self._on_pod)
        self._nodes.add_handler(self._on_node)
        for informer in (self._daemon_sets, self._pods, self._nodes, self._revisions):
            await informer.synced.wait()
        await work(self._sim, self._queue, self._sync, WORKERS)

    # -- what makes a DaemonSet worth a look

    def _on_daemon_set(self, old: DaemonSet | None, new: DaemonSet | None) -> None:
        ds = new or old
        assert ds is not None
        if new is None:
            self._expectations.forget(key_of(ds))
        self._queue.add(key_of(ds))

    def _on_pod(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        key = self._owner(pod)
        if not key:
            return
        if new is None or new.metadata.deletionTimestamp is not None:
            self._expectations.deletion_seen(key, key_of(pod))
        if old is None:
            self._expectations.creation_seen(key)
        ds = self._daemon_sets.by_key(key)
        if old is None or new is None or ds is None or standing(ds, old) != standing(ds, new):
            self._queue.add(key)
        if ds and ds.spec.minReadySeconds and new and is_pod_ready(new):
            # A second more, because the Ready condition has whole seconds only.
            self._queue.add_after(key, ds.spec.minReadySeconds + 1)

    def _on_node(self, old: Node | None, new: Node | None) -> None:
        """Look at the DaemonSets that now treat the node differently: a heartbeat is no reason."""
        if old is not None and new is not None and _placing(old) == _placing(new):
            return
        for ds in self._daemon_sets.all():
            if old is None or new is None or node_should_run(ds, old) != node_should_run(ds, new):
                self._queue.add(key_of(ds))

    def _owner(self, pod: Pod) -> str:
        ds = resolve_controller_ref(pod, "DaemonSet", self._daemon_sets)
        return key_of(ds) if ds is not None else ""

    # -- one look

    async def _sync(self, key: str) -> None:
        ds = self._daemon_sets.by_key(key)
        if ds is None:
            self._expectations.forget(key)
            return
        if ds.metadata.deletionTimestamp is not None:
            return
        if from_label_selector(ds.spec.selector).is_empty:
            text = "This daemon set is selecting all pods. A non-empty selector is required."
            self._recorder.event(ds, "Warning", "SelectingAll", text)
            return
        revision = await self._current_revision(ds)
        digest = revision.metadata.labels.get(REVISION_HASH, "")
        pods = await self._claim(ds)
        nodes = self._nodes.all()
        now = self._sim.now
        if self._expectations.satisfied(key, now):
            result = plan(ds, pods, nodes, revision_hash=digest, now=now)
            delete = tuple(pod for pod in result.delete if self._may_replace(key, ds, pod))
            result = DaemonPlan(result.create, delete)
            await self._manage(key, ds, result, digest)
            await self._clean_up(ds, revision, pods)
        status = calculate_status(ds, pods, nodes, revision_hash=digest, now=now)
        if status != ds.status:
            await self._client.update_status(replace(ds, status=status))

    async def _claim(self, ds: DaemonSet) -> list[Pod]:
        own = self._pods.by_index(BY_CONTROLLER, ds.metadata.uid)
        orphans = self._pods.by_index(BY_CONTROLLER, orphans_of(ds.metadata.namespace))
        selector = from_label_selector(ds.spec.selector)
        return await claim_all(self._sim, self._client, self.component, ds, selector, own + orphans)

    # -- Pods

    async def _manage(self, key: str, ds: DaemonSet, result: DaemonPlan, digest: str) -> None:
        if not result.create and not result.delete:
            return
        words = [f"create on {node}" for node in result.create]
        words += [f"delete {pod.metadata.name}" for pod in result.delete]
        decide(self._sim, self.component, ds, ", ".join(words))
        self._expectations.expect(
            key, self._sim.now, creations=len(result.create), deletions=map(key_of, result.delete)
        )
        actions: list[Action] = [
            partial(self._create, key, ds, daemon_pod(ds, node, digest)) for node in result.create
        ]
        actions += [partial(self._delete, key, ds, pod) for pod in result.delete]
        for outcome in await in_parallel(self._sim, actions, f"{self.component}: Pods"):
            if outcome is not None:
                raise outcome

    async def _create(self, key: str, ds: DaemonSet, pod: Pod) -> None:
        try:
            created = await self._client.create(pod)
        except (ApiError, ConnectionFailed) as error:
            self._expectations.creation_seen(key)
            self._recorder.event(ds, "Warning", "FailedCreate", f"Error creating: {error}")
            raise
        text = f"Created pod: {created.metadata.name}"
        self._recorder.event(ds, "Normal", "SuccessfulCreate", text)

    async def _delete(self, key: str, ds: DaemonSet, pod: Pod) -> None:
        name = pod.metadata.name
        if pod.status.phase in ("Failed", "Succeeded"):
            self._tell_of_ended(ds, pod)
        try:
            await self._client.delete(Pod, name, pod.metadata.namespace)
        except (ApiError, ConnectionFailed) as error:
            self._expectations.deletion_seen(key, key_of(pod))
            if isinstance(error, ApiError) and error.reason == "NotFound":
                return
            self._recorder.event(ds, "Warning", "FailedDelete", f"Error deleting: {error}")
            raise
        self._recorder.event(ds, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")

    def _may_replace(self, key: str, ds: DaemonSet, pod: Pod) -> bool:
        """Say whether the Pod may be deleted now; one that failed has to wait, longer each time.

        Otherwise a kubelet that rejects the Pod and this controller would race for ever.
        """
        if pod.status.phase != "Failed":
            return True
        first, longest = FAILED_PODS_BACKOFF
        slot = (ds.metadata.uid, ds.status.observedGeneration, pod.spec.nodeName)
        delay, since = self._backoff.get(slot, (0.0, -longest))
        waited = self._sim.now - since
        if waited < delay:
            self._queue.add_after(key, delay - waited)
            return False
        # After twice the longest wait without failure the count starts anew.
        delay = first if not delay or waited > 2 * longest else min(2 * delay, longest)
        self._backoff[slot] = (delay, self._sim.now)
        return True

    def _tell_of_ended(self, ds: DaemonSet, pod: Pod) -> None:
        phase = pod.status.phase
        type_ = "Warning" if phase == "Failed" else "Normal"
        will = "will try to kill it" if phase == "Failed" else "will try to delete it"
        text = f"Found {phase.lower()} daemon pod {key_of(pod)} on node {pod.spec.nodeName}, {will}"
        self._recorder.event(ds, type_, f"{phase}DaemonPod", text)

    # -- history

    async def _current_revision(self, ds: DaemonSet) -> ControllerRevision:
        """Return the revision of the present template; make it, or give it the highest number."""
        known = self._revisions.by_index(BY_CONTROLLER, ds.metadata.uid)
        data = patch_of(ds)
        newest = max((revision.revision for revision in known), default=0)
        for revision in known:
            if revision.data == data:
                if revision.revision == newest:
                    return revision
                return await self._client.update(replace(revision, revision=newest + 1))
        wanted = new_revision(ds, newest + 1)
        try:
            return await self._client.create(wanted)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
        meta = wanted.metadata
        other = await self._client.get(ControllerRevision, meta.name, meta.namespace)
        if is_controlled_by(other, ds) and other.data == data:
            return other
        count = (ds.status.collisionCount or 0) + 1
        status = replace(ds.status, collisionCount=count)
        return await self._current_revision(
            await self._client.update_status(replace(ds, status=status))
        )

    async def _clean_up(
        self, ds: DaemonSet, current: ControllerRevision, pods: Sequence[Pod]
    ) -> None:
        known = self._revisions.by_index(BY_CONTROLLER, ds.metadata.uid)
        old = [r for r in known if r.metadata.uid != current.metadata.uid]
        for revision in superfluous(ds, old, pods):
            meta = revision.metadata
            await self._client.delete(ControllerRevision, meta.name, meta.namespace)


def _placing(node: Node) -> tuple[object, ...]:
    return node.metadata.labels, node.spec.taints
