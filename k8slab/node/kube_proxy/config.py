"""The settings of kube-proxy that change rules or timing, with their defaults.

`Config()` is what kubeadm's cluster runs with; the kube-proxy ConfigMap holds the same as YAML.

Rule of use: names are those of KubeProxyConfiguration, in snake_case.

Upstream: pkg/proxy/apis/config/types.go, v1alpha1/defaults.go
"""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Settings; times in seconds."""

    cluster_cidr: str = "10.244.0.0/16"  # --cluster-cidr: whoever is in it is a Pod; "": unknown
    masquerade_all: bool = False  # --masquerade-all
    masquerade_bit: int = 14  # --iptables-masquerade-bit
    min_sync_period: float = 1.0  # s, --iptables-min-sync-period
    sync_period: float = 30.0  # s, --iptables-sync-period
    localhost_node_ports: bool = True  # --iptables-localhost-nodeports
    conntrack_tcp_be_liberal: bool = False  # net.netfilter.nf_conntrack_tcp_be_liberal

    @property
    def masquerade_mark(self) -> str:
        """The mark of packets that must get the node's address, as iptables prints it."""
        return f"{1 << self.masquerade_bit:#x}"
