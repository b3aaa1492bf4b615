"""The names of the chains that kube-proxy makes: a prefix and 16 characters of a hash.

A chain's name may have at most 28 characters, so the name of the Service cannot be part of it.
All chains of one Service port share one hash; a chain of an endpoint has its own.

    KUBE-SVC   picks one of all endpoints          KUBE-SVL   picks one of this node's endpoints
    KUBE-EXT   takes traffic from outside          KUBE-FW    lets the source ranges of a load
    KUBE-SEP   sends to one endpoint                          balancer through

Rule of use: the same name on every node and in every cluster, so a name can be looked up.

Upstream: pkg/proxy/iptables/proxier.go (servicePortPolicyClusterChain and its neighbours)
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from functools import lru_cache

SERVICES = "KUBE-SERVICES"
EXTERNAL_SERVICES = "KUBE-EXTERNAL-SERVICES"
NODEPORTS = "KUBE-NODEPORTS"
POSTROUTING = "KUBE-POSTROUTING"
MARK_MASQ = "KUBE-MARK-MASQ"
FORWARD = "KUBE-FORWARD"
PROXY_FIREWALL = "KUBE-PROXY-FIREWALL"
PROXY_CANARY = "KUBE-PROXY-CANARY"  # empty: if it is gone, somebody has flushed the rules
FIREWALL = "KUBE-FIREWALL"  # the kubelet's; kube-proxy makes sure that it is there

HASHED_PREFIXES = ("KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-", "KUBE-FW-", "KUBE-SEP-")
HASH_LENGTH = 16


def cluster_policy_chain(port_name: str, protocol: str) -> str:
    """Return the chain that picks one of all endpoints; `protocol` in lower case.

    >>> cluster_policy_chain("default/kubernetes:https", "tcp")
    'KUBE-SVC-NPX46M4PTMTKRN6Y'
    """
    return f"KUBE-SVC-{_hash(port_name + protocol)}"


def local_policy_chain(port_name: str, protocol: str) -> str:
    """Return the chain that picks one of the node's own endpoints."""
    return f"KUBE-SVL-{_hash(port_name + protocol)}"


def external_chain(port_name: str, protocol: str) -> str:
    """Return the chain for traffic to node ports, load balancers and external addresses."""
    return f"KUBE-EXT-{_hash(port_name + protocol)}"


def firewall_chain(port_name: str, protocol: str) -> str:
    """Return the chain that checks loadBalancerSourceRanges."""
    return f"KUBE-FW-{_hash(port_name + protocol)}"


@lru_cache(maxsize=1 << 17)
def endpoint_chain(port_name: str, protocol: str, endpoint: str) -> str:
    """Return the chain that sends to one endpoint, given as "ip:port" ("[ip]:port" for IPv6)."""
    return f"KUBE-SEP-{_hash(port_name + protocol + endpoint)}"


def is_hashed(chain: str) -> bool:
    """Say whether the chain belongs to a Service or an endpoint, and so may be removed."""
    return chain.startswith(HASHED_PREFIXES)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return b32encode(digest[: HASH_LENGTH * 5 // 8]).decode()  # 5 bits a character
