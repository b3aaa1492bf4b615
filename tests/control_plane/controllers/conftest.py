from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from k8slab.api import load, load_all
from k8slab.api.core import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStatus,
    Node,
    Pod,
    PodCondition,
    PodIP,
)
from k8slab.api.errors import ApiError
from k8slab.api.meta import timestamp
from k8slab.api.scheme import resource_for
from k8slab.client import Client, Informers, Request
from k8slab.control_plane.apiserver import APIServer
from k8slab.control_plane.controller_manager import ControllerManager
from k8slab.control_plane.etcd import Backend, Endpoint, Etcd
from k8slab.sim import Simulation


class Wire:
    """A transport to an API server in the same process: a call takes 4 ms."""

    def __init__(self, sim: Simulation, server: APIServer) -> None:
        self.sim = sim
        self.server = server

    async def request(self, request: Request) -> Any:
        await self.sim.sleep(0.004)
        return self.server.handle(request)


class Hands:
    """Stands in for scheduler and kubelets: binds Pods round robin, runs and ends them.

    A Pod whose image has "broken" in its name never becomes ready; Pods of `dead` nodes do nothing.
    """

    def __init__(self, lab: ControllerLab, seconds: float = 0.3) -> None:
        self.lab = lab
        self.client = lab.client("hands")
        self.seconds = seconds
        self.dead: set[str] = set()
        self.nodes: list[str] = []
        self.next = 0
        self.informers = Informers(lab.sim, self.client)

    def start(self) -> None:
        self.informers.informer(Pod).add_handler(self.on_pod)

    def on_pod(self, old: Pod | None, new: Pod | None) -> None:
        if new is None:
            return
        if new.metadata.deletionTimestamp and (old is None or not old.metadata.deletionTimestamp):
            self.lab.sim.spawn(self.end(new), "end")
        elif old is None and not new.metadata.deletionTimestamp:
            self.lab.sim.spawn(self.begin(new), "begin")

    def place(self, pod: Pod) -> str:
        from k8slab.control_plane.controllers.daemon_set.placement import target_node

        target = target_node(pod)
        if target or not self.nodes:
            return target
        self.next += 1
        return self.nodes[self.next % len(self.nodes)]

    async def begin(self, pod: Pod) -> None:
        meta = pod.metadata
        node = self.place(pod)
        if not node:
            return
        await self.client.bind(meta.namespace, meta.name, node)
        await self.lab.sim.sleep(self.seconds)
        if node in self.dead:
            return
        now = timestamp(self.lab.sim.now)
        broken = any("broken" in c.image for c in pod.spec.containers)
        ready = PodCondition(
            type="Ready", status="False" if broken else "True", lastTransitionTime=now
        )
        self.next_ip = getattr(self, "next_ip", 0) + 1
        ip = f"10.244.{self.next_ip // 250}.{self.next_ip % 250 + 1}"
        try:
            newest = await self.client.get(Pod, meta.name, meta.namespace)
            statuses = tuple(
                ContainerStatus(
                    name=c.name,
                    image=c.image,
                    ready=not broken,
                    state=ContainerState(running=ContainerStateRunning(startedAt=now)),
                )
                for c in pod.spec.containers
            )
            status = replace(
                newest.status,
                phase="Pending" if broken else "Running",
                conditions=(ready,),
                podIP=ip,
                podIPs=(PodIP(ip=ip),),
                containerStatuses=statuses,
            )
            await self.client.update_status(replace(newest, status=status))
            if "fake/exit" in meta.annotations:
                await self.exit(pod, *meta.annotations["fake/exit"].split(":"))
        except ApiError as error:
            if error.reason != "NotFound":
                raise

    async def exit(self, pod: Pod, code: str, seconds: str) -> None:
        """End a Pod's containers as its annotation "fake/exit" says: code:seconds."""
        await self.lab.sim.sleep(float(seconds))
        newest = await self.client.get(Pod, pod.metadata.name, pod.metadata.namespace)
        if newest.metadata.deletionTimestamp is not None:
            return
        ended = ContainerStateTerminated(
            exitCode=int(code), finishedAt=timestamp(self.lab.sim.now), reason="Ended"
        )
        statuses = tuple(
            replace(s, ready=False, state=ContainerState(terminated=ended))
            for s in newest.status.containerStatuses
        )
        status = replace(
            newest.status,
            phase="Failed" if int(code) else "Succeeded",
            conditions=(PodCondition(type="Ready", status="False"),),
            containerStatuses=statuses,
        )
        await self.client.update_status(replace(newest, status=status))

    async def end(self, pod: Pod) -> None:
        if pod.spec.nodeName in self.dead:
            return
        from k8slab.api.meta import DeleteOptions

        await self.lab.sim.sleep(self.seconds)
        try:
            await self.client.delete(
                Pod,
                pod.metadata.name,
                pod.metadata.namespace,
                DeleteOptions(gracePeriodSeconds=0),
            )
        except ApiError as error:
            if error.reason != "NotFound":
                raise


