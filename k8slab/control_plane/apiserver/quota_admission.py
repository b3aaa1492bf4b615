"""The last admission: a new object must fit into every ResourceQuota of its namespace.

`QuotaAdmission.charge` refuses an object that does not fit, and otherwise writes down at once what
is used, so that two creations in the same moment cannot both take the last place. The quota
controller counts anew when something goes.

Rule of use: called for each creation, when the object is valid and has its name.

Upstream: staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from k8slab.api import errors, quota
from k8slab.api.core import Pod, ResourceQuota
from k8slab.api.meta import Object
from k8slab.client import Request
from k8slab.control_plane.apiserver.cacher import Filter
from k8slab.control_plane.apiserver.registry import Registry

USER = "system:apiserver"


class QuotaAdmission:
    """Charges new objects to the quotas of their namespace."""

    def __init__(self, quotas: Registry) -> None:
        self._quotas = quotas

    def charge(self, registry: Registry, obj: Object, old: Object | None, request: Request) -> None:
        """Write down what the object uses; raises Forbidden if a quota has no room for it.

        Of a change, what it uses more than before.
        """
        namespace = obj.metadata.namespace
        if not namespace or registry.resource.kind == "Event":
            return
        found: Any = self._quotas.cache.list(Filter(namespace, None, None))
        charges = [
            (each, used)
            for each in found
            if (used := self._charge_to(registry, each, obj, old)) is not None
        ]
        if not charges:
            return
        if old is None and registry.cache.get(namespace, obj.metadata.name) is not None:
            return  # the name is taken: nothing will be stored
        own = replace(request, verb="update", subresource="status", user=USER, notes=None)
        for each, used in charges:
            self._quotas.modify(namespace, each.metadata.name, _using(used), own)

    def _charge_to(
        self, registry: Registry, limit: ResourceQuota, obj: Object, old: Object | None
    ) -> dict[str, str] | None:
        """Return what is used of the quota with the object; None if it does not concern it."""
        usage, hard = quota.usage_of(obj), limit.status.hard or limit.spec.hard
        if old is not None:
            usage = quota.more(usage, quota.usage_of(old))
        wanted = {
            name: amount
            for name, amount in usage.items()
            if name in hard and quota.exceeds(amount, "0")
        }
        if not quota.applies_to(limit, obj):
            return None
        name, kind = limit.metadata.name, registry.resource
        if isinstance(obj, Pod) and (missing := quota.must_specify(limit, obj)):
            why = f"failed quota: {name}: must specify {missing}"
            raise errors.forbidden(kind, obj.metadata.name, why)
        unknown = [each for each in sorted(wanted) if each not in limit.status.used]
        if unknown:
            why = f"status unknown for quota: {name}, resources: {','.join(unknown)}"
            raise errors.forbidden(kind, obj.metadata.name, why)
        used = quota.add(limit.status.used, wanted)
        exceeded = [each for each in wanted if quota.exceeds(used[each], hard[each])]
        if exceeded:
            why = (
                f"exceeded quota: {name}, requested: {quota.pretty(wanted, exceeded)}, "
                f"used: {quota.pretty(limit.status.used, exceeded)}, "
                f"limited: {quota.pretty(hard, exceeded)}"
            )
            raise errors.forbidden(kind, obj.metadata.name, why)
        return used if wanted else None


def _using(used: dict[str, str]) -> Any:
    def change(limit: ResourceQuota) -> ResourceQuota:
        return replace(limit, status=replace(limit.status, used=used))

    return change
