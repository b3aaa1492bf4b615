"""Who counts as a Pod of this node: the words that a rule uses to ask.

    ClusterCIDR           whoever has an address of the Pod network      -s 10.244.0.0/16
    NodeCIDR              whoever has an address of this node's part     -s 10.244.1.0/24
    BridgeInterface       what comes from the bridge of the Pods         -i cni0
    InterfaceNamePrefix   what comes from an interface so named          -i cali+

Traffic of others to a cluster IP is masqueraded; that of Pods to an external address takes the
short way. Without a detector nothing of the kind is done.

Rule of use: pure; `local_detector` once for each node and address family.

Upstream: pkg/proxy/util/localdetector.go, cmd/kube-proxy/app/server_linux.go (getLocalDetectors)
"""

from __future__ import annotations

import msgspec

from k8slab.node.kube_proxy.config import Config
from k8slab.node.kube_proxy.topology import NodeView


class LocalDetector(msgspec.Struct, frozen=True):
    """The question in the words of both kinds of rules; empty if it cannot be asked."""

    source: str = ""  # a network
    device: str = ""  # an interface, "+" at its end for any name that begins so

    @property
    def is_implemented(self) -> bool:
        """Whether it can be asked at all."""
        return bool(self.source or self.device)

    def iptables(self, negated: bool) -> tuple[str, str]:
        """Return what stands before and after the destination of a rule of iptables."""
        sign = "! " if negated else ""
        if self.source:
            return f"{sign}-s {self.source} ", ""
        return "", f"{sign}-i {self.device} "

    def nft(self, negated: bool) -> str:
        """Return the condition of a rule of nftables."""
        sign = "!= " if negated else ""
        if self.source:
            return f"{'ip6' if ':' in self.source else 'ip'} saddr {sign}{self.source}"
        device = self.device
        return f"iifname {sign}" + (f'"{device[:-1]}*"' if device.endswith("+") else device)


def local_detector(config: Config, node: NodeView, family: str) -> LocalDetector:
    """Return how the node tells its Pods from others, for "IPv4" or "IPv6"."""
    mode = config.detect_local_mode
    if mode == "BridgeInterface":
        return LocalDetector(device=config.bridge_interface)
    if mode == "InterfaceNamePrefix":
        prefix = config.interface_name_prefix
        return LocalDetector(device=f"{prefix}+" if prefix else "")
    networks = node.pod_cidrs if mode == "NodeCIDR" else config.cluster_cidr.split(",")
    mine = [each for each in networks if each and (":" in each) == (family == "IPv6")]
    return LocalDetector(source=mine[0] if mine else "")
