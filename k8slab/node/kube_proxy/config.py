"""The settings of kube-proxy that change rules or timing, with their defaults.

`Config()` is what kubeadm's cluster runs with; `parse_config` reads the same from the text of a
KubeProxyConfiguration, which the kube-proxy ConfigMap holds.

Rule of use: names are those of KubeProxyConfiguration, in snake_case; what is not simulated is
refused, never ignored.

Upstream: pkg/proxy/apis/config/types.go, v1alpha1/defaults.go
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from k8slab.api import yaml_text

PRIMARY = "primary"  # of nodePortAddresses: the node's own address only
MODES = ("iptables", "nftables")
LOCAL_MODES = ("ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix")
NO_IPVS = (
    "which is deprecated since v1.35 (off by default from v1.40, removed in v1.43) and not "
    'simulated; its successor is "nftables"'
)
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


class ConfigError(ValueError):
    """The configuration cannot be used; the message says which field."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Settings; times in seconds."""

    mode: str = "iptables"  # --proxy-mode, one of MODES
    cluster_cidr: str = "10.244.0.0/16"  # --cluster-cidr: whoever is in it is a Pod; "": unknown
    detect_local_mode: str = "ClusterCIDR"  # --detect-local-mode, one of LOCAL_MODES
    bridge_interface: str = ""  # --pod-bridge-interface
    interface_name_prefix: str = ""  # --pod-interface-name-prefix
    masquerade_all: bool = False  # --masquerade-all
    masquerade_bit: int = 14  # --iptables-masquerade-bit
    min_sync_period: float = 1.0  # s, --iptables-min-sync-period
    sync_period: float = 30.0  # s, --iptables-sync-period
    localhost_node_ports: bool = True  # --iptables-localhost-nodeports
    node_port_addresses: tuple[str, ...] = ()  # --nodeport-addresses; none: every local address
    conntrack_tcp_be_liberal: bool = False  # net.netfilter.nf_conntrack_tcp_be_liberal

    @property
    def masquerade_mark(self) -> str:
        """The mark of packets that must get the node's address, as iptables prints it."""
        return f"{1 << self.masquerade_bit:#x}"


def parse_config(text: str) -> Config:
    """Return the settings of a KubeProxyConfiguration; fields that are absent keep defaults.

    Raises ConfigError for a mode that the lab does not have.
    """
    documents: list[Any] = list(yaml_text.parse(text))
    fields: dict[str, Any] = documents[0] if documents and documents[0] else {}
    mode = fields.get("mode") or "iptables"
    if mode not in MODES:
        why = NO_IPVS if mode == "ipvs" else "which does not exist on Linux"
        raise ConfigError(f'mode: expected "iptables" or "nftables", found "{mode}", {why}')
    local = fields.get("detectLocalMode") or "ClusterCIDR"
    if local not in LOCAL_MODES:
        known = ", ".join(LOCAL_MODES)
        raise ConfigError(f'detectLocalMode: expected one of {known}, found "{local}"')
    own = fields.get(mode) or {}
    detect = fields.get("detectLocal") or {}
    given: dict[str, Any] = {
        "mode": mode,
        "cluster_cidr": fields.get("clusterCIDR"),
        "detect_local_mode": local,
        "bridge_interface": detect.get("bridgeInterface"),
        "interface_name_prefix": detect.get("interfaceNamePrefix"),
        "node_port_addresses": tuple(fields.get("nodePortAddresses") or ()) or None,
        "masquerade_all": own.get("masqueradeAll"),
        "masquerade_bit": own.get("masqueradeBit"),
        "localhost_node_ports": own.get("localhostNodePorts"),
        "min_sync_period": _seconds(own.get("minSyncPeriod")),
        "sync_period": _seconds(own.get("syncPeriod")),
    }
    return Config(**{name: value for name, value in given.items() if value is not None})


def _seconds(duration: str | None) -> float | None:
    """Return the seconds of a duration such as "1m30s", None for none."""
    if not duration:
        return None
    parts = re.findall(r"([0-9.]+)(h|ms|us|µs|ns|m|s)", duration)
    if "".join(number + unit for number, unit in parts) != duration:
        raise ConfigError(f'expected a duration such as 30s, found "{duration}"')
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
