"""What a kube-proxy takes away that ran in another mode before it on the same node.

Rules of iptables and tables of nftables live side by side in the kernel, and both would act.

Rule of use: the kubelet's chain KUBE-FIREWALL stays.

Upstream: pkg/proxy/iptables/cleanup.go, cmd/kube-proxy/app/server_linux.go (platformCleanup)
"""

from __future__ import annotations

from k8slab.linux.netfilter import Ruleset
from k8slab.linux.targets import Jump
from k8slab.node.kube_proxy.base import jumps
from k8slab.node.kube_proxy.chains import (
    EXTERNAL_SERVICES,
    FIREWALL,
    FORWARD,
    MARK_MASQ,
    NODEPORTS,
    POSTROUTING,
    PROXY_CANARY,
    PROXY_FIREWALL,
    SERVICES,
    is_hashed,
)

COMMON = (
    SERVICES, EXTERNAL_SERVICES, NODEPORTS, POSTROUTING, MARK_MASQ, FORWARD, PROXY_FIREWALL,
    PROXY_CANARY,
)  # fmt: skip


def clean_iptables(ruleset: Ruleset) -> int:
    """Remove every chain of the iptables mode with the jumps to it; return how many chains."""
    for table, chain, _ in jumps():
        if table in ruleset.tables:
            for rule in ruleset.rules(table, chain):
                if isinstance(rule.target, Jump) and rule.target.chain in COMMON:
                    ruleset.delete_rule(table, chain, rule)
    removed = 0
    for place in ruleset.tables.values():
        for name in list(place.chains):
            if name in COMMON or (name != FIREWALL and is_hashed(name)):
                ruleset.delete_chain(place.name, name)
                removed += 1
    return removed
