"""The ReplicationController controller: the ReplicaSet controller, which sees them as ReplicaSets.

A ReplicationController is older than a ReplicaSet and differs in its selector only, which is a
plain map. `as_replica_set` and `as_replication_controller` translate, on the way in and out.

Rule of use: there is one way to keep a number of Pods; do not write it twice.

Upstream: pkg/controller/replication/conversion.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec

from k8slab.api.apps import ReplicaSet, ReplicaSetCondition, ReplicaSetSpec, ReplicaSetStatus
from k8slab.api.core import (
    PodTemplateSpec,
    ReplicationController,
    ReplicationControllerCondition,
    ReplicationControllerSpec,
    ReplicationControllerStatus,
)
from k8slab.api.meta import LabelSelector
from k8slab.client import Client, EventRecorder, Informer, Informers
from k8slab.control_plane.controllers.replica_set.replica_set_controller import (
    ReplicaSetController,
)

Handler = Callable[[ReplicaSet | None, ReplicaSet | None], None]


class ReplicationControllerController(ReplicaSetController):
    """Keeps ReplicationControllers as the ReplicaSet controller keeps ReplicaSets."""

    component = "replication-controller"
    kind = "ReplicationController"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        super().__init__(informers, _ConvertingClient(client), recorder)
        converted = _ConvertingInformer(informers.informer(ReplicationController))
        self._replica_sets = cast(Informer[ReplicaSet], converted)


def as_replica_set(rc: ReplicationController) -> ReplicaSet:
    """Return the ReplicationController as a ReplicaSet that still says what it is."""
    spec, status = rc.spec, rc.status
    return ReplicaSet(
        apiVersion=rc.apiVersion,
        kind=rc.kind,
        metadata=rc.metadata,
        spec=ReplicaSetSpec(
            replicas=spec.replicas,
            minReadySeconds=spec.minReadySeconds,
            selector=LabelSelector(matchLabels=spec.selector),
            template=spec.template or PodTemplateSpec(),
        ),
        status=ReplicaSetStatus(
            replicas=status.replicas,
            fullyLabeledReplicas=status.fullyLabeledReplicas,
            readyReplicas=status.readyReplicas,
            availableReplicas=status.availableReplicas,
            terminatingReplicas=0,  # which a ReplicationController does not tell
            observedGeneration=status.observedGeneration,
            conditions=tuple(
                ReplicaSetCondition(**msgspec.structs.asdict(each)) for each in status.conditions
            ),
        ),
    )


def as_replication_controller(rs: ReplicaSet) -> ReplicationController:
    """Return what `as_replica_set` was made of, with the ReplicaSet's status."""
    spec, status = rs.spec, rs.status
    return ReplicationController(
        metadata=rs.metadata,
        spec=ReplicationControllerSpec(
            replicas=spec.replicas,
            minReadySeconds=spec.minReadySeconds,
            selector=spec.selector.matchLabels if spec.selector is not None else {},
            template=spec.template,
        ),
        status=ReplicationControllerStatus(
            replicas=status.replicas,
            fullyLabeledReplicas=status.fullyLabeledReplicas,
            readyReplicas=status.readyReplicas,
            availableReplicas=status.availableReplicas,
            observedGeneration=status.observedGeneration,
            conditions=tuple(
                ReplicationControllerCondition(**msgspec.structs.asdict(each))
                for each in status.conditions
            ),
        ),
    )


class _ConvertingInformer:
    """An informer of ReplicationControllers that shows them as ReplicaSets."""

    def __init__(self, inner: Informer[ReplicationController]) -> None:
        self._inner = inner
        self.synced = inner.synced

    def get(self, namespace: str, name: str) -> ReplicaSet | None:
        return _converted(self._inner.get(namespace, name))

    def by_key(self, key: str) -> ReplicaSet | None:
        return _converted(self._inner.by_key(key))

    def by_index(self, name: str, key: str) -> list[ReplicaSet]:
        return [as_replica_set(rc) for rc in self._inner.by_index(name, key)]

    def add_index(self, name: str, keys: Callable[[Any], Iterable[str]]) -> None:
        self._inner.add_index(name, keys)  # of the metadata only, which both share

    def add_handler(self, handler: Handler) -> None:
        self._inner.add_handler(lambda old, new: handler(_converted(old), _converted(new)))


class _ConvertingClient(Client):
    """A client that takes ReplicaSets and sends ReplicationControllers."""

    def __init__(self, inner: Client) -> None:
        super().__init__(inner.transport, inner.user)

    async def get(self, kind: type[Any], name: str, namespace: str = "") -> Any:
        if kind is not ReplicaSet:
            return await super().get(kind, name, namespace)
        return as_replica_set(await super().get(ReplicationController, name, namespace))

    async def update_status(self, obj: Any) -> Any:
        written = await super().update_status(as_replication_controller(obj))
        return as_replica_set(written)


def _converted(rc: ReplicationController | None) -> ReplicaSet | None:
    return as_replica_set(rc) if rc is not None else None
