"""The loop of the garbage collector.

It watches all kinds but Events, keeps the graph, and looks at what a change has touched: asks the
API server whether the object and its owners are really there, judges, and deletes or patches.

Rule of use: the graph only says where to look; what is deleted was read a moment before.

Upstream: pkg/controller/garbagecollector/garbagecollector.go
"""

from __future__ import annotations

from k8slab.api import codec
from k8slab.api.core import Event
from k8slab.api.custom import Custom
from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions, Object, OwnerReference, Preconditions
from k8slab.api.scheme import KINDS, lookup, resource_for
from k8slab.client import (
    MERGE_PATCH,
    STRATEGIC_PATCH,
    Client,
    EventRecorder,
    Informers,
    WorkQueue,
)
from k8slab.control_plane.controllers.controller_utils import decide, work
from k8slab.control_plane.controllers.garbage_collector.custom_kinds import CustomKinds
from k8slab.control_plane.controllers.garbage_collector.graph import (
    FOREGROUND,
    ORPHAN,
    Graph,
    Node,
)
from k8slab.control_plane.controllers.garbage_collector.judge import Verdict, judge

WORKERS = 20  # --concurrent-gc-syncs
REASON = "OwnerRefInvalidNamespace"
MAX_ABSENT = 500  # owners remembered as absent, absentOwnerCache


