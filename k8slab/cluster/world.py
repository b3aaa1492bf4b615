"""The hardware and the wiring: machines on a network, and who is handed what.

A `World` has the machines, the addresses of etcd and of the API server, the image registry and the
running kubelets. It is what a data centre is to a cluster: it can power machines off and cut
wires, and knows nothing of Pods.

Rule of use: made by `Cluster`; programs of components get it from `components.install`.

Upstream: none
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from ipaddress import ip_address
from typing import Any

import msgspec

from k8slab.addons import manifests
from k8slab.addons.cloud_controller import LoadBalancers
from k8slab.addons.coredns import UpstreamZone
from k8slab.api import errors
from k8slab.client import Client, Latency, Request
from k8slab.cluster import addresses
from k8slab.cluster.addresses import IPV4, IPV6, Subnets
from k8slab.cluster.components import COMPONENTS
from k8slab.cluster.replacing import KUBELETS, adapted
from k8slab.cluster.transport import ApiEndpoint, ClusterTransport
from k8slab.control_plane.apiserver.access import ALWAYS_ALLOW, NODE_AND_RBAC
from k8slab.control_plane.etcd import Endpoint
from k8slab.control_plane.scheduler.config import KubeSchedulerProfile
from k8slab.linux.addresses import LOOPBACK6, is_ipv6, url_host
from k8slab.linux.links import Segment
from k8slab.linux.netns import NetNamespace
from k8slab.linux.routes import Route
from k8slab.node.cni import Cni
from k8slab.node.kube_proxy import MODES, RuleCache
from k8slab.node.kubelet import Kubelet, KubeletConfiguration
from k8slab.node.machine import Machine
from k8slab.node.runtime import Containerd
from k8slab.node.runtime.images import ImageRegistry
from k8slab.node.runtime.process import Process
from k8slab.sim import Group, Simulation

CONTROL_PLANE = "control-plane"
HEARTBEATS = ("lazy", "events")  # lazy: a Lease is written when it would change something
METRIC6 = 1024  # of a default route of IPv6
CPU, MEMORY = 4000, 8 * 2**30  # of each machine: millicores, bytes
OUTSIDE = "outside"  # the machine of a client beyond the cluster
IMAGE = re.compile(r"^\s*(?:- )?image: *(\S+)", re.MULTILINE)


class Host:
    """A machine with what runs on it outside containers: the runtime and the kubelet."""

    kubelet: Kubelet

    def __init__(
        self, machine: Machine, containerd: Containerd, cni: Cni, labels: Mapping[str, str]
    ) -> None:
        self.machine = machine
        self.containerd = containerd
        self.cni = cni
        self.labels = labels
        self.group = Group(f"kubelet/{machine.name}")  # the kubelet's process
        self.powered = True


class World:
    """All machines of one cluster, on one network."""

    def __init__(
        self,
        sim: Simulation,
        latency: Latency,
        replace: Mapping[str, Any],
        subnets: Subnets,
        heartbeats: str,
    ) -> None:
        if heartbeats not in HEARTBEATS:
            raise ValueError(f"heartbeats are one of {', '.join(HEARTBEATS)}, got {heartbeats!r}")
        self.sim = sim
        self.subnets = subnets
        self.latency = latency
        self.replace = adapted(replace)
        decisions = {name: f for name in KUBELETS if (f := self.replace.get(name)) is not None}
        self.kubelet_config = KubeletConfiguration(
            heartbeats=heartbeats, cluster_dns=(subnets.dns,), **decisions
        )
        self.segment = Segment(sim)
        own = subnets.addresses(addresses.CONTROL_PLANE)[0]
        self.etcd = Endpoint("[::1]:2379" if is_ipv6(own) else "127.0.0.1:2379")
        self.api = ApiEndpoint(sim, own, latency)
        self.registry = ImageRegistry()
        # The names of the world outside, and of whom they can be asked there.
        inside = (*f"{subnets.pods},{subnets.services}".split(","), *subnets.with_lengths(0))
        self.way_out = subnets.addresses(addresses.ROUTER)
        self.upstream = UpstreamZone(inside=inside, servers=self.way_out)
        self.rule_cache = RuleCache()  # rules that are the same on all nodes are rendered once
        self.machines: dict[str, Machine] = {}
        self.hosts: dict[str, Host] = {}
        # What the schedulers that were started know of themselves, by the name that Pods ask for.
        self.scheduler_profiles: dict[str, KubeSchedulerProfile] = {}
        self.proxy_mode = MODES[0]
        self.rbac = False  # off, so that lessons about other things need no roles
        # API groups that add-ons serve behind the API server, as long as they run.
        self.delegates: dict[str, Callable[[Request], Awaitable[Any]]] = {}
        # The way out: leads nowhere and says nothing, but for what the load balancers let in.
        self.router = NetNamespace(sim, "router")
        self.router.add_ethernet("eth0", self.segment, *subnets.with_lengths(addresses.ROUTER))
        self.load_balancers = LoadBalancers(sim, self.router)  # the cloud's
        self.install_components()

    # -- machines

    def add_machine(self, name: str, number: int) -> Machine:
        """Put a machine on the network, powered on, with an empty disk."""
        net = NetNamespace(self.sim, name)
        net.add_ethernet("eth0", self.segment, *self.subnets.with_lengths(number))
        for router in self.way_out:
            metric = METRIC6 if is_ipv6(router) else 0
            way = Route(destination="default", device="eth0", gateway=router, metric=metric)
            net.routes_for(router).replace(way)
        families = self.subnets.families
        net.ip_forward, net.ip6_forward = IPV4 in families, IPV6 in families
        net.queries = self.replace.get("queries")
        net.keeps_open = self.replace.get("keeps_open")
        machine = Machine(self.sim, name, net, cpu=CPU, memory=MEMORY)
        machine.disk.write("/etc/resolv.conf", f"nameserver {self.way_out[0]}\n")
        machine.disk.write("/etc/hostname", f"{name}\n")
        self.machines[name] = machine
        return machine

    def add_host(self, name: str, number: int, labels: Mapping[str, str]) -> Host:
        """Put a machine on the network with a container runtime and a kubelet."""
        machine = self.add_machine(name, number)
        cni = Cni(self.sim, machine)
        containerd = Containerd(self.sim, machine, self.registry, cni, self.latency)
        host = self.hosts[name] = Host(machine, containerd, cni, labels)
        self.renew_kubelet(host)
        return host

    def renew_kubelet(self, host: Host) -> None:
        """Put a fresh kubelet on the machine: it knows only what disk, runtime and API tell it."""
        name = host.machine.name
        client = Client(self.transport(name), f"system:node:{name}")
        runtime, images = host.containerd, host.containerd
        host.kubelet = Kubelet(
            self.sim,
            host.machine,
            client,
            runtime,
            images,
            host.cni,
            labels=host.labels,
            config=self.kubelet_config,
        )
        host.group = Group(f"kubelet/{name}")

    def start_kubelet(self, host: Host) -> None:
        """Start the kubelet as a process of the machine."""
        name = f"kubelet/{host.machine.name}"
        self.sim.spawn(host.kubelet.run(), name, host.group)

    def outside(self) -> Machine:
        """Return the machine of a client beyond the cluster; it knows the nodes, not the Pods."""
        return self.machines.get(OUTSIDE) or self.add_machine(OUTSIDE, addresses.OUTSIDE)

    def host_of(self, process: Process) -> str:
        """Return the name of the machine on which a process runs."""
        for name, host in self.hosts.items():
            for sandbox in host.containerd.sandboxes():
                if host.containerd.network_of(sandbox.id) is process.net:
                    return name
        raise LookupError(f"{process.name} runs on no machine")

    def set_proxy_mode(self, mode: str) -> None:
        """Let kube-proxy begin in this mode; afterwards its ConfigMap says which."""
        if mode not in MODES:
            raise ValueError(f"proxy_mode is one of {', '.join(MODES)}, got {mode!r}")
        self.proxy_mode = mode

    def set_cluster_dns(self, servers: tuple[str, ...]) -> None:
        """Let kubelets give Pods these name servers (--cluster-dns); without any, kube-dns."""
        for server in servers:
            ip_address(server)  # raises ValueError
        if servers:
            self.kubelet_config = msgspec.structs.replace(self.kubelet_config, cluster_dns=servers)

    # -- ways

    def transport(self, host: str) -> ClusterTransport:
        """Return the way to the API server from a host."""
        return ClusterTransport(self.api, host)

    async def call_kubelet(self, node: str, request: Request) -> Any:
        """Pass a log or exec request on to the node's kubelet."""
        host = self.hosts.get(node)
        if host is None or not host.powered or node in self.api.cut_off:
            raise errors.internal(f"error dialing backend: dial tcp {node}:10250: no route to host")
        return await host.kubelet.serve(request)

    async def scrape(self, node: str) -> str:
        """Return what the node's kubelet says that its containers use; raises ApiError."""
        request = Request(verb="get", resource="nodes", name=node, subresource="metrics")
        return str(await self.call_kubelet(node, request))

    def last_heartbeat(self, node: str) -> float | None:
        """Return when the node's latest lease renewal arrived, None if only the Lease tells."""
        host = self.hosts.get(node)
        return None if host is None else host.kubelet.last_heartbeat()

    # -- programs of the cluster's own images

    @property
    def placeholders(self) -> Mapping[str, str]:
        """What the cluster's own manifests have to be told; a HOST is an address in a URL."""
        ipv6 = is_ipv6(self.api.address)
        local = LOOPBACK6 if ipv6 else "127.0.0.1"
        return {
            "ADVERTISE_IP": self.api.address,
            "ADVERTISE_HOST": url_host(self.api.address),
            "NODE_NAME": CONTROL_PLANE,
            "LOCAL_IP": local,
            "LOCAL_HOST": url_host(local),
            "ANY_IP": "::" if ipv6 else "0.0.0.0",
            "CONTROL_PLANE_ENDPOINT": self.api.where,
            "POD_SUBNET": self.subnets.pods,
            "SERVICE_SUBNET": self.subnets.services,
            "CLUSTER_DNS": self.subnets.dns,
            "PROXY_MODE": self.proxy_mode,
            "AUTHORIZATION_MODE": NODE_AND_RBAC if self.rbac else ALWAYS_ALLOW,
        }

    def install_components(self) -> None:
        """Make each component's loop the program of its image, with its manifest's tag."""
        for name in images_in_manifests(self.placeholders):
            component = COMPONENTS.get(name.rpartition(":")[0])
            if component is not None:
                program, size = component
                self.registry.image(name, size=size)(partial(program, self))


def images_in_manifests(values: Mapping[str, str]) -> list[str]:
    """Return the images that the cluster's own manifests name, with their tags."""
    optional = manifests.OPTIONAL
    names = (*manifests.ADDONS, *optional, *(f"static/{name}" for name in manifests.STATIC))
    found = [IMAGE.findall(manifests.text(name, **values)) for name in names]
    return [image for images in found for image in images]
