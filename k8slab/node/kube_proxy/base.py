"""The rules that do not depend on any Service: jumps, masquerading, forwarding.

`jumps` hang kube-proxy's chains into the kernel's own ones, `base_chains` fill the common chains.
A packet that must get the node's address is marked in KUBE-MARK-MASQ and masqueraded at its very
end, in KUBE-POSTROUTING.

Rule of use: the kernel's chains belong to everybody: only add to them, and only what is missing.

Upstream: pkg/proxy/iptables/proxier.go (iptablesJumpChains, syncProxyRules)
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

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
)
from k8slab.node.kube_proxy.config import PRIMARY, Config
from k8slab.node.kube_proxy.topology import NodeView
from k8slab.node.kube_proxy.types import IPV4, IPV6

Place = tuple[str, str]  # table, chain

_NEW = "-m conntrack --ctstate NEW "


def _jump(chain: str, comment: str, match: str = "") -> str:
    return f'{match}-m comment --comment "{comment}" -j {chain}'


# In upstream's order; each is put before the ones that are there, so the last comes first.
_EXTERNAL = _jump(EXTERNAL_SERVICES, "kubernetes externally-visible service portals", _NEW)
_PORTALS = _jump(SERVICES, "kubernetes service portals", _NEW)
_LB_FIREWALL = _jump(PROXY_FIREWALL, "kubernetes load balancer firewall", _NEW)
_JUMPS: tuple[tuple[str, str, str], ...] = (
    ("filter", "INPUT", _EXTERNAL),
    ("filter", "FORWARD", _EXTERNAL),
    ("filter", "INPUT", _jump(NODEPORTS, "kubernetes health check service ports")),
    ("filter", "FORWARD", _PORTALS),
    ("filter", "OUTPUT", _PORTALS),
    ("filter", "FORWARD", _jump(FORWARD, "kubernetes forwarding rules")),
    ("filter", "INPUT", _LB_FIREWALL),
    ("filter", "OUTPUT", _LB_FIREWALL),
    ("filter", "FORWARD", _LB_FIREWALL),
    ("nat", "OUTPUT", _jump(SERVICES, "kubernetes service portals")),
    ("nat", "PREROUTING", _jump(SERVICES, "kubernetes service portals")),
    ("nat", "POSTROUTING", _jump(POSTROUTING, "kubernetes postrouting rules")),
)
# The kubelet makes these two as well; whoever comes first.
_KUBELET_JUMPS: tuple[tuple[str, str, str], ...] = (
    ("filter", "INPUT", f"-j {FIREWALL}"),
    ("filter", "OUTPUT", f"-j {FIREWALL}"),
)


def jumps() -> tuple[tuple[str, str, str], ...]:
    """Return (table, chain of the kernel, rule) in the order in which they are prepended."""
    return _KUBELET_JUMPS + _JUMPS


def base_chains(config: Config, family: str = IPV4) -> dict[Place, tuple[str, ...]]:
    """Return the rules of the common chains that no Service adds to, and of the empty ones."""
    mark = f"{config.masquerade_mark}/{config.masquerade_mark}"
    chains: dict[Place, tuple[str, ...]] = {
        ("mangle", PROXY_CANARY): (),
        ("filter", PROXY_CANARY): (),
        ("filter", FIREWALL): _firewall(config) if family == IPV4 else (),
        ("filter", FORWARD): _forward(config, mark),
        ("nat", PROXY_CANARY): (),
        ("nat", MARK_MASQ): (f"-j MARK --set-xmark {mark}",),
        ("nat", POSTROUTING): (
            f"-m mark ! --mark {mark} -j RETURN",
            # Take the mark off, or the packet would be masqueraded again if it came by again.
            f"-j MARK --set-xmark {config.masquerade_mark}/0x0",
            '-m comment --comment "kubernetes service traffic requiring SNAT" '
            "-j MASQUERADE --random-fully",
        ),
    }
    return chains


def services_tail(config: Config, node: NodeView, family: str = IPV4) -> tuple[str, ...]:
    """Return the last rules of KUBE-SERVICES: what goes to the node itself may be a node port."""
    text = "kubernetes service nodeports; NOTE: this must be the last rule in this chain"
    comment = f'-m comment --comment "{text}"'
    if not config.node_port_addresses:
        # Node ports on ::1 there are none: IPv6 has no route_localnet.
        own = "127.0.0.0/8" if family == IPV4 else "::1/128"
        loopback = f"! -d {own} " if family == IPV6 or not config.localhost_node_ports else ""
        return (f"{loopback}{comment} -m addrtype --dst-type LOCAL -j {NODEPORTS}",)
    bits = 32 if family == IPV4 else 128
    ips = node_port_ips(config, node, family)
    return tuple(f"-d {ip}/{bits} {comment} -j {NODEPORTS}" for ip in ips)


def node_port_ips(config: Config, node: NodeView, family: str = IPV4) -> list[str]:
    """Return the node's addresses at which node ports work, if they are limited to some."""
    networks = [ip_network(each) for each in config.node_port_addresses if each != PRIMARY]
    found, primary = [], node.own_ip(family)
    for ip in dict.fromkeys((primary, *node.addresses)):
        if not ip or (":" in ip) != (family == IPV6) or ip == "::1":
            continue
        if ip.startswith("127.") and not config.localhost_node_ports:
            continue
        is_primary = ip == primary and PRIMARY in config.node_port_addresses
        if is_primary or any(ip_address(ip) in network for network in networks):
            found.append(ip)
    return found


def _firewall(config: Config) -> tuple[str, ...]:
    if not config.localhost_node_ports:
        return ()
    # Node ports on localhost need route_localnet, which lets neighbours reach 127.0.0.1: not here.
    return (
        '! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet '
        'connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
    )


def _forward(config: Config, mark: str) -> tuple[str, ...]:
    rules = (
        f'-m comment --comment "kubernetes forwarding rules" -m mark --mark {mark} -j ACCEPT',
        '-m comment --comment "kubernetes forwarding conntrack rule" '
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    )
    if config.conntrack_tcp_be_liberal:
        return rules
    # A packet out of its window would reach the client with the endpoint's address, and be reset.
    return ("-m conntrack --ctstate INVALID -j DROP", *rules)
