"""What a kube-proxy takes away that ran in another mode before it on the same node.

Rules of iptables and tables of nftables live side by side in the kernel, and both would act.

Rule of use: the kubelet's chain KUBE-FIREWALL stays.

Upstream: pkg/proxy/iptables/cleanup.go, cmd/kube-proxy/app/server_linux.go (platformCleanup)
"""

from __future__ import annotations

from k8slab.linux.chains import Rule
from k8slab.linux.netfilter import Ruleset
from k8slab.linux.netns import NetNamespace
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
from k8slab.node.kube_proxy.nftables.chains import TABLE

COMMON = (
    SERVICES, EXTERNAL_SERVICES, NODEPORTS, POSTROUTING, MARK_MASQ, FORWARD, PROXY_FIREWALL,
    PROXY_CANARY,
)  # fmt: skip


def clean(net: NetNamespace) -> None:
    """Take away whatever a kube-proxy has left on a node, in either mode: `--cleanup`."""
    clean_iptables(net.ruleset)
    clean_iptables(net.ruleset6)
    for family in ("ip", "ip6"):
        net.nft.delete_table(family, TABLE)


def rules_of(ruleset: Ruleset, table: str) -> int:
    """Return how many rules of a table are kube-proxy's."""
    found = ruleset.tables.get(table)
    return sum(
        len(chain.rules)
        if name in COMMON or is_hashed(name)
        else sum(_leads_to_ours(rule) for rule in chain.rules)
        for name, chain in (found.chains.items() if found is not None else ())
    )


def _leads_to_ours(rule: Rule) -> bool:
    return isinstance(rule.target, Jump) and rule.target.chain in COMMON


def clean_iptables(ruleset: Ruleset) -> int:
    """Remove every chain of the iptables mode with the jumps to it; return how many chains."""
    for table, chain, _ in jumps():
        if table in ruleset.tables:
            for rule in ruleset.rules(table, chain):
                if _leads_to_ours(rule):
                    ruleset.delete_rule(table, chain, rule)
    removed = 0
    for place in ruleset.tables.values():
        for name in list(place.chains):
            if name in COMMON or (name != FIREWALL and is_hashed(name)):
                ruleset.delete_chain(place.name, name)
                removed += 1
    return removed
