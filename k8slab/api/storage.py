"""How storage is made.

Interface: ``StorageClass``: the provisioner that claims of this class are handed to; ``CSINode``:
the drivers of a node, and how many volumes each can attach there.

Upstream: staging/src/k8s.io/api/storage/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.core.node_selector import TopologySelectorTerm
from k8slab.api.meta import Object
from k8slab.api.struct import Part, always, mapping


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


class VolumeNodeResources(Part):
    """How many volumes of a driver a node can have at a time, if there is a limit."""

    count: int | None = None


class CSINodeDriver(Part):
    """A driver that is installed on a node."""

    name: str = always("")
    nodeID: str = always("")
    topologyKeys: tuple[str, ...] = always(())
    allocatable: VolumeNodeResources | None = None


class CSINodeSpec(Part):
    """The drivers of a node."""

    drivers: tuple[CSINodeDriver, ...] = always(())


class CSINode(Object):
    """What a node's storage drivers say of it; it has the node's name."""

    apiVersion: str = always("storage.k8s.io/v1")
    kind: str = always("CSINode")
    spec: CSINodeSpec = always(CSINodeSpec())
