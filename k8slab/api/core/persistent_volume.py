"""Storage that outlives Pods.

Interface: ``PersistentVolume`` (the storage), ``PersistentVolumeClaim`` (the wish). A claim is
bound to at most one volume and a volume to at most one claim.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.core.node_selector import NodeSelector
from k8slab.api.core.references import (
    ObjectReference,
    SecretReference,
    TypedLocalObjectReference,
    TypedObjectReference,
)
from k8slab.api.core.resources import VolumeResourceRequirements
from k8slab.api.core.volume_sources import (
    AWSElasticBlockStoreVolumeSource,
    AzureDiskVolumeSource,
    FCVolumeSource,
    FlockerVolumeSource,
    GCEPersistentDiskVolumeSource,
    HostPathVolumeSource,
    NFSVolumeSource,
    PhotonPersistentDiskVolumeSource,
    PortworxVolumeSource,
    QuobyteVolumeSource,
    VsphereVirtualDiskVolumeSource,
)
from k8slab.api.meta import LabelSelector, Object, ObjectMeta
from k8slab.api.quantity import Quantity
from k8slab.api.struct import Part, Time, always, mapping


class PersistentVolumeClaimSpec(Part):
    """The storage that is asked for."""

    accessModes: tuple[str, ...] = ()
    dataSource: TypedLocalObjectReference | None = None
    dataSourceRef: TypedObjectReference | None = None
    resources: VolumeResourceRequirements = always(VolumeResourceRequirements())
    selector: LabelSelector | None = None
    storageClassName: str | None = None
    volumeAttributesClassName: str | None = None
    volumeMode: str | None = None
    volumeName: str = ""


class PersistentVolumeClaimTemplate(Part):
    """The claim that an ephemeral volume makes."""

    metadata: ObjectMeta = always(ObjectMeta())
    spec: PersistentVolumeClaimSpec = always(PersistentVolumeClaimSpec())


class PersistentVolumeClaimCondition(Part):
    """One fact about a claim."""

    type: str = always("")
    lastProbeTime: Time | None = always(None)
    lastTransitionTime: Time | None = always(None)
    message: str = ""
    reason: str = ""
    status: str = always("")


class ModifyVolumeStatus(Part):
    """How far a change of the volume's attributes class has come."""

    targetVolumeAttributesClassName: str = ""
    status: str = always("")


class VolumeHealthCondition(Part):
    """One finding about a volume's health."""

    reason: str = always("")
    message: str = ""
    status: str = always("")


class VolumeHealthStatus(Part):
    """How healthy a claim's volume is."""

    healthConditions: tuple[VolumeHealthCondition, ...] = ()
    lastTransitionTime: Time | None = None


class PersistentVolumeClaimStatus(Part):
    """The storage that was given."""

    accessModes: tuple[str, ...] = ()
    allocatedResourceStatuses: Mapping[str, str] = mapping()
    allocatedResources: Mapping[str, Quantity] = mapping()
    capacity: Mapping[str, Quantity] = mapping()
    conditions: tuple[PersistentVolumeClaimCondition, ...] = ()
    currentVolumeAttributesClassName: str | None = None
    healthStatus: VolumeHealthStatus | None = None
    modifyVolumeStatus: ModifyVolumeStatus | None = None
    phase: str = ""


class PersistentVolumeClaim(Object):
    """A wish for storage."""

    apiVersion: str = always("v1")
    kind: str = always("PersistentVolumeClaim")
    spec: PersistentVolumeClaimSpec = always(PersistentVolumeClaimSpec())
    status: PersistentVolumeClaimStatus = always(PersistentVolumeClaimStatus())


class AzureFilePersistentVolumeSource(Part):
    """A file share of Azure."""

    secretName: str = always("")
    shareName: str = always("")
    readOnly: bool = False
    secretNamespace: str | None = None


class CephFSPersistentVolumeSource(Part):
    """A Ceph file system."""

    monitors: tuple[str, ...] = always(())
    path: str = ""
    readOnly: bool = False
    secretFile: str = ""
    secretRef: SecretReference | None = None
    user: str = ""


class CinderPersistentVolumeSource(Part):
    """A disk of OpenStack Cinder."""

    volumeID: str = always("")
    fsType: str = ""
    readOnly: bool = False
    secretRef: SecretReference | None = None