class ControllerLab:
    """API server, controller manager and hands; no real nodes."""

    hands_type: type[Hands] = Hands

    def __init__(self, nodes: int = 3, **manager: Any) -> None:
        self.sim = Simulation(seed=7)
        self.etcd = Endpoint()
        self.etcd.serve(Etcd(self.sim, Backend()))
        self.server = APIServer(self.sim, self.etcd)
        self.server.start()
        for name in ("default", "kube-system", "kube-node-lease"):
            self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self.hands = self.hands_type(self)
        self.heartbeats: dict[str, float | None] = {}
        self.manager = ControllerManager(self.sim, self.client, self, **manager)
        self.sim.spawn(self.manager.run(), "kube-controller-manager")
        self.hands.start()
        self.run(1)
        for number in range(1, nodes + 1):
            self.add_node(f"worker-{number}")
        self.run(1)

    def last_heartbeat(self, node: str) -> float | None:
        """Heartbeats come every 10 s, except from nodes that were stopped."""
        stopped = self.heartbeats.get(node)
        return stopped if stopped is not None else self.sim.now // 10 * 10

    def client(self, user: str) -> Client:
        return Client(Wire(self.sim, self.server), user)

    def add_node(self, name: str, zone: str = "zone-a") -> Node:
        labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone}
        node = self.apply(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "labels": labels},
                "status": {
                    "conditions": [
                        {
                            "type": "Ready",
                            "status": "True",
                            "lastHeartbeatTime": timestamp(self.sim.now),
                        }
                    ]
                },
            }
        )
        self.hands.nodes.append(name)
        return node

    def request(self, verb: str, kind: str, name: str = "", **fields: Any) -> Any:
        resource = resource_for(kind)
        namespace = fields.pop("namespace", "default") if resource.namespaced else ""
        return self.server.handle(
            Request(
                verb=verb,
                resource=resource.plural,
                group=resource.group,
                namespace=namespace,
                name=name,
                **fields,
            )
        )

    def apply(self, manifest: Mapping[str, Any] | str) -> Any:
        if isinstance(manifest, str):
            return [self.request("create", obj.kind, body=obj) for obj in load_all(manifest)]
        obj = load(dict(manifest))
        return self.request("create", obj.kind, body=obj)

    def get(self, kind: str, name: str, **fields: Any) -> Any:
        return self.request("get", kind, name, **fields)

    def all(self, kind: str, **fields: Any) -> list[Any]:
        return list(self.request("list", kind, **fields).items)

    def patch(self, kind: str, name: str, patch: Any, **fields: Any) -> Any:
        return self.request(
            "patch", kind, name, body=patch, patch_type="application/merge-patch+json", **fields
        )

    def run(self, seconds: float) -> None:
        self.sim.run(self.sim.now + seconds)

    def until(self, holds: Callable[[], bool], timeout: float = 60) -> None:
        deadline = self.sim.now + timeout
        while not holds():
            assert self.sim.now < deadline, "did not come true in time"
            self.run(0.05)

    def writes(self, user: str) -> list[str]:
        """What a user wrote, as "verb Kind/ns/name"."""
        return [
            f"{record.verb} {record.subject}"
            for record in self.sim.trace
            if record.component.endswith(user) and record.revision
        ]

    def events(self, name: str) -> list[str]:
        found = [e for e in self.all("Event") if e.involvedObject.name == name]
        return [f"{e.reason}: {e.message}" for e in found]


@pytest.fixture
def lab() -> ControllerLab:
    return ControllerLab()


@pytest.fixture
def lab_with() -> type[ControllerLab]:
    """Makes a lab with other controllers: `lab_with(replace={...})`."""
    return ControllerLab


@pytest.fixture
def web() -> Callable[..., dict[str, Any]]:
    def make(replicas: int = 3, image: str = "nginx:1.25", **spec: Any) -> dict[str, Any]:
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "c", "image": image}]},
                },
                **spec,
            },
        }

    return make
