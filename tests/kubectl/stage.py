"""A control plane like that of the recordings: four nodes, and no kubelet on any of them.

`Stage` has an API server that asks for rights, all controllers, the scheduler, and the recordings'
small program in the place of kubelets: it keeps Leases, says 0.3 s after a binding that the Pod
runs, and takes it away 0.4 s after its deletion. kubectl is asked by "admin" of system:masters.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from k8slab.api import load
from k8slab.api.authentication import UserInfo
from k8slab.api.coordination import Lease
from k8slab.api.core import Pod
from k8slab.api.discovery import EndpointSlice
from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions, timestamp
from k8slab.client import Client, Informers, Request
from k8slab.control_plane.apiserver import APIServer
from k8slab.control_plane.apiserver.bootstrap import bootstrap, ensure_policy
from k8slab.control_plane.controller_manager import ControllerManager
from k8slab.control_plane.etcd import Backend, Endpoint, Etcd
from k8slab.control_plane.scheduler import Scheduler
from k8slab.gateway.gateway import Gateway
from k8slab.kubectl import Kubectl, Result
from k8slab.sim import Simulation

CALL = 0.004  # s, of one request
STARTS, ENDS = 0.3, 0.4  # s, until a bound Pod runs, and until a deleted one is gone
SEED = 38  # of the dice that place Pods as they were placed there
MASTER = "kubernetes-super-admin"
LEASE = 2.0  # s, between two renewals
ADMIN = UserInfo(username="admin", groups=("system:masters",), uid="u1")  # of a token file
CONDITIONS = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "is posting ready status"),
}
POD_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")


class Wire:
    """A transport to the API server; what has no other user is asked by the administrator."""

    def __init__(self, sim: Simulation, server: APIServer) -> None:
        self.sim, self.server = sim, server

    async def request(self, request: Request) -> Any:
        await self.sim.sleep(CALL)
        answer = self.server.handle(request)
        return await answer if hasattr(answer, "__await__") else answer


class AdminWire(Wire):
    """The administrator's transport."""

    async def request(self, request: Request) -> Any:
        if not request.token:
            request = replace(request, user=MASTER, impersonate=request.impersonate or ADMIN)
        return await super().request(request)