class CSIPersistentVolumeSource(Part):
    """A volume of a CSI driver."""

    driver: str = always("")
    volumeHandle: str = always("")
    controllerExpandSecretRef: SecretReference | None = None
    controllerPublishSecretRef: SecretReference | None = None
    fsType: str = ""
    nodeExpandSecretRef: SecretReference | None = None
    nodePublishSecretRef: SecretReference | None = None
    nodeStageSecretRef: SecretReference | None = None
    readOnly: bool = False
    volumeAttributes: Mapping[str, str] = mapping()


class FlexPersistentVolumeSource(Part):
    """A volume of an exec-based plugin."""

    driver: str = always("")
    fsType: str = ""
    options: Mapping[str, str] = mapping()
    readOnly: bool = False
    secretRef: SecretReference | None = None


class GlusterfsPersistentVolumeSource(Part):
    """A GlusterFS volume."""

    endpoints: str = always("")
    path: str = always("")
    endpointsNamespace: str | None = None
    readOnly: bool = False


class ISCSIPersistentVolumeSource(Part):
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
    secretRef: SecretReference | None = None


class LocalVolumeSource(Part):
    """A disk of one node."""

    path: str = always("")
    fsType: str = ""


class RBDPersistentVolumeSource(Part):
    """A Rados block device."""

    image: str = always("")
    monitors: tuple[str, ...] = always(())
    fsType: str = ""
    keyring: str = ""
    pool: str = ""
    readOnly: bool = False
    secretRef: SecretReference | None = None
    user: str = ""


class ScaleIOPersistentVolumeSource(Part):
    """A ScaleIO volume."""

    gateway: str = always("")
    secretRef: SecretReference | None = None
    system: str = always("")
    fsType: str = ""
    protectionDomain: str = ""
    readOnly: bool = False
    sslEnabled: bool = False
    storageMode: str = ""
    storagePool: str = ""
    volumeName: str = ""


class StorageOSPersistentVolumeSource(Part):
    """A StorageOS volume."""

    fsType: str = ""
    readOnly: bool = False
    secretRef: ObjectReference | None = None
    volumeName: str = ""
    volumeNamespace: str = ""


class VolumeNodeAffinity(Part):
    """The nodes from which a volume can be reached."""

    required: NodeSelector | None = None


class PersistentVolumeSpec(Part):
    """The storage that there is."""

    accessModes: tuple[str, ...] = ()
    awsElasticBlockStore: AWSElasticBlockStoreVolumeSource | None = None
    azureDisk: AzureDiskVolumeSource | None = None
    azureFile: AzureFilePersistentVolumeSource | None = None
    capacity: Mapping[str, Quantity] = mapping()
    cephfs: CephFSPersistentVolumeSource | None = None
    cinder: CinderPersistentVolumeSource | None = None
    claimRef: ObjectReference | None = None
    csi: CSIPersistentVolumeSource | None = None
    fc: FCVolumeSource | None = None
    flexVolume: FlexPersistentVolumeSource | None = None
    flocker: FlockerVolumeSource | None = None
    gcePersistentDisk: GCEPersistentDiskVolumeSource | None = None
    glusterfs: GlusterfsPersistentVolumeSource | None = None
    hostPath: HostPathVolumeSource | None = None
    iscsi: ISCSIPersistentVolumeSource | None = None
    local: LocalVolumeSource | None = None
    mountOptions: tuple[str, ...] = ()
    nfs: NFSVolumeSource | None = None
    nodeAffinity: VolumeNodeAffinity | None = None
    persistentVolumeReclaimPolicy: str = ""
    photonPersistentDisk: PhotonPersistentDiskVolumeSource | None = None
    portworxVolume: PortworxVolumeSource | None = None
    quobyte: QuobyteVolumeSource | None = None
    rbd: RBDPersistentVolumeSource | None = None
    scaleIO: ScaleIOPersistentVolumeSource | None = None
    storageClassName: str = ""
    storageos: StorageOSPersistentVolumeSource | None = None
    volumeAttributesClassName: str | None = None
    volumeMode: str | None = None
    vsphereVolume: VsphereVirtualDiskVolumeSource | None = None


class PersistentVolumeStatus(Part):
    """Whether the storage is free, bound or released."""

    lastPhaseTransitionTime: Time | None = None
    message: str = ""
    phase: str = ""
    reason: str = ""


class PersistentVolume(Object):
    """A piece of storage of the cluster."""

    apiVersion: str = always("v1")
    kind: str = always("PersistentVolume")
    spec: PersistentVolumeSpec = always(PersistentVolumeSpec())
    status: PersistentVolumeStatus = always(PersistentVolumeStatus())
