"""Volumes that are claimed: the kubelet asks for the claim, then for its volume, and mounts that.

A volume of the kinds hostPath and local is a place on this machine's disk and outlives the Pod. All
other kinds would be reached over a wire that the lab does not have: for them too there is a folder
on this machine's disk, by the name of the volume.

Rule of use: `claimed` raises ValueError in upstream's words while the claim cannot be used.

Upstream: pkg/kubelet/volumemanager/populator/desired_state_of_world_populator.go
"""

from __future__ import annotations

from k8slab.api.core import HostPathVolumeSource, PersistentVolume, PersistentVolumeClaim, Pod
from k8slab.api.errors import ApiError
from k8slab.client import Client, ConnectionFailed
from k8slab.node.folder import Folder

PLUGINS_FOLDER = "var/lib/kubelet/plugins"


async def claimed(client: Client, pod: Pod, name: str) -> PersistentVolume:
    """Return the volume that a claim of the Pod is bound to; raises ValueError."""
    namespace = pod.metadata.namespace
    try:
        claim = await client.get(PersistentVolumeClaim, name, namespace)
    except (ApiError, ConnectionFailed) as error:
        why = f"failed to fetch PVC from API server: {error}"
        raise ValueError(f"error processing PVC {namespace}/{name}: {why}") from None
    if claim.metadata.deletionTimestamp is not None:
        raise ValueError(f"error processing PVC {namespace}/{name}: PVC is being deleted")
    volume_name = claim.spec.volumeName
    if claim.status.phase != "Bound" or not volume_name:
        raise ValueError(f"error processing PVC {namespace}/{name}: PVC is not bound")
    try:
        volume = await client.get(PersistentVolume, volume_name)
    except (ApiError, ConnectionFailed) as error:
        why = f'failed to fetch PV "{volume_name}" from API server: {error}'
        raise ValueError(f"error processing PVC {namespace}/{name}: {why}") from None
    reference = volume.spec.claimRef
    if reference is None or reference.uid != claim.metadata.uid:
        why = f'PV "{volume_name}" is not bound to claim {namespace}/{name}'
        raise ValueError(f"error processing PVC {namespace}/{name}: {why}")
    return volume


def place_of(volume: PersistentVolume) -> HostPathVolumeSource | None:
    """Return the place on the node's disk that is the volume, None if it is elsewhere."""
    spec = volume.spec
    if spec.local is not None:
        return HostPathVolumeSource(path=spec.local.path)
    return spec.hostPath


def folder_of(disk: Folder, volume: PersistentVolume) -> Folder:
    """Return the folder on a machine's disk that stands for a volume elsewhere."""
    path = f"{PLUGINS_FOLDER}/{volume.metadata.name}"
    found = disk.files.get(path)
    if isinstance(found, Folder):
        return found
    folder = Folder()
    disk.write(path, folder)
    return folder
