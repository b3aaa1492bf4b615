"""kube-controller-manager: one process in which all controllers run.

It makes the informers that they share, gives each its own user, and starts them: nothing else. The
controllers know nothing of one another; kill the process and all of them stop, start it and all go
on from what the API server says.

Rule of use: `await ControllerManager(sim, client_for, lease_clock).run()`.

Upstream: cmd/kube-controller-manager/app/controllermanager.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Protocol

from k8slab.client import Client, EventRecorder, Informers
from k8slab.control_plane.controllers.cluster_role_aggregation import (
    ClusterRoleAggregationController,
)
from k8slab.control_plane.controllers.cron_job import CronJobController
from k8slab.control_plane.controllers.daemon_set import DaemonSetController
from k8slab.control_plane.controllers.deployment import DeploymentController
from k8slab.control_plane.controllers.disruption import DisruptionController
from k8slab.control_plane.controllers.endpoint_slice import EndpointSliceController
from k8slab.control_plane.controllers.endpoint_slice_mirroring import (
    EndpointSliceMirroringController,
)
from k8slab.control_plane.controllers.endpoints import EndpointsController
from k8slab.control_plane.controllers.ephemeral_volume import EphemeralVolumeController
from k8slab.control_plane.controllers.garbage_collector import GarbageCollector
from k8slab.control_plane.controllers.job import JobController
from k8slab.control_plane.controllers.local_path_provisioner import LocalPathProvisioner
from k8slab.control_plane.controllers.namespace import NamespaceController
from k8slab.control_plane.controllers.node_ipam import CLUSTER_CIDR, NodeIpamController
from k8slab.control_plane.controllers.node_lifecycle import (
    LeaseClock,
    NodeLifecycleController,
)
from k8slab.control_plane.controllers.persistent_volume import PersistentVolumeController
from k8slab.control_plane.controllers.pod_gc import PodGarbageCollector
from k8slab.control_plane.controllers.podautoscaler import HorizontalController
from k8slab.control_plane.controllers.replica_set import ReplicaSetController
from k8slab.control_plane.controllers.replica_set.replication import (
    ReplicationControllerController,
)
from k8slab.control_plane.controllers.resource_quota import ResourceQuotaController
from k8slab.control_plane.controllers.root_ca_publisher import RootCaPublisher
from k8slab.control_plane.controllers.service_account import ServiceAccountController
from k8slab.control_plane.controllers.service_cidrs import ServiceCIDRController
from k8slab.control_plane.controllers.stateful_set import StatefulSetController
from k8slab.control_plane.controllers.taint_eviction import TaintEvictionController
from k8slab.control_plane.controllers.ttl import TtlController
from k8slab.control_plane.controllers.ttl_after_finished import TtlAfterFinishedController
from k8slab.control_plane.controllers.volume_protection import (
    PvcProtectionController,
    PvProtectionController,
)
from k8slab.sim import Signal, Simulation

# How Events call a controller, where that is not its name.
EVENT_SOURCES = {
    "disruption-controller": "controllermanager",
    "endpoints-controller": "endpoint-controller",
    "endpointslice-controller": "endpoint-slice-controller",
    "endpointslice-mirroring-controller": "endpoint-slice-mirroring-controller",
    "horizontal-pod-autoscaler-controller": "horizontal-pod-autoscaler",
    "node-ipam-controller": "cidrAllocator",
    "node-lifecycle-controller": "node-controller",
    "persistentvolume-binder-controller": "persistentvolume-controller",
    "local-path-provisioner": "rancher.io/local-path",
    "replicationcontroller-controller": "replication-controller",
}
USER = "system:kube-controller-manager"
SERVICE_ACCOUNTS = "system:serviceaccount:kube-system:"  # --use-service-account-credentials


class Controller(Protocol):
    """What the manager starts."""

    component: str  # as Events and the trace name it

    async def run(self) -> None:
        """Do its work for ever."""


Start = Callable[[Informers, Client, EventRecorder], Controller]

# name (as --controllers calls it), service account, and what to start
CONTROLLERS: tuple[tuple[str, str, Start], ...] = (
    ("replicaset-controller", "replicaset-controller", ReplicaSetController),
    (
        "replicationcontroller-controller",
        "replication-controller",
        ReplicationControllerController,
    ),
    ("deployment-controller", "deployment-controller", DeploymentController),
    ("daemonset-controller", "daemon-set-controller", DaemonSetController),
    ("statefulset-controller", "statefulset-controller", StatefulSetController),
    ("job-controller", "job-controller", JobController),
    ("cronjob-controller", "cronjob-controller", CronJobController),
    ("disruption-controller", "disruption-controller", DisruptionController),
    (
        "horizontal-pod-autoscaler-controller",
        "horizontal-pod-autoscaler",
        HorizontalController,
    ),
    ("endpointslice-controller", "endpointslice-controller", EndpointSliceController),
    ("endpoints-controller", "endpoint-controller", EndpointsController),
    (
        "endpointslice-mirroring-controller",
        "endpointslicemirroring-controller",
        EndpointSliceMirroringController,
    ),
    ("taint-eviction-controller", "node-controller", TaintEvictionController),
    ("namespace-controller", "namespace-controller", NamespaceController),
    ("garbage-collector-controller", "generic-garbage-collector", GarbageCollector),
    ("pod-garbage-collector-controller", "pod-garbage-collector", PodGarbageCollector),
    ("ttl-after-finished-controller", "ttl-after-finished-controller", TtlAfterFinishedController),
    ("ttl-controller", "ttl-controller", TtlController),
    ("resourcequota-controller", "resourcequota-controller", ResourceQuotaController),
    ("serviceaccount-controller", "service-account-controller", ServiceAccountController),
    ("root-ca-certificate-publisher-controller", "root-ca-cert-publisher", RootCaPublisher),
    ("persistentvolume-binder-controller", "persistent-volume-binder", PersistentVolumeController),
    (
        "persistentvolumeclaim-protection-controller",
        "pvc-protection-controller",
        PvcProtectionController,
    ),
    (
        "persistentvolume-protection-controller",
        "pv-protection-controller",
        PvProtectionController,
    ),
    ("ephemeral-volume-controller", "ephemeral-volume-controller", EphemeralVolumeController),
    ("service-cidr-controller", "service-cidrs-controller", ServiceCIDRController),
    ("local-path-provisioner", "local-path-provisioner", LocalPathProvisioner),
    (
        "clusterrole-aggregation-controller",
        "clusterrole-aggregation-controller",
        ClusterRoleAggregationController,
    ),
)


class ControllerManager:
    """Runs the controllers; the informers are shared, the users are not."""

    def __init__(
        self,
        sim: Simulation,
        client_for: Callable[[str], Client],
        lease_clock: LeaseClock | None = None,
        *,
        cluster_cidr: str = CLUSTER_CIDR,
        replace: Mapping[str, Start | None] | None = None,
    ) -> None:
        """Prepare to start all controllers.

        `client_for` makes a client for a user name; `replace` puts others in the place of those
        with these names, None leaves one out (--controllers=-name), a new name comes beside them.
        """
        self._sim = sim
        self._client_for = client_for
        self._lease_clock = lease_clock
        self._cluster_cidr = cluster_cidr
        self._replace = replace or {}

    async def run(self) -> None:
        """Start all controllers and keep them running for ever."""
        informers = Informers(self._sim, self._client_for(USER))
        for name, account, start in self._starts():
            client = self._client_for(f"{SERVICE_ACCOUNTS}{account}")
            controller = start(informers, client, self._recorder(client, name))
            self._sim.spawn(controller.run(), name)
        await Signal(self._sim, "kube-controller-manager ends").wait()

    def _starts(self) -> Iterator[tuple[str, str, Start]]:
        node_lifecycle: Start = partial(NodeLifecycleController, lease_clock=self._lease_clock)
        known: tuple[tuple[str, str, Start], ...]
        node_ipam: Start = partial(NodeIpamController, cluster_cidr=self._cluster_cidr)
        known = (
            *CONTROLLERS,
            ("node-ipam-controller", "node-controller", node_ipam),
            ("node-lifecycle-controller", "node-controller", node_lifecycle),
        )
        for name, account, start in known:
            chosen = self._replace.get(name, start)
            if chosen is not None:
                yield name, account, chosen
        names = [name for name, _, _ in known]
        for name, start_ in self._replace.items():
            if name not in names and start_ is not None:
                yield name, name, start_

    def _recorder(self, client: Client, name: str) -> EventRecorder:
        return EventRecorder(self._sim, client, EVENT_SOURCES.get(name, name))
