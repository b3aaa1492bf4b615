"""Namespaces, and limits on what may be in them.

Interface: ``Namespace``, ``ResourceQuota``, ``LimitRange``. A namespace that is deleted stays in
phase Terminating until its finalizers are gone.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.meta import Object
from k8slab.api.quantity import Quantity
from k8slab.api.struct import Part, Time, always, mapping


class NamespaceSpec(Part):
    """Finalizers that must be worked off before the namespace goes."""

    finalizers: tuple[str, ...] = ()


class NamespaceCondition(Part):
    """One fact about a namespace that is being deleted."""

    type: str = always("")
    lastTransitionTime: Time | None = always(None)
    message: str = ""
    reason: str = ""
    status: str = always("")


class NamespaceStatus(Part):
    """Whether the namespace is active or terminating."""

    conditions: tuple[NamespaceCondition, ...] = ()
    phase: str = ""


class Namespace(Object):
    """A scope for names."""

    apiVersion: str = always("v1")
    kind: str = always("Namespace")
    spec: NamespaceSpec = always(NamespaceSpec())
    status: NamespaceStatus = always(NamespaceStatus())


class ScopedResourceSelectorRequirement(Part):
    """One test of an object's scope."""

    operator: str = always("")
    scopeName: str = always("")
    values: tuple[str, ...] = ()


class ScopeSelector(Part):
    """Tests that must all hold."""

    matchExpressions: tuple[ScopedResourceSelectorRequirement, ...] = ()


class ResourceQuotaSpec(Part):
    """The most that a namespace may use."""

    hard: Mapping[str, Quantity] = mapping()
    scopeSelector: ScopeSelector | None = None
    scopes: tuple[str, ...] = ()


class ResourceQuotaStatus(Part):
    """The most that a namespace may use, and what it uses."""

    hard: Mapping[str, Quantity] = mapping()
    used: Mapping[str, Quantity] = mapping()


class ResourceQuota(Object):
    """A limit on the sum of what a namespace uses."""

    apiVersion: str = always("v1")
    kind: str = always("ResourceQuota")
    spec: ResourceQuotaSpec = always(ResourceQuotaSpec())
    status: ResourceQuotaStatus = always(ResourceQuotaStatus())


class LimitRangeItem(Part):
    """Bounds and defaults for objects of one type."""

    type: str = always("")
    default: Mapping[str, Quantity] = mapping()
    defaultRequest: Mapping[str, Quantity] = mapping()
    max: Mapping[str, Quantity] = mapping()
    maxLimitRequestRatio: Mapping[str, Quantity] = mapping()
    min: Mapping[str, Quantity] = mapping()


class LimitRangeSpec(Part):
    """Bounds and defaults for the objects of a namespace."""

    limits: tuple[LimitRangeItem, ...] = always(())


class LimitRange(Object):
    """Bounds and defaults for each object of a namespace."""

    apiVersion: str = always("v1")
    kind: str = always("LimitRange")
    spec: LimitRangeSpec = always(LimitRangeSpec())
