"""Leases: who holds something, and until when.

Interface: ``Lease``. Nodes renew one as their heartbeat; replicas of a component compete for one
to become leader.

Upstream: staging/src/k8s.io/api/coordination/v1/types.go
"""

from k8slab.api.meta import Object
from k8slab.api.struct import MicroTime, Part, always


class LeaseSpec(Part):
    """Holder, duration in seconds, and times of taking and renewing."""

    acquireTime: MicroTime | None = None
    holderIdentity: str | None = None
    leaseDurationSeconds: int | None = None
    leaseTransitions: int | None = None
    preferredHolder: str | None = None
    renewTime: MicroTime | None = None
    strategy: str | None = None


class Lease(Object):
    """A claim that lapses unless it is renewed."""

    apiVersion: str = always("coordination.k8s.io/v1")
    kind: str = always("Lease")
    spec: LeaseSpec = always(LeaseSpec())
