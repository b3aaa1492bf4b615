"""The table kube-proxy: its base chains, the maps in which a packet is looked up, and names.

    filter-*            at priority -110: what cannot be delivered ends before it is rewritten
    nat-*               look the packet up in service-ips and service-nodeports
    service-HASH-...    picks an endpoint          external-HASH-...  takes traffic from outside
    endpoint-HASH-...   sends to one endpoint      firewall-HASH-...  drops who may not come in

Rule of use: a name has room for the Service's own, so that it can be read.

Upstream: pkg/proxy/nftables/proxier.go (setupNFTables, hashAndTruncate)
"""

from __future__ import annotations

import hashlib
from base64 import b32encode

from k8slab.linux.nft_text import NftChain, NftRuleset, NftSet
from k8slab.node.kube_proxy.config import Config

TABLE = "kube-proxy"
HASH_LENGTH, NAME_LENGTH = 8, 256 - 16  # NFTNAMSIZ less the longest prefix

_ADDRESS = "type ipv4_addr . inet_proto . inet_service : verdict ;"
_PORT = "type inet_proto . inet_service : verdict ;"
MAPS = {
    "no-endpoint-services": _ADDRESS,
    "no-endpoint-nodeports": _PORT,
    "firewall-ips": _ADDRESS,
    "service-ips": _ADDRESS,
    "service-nodeports": _PORT,
}
SETS = {"cluster-ips": "Active ClusterIPs", "nodeport-ips": "IPs that accept NodePort traffic"}
# chain -> (type, hook, priority): filters come before the nat of the same hook (-100)
BASE_CHAINS = {
    "filter-prerouting": ("filter", "prerouting", -110),
    "filter-input": ("filter", "input", -110),
    "filter-forward": ("filter", "forward", -110),
    "filter-output": ("filter", "output", -110),
    "filter-output-post-dnat": ("filter", "output", -90),
    "nat-prerouting": ("nat", "prerouting", -100),
    "nat-output": ("nat", "output", -100),
    "nat-postrouting": ("nat", "postrouting", 100),
}
_BY_ADDRESS = "ip daddr . meta l4proto . th dport vmap"
_NEW = "ct state new jump"


def base(config: Config, node_port_match: str) -> NftRuleset:
    """Return the table without Services; `node_port_match` says which addresses have node ports."""
    ruleset = NftRuleset(TABLE, '{ comment "rules for kube-proxy" ; }')
    for name, declaration in MAPS.items():
        ruleset.sets[name] = NftSet(name, f"{{ {declaration} }}", True, {})
    for name, comment in SETS.items():
        declaration = f'{{ type ipv4_addr ; comment "{comment}" ; }}'
        ruleset.sets[name] = NftSet(name, declaration, False, {})
    for name, (kind, hook, priority) in BASE_CHAINS.items():
        declaration = f"{{ type {kind} hook {hook} priority {priority} ; }}"
        ruleset.chains[name] = NftChain(name, declaration, kind, hook, priority, [])
    for name, rules in _rules(config.masquerade_mark, node_port_match).items():
        ruleset.chains.setdefault(name, NftChain(name, rules=[])).rules += rules
    return ruleset


def _rules(mark: str, node_port_match: str) -> dict[str, list[str]]:
    """Return the rules of the common chains; what is jumped to comes before who jumps."""
    return {
        "reject-chain": ["reject"],
        "mark-for-masquerade": [f"meta mark set meta mark or {mark}"],
        "masquerading": [
            f"meta mark and {mark} == 0 return",
            f"meta mark set meta mark xor {mark}",
            "masquerade fully-random",
        ],
        "firewall-check": [f"{_BY_ADDRESS} @firewall-ips"],
        "service-endpoints-check": [f"{_BY_ADDRESS} @no-endpoint-services"],
        "nodeport-endpoints-check": [
            f"{node_port_match} meta l4proto . th dport vmap @no-endpoint-nodeports"
        ],
        "cluster-ips-check": [
            'ip daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"'
        ],
        "services": [
            f"{_BY_ADDRESS} @service-ips",
            f"{node_port_match} meta l4proto . th dport vmap @service-nodeports",
        ],
        "filter-prerouting": [f"{_NEW} firewall-check"],
        "filter-input": [f"{_NEW} nodeport-endpoints-check", f"{_NEW} service-endpoints-check"],
        "filter-forward": [f"{_NEW} service-endpoints-check", f"{_NEW} cluster-ips-check"],
        "filter-output": [f"{_NEW} service-endpoints-check", f"{_NEW} firewall-check"],
        "filter-output-post-dnat": [f"{_NEW} cluster-ips-check"],
        "nat-prerouting": ["jump services"],
        "nat-output": ["jump services"],
        "nat-postrouting": ["jump masquerading"],
    }


def port_name(name: str, protocol: str) -> str:
    """Return the end of the chain names of a Service port, "namespace/name:port".

    >>> port_name("ns1/svc1:p80", "tcp")
    'ULMVA6XW-ns1/svc1/tcp/p80'
    """
    service, _, port = name.partition(":")
    return _hashed(f"{service}/{protocol}/{port}")


def endpoint_name(name: str, protocol: str, address: str) -> str:
    """Return the end of the names of an endpoint's chain and set.

    >>> endpoint_name("ns1/svc1:p80", "tcp", "10.180.0.1:80")
    '5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80'
    """
    service, _, port = name.partition(":")
    ip, _, number = address.rpartition(":")
    return _hashed(f"{service}/{protocol}/{port}__{ip}/{number}")


def _hashed(name: str) -> str:
    digest = b32encode(hashlib.sha256(name.encode()).digest()).decode()[:HASH_LENGTH]
    full = f"{digest}-{name}"
    return full if len(full) <= NAME_LENGTH else f"{full[: NAME_LENGTH - 3]}..."
