"""How much of a node a container asks for.

Interface: ``ResourceRequirements``. Requests decide where a Pod fits, limits what it may use;
amounts are quantity text ("250m", "64Mi"), read with ``k8slab.api.quantity``.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.quantity import Quantity
from k8slab.api.struct import Part, always, mapping


class ResourceClaim(Part):
    """A named claim of the Pod that this container uses."""

    name: str = always("")
    request: str = ""


class ResourceRequirements(Part):
    """What a container is guaranteed (requests) and may not exceed (limits)."""

    claims: tuple[ResourceClaim, ...] = ()
    limits: Mapping[str, Quantity] = mapping()
    requests: Mapping[str, Quantity] = mapping()


class VolumeResourceRequirements(Part):
    """How much storage a claim asks for."""

    limits: Mapping[str, Quantity] = mapping()
    requests: Mapping[str, Quantity] = mapping()
