"""The provisioner of the class `standard`: a folder on the disk of the node where the Pod runs.

It makes a volume for each claim that was handed to it (`volume.kubernetes.io/storage-provisioner`),
on the node that the scheduler has chosen, or on the first node if the class does not wait for a
consumer. A volume knows its node, so a Pod that comes again goes where its data is. When a claim
is gone and the volume's policy is Delete, it deletes the volume.

Rule of use: on a real cluster (kind) this is a Deployment of its own; the lab runs its loop among
the controllers, under its own ServiceAccount.

Upstream: github.com/rancher/local-path-provisioner (provisioner.go), sigs.k8s.io/
sig-storage-lib-external-provisioner (controller.go)
"""

from __future__ import annotations

from k8slab.api.core import (
    HostPathVolumeSource,
    Node,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeSpec,
    VolumeNodeAffinity,
)
from k8slab.api.errors import ApiError
from k8slab.api.meta import ObjectMeta
from k8slab.api.storage import StorageClass
from k8slab.api.volume_matching import (
    PROVISIONED_BY,
    SELECTED_NODE,
    STORAGE_PROVISIONER,
    WAIT_FOR_FIRST_CONSUMER,
)
from k8slab.client import Client, EventRecorder, Informers, WorkQueue, key_of, reference_to
from k8slab.control_plane.controllers.controller_utils import decide, work

NAME = "rancher.io/local-path"
FOLDER = "/var/local-path-provisioner"  # on the node, as kind configures it
OWN_SELECTED_NODE = "local.path.provisioner/selected-node"
HOSTNAME = "kubernetes.io/hostname"
RETRY = 15.0  # s until a claim is tried again for which there was no node


def volume_for(claim: PersistentVolumeClaim, made: StorageClass, node: str) -> PersistentVolume:
    """Return the volume that a claim of this class gets on a node.

    >>> from k8slab.api.meta import ObjectMeta
    >>> claim = PersistentVolumeClaim(metadata=ObjectMeta(name="data", namespace="x", uid="7"))
    >>> volume_for(claim, StorageClass(), "worker-1").spec.hostPath.path
    '/var/local-path-provisioner/pvc-7_x_data'
    """
    meta = claim.metadata
    name = f"pvc-{meta.uid}"
    here = NodeSelectorRequirement(key=HOSTNAME, operator="In", values=(node,))
    term = NodeSelectorTerm(matchExpressions=(here,))
    return PersistentVolume(
        metadata=ObjectMeta(name=name, annotations={OWN_SELECTED_NODE: node, PROVISIONED_BY: NAME}),
        spec=PersistentVolumeSpec(
            accessModes=claim.spec.accessModes,
            capacity={"storage": claim.spec.resources.requests.get("storage", "0")},
            claimRef=reference_to(claim),
            hostPath=HostPathVolumeSource(
                path=f"{FOLDER}/{name}_{meta.namespace}_{meta.name}", type="DirectoryOrCreate"
            ),
            nodeAffinity=VolumeNodeAffinity(required=NodeSelector(nodeSelectorTerms=(term,))),
            persistentVolumeReclaimPolicy=made.reclaimPolicy or "Delete",
            storageClassName=made.metadata.name,
            mountOptions=made.mountOptions,
            volumeMode=claim.spec.volumeMode,
        ),
    )


class LocalPathProvisioner:
    """Makes volumes for claims, and deletes those whose claims are gone."""

    component = NAME

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._claims = informers.informer(PersistentVolumeClaim)
        self._volumes = informers.informer(PersistentVolume)
        self._classes = informers.informer(StorageClass)
        self._nodes = informers.informer(Node)
        self._queue = WorkQueue(self._sim, f"{NAME}: claims")
        self._gone = WorkQueue(self._sim, f"{NAME}: volumes")

    async def run(self) -> None:
        """Provision for ever."""
        self._claims.add_handler(self._on_claim)
        self._volumes.add_handler(self._on_volume)
        for informer in (self._claims, self._volumes, self._classes, self._nodes):
            await informer.synced.wait()
        self._sim.spawn(work(self._sim, self._gone, self._delete, 1), f"{NAME}: volumes")
        await work(self._sim, self._queue, self._provision, 4)

    def _on_claim(
        self, old: PersistentVolumeClaim | None, new: PersistentVolumeClaim | None
    ) -> None:
        if new is not None and new.metadata.annotations.get(STORAGE_PROVISIONER) == NAME:
            self._queue.add(key_of(new))

    def _on_volume(self, old: PersistentVolume | None, new: PersistentVolume | None) -> None:
        if new is not None and self._is_to_go(new):
            self._gone.add(new.metadata.name)

    @staticmethod
    def _is_to_go(volume: PersistentVolume) -> bool:
        own = volume.metadata.annotations.get(PROVISIONED_BY) == NAME
        policy = volume.spec.persistentVolumeReclaimPolicy
        return own and policy == "Delete" and volume.status.phase == "Released"

    async def _provision(self, key: str) -> None:
        claim = self._claims.by_key(key)
        if claim is None or claim.spec.volumeName or claim.metadata.deletionTimestamp is not None:
            return
        made = self._classes.get("", claim.spec.storageClassName or "")
        if made is None or self._volumes.get("", f"pvc-{claim.metadata.uid}") is not None:
            return
        node = claim.metadata.annotations.get(SELECTED_NODE, "")
        if made.volumeBindingMode == WAIT_FOR_FIRST_CONSUMER and not node:
            return
        node = node or self._any_node()
        text = f'External provisioner is provisioning volume for claim "{key}"'
        self._recorder.event(claim, "Normal", "Provisioning", text)
        if not node:
            why = "configuration error, no node was specified"
            failed = f'failed to provision volume with StorageClass "{made.metadata.name}": {why}'
            self._recorder.event(claim, "Warning", "ProvisioningFailed", failed)
            return self._queue.add_after(key, RETRY)
        volume = volume_for(claim, made, node)
        decide(self._sim, NAME, claim, f"make {volume.metadata.name} on {node}")
        try:
            await self._client.create(volume)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
        done = f"Successfully provisioned volume {volume.metadata.name}"
        self._recorder.event(claim, "Normal", "ProvisioningSucceeded", done)

    def _any_node(self) -> str:
        """Return a node for a class that does not wait for one to be chosen."""
        free = [node for node in self._nodes.all() if not node.spec.unschedulable]
        free = [node for node in free if not node.spec.taints]
        return min((node.metadata.name for node in free), default="")

    async def _delete(self, name: str) -> None:
        volume = self._volumes.get("", name)
        if volume is None or not self._is_to_go(volume):
            return
        if volume.metadata.deletionTimestamp is None:
            decide(self._sim, NAME, volume, "delete it: its claim is gone")
            await self._client.delete(PersistentVolume, name)
