"""Directories that the containers of a Pod share.

Interface: ``Volume``: a name and exactly one source. Sources made from API objects and from the
node are here; those outside the cluster are in ``volume_sources``.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.core.container import ObjectFieldSelector, ResourceFieldSelector
from k8slab.api.core.persistent_volume import PersistentVolumeClaimTemplate
from k8slab.api.core.volume_sources import (
    AWSElasticBlockStoreVolumeSource,
    AzureDiskVolumeSource,
    AzureFileVolumeSource,
    CephFSVolumeSource,
    CinderVolumeSource,
    CSIVolumeSource,
    FCVolumeSource,
    FlexVolumeSource,
    FlockerVolumeSource,
    GCEPersistentDiskVolumeSource,
    GitRepoVolumeSource,
    GlusterfsVolumeSource,
    HostPathVolumeSource,
    ISCSIVolumeSource,
    NFSVolumeSource,
    PhotonPersistentDiskVolumeSource,
    PortworxVolumeSource,
    QuobyteVolumeSource,
    RBDVolumeSource,
    ScaleIOVolumeSource,
    StorageOSVolumeSource,
    VsphereVirtualDiskVolumeSource,
)
from k8slab.api.meta import LabelSelector
from k8slab.api.quantity import Quantity
from k8slab.api.struct import Part, always, mapping


class KeyToPath(Part):
    """A key of a ConfigMap or Secret and the file that it becomes."""

    key: str = always("")
    path: str = always("")
    mode: int | None = None
    user: int | None = None


class ConfigMapVolumeSource(Part):
    """The keys of a ConfigMap as files."""

    name: str = ""
    defaultMode: int | None = None
    defaultUser: int | None = None
    items: tuple[KeyToPath, ...] = ()
    optional: bool | None = None


class SecretVolumeSource(Part):
    """The keys of a Secret as files."""

    defaultMode: int | None = None
    defaultUser: int | None = None
    items: tuple[KeyToPath, ...] = ()
    optional: bool | None = None
    secretName: str = ""


class DownwardAPIVolumeFile(Part):
    """A field of the Pod as a file."""

    path: str = always("")
    fieldRef: ObjectFieldSelector | None = None
    mode: int | None = None
    resourceFieldRef: ResourceFieldSelector | None = None
    user: int | None = None


class DownwardAPIVolumeSource(Part):
    """Fields of the Pod as files."""

    defaultMode: int | None = None
    defaultUser: int | None = None
    items: tuple[DownwardAPIVolumeFile, ...] = ()


class EmptyDirVolumeSource(Part):
    """A directory that lives and dies with the Pod."""

    medium: str = ""
    mode: int | None = None
    sizeLimit: Quantity | None = None


class ImageVolumeSource(Part):
    """The files of an image."""

    pullPolicy: str = ""
    reference: str = ""


class PersistentVolumeClaimVolumeSource(Part):
    """The volume behind a claim."""

    claimName: str = always("")
    readOnly: bool = False


class ClusterTrustBundleProjection(Part):
    """Trusted certificates as a file."""

    name: str | None = None
    path: str = always("")
    labelSelector: LabelSelector | None = None
    optional: bool | None = None
    signerName: str | None = None
    user: int | None = None


class ConfigMapProjection(Part):
    """The keys of a ConfigMap among the files of a projected volume."""

    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    optional: bool | None = None


class DownwardAPIProjection(Part):
    """Fields of the Pod among the files of a projected volume."""

    items: tuple[DownwardAPIVolumeFile, ...] = ()


class PodCertificateProjection(Part):
    """A certificate made for this Pod, as files."""

    keyType: str = always("")
    signerName: str = always("")
    certificateChainPath: str = ""
    credentialBundlePath: str = ""
    keyPath: str = ""
    maxExpirationSeconds: int | None = None
    user: int | None = None
    userAnnotations: Mapping[str, str] = mapping()


class SecretProjection(Part):
    """The keys of a Secret among the files of a projected volume."""

    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    optional: bool | None = None


class ServiceAccountTokenProjection(Part):
    """A token of the Pod's ServiceAccount as a file, renewed before it expires."""

    path: str = always("")
    audience: str = ""
    expirationSeconds: int | None = None
    user: int | None = None


class VolumeProjection(Part):
    """One source of a projected volume."""

    clusterTrustBundle: ClusterTrustBundleProjection | None = None
    configMap: ConfigMapProjection | None = None
    downwardAPI: DownwardAPIProjection | None = None
    podCertificate: PodCertificateProjection | None = None
    secret: SecretProjection | None = None
    serviceAccountToken: ServiceAccountTokenProjection | None = None


class ProjectedVolumeSource(Part):
    """Several sources in one directory."""

    defaultMode: int | None = None
    defaultUser: int | None = None
    sources: tuple[VolumeProjection, ...] = ()


class EphemeralVolumeSource(Part):
    """A claim that is made for the Pod and goes with it."""

    volumeClaimTemplate: PersistentVolumeClaimTemplate | None = None


class Volume(Part):
    """A directory by name, and where it comes from."""

    name: str = always("")
    awsElasticBlockStore: AWSElasticBlockStoreVolumeSource | None = None
    azureDisk: AzureDiskVolumeSource | None = None
    azureFile: AzureFileVolumeSource | None = None
    cephfs: CephFSVolumeSource | None = None
    cinder: CinderVolumeSource | None = None
    configMap: ConfigMapVolumeSource | None = None
    csi: CSIVolumeSource | None = None
    downwardAPI: DownwardAPIVolumeSource | None = None
    emptyDir: EmptyDirVolumeSource | None = None
    ephemeral: EphemeralVolumeSource | None = None
    fc: FCVolumeSource | None = None
    flexVolume: FlexVolumeSource | None = None
    flocker: FlockerVolumeSource | None = None
    gcePersistentDisk: GCEPersistentDiskVolumeSource | None = None
    gitRepo: GitRepoVolumeSource | None = None
    glusterfs: GlusterfsVolumeSource | None = None
    hostPath: HostPathVolumeSource | None = None
    image: ImageVolumeSource | None = None
    iscsi: ISCSIVolumeSource | None = None
    nfs: NFSVolumeSource | None = None
    persistentVolumeClaim: PersistentVolumeClaimVolumeSource | None = None
    photonPersistentDisk: PhotonPersistentDiskVolumeSource | None = None
    portworxVolume: PortworxVolumeSource | None = None
    projected: ProjectedVolumeSource | None = None
    quobyte: QuobyteVolumeSource | None = None
    rbd: RBDVolumeSource | None = None
    scaleIO: ScaleIOVolumeSource | None = None
    secret: SecretVolumeSource | None = None
    storageos: StorageOSVolumeSource | None = None
    vsphereVolume: VsphereVirtualDiskVolumeSource | None = None
