"""Network address translation: decided once for a connection, then applied to every packet.

The nat table sees only the first packet of a connection. A DNAT rule (PREROUTING, OUTPUT) gives
the connection another destination, SNAT and MASQUERADE (POSTROUTING, INPUT) another source; both
are written into the conntrack entry's reply tuple. Later packets, and all answers, are rewritten
from the entry: that is why a connection stays on its Pod when the rules change.

Rule of use: `decide` for a new connection at each hook, then `translate`.

Upstream: Linux net/netfilter/nf_nat_core.c, nf_nat_masquerade.c
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.linux.addresses import LOOPBACK6, is_ipv6
from k8slab.linux.conntrack import Conntrack, Entry
from k8slab.linux.context import Context
from k8slab.linux.packet import Packet, rewrite
from k8slab.linux.targets import Nat

DESTINATION_HOOKS = ("PREROUTING", "OUTPUT")
RANDOM_PORTS = (1024, 65535)  # of sources that had a port above 1023
PORT_ATTEMPTS = 128


def decide(
    target: Nat, context: Context, conntrack: Conntrack, random: Callable[[], float]
) -> None:
    """Write what a NAT target means for the connection into its entry."""
    entry = context.entry
    assert entry is not None
    if target.kind in ("DNAT", "REDIRECT"):
        _new_destination(target, context, entry, random)
    else:
        _new_source(target, context, entry, conntrack, random)


def translate(packet: Packet, entry: Entry, reply: bool, hook: str) -> Packet:
    """Return the packet with the addresses that the connection has from this hook on."""
    destination = hook in DESTINATION_HOOKS
    needed = entry.dnat if destination != reply else entry.snat
    if not needed:
        return packet
    other = entry.original if reply else entry.reply
    if packet.inner is not None:
        return _translate_error(packet, entry, reply, destination)
    ip, port = (other[1], other[2]) if destination else (other[3], other[4])
    if packet.protocol == "icmp":
        return rewrite(packet, dst=ip) if destination else rewrite(packet, src=ip)
    if destination:
        return rewrite(packet, dst=ip, dport=port)
    return rewrite(packet, src=ip, sport=port)


def _translate_error(packet: Packet, entry: Entry, reply: bool, destination: bool) -> Packet:
    """Rewrite an ICMP error and the packet that it quotes, which travelled the other way."""
    inner = packet.inner
    assert inner is not None
    other = entry.original if reply else entry.reply
    if destination:
        ip, port = other[1], other[2]
        inner = rewrite(inner, src=ip, sport=port)
        return rewrite(packet, dst=ip, inner=inner)
    ip, port = other[3], other[4]
    source = ip if packet.src == inner.dst else packet.src
    return rewrite(packet, src=source, inner=rewrite(inner, dst=ip, dport=port))


def _new_destination(
    target: Nat, context: Context, entry: Entry, random: Callable[[], float]
) -> None:
    protocol, ip, port, src, sport = entry.reply
    if target.kind == "REDIRECT":
        own = LOOPBACK6 if is_ipv6(ip) else "127.0.0.1"
        ip = own if not context.in_interface else context.masquerade_as or ip
    elif target.ips:
        ip = target.ips[int(random() * len(target.ips))] if len(target.ips) > 1 else target.ips[0]
    if target.ports is not None:
        low, high = target.ports
        port = low if low == high else low + int(random() * (high - low + 1))
    entry.reply = (protocol, ip, port, src, sport)
    entry.dnat = (ip, port) != (entry.original[3], entry.original[4])


def _new_source(
    target: Nat,
    context: Context,
    entry: Entry,
    conntrack: Conntrack,
    random: Callable[[], float],
) -> None:
    protocol, src, sport, _, port = entry.reply
    ip = target.ips[0] if target.ips else context.masquerade_as
    low, high = target.ports or RANDOM_PORTS
    if target.ports is not None and not low <= port <= high:
        port = low
    if protocol != "icmp":
        for _ in range(PORT_ATTEMPTS):
            wanted = target.random_fully or target.random
            if not wanted and conntrack.is_free((protocol, src, sport, ip, port)):
                break
            port = low + int(random() * (high - low + 1))
            if conntrack.is_free((protocol, src, sport, ip, port)):
                break
    entry.reply = (protocol, src, sport, ip, port)
    entry.snat = (ip, port) != (entry.original[1], entry.original[2])
