"""What every object has: its metadata, and the small Structs that all groups share.

Interface: ``Object`` (base of all kinds), ``ObjectMeta``, ``OwnerReference``, ``LabelSelector``,
``Condition``, ``Status``, ``DeleteOptions``; ``controller_of``, ``is_controlled_by``; ``timestamp``
and ``seconds``, which turn virtual time into text and back.
Rule: virtual second 0 is 2026-01-01T00:00:00Z; objects hold text, components hold float seconds.

Upstream: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from msgspec import field
from msgspec.structs import replace

from k8slab.api.struct import MicroTime, Part, Time, always, mapping

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_EPOCH_UTC = datetime(2026, 1, 1)  # the same without a zone: three times faster to write
_MICROSECOND = timedelta(microseconds=1)


class OwnerReference(Part):
    """An object that this object belongs to, and without which it is garbage."""

    apiVersion: str = always("")
    kind: str = always("")
    name: str = always("")
    uid: str = always("")
    controller: bool | None = None
    blockOwnerDeletion: bool | None = None


class ManagedFieldsEntry(Part):
    """The fields that one manager has set in one way."""

    manager: str = ""
    operation: str = ""
    apiVersion: str = ""
    time: Time | None = None
    fieldsType: str = ""
    fieldsV1: Mapping[str, Any] | None = None
    subresource: str = ""


class ObjectMeta(Part):
    """Name, labels, owners and life span of an object."""

    name: str = ""
    generateName: str = ""
    namespace: str = ""
    selfLink: str = ""
    uid: str = ""
    resourceVersion: str = ""
    generation: int = 0
    creationTimestamp: Time = ""
    deletionTimestamp: Time | None = None
    deletionGracePeriodSeconds: int | None = None
    labels: Mapping[str, str] = mapping()
    annotations: Mapping[str, str] = mapping()
    ownerReferences: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()
    managedFields: tuple[ManagedFieldsEntry, ...] = ()


class Object(Part):
    """Anything that the API server stores: a kind, and metadata that name it."""

    kind: str = always("")  # first on the wire, as in upstream's TypeMeta
    apiVersion: str = always("")
    metadata: ObjectMeta = always(ObjectMeta())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show itself in a notebook: alone as kubectl's YAML, among others as kind and name."""
        from k8slab.api.codec import to_yaml

        if len(printer.stack) > 1:
            path = "/".join(filter(None, (self.metadata.namespace, self.metadata.name)))
            printer.text(f"<{self.kind} {path}>")
        else:
            printer.text(to_yaml(replace(self, metadata=replace(self.metadata, managedFields=()))))


class LabelSelectorRequirement(Part):
    """One test of a label: In, NotIn, Exists, DoesNotExist."""

    key: str = always("")
    operator: str = always("")
    values: tuple[str, ...] = ()


class LabelSelector(Part):
    """Labels and tests that must all hold; an empty selector matches everything."""

    matchLabels: Mapping[str, str] = mapping()
    matchExpressions: tuple[LabelSelectorRequirement, ...] = ()


class Condition(Part):
    """One fact about an object, in the form that newer groups share."""

    type: str = always("")
    status: str = always("")
    observedGeneration: int = 0
    lastTransitionTime: Time | None = always(None)
    reason: str = always("")
    message: str = always("")


class ShardInfo(Part):
    """The part of a collection that a list covers."""

    selector: str = always("")


class ListMeta(Part):
    """At which revision a list was made, and where it goes on."""

    selfLink: str = ""
    resourceVersion: str = ""
    continue_: str = field(default="", name="continue")
    remainingItemCount: int | None = None
    shardInfo: ShardInfo | None = None


class StatusCause(Part):
    """One of the reasons of a failure."""

    reason: str = ""
    message: str = ""
    field: str = ""


class StatusDetails(Part):
    """What a failure was about."""

    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: tuple[StatusCause, ...] = ()
    retryAfterSeconds: int = 0


class Status(Part):
    """The answer to a request that has no object to return."""

    apiVersion: str = always("v1")
    kind: str = always("Status")
    metadata: ListMeta = always(ListMeta())
    status: str = ""
    message: str = ""
    reason: str = ""
    details: StatusDetails | None = None
    code: int = 0


class Preconditions(Part):
    """What must be true of an object for it to be deleted."""

    uid: str | None = None
    resourceVersion: str | None = None


class DeleteOptions(Part):
    """How to delete: with which grace (seconds), and what becomes of dependents."""

    apiVersion: str = ""
    kind: str = ""
    gracePeriodSeconds: int | None = None
    preconditions: Preconditions | None = None
    orphanDependents: bool | None = None
    propagationPolicy: str | None = None
    dryRun: tuple[str, ...] = ()
    ignoreStoreReadErrorWithClusterBreakingPotential: bool | None = None


def timestamp(now: float) -> Time:
    """Write virtual time (seconds) as objects hold it, cut to the whole second."""
    return _whole_second(int(now // 1))


@lru_cache(maxsize=1 << 10)
def _whole_second(number: int) -> Time:
    """Return the text of a second; whatever happens in it shares the text."""
    return (_EPOCH_UTC + timedelta(seconds=number)).isoformat() + "Z"


def micro_timestamp(now: float) -> MicroTime:
    """Write virtual time (seconds) with microseconds, as Leases and new Events hold it."""
    return (_EPOCH_UTC + timedelta(seconds=now)).isoformat(timespec="microseconds") + "Z"


def seconds(text: str | None) -> float:
    """Read a timestamp as virtual seconds; no timestamp counts as 0. ValueError if it is none."""
    if not text:
        return 0.0
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"expected a time with a zone such as 2026-01-01T00:00:00Z, got {text!r}")
    return (moment - EPOCH) / _MICROSECOND / 1e6


def controller_of(obj: Object) -> OwnerReference | None:
    """Return the owner that manages the object: at most one has ``controller: true``."""
    for reference in obj.metadata.ownerReferences:
        if reference.controller:
            return reference
    return None


def is_controlled_by(obj: Object, owner: Object) -> bool:
    """Say whether ``owner`` is the controller of ``obj``; the uid decides, names can come again."""
    reference = controller_of(obj)
    return reference is not None and reference.uid == owner.metadata.uid
