"""The table kube-proxy: its base chains, the maps in which a packet is looked up, and names.

    filter-...-pre-dnat     at priority -110: who may not come in ends before he is rewritten
    nat-...                 look the packet up in service-ips and service-nodeports
    filter-...              what was not rewritten although it should have been ends here
    service-HASH-...    picks an endpoint          external-HASH-...  takes traffic from outside
    endpoint-HASH-...   sends to one endpoint      firewall-HASH-...  drops who may not come in

Rule of use: a name has room for the Service's own, so that it can be read.

Upstream: pkg/proxy/nftables/proxier.go (setupNFTables, hashAndTruncate)
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Sequence
from functools import lru_cache

from k8slab.linux.nft import NftChain, NftSet, NftTable
from k8slab.node.kube_proxy.config import Config
from k8slab.node.kube_proxy.types import IPV4

TABLE = "kube-proxy"
HASH_LENGTH, NAME_LENGTH = 8, 256 - 16  # NFTNAMSIZ less the longest prefix
OWN_PREFIXES = ("service-", "local-", "external-", "firewall-", "endpoint-")

_ADDRESS = "{address} . inet_proto . inet_service : verdict"
_PORT = "inet_proto . inet_service : verdict"
MAPS = {  # name -> type, comment
    "firewall-ips": (_ADDRESS, "destinations that are subject to LoadBalancerSourceRanges"),
    "no-endpoint-nodeports": (
        _PORT,
        "vmap to drop or reject packets to service nodeports with no endpoints",
    ),
    "no-endpoint-services": (
        _ADDRESS,
        "vmap to drop or reject packets to services with no endpoints",
    ),
    "service-ips": (_ADDRESS, "ClusterIP, ExternalIP and LoadBalancer IP traffic"),
    "service-nodeports": (_PORT, "NodePort traffic"),
}
SETS = {"cluster-ips": "Active ClusterIPs", "nodeport-ips": "IPs that accept NodePort traffic"}
REJECT_COMMENT = "helper for @no-endpoint-services / @no-endpoint-nodeports"
BEFORE_DNAT = -110
# chain -> (type, hook, priority)
BASE_CHAINS = {
    "filter-prerouting-pre-dnat": ("filter", "prerouting", BEFORE_DNAT),
    "filter-output-pre-dnat": ("filter", "output", BEFORE_DNAT),
    "filter-input": ("filter", "input", 0),
    "filter-forward": ("filter", "forward", 0),
    "filter-output": ("filter", "output", 0),
    "nat-prerouting": ("nat", "prerouting", -100),
    "nat-output": ("nat", "output", -100),
    "nat-postrouting": ("nat", "postrouting", 100),
}
_NEW = "ct state new jump"


def nft_family(family: str) -> str:
    """Return what nftables calls a family of addresses."""
    return "ip" if family == IPV4 else "ip6"


def base(
    config: Config, node_ports_at: Sequence[str], service_cidrs: Sequence[str], family: str = IPV4
) -> NftTable:
    """Return the table without Services.

    `node_ports_at` are the addresses that have node ports, none for all local ones; addresses in
    `service_cidrs` that belong to no Service are dropped.
    """
    ip = nft_family(family)
    table = NftTable(ip, TABLE, "rules for kube-proxy")
    address = "ipv4_addr" if family == IPV4 else "ipv6_addr"
    for name, comment in SETS.items():
        table.sets[name] = NftSet(name, address, comment=comment)
    for name, (kind, comment) in MAPS.items():
        declared = kind.format(address=address)
        table.sets[name] = NftSet(name, declared, is_map=True, comment=comment)
    table.sets["nodeport-ips"].elements |= dict.fromkeys(node_ports_at, "")
    local = "127.0.0.0/8" if family == IPV4 else "::1"
    everywhere = f"fib daddr type local {ip} daddr != {local}"
    match = f"{ip} daddr @nodeport-ips" if node_ports_at else everywhere
    for name, rules in _rules(config.masquerade_mark, ip, match, service_cidrs).items():
        chain = NftChain(name, rules, comment=REJECT_COMMENT if name == "reject-chain" else "")
        chain.type, chain.hook, chain.priority = BASE_CHAINS.get(name, ("", "", 0))
        table.chains[name] = chain
    return table


def _rules(
    mark: str, ip: str, node_port_match: str, service_cidrs: Sequence[str]
) -> dict[str, list[str]]:
    """Return the rules of the common chains."""
    by_address = f"{ip} daddr . meta l4proto . th dport vmap"
    unallocated = (
        f"{ip} daddr {{ {', '.join(service_cidrs)} }} drop "
        'comment "Drop traffic to unallocated ClusterIPs"'
    )
    return {
        "filter-prerouting-pre-dnat": [f"{_NEW} firewall-check"],
        "filter-output-pre-dnat": [f"{_NEW} firewall-check"],
        "filter-input": [f"{_NEW} nodeport-endpoints-check", f"{_NEW} service-endpoints-check"],
        "filter-forward": [f"{_NEW} service-endpoints-check", f"{_NEW} cluster-ips-check"],
        "filter-output": [f"{_NEW} service-endpoints-check", f"{_NEW} cluster-ips-check"],
        "nat-prerouting": ["jump services"],
        "nat-output": ["jump services"],
        "nat-postrouting": ["jump masquerading"],
        "nodeport-endpoints-check": [
            f"{node_port_match} meta l4proto . th dport vmap @no-endpoint-nodeports"
        ],
        "service-endpoints-check": [f"{by_address} @no-endpoint-services"],
        "firewall-check": [f"{by_address} @firewall-ips"],
        "services": [
            f"{by_address} @service-ips",
            f"{node_port_match} meta l4proto . th dport vmap @service-nodeports",
        ],
        "cluster-ips-check": [
            f"{ip} daddr @cluster-ips reject "
            'comment "Reject traffic to invalid ports of ClusterIPs"',
            *([unallocated] if service_cidrs else []),
        ],
        "masquerading": [
            f"mark and {mark} == 0 return",
            # Take the mark off, or the packet would be masqueraded again if it came by again.
            f"mark set mark xor {mark}",
            "masquerade fully-random",
        ],
        "mark-for-masquerade": [f"mark set mark or {mark}"],
        "reject-chain": ["reject"],
    }


@lru_cache(maxsize=1 << 16)
def port_name(name: str, protocol: str) -> str:
    """Return the end of the chain names of a Service port, "namespace/name:port".

    >>> port_name("ns1/svc1:p80", "tcp")
    'ULMVA6XW-ns1/svc1/tcp/p80'
    """
    service, _, port = name.partition(":")
    return _hashed(f"{service}/{protocol}/{port}")


@lru_cache(maxsize=1 << 17)
def endpoint_name(name: str, protocol: str, address: str) -> str:
    """Return the end of the names of an endpoint's chain and set.

    >>> endpoint_name("ns1/svc1:p80", "tcp", "10.180.0.1:80")
    '5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80'
    """
    service, _, port = name.partition(":")
    ip, _, number = address.rpartition(":")
    # A name may hold no colon, and no brackets.
    ip = ip.strip("[]").replace(":", ".")
    return _hashed(f"{service}/{protocol}/{port}__{ip}/{number}")


def _hashed(name: str) -> str:
    digest = hashlib.sha256(name.encode()).digest()[: HASH_LENGTH * 5 // 8]  # 5 bits a character
    full = f"{b32encode(digest).decode()}-{name}"
    return full if len(full) <= NAME_LENGTH else f"{full[: NAME_LENGTH - 3]}..."
