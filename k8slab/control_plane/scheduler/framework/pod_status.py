"""What the scheduler writes into a Pod's status: conditions, and the node it is nominated for.

Interface: `status_patch` (what has to change, nothing if all is said already), `patch_status`.

Upstream: pkg/scheduler/framework/api_calls/pod_status_patch.go, pkg/scheduler/util/utils.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8slab.api.conditions import get_condition
from k8slab.api.core import Pod, PodCondition
from k8slab.api.meta import timestamp
from k8slab.client import Client


def status_patch(
    pod: Pod, condition: PodCondition, nominated: str | None, now: float
) -> dict[str, Any]:
    """Return the part of the status that has to change, empty if all is said already.

    `nominated` None leaves the nomination as it is, "" withdraws it.
    """
    patch: dict[str, Any] = {}
    old = get_condition(pod.status.conditions, condition.type)
    told = old is not None and (old.status, old.reason, old.message, old.observedGeneration) == (
        condition.status,
        condition.reason,
        condition.message,
        condition.observedGeneration,
    )
    if not told:
        same = old is not None and old.status == condition.status
        changed: dict[str, Any] = {
            "type": condition.type,
            "status": condition.status,
            "reason": condition.reason,
            "message": condition.message,
            "lastTransitionTime": old.lastTransitionTime if old and same else timestamp(now),
        }
        if condition.observedGeneration:
            changed["observedGeneration"] = condition.observedGeneration
        patch["conditions"] = [changed]
    if nominated is not None and nominated != pod.status.nominatedNodeName:
        patch["nominatedNodeName"] = nominated or None
    return patch


async def patch_status(client: Client, pod: Pod, status: Mapping[str, Any]) -> None:
    """Write a part of the Pod's status; raises ApiError or ConnectionFailed."""
    meta = pod.metadata
    await client.patch(Pod, meta.name, {"status": status}, meta.namespace, subresource="status")