class GarbageCollector:
    """The loop: look at what lost an owner, and at what waits for its dependents."""

    component = "garbage-collector-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._informers = [
            informers.informer(resource.type) for resource in KINDS if resource.type is not Event
        ]
        self._custom = CustomKinds(informers, client, self._on_object)
        self._graph = Graph()
        self._queue = WorkQueue(self._sim, self.component)
        self._absent: dict[tuple[str, str], None] = {}  # (namespace, uid)

    async def run(self) -> None:
        """Collect garbage for ever."""
        for informer in self._informers:
            await informer.synced.wait()
        for informer in self._informers:
            informer.add_handler(self._on_object)
        self._custom.start()
        await work(self._sim, self._queue, self._sync, WORKERS)

    def _on_object(self, old: Object | None, new: Object | None) -> None:
        if new is None and old is not None:
            self._remember_absent(old.metadata.namespace, old.metadata.uid)
        for uid in self._graph.change(old, new):
            self._queue.add(uid)

    def _remember_absent(self, namespace: str, uid: str) -> None:
        if len(self._absent) >= MAX_ABSENT:
            del self._absent[next(iter(self._absent))]
        self._absent[namespace, uid] = None

    # -- one look

    async def _sync(self, uid: str) -> None:
        node = self._graph.nodes.get(uid)
        if node is None:
            return
        if node.orphaning:
            await self._orphan_dependents(node)
        elif node.deleting_dependents:
            await self._wait_for_dependents(node)
        elif not node.being_deleted and not self._graph.has_living_owners(node):
            await self._judge(node)

    async def _judge(self, node: Node) -> None:
        obj = await self._read(node.kind, node.namespace, node.name, node.uid)
        if obj is None:
            for uid in list(self._graph.remove(node.uid)):
                self._queue.add(uid)
            return
        absent, waiting = await self._owners(obj)
        verdict = judge(obj, absent=absent, waiting=waiting, has_dependents=bool(node.dependents))
        if verdict.delete == "Foreground" and any(
            dependent.deleting_dependents for dependent in node.dependents.values()
        ):
            await self._unblock(obj)  # else it and its owner would wait for one another
        await self._carry_out(obj, verdict)

    async def _owners(self, obj: Object) -> tuple[list[str], list[str]]:
        """Return the uids of owners that are gone and of those that wait for their dependents."""
        absent, waiting = [], []
        for reference in obj.metadata.ownerReferences:
            owner = await self._owner(obj, reference)
            if owner is None:
                absent.append(reference.uid)
            elif owner.metadata.deletionTimestamp and FOREGROUND in owner.metadata.finalizers:
                waiting.append(reference.uid)
        return absent, waiting

    async def _owner(self, obj: Object, reference: OwnerReference) -> Object | None:
        namespace, uid = obj.metadata.namespace, reference.uid
        if (namespace, uid) in self._absent or ("", uid) in self._absent:
            return None
        kind = (reference.apiVersion, reference.kind)
        owner = await self._read(kind, namespace, reference.name, uid)
        if owner is not None:
            return owner
        self._remember_absent(namespace, uid)
        known = self._graph.nodes.get(uid)
        if known is not None and known.virtual:
            # Nobody will tell of its end: it was gone before this collector began to watch.
            for dependent in list(self._graph.remove(uid)):
                if dependent != obj.metadata.uid:
                    self._queue.add(dependent)
        elif known is not None and known.namespace != namespace:
            where = f"namespace: {namespace}, name: {reference.name}, uid: {uid}"
            text = f"ownerRef [{'/'.join(kind)}, {where}] does not exist in namespace"
            self._recorder.event(obj, "Warning", REASON, f'{text} "{namespace}"')
        return None

    async def _read(
        self, kind: tuple[str, str], namespace: str, name: str, uid: str
    ) -> Object | None:
        """Return the object if it exists and has that uid."""
        type_ = lookup(*kind) or self._custom.type_of(kind)
        if type_ is None:
            return None
        try:
            scope = namespace if resource_for(type_).namespaced else ""
            obj = await self._client.get(type_, name, scope)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            return None
        return obj if obj.metadata.uid == uid else None

    # -- writing

    async def _carry_out(self, obj: Object, verdict: Verdict) -> None:
        meta = obj.metadata
        if verdict.drop:
            decide(self._sim, self.component, obj, f"drop owner references: {verdict.why}")
            await self._drop_references(obj, verdict.drop)
        elif verdict.delete:
            decide(self._sim, self.component, obj, f"delete ({verdict.delete}): {verdict.why}")
            only = Preconditions(uid=meta.uid, resourceVersion=meta.resourceVersion)
            options = DeleteOptions(propagationPolicy=verdict.delete, preconditions=only)
            try:
                await self._client.delete(type(obj), meta.name, meta.namespace, options)
            except ApiError as error:
                if error.reason != "NotFound":
                    raise

    async def _unblock(self, obj: Object) -> None:
        """Let the object's owners go before it does."""
        meta = obj.metadata
        references = [
            {"uid": owner.uid, "blockOwnerDeletion": False}
            for owner in meta.ownerReferences
            if owner.blockOwnerDeletion
        ]
        patch = {"metadata": {"uid": meta.uid, "ownerReferences": references}}
        await self._client.patch(
            type(obj), meta.name, patch, meta.namespace, patch_type=STRATEGIC_PATCH
        )

    async def _drop_references(self, obj: Object, uids: tuple[str, ...]) -> None:
        meta = obj.metadata
        if isinstance(obj, Custom):  # nobody knows how its lists are merged
            left = [codec.to_dict(o) for o in meta.ownerReferences if o.uid not in uids]
            whole = {"resourceVersion": meta.resourceVersion, "ownerReferences": left}
            await self._client.merge(type(obj), meta.name, {"metadata": whole}, meta.namespace)
            return
        references = [{"$patch": "delete", "uid": uid} for uid in uids]
        patch = {"metadata": {"uid": meta.uid, "ownerReferences": references}}
        await self._client.patch(
            type(obj), meta.name, patch, meta.namespace, patch_type=STRATEGIC_PATCH
        )

    async def _wait_for_dependents(self, node: Node) -> None:
        """Go on with a foreground deletion: let the object go, or its dependents first."""
        blocking = node.blocking_dependents()
        if not blocking:
            await self._remove_finalizer(node, FOREGROUND)
        for dependent in blocking:
            if not dependent.deleting_dependents:
                self._queue.add(dependent.uid)

    async def _orphan_dependents(self, node: Node) -> None:
        for dependent in list(node.dependents.values()):
            if dependent.obj is not None:
                await self._drop_references(dependent.obj, (node.uid,))
        await self._remove_finalizer(node, ORPHAN)

    async def _remove_finalizer(self, node: Node, finalizer: str) -> None:
        obj = await self._read(node.kind, node.namespace, node.name, node.uid)
        if obj is None or finalizer not in obj.metadata.finalizers:
            return
        meta = obj.metadata
        left = [name for name in meta.finalizers if name != finalizer]
        decide(self._sim, self.component, obj, f"remove finalizer {finalizer}")
        patch = {"metadata": {"resourceVersion": meta.resourceVersion, "finalizers": left or None}}
        await self._client.patch(
            type(obj), meta.name, patch, meta.namespace, patch_type=MERGE_PATCH
        )
