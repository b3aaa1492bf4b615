"""The path of a packet through one namespace: the five hooks of netfilter and the routing between.

    own socket -> OUTPUT -> route -> POSTROUTING -> wire
    wire -> PREROUTING -> route -> INPUT -> socket
                            `-----> FORWARD -> POSTROUTING -> wire

`send` starts with the first line, `receive` with the second, `bridge` passes a frame between the
ports of a bridge, where br_netfilter asks the same hooks. Whatever ends a packet says so to its
journey, and to its sender by an ICMP error where Linux does.

Rule of use: nothing here keeps a packet; state is in conntrack and in sockets.

Upstream: Linux net/ipv4/ip_output.c, ip_input.c, ip_forward.c, net/bridge/br_netfilter_hooks.c
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.linux import latency
from k8slab.linux.addresses import is_ipv6, is_loopback
from k8slab.linux.errors import NetworkUnreachable
from k8slab.linux.hooks import ACCEPT, DROP, REJECT, Context
from k8slab.linux.packet import ICMP6_KINDS, Packet, answer, icmp_error, rewrite

if TYPE_CHECKING:
    from k8slab.linux.links import Bridge, Interface
    from k8slab.linux.netns import NetNamespace


def send(ns: NetNamespace, packet: Packet) -> str:
    """Send a packet of a local socket; returns the verdict. Raises NetworkUnreachable."""
    way = ns.way(packet.dst)
    if way is None:
        raise NetworkUnreachable(packet.dst)
    context = None
    if ns.netfilter is not None:
        context = Context(packet, out_interface=way[0].name)
        before = packet
        verdict, packet = _ask(ns, "OUTPUT", packet, context)
        if verdict != ACCEPT:
            _stop(ns, verdict, packet, context)
            return verdict
        if packet.dst != before.dst:
            way = ns.way(packet.dst)
            if way is None:
                _record(ns, "NO ROUTE", packet)
                return DROP
            context.out_interface = way[0].name
    _leave(ns, packet, way, context)
    return ACCEPT


def receive(ns: NetNamespace, packet: Packet, device: Interface, port: Interface | None) -> None:
    """Take a packet off a device: deliver it here, forward it, or drop it."""
    if ns.closed:
        return
    context = None
    if ns.netfilter is not None:
        context = Context(packet, in_interface=device.name)
        context.physdev_in = port.name if port is not None else ""
        verdict, packet = _ask(ns, "PREROUTING", packet, context)
        if verdict != ACCEPT:
            _stop(ns, verdict, packet, context)
            return
        if port is not None and packet.dst != context.arrived.dst and _turns_back(ns, packet, port):
            _record(ns, "BRIDGE", packet, f"hairpin is off on {port.name}")
            return
    if not ns.is_local(packet.dst):
        _forward(ns, packet, device, context)
    elif is_loopback(packet.dst) and device is not ns.lo and not _routes_loopback(ns, packet):
        _record(ns, "MARTIAN", packet, f"{packet.dst} came in by {device.name}")
    else:
        _deliver(ns, packet, device, context)


def bridge(
    ns: NetNamespace, packet: Packet, device: Bridge, port: Interface, next_hop: str
) -> None:
    """Pass a frame on to the port that leads to `next_hop`; iptables sees it if the node says so.

    A rule may rewrite the destination on the way: then the packet is routed instead.
    """
    target = device.port_for(next_hop)
    if target is None or (target is port and not target.hairpin):
        _record(ns, "BRIDGE", packet, f"no port for {next_hop}")
        return
    if ns.netfilter is None or not ns.bridge_nf_call_iptables:
        _record(ns, "BRIDGE", packet, f"{port.name} to {target.name}")
        target.send_frame(packet, next_hop)
        return
    context = Context(packet, in_interface=device.name)
    context.physdev_in = port.name
    before = packet
    verdict, packet = _ask(ns, "PREROUTING", packet, context)
    if verdict == ACCEPT and packet.dst != before.dst:
        if ns.is_local(packet.dst):
            _deliver(ns, packet, device, context)
        else:
            _forward(ns, packet, device, context)
        return
    if verdict == ACCEPT:
        context.out_interface, context.physdev_out = device.name, target.name
        verdict, packet = _ask(ns, "FORWARD", packet, context)
    if verdict == ACCEPT:
        verdict, packet = _ask(ns, "POSTROUTING", packet, context)
    if verdict == ACCEPT:
        target.send_frame(packet, next_hop)
    else:
        _stop(ns, verdict, packet, context)


def reply_error(ns: NetNamespace, kind: str, packet: Packet) -> None:
    """Tell the sender of `packet` by an ICMP error, unless it is one itself.

    The kernel attaches its own errors to the connection that they answer, so the rules for new
    connections never see them: they go straight to the wire.
    """
    way = ns.way(packet.src)
    if packet.is_error or way is None:
        return
    source = ns.source_for(packet.src) if not ns.is_local(packet.src) else packet.src
    error = icmp_error(kind, packet, source)
    _record(ns, "ICMP", error, kind)
    way[0].transmit(error, way[1])


# -- the stages


def _deliver(ns: NetNamespace, packet: Packet, device: Interface, context: Context | None) -> None:
    if context is not None:
        verdict, packet = _ask(ns, "INPUT", packet, context)
        if verdict != ACCEPT:
            _stop(ns, verdict, packet, context)
            return
    ns.sockets.deliver(packet)


def _forward(ns: NetNamespace, packet: Packet, device: Interface, context: Context | None) -> None:
    arrived = context.arrived if context is not None else packet
    if not ns.forwards(packet.dst):
        ipv6 = is_ipv6(packet.dst)
        setting = "net.ipv6.conf.all.forwarding" if ipv6 else "net.ipv4.ip_forward"
        _record(ns, "DROP", packet, f"{setting} is 0")
        return
    way = ns.way(packet.dst)
    if way is None:
        _record(ns, "NO ROUTE", packet)
        reply_error(ns, "net-unreachable", arrived)
        return
    if packet.ttl <= 1:
        _record(ns, "TTL", packet, "time to live exceeded")
        reply_error(ns, "time-exceeded", arrived)
        return
    packet = rewrite(packet, ttl=packet.ttl - 1)
    if context is not None:
        context.out_interface = way[0].name
        verdict, packet = _ask(ns, "FORWARD", packet, context)
        if verdict != ACCEPT:
            _stop(ns, verdict, packet, context)
            return
    elif packet.leg is not None:
        packet.leg.record(ns, "FORWARD", packet, device_in=device.name, device_out=way[0].name)
    _leave(ns, packet, way, context)


def _leave(
    ns: NetNamespace, packet: Packet, way: tuple[Interface, str], context: Context | None
) -> None:
    device, next_hop = way
    arrived = packet
    if is_loopback(packet.src) and device is not ns.lo and not _routes_loopback(ns, packet):
        _record(ns, "MARTIAN", packet, f"{packet.src} must not leave by {device.name}")
        return
    if context is not None:
        arrived = context.arrived
        context.masquerade_as = ns.source_for(next_hop)
        verdict, packet = _ask(ns, "POSTROUTING", packet, context)
        if verdict != ACCEPT:
            _stop(ns, verdict, packet, context)
            return
    if packet.leg is not None:
        packet.leg.record(ns, "WIRE", packet, device_out=device.name, note=f"to {next_hop}")
    # What comes back over lo keeps its mark and its connection: the kernel does not judge it anew.
    if device is not ns.lo:
        packet = rewrite(packet, mark=0) if packet.mark else packet
    elif context is not None and (context.entry is not None or context.untracked):
        packet = rewrite(packet, tracked=(context.entry, context.reply))
    if not device.transmit(packet, next_hop):
        _record(ns, "NO NEIGHBOUR", packet, f"nobody answers for {next_hop} on {device.name}")
        ns.sim.after(
            latency.NEIGHBOUR_TIMEOUT,
            lambda: None if ns.closed else reply_error(ns, "host-unreachable", arrived),
            f"no neighbour {next_hop}",
        )


def _routes_loopback(ns: NetNamespace, packet: Packet) -> bool:
    """Say whether 127.0.0.0/8 may be on a wire; ::1 never may."""
    return ns.route_localnet and not is_ipv6(packet.dst)


def _turns_back(ns: NetNamespace, packet: Packet, port: Interface) -> bool:
    """Say whether a rewritten frame would leave by the bridge port that it came in by.

    With br_netfilter a frame whose destination was rewritten to the same bridge is bridged, not
    routed, and a bridge sends nothing back to its port unless hairpin is on.
    """
    if not ns.bridge_nf_call_iptables or port.hairpin or port.master is None:
        return False
    way = ns.way(packet.dst)
    return way is not None and way[0] is port.master and port.master.port_for(way[1]) is port


def _ask(ns: NetNamespace, hook: str, packet: Packet, context: Context) -> tuple[str, Packet]:
    """Let netfilter judge; a packet on a journey writes down every rule that matched."""
    assert ns.netfilter is not None
    if packet.leg is None:
        return ns.netfilter.run(hook, packet, context)
    context.visits = []
    verdict, after = ns.netfilter.run(hook, packet, context)
    packet.leg.record(
        ns,
        hook,
        packet,
        after,
        device_in=context.in_interface,
        device_out=context.out_interface,
        rules=tuple(context.visits),
        connection=ns.netfilter.conntrack.describe(context.connection),
        note="" if verdict == ACCEPT else verdict,
    )
    return verdict, after


def _stop(ns: NetNamespace, verdict: str, packet: Packet, context: Context) -> None:
    """End a packet that a rule dropped or rejected."""
    if verdict != REJECT:
        return
    if context.reject_with == "tcp-reset":
        if packet.protocol == "tcp" and "RST" not in packet.flags:
            way = ns.way(context.arrived.src)
            if way is not None:
                reset = answer(context.arrived, flags="RST,ACK", ack=context.arrived.seq + 1)
                way[0].transmit(reset, way[1])
        return
    kind = context.reject_with.removeprefix("icmp-").removeprefix("icmp6-")
    reply_error(ns, ICMP6_KINDS.get(kind, kind), context.arrived)


def _record(ns: NetNamespace, point: str, packet: Packet, note: str = "") -> None:
    if packet.leg is not None:
        packet.leg.record(ns, point, packet, note=note)
