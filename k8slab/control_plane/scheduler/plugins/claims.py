"""The claims of a Pod, as the plugins of volumes ask for them.

Interface: `claim_names`, `names_claim` and `uses_claim` (hints: is this claim the Pod's?),
`not_found`.

Upstream: staging/src/k8s.io/component-helpers/storage/ephemeral
"""

from __future__ import annotations

from k8slab.api.core import PersistentVolumeClaim, Pod
from k8slab.api.pods import claims_of


def claim_names(pod: Pod) -> tuple[str, ...]:
    """Return the claims that the Pod names; those made for its own volumes are nobody else's."""
    sources = (volume.persistentVolumeClaim for volume in pod.spec.volumes)
    return tuple(source.claimName for source in sources if source is not None)


def names_claim(pod: Pod, old: object, new: PersistentVolumeClaim) -> bool:
    """Say whether the claim that came or changed is one that the Pod names."""
    meta = new.metadata
    return meta.namespace == pod.metadata.namespace and meta.name in claim_names(pod)


def uses_claim(pod: Pod, old: object, new: PersistentVolumeClaim) -> bool:
    """Say whether it is one that the Pod names, or that is made for one of its volumes."""
    meta = new.metadata
    return meta.namespace == pod.metadata.namespace and meta.name in claims_of(pod)


def not_found(kind: str, name: str) -> str:
    """Return what a list of objects says of a name that it does not have."""
    return f'{kind} "{name}" not found'
