"""ComponentStatus: whether a part of the control plane answers. Deprecated, and still in use.

Upstream: staging/src/k8s.io/api/core/v1/types.go (ComponentStatus)
"""

from __future__ import annotations

from k8slab.api.meta import Object
from k8slab.api.struct import Part, always


class ComponentCondition(Part):
    """One fact about a component: its type is Healthy."""

    type: str = always("")
    error: str = ""
    message: str = ""
    status: str = always("")


class ComponentStatus(Object):
    """What a component said when it was asked just now; nothing of it is stored."""

    apiVersion: str = always("v1")
    kind: str = always("ComponentStatus")
    conditions: tuple[ComponentCondition, ...] = ()
