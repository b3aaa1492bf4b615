"""One node with a real kubelet, runtime, network and API server."""

from __future__ import annotations

from typing import Any

from k8slab.api import load, to_dict
from k8slab.api.core import Event, Pod, ServiceAccount
from k8slab.api.meta import DeleteOptions, ObjectMeta
from k8slab.client import Client, Latency
from k8slab.cluster.transport import ApiEndpoint, ClusterTransport
from k8slab.control_plane.apiserver import APIServer
from k8slab.control_plane.apiserver.bootstrap import bootstrap
from k8slab.control_plane.etcd import Backend, Endpoint, Etcd
from k8slab.linux.links import Segment
from k8slab.linux.netns import NetNamespace
from k8slab.node import http
from k8slab.node.cni import Cni
from k8slab.node.cni.agent import conflist
from k8slab.node.cni.plugin import CONFIG
from k8slab.node.kubelet import Kubelet
from k8slab.node.machine import Machine
from k8slab.node.runtime import Containerd
from k8slab.node.runtime.images import ImageRegistry
from k8slab.node.runtime.process import Process
from k8slab.sim import Group, Simulation

NODE = "worker-1"
LATENCY = Latency()
WEB = "example.com/web:v1"


class Lab:
    """A machine, an API server, and what a test does to them."""

    def __init__(self) -> None:
        self.sim = Simulation(7)
        net = NetNamespace(self.sim, NODE)
        net.add_ethernet("eth0", Segment(self.sim), "192.168.10.11/24")
        net.ip_forward = True
        self.machine = Machine(self.sim, NODE, net, cpu=4000, memory=8 * 2**30)
        self.machine.disk.write("/etc/resolv.conf", "nameserver 192.168.10.1\n")
        self.registry = ImageRegistry()
        self.health = 200  # what the web server answers
        self.registry.image(WEB, size=50_000_000)(self.web)
        self.cni = Cni(self.sim, self.machine)
        self.runtime = Containerd(self.sim, self.machine, self.registry, self.cni, LATENCY)
        self.api = ApiEndpoint(self.sim, "192.168.10.10", LATENCY)
        self.etcd = Endpoint()
        self.backend = Backend()
        self.client = Client(ClusterTransport(self.api, "you"), "you")
        self.group = Group("kubelet")
        self.kubelet: Kubelet

    async def web(self, process: Process) -> None:
        """A web server whose health the test decides."""
        process.log("serving")
        listener = process.net.listen("0.0.0.0", 80, owner=process.sim.group)
        while True:
            connection = await listener.accept()
            await http.serve_connection(connection, lambda r: http.text("hello", self.health))

    def start_api(self) -> None:
        """Start etcd and the API server."""
        self.etcd.serve(Etcd(self.sim, self.backend))
        server = APIServer(self.sim, self.etcd, latency=LATENCY)
        server.start()
        self.api.serve(server)
        if self.backend.revision <= 1:
            self.do(bootstrap(self.client, server, self.api.address))

    def start_node(self, **options: Any) -> None:
        """Have a ready node, with the default ServiceAccount in place."""
        self.start_api()
        self.connect_pods()
        self.create(ServiceAccount(metadata=ObjectMeta(name="default", namespace="default")))
        self.start_kubelet(**options)
        self.run(15.0)

    def stop_api(self) -> None:
        """Stop the API server."""
        assert self.api.server is not None
        self.api.stop(self.api.server)

    def start_kubelet(self, **options: Any) -> None:
        """Put a fresh kubelet on the machine and start it."""
        client = Client(ClusterTransport(self.api, NODE), f"system:node:{NODE}")
        self.kubelet = Kubelet(
            self.sim, self.machine, client, self.runtime, self.runtime, self.cni, **options
        )
        self.group = Group("kubelet")
        self.sim.spawn(self.kubelet.run(), "kubelet", self.group)

    def stop_kubelet(self) -> None:
        """Kill the kubelet."""
        self.group.kill()
        self.run(0.0)

    def connect_pods(self) -> None:
        """Do what the network's agent does."""
        self.machine.disk.write(CONFIG, conflist("10.244.1.0/24"))

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.sim.run(self.sim.now + seconds)

    def do(self, coroutine: Any) -> Any:
        """Run a coroutine to its end."""
        return self.sim.complete(coroutine, "test", 60.0)

    def create(self, obj: Any) -> Any:
        """Create an object from a dict or a Struct."""
        return self.do(self.client.create(load(obj) if isinstance(obj, dict) else obj))

    def pod(self, name: str = "web") -> Pod:
        """Return the Pod as the API server has it."""
        return self.do(self.client.get(Pod, name, "default"))

    def exists(self, name: str = "web") -> bool:
        """Say whether the API server has the Pod."""
        listing = self.do(self.client.list(Pod, "default"))
        return any(pod.metadata.name == name for pod in listing.items)

    def change(self, part: str, name: str = "web", **spec: Any) -> Pod:
        """Patch a part of the Pod that may change: ephemeralcontainers or resize."""
        patch = self.client.patch(Pod, name, {"spec": spec}, "default", subresource=part)
        return self.do(patch)

    def delete(self, name: str = "web", grace: int | None = None) -> None:
        """Ask for the Pod's end."""
        options = DeleteOptions(gracePeriodSeconds=grace)
        self.do(self.client.delete(Pod, name, "default", options))

    def events(self, name: str = "web") -> list[tuple[str, str]]:
        """Return reason and message of the Pod's Events, oldest first."""
        listing = self.do(self.client.list(Event, "default"))
        return [(e.reason, e.message) for e in listing.items if e.involvedObject.name == name]

    def run_pod(self, *containers: dict[str, Any], **spec: Any) -> Pod:
        """Create Pod "web" on the node."""
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
            "spec": {
                "nodeName": NODE,
                "automountServiceAccountToken": False,
                "containers": list(containers),
                **spec,
            },
        }
        return self.create(body)

    def conditions(self, name: str = "web") -> dict[str, str]:
        """Return the Pod's conditions by type."""
        return {c.type: c.status for c in self.pod(name).status.conditions}

    def state(self, container: int = 0, name: str = "web") -> dict[str, Any]:
        """Return a container's state."""
        return to_dict(self.pod(name).status.containerStatuses[container].state)


def container(name: str = "web", image: str = WEB, **fields: Any) -> dict[str, Any]:
    """Return a container of a manifest."""
    return {"name": name, "image": image, **fields}


def shell(script: str, name: str = "web", **fields: Any) -> dict[str, Any]:
    """Return a container that runs a shell script."""
    return container(name, "busybox", command=["sh", "-c", script], **fields)
