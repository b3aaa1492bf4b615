"""What all parts of one kubelet share: its machine, its runtime, its client, its settings.

`KubeletConfiguration` holds the settings under Kubernetes' own names in our spelling;
`Dependencies` is what the wiring hands over. Errors that end one pass over a Pod are here too,
since the parts raise them and the Pod worker decides when to try again.

Rule of use: parts get the whole `Dependencies`; none keeps state in it.

Upstream: pkg/kubelet/kubelet.go (Dependencies), pkg/kubelet/apis/config/types.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from k8slab.api.core import Pod, Taint
from k8slab.client import Client, EventRecorder
from k8slab.linux.resolv_conf import ResolvConf
from k8slab.node.interfaces import ImageService, NetworkPlugin, RuntimeService
from k8slab.node.kubelet.probe_effects import probe_effects
from k8slab.node.kubelet.status import pod_phase
from k8slab.node.kubelet.stop_delay import stop_delay
from k8slab.node.machine import Machine
from k8slab.sim import Simulation

VERSION = "v1.37.0"
SYNC_ERROR_BACKOFF = 10.0  # s, kubelet.go backOffPeriod
TRANSIENT_BACKOFF = 1.0  # s, pod_workers.go backOffOnTransientErrorPeriod


EVICTION_HARD: Mapping[str, str] = {
    "memory.available": "100Mi",
    "nodefs.available": "10%",
    "imagefs.available": "15%",
}


class KubeletConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a kubelet, each with the default of v1.37."""

    cluster_dns: tuple[str, ...] = ("10.96.0.10",)
    cluster_domain: str = "cluster.local"
    resolv_conf: str = "etc/resolv.conf"  # the host's, on the machine's disk
    max_pods: int = 110
    eviction_hard: Mapping[str, str] = msgspec.field(default_factory=lambda: EVICTION_HARD)
    eviction_soft: Mapping[str, str] = {}
    eviction_soft_grace_period: Mapping[str, float] = {}  # s by signal
    eviction_minimum_reclaim: Mapping[str, str] = {}
    eviction_max_pod_grace_period: float = 0.0  # s, for soft evictions
    eviction_pressure_transition_period: float = 300.0  # s
    ephemeral_storage: int = 100 * 2**30  # bytes, the machine's disk
    serialize_image_pulls: bool = True
    max_parallel_image_pulls: int = 0  # 0: no limit, if pulls are not serialized
    static_pod_path: str = "etc/kubernetes/manifests"
    heartbeats: str = "lazy"  # "events": renew the Lease every 10 s as a real kubelet does
    # These three, or what a learner puts in their place:
    pod_phase: Callable[..., str] = pod_phase
    probe_effects: Callable[[str, bool], Mapping[str, bool]] = probe_effects
    stop_delay: Callable[[Pod], float] = stop_delay


class Dependencies(msgspec.Struct, frozen=True, kw_only=True):
    """What the kubelet works with."""

    sim: Simulation
    machine: Machine
    client: Client
    runtime: RuntimeService
    images: ImageService
    network: NetworkPlugin
    recorder: EventRecorder
    config: KubeletConfiguration
    labels: Mapping[str, str] = {}  # --node-labels
    taints: tuple[Taint, ...] = ()  # --register-with-taints

    @property
    def node_name(self) -> str:
        """The name of the node."""
        return self.machine.name

    @property
    def host_ip(self) -> str:
        """The address of the node: that of its first device that is not lo."""
        return self.host_ips[0]

    @property
    def host_ips(self) -> tuple[str, ...]:
        """The addresses of the node, of each family one."""
        interfaces = self.machine.net.interfaces.values()  # those to Pods have no addresses
        devices = [dev for dev in interfaces if dev.addresses and dev.name != "lo"]
        four, six = (
            next((ip for dev in devices if (ip := dev.ip_of(ipv6))), "") for ipv6 in (False, True)
        )
        return tuple(ip for ip in (four, six) if ip) or ("127.0.0.1",)

    def resolv_conf(self) -> ResolvConf:
        """Return the host's resolv.conf, an empty one if it has none."""
        try:
            return ResolvConf.parse(str(self.machine.disk.read(self.config.resolv_conf)))
        except FileNotFoundError:
            return ResolvConf()

    def trace(self, verb: str, pod: Pod, detail: str) -> None:
        """Note in the trace what the kubelet did to a Pod."""
        meta = pod.metadata
        subject = f"Pod/{meta.namespace}/{meta.name}"
        self.sim.trace.add(f"kubelet/{self.node_name}", verb, subject, detail)


class SyncFailed(Exception):  # noqa: N818 (upstream: a SyncPod error)
    """A pass over a Pod could not be finished; try again `after` seconds."""

    def __init__(self, message: str, after: float = SYNC_ERROR_BACKOFF) -> None:
        super().__init__(message)
        self.after = after


class ContainerNotStarted(Exception):  # noqa: N818 (upstream: a start error of its own kind)
    """A container could not be started: `reason` and the message become its waiting state."""

    def __init__(self, reason: str, message: str, after: float = SYNC_ERROR_BACKOFF) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.after = after
