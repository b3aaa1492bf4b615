"""Volumes that exist apart from the Pod: on the node, in the network, in a cloud.

Interface: the source Structs of host paths, network file systems and cloud disks. Of these the lab
accepts, stores and returns all; nothing but the host path is ever mounted.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.core.references import LocalObjectReference
from k8slab.api.struct import Part, always, mapping


class AWSElasticBlockStoreVolumeSource(Part):
    """A disk of Amazon EBS."""

    volumeID: str = always("")
    fsType: str = ""
    partition: int | None = None
    readOnly: bool = False


class AzureDiskVolumeSource(Part):
    """A disk of Azure."""

    diskName: str = always("")
    diskURI: str = always("")
    cachingMode: str | None = None
    fsType: str | None = None
    kind: str | None = None
    readOnly: bool | None = None


class AzureFileVolumeSource(Part):
    """A file share of Azure."""

    secretName: str = always("")
    shareName: str = always("")
    readOnly: bool = False


class CephFSVolumeSource(Part):
    """A Ceph file system."""

    monitors: tuple[str, ...] = always(())
    path: str = ""
    readOnly: bool = False
    secretFile: str = ""
    secretRef: LocalObjectReference | None = None
    user: str = ""


class CinderVolumeSource(Part):
    """A disk of OpenStack Cinder."""

    volumeID: str = always("")
    fsType: str = ""
    readOnly: bool = False
    secretRef: LocalObjectReference | None = None


class CSIVolumeSource(Part):
    """A volume that a CSI driver makes for this Pod alone."""

    driver: str = always("")
    fsType: str | None = None
    nodePublishSecretRef: LocalObjectReference | None = None
    readOnly: bool | None = None
    volumeAttributes: Mapping[str, str] = mapping()


class FCVolumeSource(Part):
    """A Fibre Channel disk."""

    fsType: str = ""
    lun: int | None = None
    readOnly: bool = False
    targetWWNs: tuple[str, ...] = ()
    wwids: tuple[str, ...] = ()


class FlexVolumeSource(Part):
    """A volume of an exec-based plugin."""

    driver: str = always("")
    fsType: str = ""
    options: Mapping[str, str] = mapping()
    readOnly: bool = False
    secretRef: LocalObjectReference | None = None


class FlockerVolumeSource(Part):
    """A Flocker dataset."""

    datasetName: str = ""
    datasetUUID: str = ""


class HostPathVolumeSource(Part):
    """A file or directory of the node."""

    type: str | None = None
    path: str = always("")


class GCEPersistentDiskVolumeSource(Part):
    """A disk of Google Compute Engine."""

    pdName: str = always("")
    fsType: str = ""
    partition: int | None = None
    readOnly: bool = False


class GitRepoVolumeSource(Part):
    """A clone of a git repository."""

    repository: str = always("")
    directory: str = ""
    revision: str = ""


class GlusterfsVolumeSource(Part):
    """A GlusterFS volume."""

    endpoints: str = always("")
    path: str = always("")
    readOnly: bool = False


class ISCSIVolumeSource(Part):
    """An iSCSI disk."""

    iqn: str = always("")
    lun: int = always(0)
    targetPortal: str = always("")
    chapAuthDiscovery: bool = False
    chapAuthSession: bool = False
    fsType: str = ""
    initiatorName: str | None = None
    iscsiInterface: str = ""
    portals: tuple[str, ...] = ()
    readOnly: bool = False
    secretRef: LocalObjectReference | None = None


class NFSVolumeSource(Part):
    """An export of an NFS server."""

    path: str = always("")
    server: str = always("")
    readOnly: bool = False


class PhotonPersistentDiskVolumeSource(Part):
    """A disk of Photon Controller."""

    pdID: str = always("")
    fsType: str = ""


class PortworxVolumeSource(Part):
    """A Portworx volume."""

    volumeID: str = always("")
    fsType: str = ""
    readOnly: bool = False


class QuobyteVolumeSource(Part):
    """A Quobyte volume."""

    registry: str = always("")
    volume: str = always("")
    group: str = ""
    readOnly: bool = False
    tenant: str = ""
    user: str = ""


class RBDVolumeSource(Part):
    """A Rados block device."""

    image: str = always("")
    monitors: tuple[str, ...] = always(())
    fsType: str = ""
    keyring: str = ""
    pool: str = ""
    readOnly: bool = False
    secretRef: LocalObjectReference | None = None
    user: str = ""


class ScaleIOVolumeSource(Part):
    """A ScaleIO volume."""

    gateway: str = always("")
    secretRef: LocalObjectReference | None = None
    system: str = always("")
    fsType: str = ""
    protectionDomain: str = ""
    readOnly: bool = False
    sslEnabled: bool = False
    storageMode: str = ""
    storagePool: str = ""
    volumeName: str = ""


class StorageOSVolumeSource(Part):
    """A StorageOS volume."""

    fsType: str = ""
    readOnly: bool = False
    secretRef: LocalObjectReference | None = None
    volumeName: str = ""
    volumeNamespace: str = ""


class VsphereVirtualDiskVolumeSource(Part):
    """A disk of vSphere."""

    volumePath: str = always("")
    fsType: str = ""
    storagePolicyID: str = ""
    storagePolicyName: str = ""