class Kubelets:
    """The small program that says what kubelets would say."""

    def __init__(self, sim: Simulation, wire: Wire) -> None:
        self.sim, self.wire = sim, wire
        self.client = Client(wire, MASTER)
        self.next_ip = 0

    async def run(self) -> None:
        for number in (1, 2, 3, 4):
            await self.add_node(number)
        informer = Informers(self.sim, self.client).informer(Pod)
        informer.add_handler(self.on_pod)

    async def add_node(self, number: int) -> None:
        name, now = f"node-{number}", timestamp(self.sim.now)
        labels = {
            "topology.kubernetes.io/zone": "zone-a" if number < 3 else "zone-b",
            "kubernetes.io/hostname": name,
        }
        for prefix in ("", "beta."):
            labels |= {f"{prefix}kubernetes.io/os": "linux", f"{prefix}kubernetes.io/arch": "amd64"}
        status = {
            "capacity": {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "100Gi", "pods": "110"},
            "allocatable": {
                **{"cpu": "4", "memory": "8Gi", "ephemeral-storage": "90Gi", "pods": "110"}
            },
            "conditions": [
                {
                    **{"type": type_, "status": holds, "reason": reason},
                    **{"message": f"kubelet {text}", "lastHeartbeatTime": now},
                    "lastTransitionTime": now,
                }
                for type_, (holds, reason, text) in CONDITIONS.items()
            ],
            "addresses": [
                {"type": "InternalIP", "address": f"192.168.10.{number}"},
                {"type": "Hostname", "address": name},
            ],
            "nodeInfo": {
                **{"machineID": f"m{number}", "systemUUID": f"m{number}", "bootID": f"b{number}"},
                **{"kernelVersion": "6.1.0", "osImage": "Debian GNU/Linux 12 (bookworm)"},
                **{"operatingSystem": "linux", "architecture": "amd64"},
                **{"containerRuntimeVersion": "containerd://2.0.0", "kubeletVersion": "v1.36.2"},
            },
        }
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
        await self.client.create(load({**node, "status": status}))
        self.sim.spawn(self.keep_lease(name), f"lease of {name}")

    async def keep_lease(self, node: str) -> None:
        lease = {
            **{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"},
            "metadata": {"name": node, "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": node, "leaseDurationSeconds": 40},
        }
        await self.client.create(load(lease))
        while True:
            renewed = {"spec": {"renewTime": timestamp(self.sim.now).replace("Z", ".000000Z")}}
            await self.client.merge(Lease, node, renewed, "kube-node-lease")
            await self.sim.sleep(LEASE)

    def on_pod(self, old: Pod | None, new: Pod | None) -> None:
        if new is None or not new.spec.nodeName:
            return
        leaves = new.metadata.deletionTimestamp is not None
        if leaves and (old is None or old.metadata.deletionTimestamp is None):
            self.sim.spawn(self.end(new), "end")
        elif not leaves and (old is None or not old.spec.nodeName):
            self.sim.spawn(self.begin(new), "begin")

    async def begin(self, pod: Pod) -> None:
        notes = pod.metadata.annotations
        await self.sim.sleep(STARTS)
        broken = any("broken" in c.image for c in pod.spec.containers)
        if broken:
            waiting: dict[str, Any] = {"waiting": {"reason": "ImagePullBackOff"}}
            return await self.tell(pod, "Pending", waiting, ready=False)
        running: dict[str, Any] = {"running": {"startedAt": timestamp(self.sim.now)}}
        await self.tell(pod, "Running", running, ready=notes.get("fake/ready") != "false")
        if "fake/exit" in notes:
            code, _, seconds = notes["fake/exit"].partition(":")
            await self.sim.sleep(float(seconds))
            failed = code != "0"
            terminated: dict[str, Any] = {
                "exitCode": int(code),
                "reason": "Error" if failed else "Completed",
            }
            ended = {"terminated": terminated}
            await self.tell(pod, "Failed" if failed else "Succeeded", ended, ready=False)

    async def end(self, pod: Pod) -> None:
        meta = pod.metadata
        await self.sim.sleep(ENDS)
        ended: dict[str, Any] = {"terminated": {"exitCode": 0, "reason": "Completed"}}
        await self.tell(pod, pod.status.phase, ended, ready=False)
        now = DeleteOptions(gracePeriodSeconds=0)
        try:
            await self.client.delete(Pod, meta.name, meta.namespace, now)
        except ApiError as error:
            if error.reason != "NotFound":
                raise

    async def tell(self, pod: Pod, phase: str, state: dict[str, Any], ready: bool) -> None:
        """Patch the status of a Pod and its containers, unless it is gone."""
        meta, now = pod.metadata, timestamp(self.sim.now)
        digits = meta.uid.replace("-", "") * 2
        statuses = [
            {
                **{"name": c.name, "image": c.image, "ready": ready, "restartCount": 0},
                **{"state": state, "started": "running" in state},
                **{"imageID": f"sha256:{'0' * 64}", "containerID": f"containerd://{digits}"},
            }
            for c in pod.spec.containers
        ]
        conditions = [
            {
                **{"type": type_, "lastTransitionTime": now},
                "status": str(ready or type_ in POD_CONDITIONS[:2]),
            }
            for type_ in POD_CONDITIONS
        ]
        self.next_ip += 1
        ip, host = f"10.244.3.{self.next_ip}", f"192.168.10.{pod.spec.nodeName[-1]}"
        found = {
            **{"phase": phase, "conditions": conditions, "containerStatuses": statuses},
            **{"podIP": ip, "podIPs": [{"ip": ip}], "hostIP": host, "hostIPs": [{"ip": host}]},
            **{"startTime": now, "observedGeneration": meta.generation},
        }
        try:
            await self.client.patch(
                Pod, meta.name, {"status": found}, meta.namespace, subresource="status"
            )
        except ApiError as error:
            if error.reason != "NotFound":
                raise


class Stage:
    """The recorded cluster, made anew; its nodes have been there for a while."""

    def __init__(self, seed: int = SEED) -> None:
        self.sim = Simulation(seed=seed)
        endpoint = Endpoint()
        endpoint.serve(Etcd(self.sim, Backend()))
        self.server = APIServer(self.sim, endpoint, authorization_mode="Node,RBAC")
        self.server.start()
        ensure_policy(self.server)
        self.wire = Wire(self.sim, self.server)
        client = self.client("system:apiserver")
        self.sim.complete(bootstrap(client, self.server, "192.168.10.10"), "bootstrap", 10)
        # --endpoint-reconciler-type=none
        removal = client.delete(EndpointSlice, "kubernetes", "default")
        self.sim.complete(removal, "no endpoints", 10)
        manager = ControllerManager(
            self.sim, self.client, self, replace={"local-path-provisioner": None}
        )
        self.sim.spawn(manager.run(), "kube-controller-manager")
        scheduler = Scheduler(self.sim, self.client("system:kube-scheduler"))
        self.sim.spawn(scheduler.run(), "kube-scheduler")
        self.run(1)
        self.sim.spawn(Kubelets(self.sim, self.wire).run(), "kubelets")
        self.run(10)
        door = AdminWire(self.sim, self.server)
        self._kubectl = Kubectl(
            door,
            lambda: self.sim.now,
            sleep=self.sim.sleep,
            http=Gateway(self.sim, door).fetch,
        )
        self.kubectl("delete events --all -n default")  # a scene starts from an empty namespace

    def client(self, user: str) -> Client:
        return Client(self.wire, user)

    def last_heartbeat(self, node: str) -> float | None:
        """All nodes live."""
        return self.sim.now

    def run(self, seconds: float) -> None:
        self.sim.run(self.sim.now + seconds)

    def kubectl(self, command: str, stdin: str = "") -> Result:
        result: Result = self.sim.complete(self._kubectl.run(command, stdin), command, 600.0)
        return result
