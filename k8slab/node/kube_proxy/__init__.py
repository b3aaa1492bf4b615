"""kube-proxy: Services become netfilter rules.

`render(services, endpoint_slices, node=..., config=...)` says what the rules of iptables are,
`nftables.render` the same in the other form; `Proxier` keeps a node's kernel true to them. Packets
never pass through here: the kernel forwards them, and goes on doing so when kube-proxy is gone.

Rule of use: only the proxier changes the rules of a node, only through its Ruleset.

Upstream: pkg/proxy/iptables, pkg/proxy/nftables
"""

from k8slab.node.kube_proxy.cache import RuleCache
from k8slab.node.kube_proxy.cleanup import clean
from k8slab.node.kube_proxy.config import MODES, Config, ConfigError, parse_config
from k8slab.node.kube_proxy.proxier import Proxier
from k8slab.node.kube_proxy.render import render

__all__ = [
    "MODES",
    "Config",
    "ConfigError",
    "Proxier",
    "RuleCache",
    "clean",
    "parse_config",
    "render",
]
