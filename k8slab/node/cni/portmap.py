"""hostPort: a port of the node that leads to one Pod.

One chain per sandbox, CNI-DN-..., is called from CNI-HOSTPORT-DNAT, which PREROUTING and OUTPUT
ask for packets to the node's own addresses. Pods of the node are masqueraded on the way, so that
the answer comes back through the node, and so is 127.0.0.1; ::1 never leaves its machine.

Each address of the Pod has such rules, in iptables or in ip6tables.

Rule of use: `install` and `uninstall` change the nat tables of the host; `rules` is pure.

Upstream: containernetworking/plugins plugins/meta/portmap
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from k8slab.linux.addresses import ip_int, is_ipv6, joined
from k8slab.linux.netfilter import Ruleset
from k8slab.linux.netns import NetNamespace
from k8slab.node.interfaces import PortMappings

TOP, MARK_CHAIN, MASQ_CHAIN = "CNI-HOSTPORT-DNAT", "CNI-HOSTPORT-SETMARK", "CNI-HOSTPORT-MASQ"
MARK = "0x2000/0x2000"
CHAIN_DIGITS = 21  # of the hash: an iptables chain has at most 28 characters
MULTIPORT = 15  # ports that one match of multiport takes
_HEAD = f"""*nat
:{TOP} - [0:0]
:{MARK_CHAIN} - [0:0]
:{MASQ_CHAIN} - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j {TOP}
-A OUTPUT -m addrtype --dst-type LOCAL -j {TOP}
-A {MARK_CHAIN} -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark {MARK}
-A {MASQ_CHAIN} -m mark --mark {MARK} -j MASQUERADE
COMMIT
"""
# The first rule of its chain: what others masquerade must not come before.
_MASQUERADE = f'-m comment --comment "CNI portfwd requiring masquerade" -j {MASQ_CHAIN}'


def chain_name(sandbox_id: str) -> str:
    """Return the name of a sandbox's chain."""
    return f"CNI-DN-{hashlib.sha512(f'kindnet{sandbox_id}'.encode()).hexdigest()[:CHAIN_DIGITS]}"


def rules(sandbox_id: str, address: str, mappings: PortMappings) -> str:
    """Return the sandbox's rules for one of its addresses ("10.244.1.2/24").

    Text for `iptables-restore --noflush`, or for ip6tables.
    """
    chain, ip = chain_name(sandbox_id), address.partition("/")[0]
    lines = ["*nat", f":{chain} - [0:0]"]
    for mapping in mappings:
        lines += _dnat(chain, address, ip, *mapping)
    comment = f'dnat name: \\"kindnet\\" id: \\"{sandbox_id}\\"'
    for name, ports in _groups(mappings):
        lines.append(
            f'-A {TOP} -p {name} -m comment --comment "{comment}" '
            f"-m multiport --dports {ports} -j {chain}"
        )
    return "\n".join([*lines, "COMMIT", ""])


def _dnat(
    chain: str, address: str, ip: str, protocol: str, host_ip: str, host_port: int, port: int
) -> list[str]:
    """Return the rules of one port, none if it is at an address of the other family."""
    ipv6, name = is_ipv6(ip), protocol.lower()
    if host_ip and is_ipv6(host_ip) != ipv6:
        return []
    is_one = host_ip and ip_int(host_ip) != 0
    where = f"-d {host_ip}/{128 if ipv6 else 32} " if is_one else ""
    match = f"{where}-p {name} -m {name} --dport {host_port}"
    local = [] if ipv6 else [f"-A {chain} -s 127.0.0.1/32 {match} -j {MARK_CHAIN}"]
    return [
        f"-A {chain} -s {address} {match} -j {MARK_CHAIN}",
        *local,
        f"-A {chain} {match} -j DNAT --to-destination {joined(ip, port)}",
    ]


def _groups(mappings: PortMappings) -> Iterator[tuple[str, str]]:
    """Yield protocols with their ports, as many as one rule can name."""
    for name in sorted({mapping[0].lower() for mapping in mappings}):
        ports = [str(mapping[2]) for mapping in mappings if mapping[0].lower() == name]
        for first in range(0, len(ports), MULTIPORT):
            yield name, ",".join(ports[first : first + MULTIPORT])


def install(
    net: NetNamespace, sandbox_id: str, addresses: Sequence[str], mappings: PortMappings
) -> None:
    """Let the host's ports lead to the Pod, at the host's addresses of each of its families."""
    for address in addresses:
        ruleset = _ruleset(net, address)
        if f":{TOP} " not in ruleset.save("nat"):
            ruleset.restore(_HEAD, noflush=True, strict=True)
            ruleset.ensure_rule("nat", "POSTROUTING", _MASQUERADE, prepend=True)
        if not is_ipv6(address):
            net.route_localnet = True  # the plugin sets it, so that 127.0.0.1 may be rewritten
        ruleset.restore(rules(sandbox_id, address, mappings), noflush=True, strict=True)
    # Flows from before the rules would go on to whoever had the port, or to nobody.
    for protocol, _, host_port, _ in mappings:
        if protocol.lower() == "udp":
            net.conntrack.delete(protocol="udp", original_dport=host_port)


def uninstall(net: NetNamespace, sandbox_id: str, addresses: Sequence[str]) -> None:
    """Take the sandbox's rules away."""
    chain = chain_name(sandbox_id)
    for address in addresses:
        ruleset = _ruleset(net, address)
        kept = [
            line
            for line in ruleset.save("nat").splitlines()
            if line.startswith(f"-A {TOP} ") and not line.endswith(f"-j {chain}")
        ]
        lines = ["*nat", f":{TOP} - [0:0]", f":{chain} - [0:0]", *kept, "COMMIT", ""]
        ruleset.restore("\n".join(lines), noflush=True)
        ruleset.delete_chain("nat", chain)


def _ruleset(net: NetNamespace, address: str) -> Ruleset:
    return net.ruleset6 if is_ipv6(address) else net.ruleset
