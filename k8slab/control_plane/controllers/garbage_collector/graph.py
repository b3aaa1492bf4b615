"""Who owns whom: one node for each object of the cluster, with its owners and dependents.

`Graph.change` takes in one change of one object and returns the uids that have to be looked at:
dependents of what is gone, owners that wait for what is gone, and whatever is being deleted in a
special way. An owner that was never seen gets a node too, marked `virtual`, until somebody checks.

Rule of use: pure bookkeeping; it asks nobody and deletes nothing.

Upstream: pkg/controller/garbagecollector/graph_builder.go, graph.go
"""

from __future__ import annotations

from collections.abc import Iterator

from k8slab.api.meta import Object, OwnerReference

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"  # finalizers


class Node:
    """One object, as far as ownership is concerned."""

    __slots__ = ("dependents", "kind", "name", "namespace", "obj", "owners", "uid", "virtual")

    def __init__(self, uid: str, api_version: str, kind: str, namespace: str, name: str) -> None:
        self.uid = uid
        self.kind = (api_version, kind)
        self.namespace = namespace
        self.name = name
        self.obj: Object | None = None
        self.owners: tuple[OwnerReference, ...] = ()
        self.dependents: dict[str, Node] = {}
        self.virtual = True  # only known from a reference

    @property
    def being_deleted(self) -> bool:
        """Whether somebody asked for the object's end."""
        return self.obj is not None and self.obj.metadata.deletionTimestamp is not None

    @property
    def deleting_dependents(self) -> bool:
        """Whether the object waits for its dependents to go first."""
        return self.being_deleted and FOREGROUND in self.finalizers

    @property
    def orphaning(self) -> bool:
        """Whether the object waits for its dependents to be let go."""
        return self.being_deleted and ORPHAN in self.finalizers

    @property
    def finalizers(self) -> tuple[str, ...]:
        """What holds the object."""
        return self.obj.metadata.finalizers if self.obj is not None else ()

    def is_in_reach_of(self, dependent: Node) -> bool:
        """Whether it can own that object: one of another namespace cannot."""
        return self.namespace in ("", dependent.namespace)

    def blocking_dependents(self) -> list[Node]:
        """Return the dependents for which a foreground deletion has to wait."""
        return [
            dependent
            for dependent in self.dependents.values()
            if any(o.uid == self.uid and o.blockOwnerDeletion for o in dependent.owners)
        ]

    def __str__(self) -> str:
        return f"{self.kind[1]}/{self.namespace}/{self.name}"


class Graph:
    """All nodes, by uid."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}

    def change(self, old: Object | None, new: Object | None) -> list[str]:
        """Take in one change and return the uids of the nodes to look at."""
        obj = new if new is not None else old
        assert obj is not None
        if new is None:
            return list(self.remove(obj.metadata.uid))
        if old is not None and old.metadata.uid != new.metadata.uid:
            gone = list(self.remove(old.metadata.uid))
            return gone + list(self._put(new))
        if old is not None and _same(old, new):
            self.nodes[new.metadata.uid].obj = new
            return []
        return list(self._put(new))

    def remove(self, uid: str) -> Iterator[str]:
        """Take out a node that is gone; its dependents and its waiting owners are to look at."""
        node = self.nodes.pop(uid, None)
        if node is None:
            return
        for reference in node.owners:
            owner = self.nodes.get(reference.uid)
            if owner is None:
                continue
            owner.dependents.pop(uid, None)
            if owner.deleting_dependents:
                yield owner.uid
            elif owner.virtual and not owner.dependents:
                del self.nodes[owner.uid]
        yield from node.dependents

    def has_living_owners(self, node: Node) -> bool:
        """Say whether all owners were seen and nobody asked for their end: nothing to do then."""
        owners = [self.nodes.get(reference.uid) for reference in node.owners]
        return all(
            o is not None and not o.virtual and not o.being_deleted and o.is_in_reach_of(node)
            for o in owners
        )

    def _put(self, obj: Object) -> Iterator[str]:
        meta = obj.metadata
        node = self.nodes.get(meta.uid)
        if node is None:
            node = Node(meta.uid, obj.apiVersion, obj.kind, meta.namespace, meta.name)
            self.nodes[meta.uid] = node
        node.obj, node.virtual, node.namespace = obj, False, meta.namespace
        if node.owners != meta.ownerReferences:
            yield from self._set_owners(node, meta.ownerReferences)
        if node.orphaning:
            yield node.uid
        elif node.deleting_dependents:
            yield from node.dependents
            yield node.uid

    def _set_owners(self, node: Node, owners: tuple[OwnerReference, ...]) -> Iterator[str]:
        before, node.owners = node.owners, owners
        kept = {reference.uid for reference in owners}
        for reference in before:
            owner = self.nodes.get(reference.uid)
            if owner is None:
                continue
            if reference.uid not in kept:
                owner.dependents.pop(node.uid, None)
            if owner.deleting_dependents:  # it may wait for one less now
                yield owner.uid
        for reference in owners:
            owner = self.nodes.get(reference.uid)
            if owner is None:
                owner = Node(
                    reference.uid,
                    reference.apiVersion,
                    reference.kind,
                    node.namespace,
                    reference.name,
                )
                self.nodes[reference.uid] = owner
                yield node.uid  # nobody knows whether such an owner exists
            owner.dependents[node.uid] = node
            if owner.being_deleted or not owner.is_in_reach_of(node):
                yield node.uid


def _same(old: Object, new: Object) -> bool:
    """Say whether a change is none of the collector's business."""
    before, after = old.metadata, new.metadata
    return (
        before.ownerReferences == after.ownerReferences
        and before.finalizers == after.finalizers
        and before.deletionTimestamp == after.deletionTimestamp
    )
