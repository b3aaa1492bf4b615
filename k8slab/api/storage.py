"""How storage is made.

Interface: ``StorageClass``: the provisioner that claims of this class are handed to.

Upstream: staging/src/k8s.io/api/storage/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.core.node_selector import TopologySelectorTerm
from k8slab.api.meta import Object
from k8slab.api.struct import always, mapping


class StorageClass(Object):
    """A kind of storage, and who makes it."""

    apiVersion: str = always("storage.k8s.io/v1")
    kind: str = always("StorageClass")
    provisioner: str = always("")
    allowVolumeExpansion: bool | None = None
    allowedTopologies: tuple[TopologySelectorTerm, ...] = ()
    mountOptions: tuple[str, ...] = ()
    parameters: Mapping[str, str] = mapping()
    reclaimPolicy: str | None = None
    volumeBindingMode: str | None = None
