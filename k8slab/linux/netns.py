"""A network namespace: its devices, addresses, routes, rules, connections and sockets.

Every node and every Pod has one. Programs use `listen`, `connect`, `udp` and `ping`; the CNI adds
devices and routes; kube-proxy restores rules. A namespace without rules tracks no connections
and has no netfilter at all, which keeps Pods light.

Rule of use: `close` it when its Pod is gone; packets to it are lost from then on. A socket belongs
to the process whose code opened it, unless it is given another owner.

Upstream: Linux net/core/net_namespace.c, net/ipv4/af_inet.c
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from k8slab.linux import ip_path
from k8slab.linux.addresses import LOOPBACK6, is_ipv6, is_loopback
from k8slab.linux.errors import NetworkUnreachable
from k8slab.linux.journey import Journey
from k8slab.linux.links import Bridge, Dummy, Ethernet, Interface, Loopback, Segment, Veth
from k8slab.linux.packet import Packet
from k8slab.linux.routes import RouteTable
from k8slab.linux.sockets import ANY, SocketTable
from k8slab.linux.tcp import Connection
from k8slab.linux.tcp_open import Listener, connect
from k8slab.linux.udp import UdpSocket, ping
from k8slab.sim import Simulation

if TYPE_CHECKING:
    from k8slab.linux.conntrack import Conntrack
    from k8slab.linux.hooks import Netfilter
    from k8slab.linux.netfilter import Ruleset
    from k8slab.linux.nft import NftRuleset
    from k8slab.linux.sctp import Association
    from k8slab.linux.sctp_open import SctpListener

Device = TypeVar("Device", bound=Interface)


class NetNamespace:
    """One network stack; lo is there and up from the start."""

    def __init__(self, sim: Simulation, name: str) -> None:
        self.sim = sim
        self.name = name
        self.closed = False
        self.interfaces: dict[str, Interface] = {}
        self.routes = RouteTable()
        self.routes6 = RouteTable()
        self.ip_forward = False  # net.ipv4.ip_forward
        self.ip6_forward = False  # net.ipv6.conf.all.forwarding
        self.route_localnet = False  # net.ipv4.conf.all.route_localnet
        self.bridge_nf_call_iptables = True  # net.bridge.bridge-nf-call-iptables
        self.netfilter: Netfilter | None = None
        # How its programs search for a name, if not as `resolver.queries`.
        self.queries: Callable[..., list[str]] | None = None
        # When its HTTP clients keep a connection, if not as `http.keeps_open`.
        self.keeps_open: Callable[..., bool] | None = None
        self._local: dict[str, Interface] = {}
        self._index = 0
        self.lo = self._add(Loopback, "lo")
        self.lo.add_address("127.0.0.1/8")
        self.sockets = SocketTable(self)

    # -- devices and addresses

    def add_bridge(self, name: str, *cidrs: str) -> Bridge:
        """Add a bridge that owns the addresses, such as cni0 with "10.244.1.1/24"."""
        return self._addressed(self._add(Bridge, name), cidrs)

    def add_ethernet(self, name: str, segment: Segment, *cidrs: str) -> Ethernet:
        """Add a network card on the segment."""
        device = self._add(Ethernet, name)
        device.segment = segment
        segment.ports.append(device)
        return self._addressed(device, cidrs)

    def add_dummy(self, name: str, *cidrs: str) -> Dummy:
        """Add a device that only holds addresses; it is down, which does not matter to them."""
        device = self._add(Dummy, name)
        device.up = False
        return self._addressed(device, cidrs)

    def remove(self, name: str) -> None:
        """Take the device away, with its addresses, routes and, for a veth, its other end."""
        device = self.interfaces.pop(name, None)
        if device is None:
            return
        device.up = False
        for cidr in device.addresses:
            self._disown(cidr.partition("/")[0])
        self.routes.remove_device(name)
        self.routes6.remove_device(name)
        if isinstance(device, Veth):
            if device.master is not None:
                device.master.detach(device)
            device.peer.namespace.remove(device.peer.name)
        elif isinstance(device, Ethernet):
            device.segment.ports.remove(device)

    def is_local(self, ip: str) -> bool:
        """Say whether the namespace owns the address (127.0.0.0/8 and ::1 are always its own)."""
        return ip in self._local or is_loopback(ip)

    def routes_for(self, ip: str) -> RouteTable:
        """Return the routes for addresses of this one's family."""
        return self.routes6 if is_ipv6(ip) else self.routes

    def forwards(self, ip: str) -> bool:
        """Say whether packets to others are passed on, for the family of an address."""
        return self.ip6_forward if is_ipv6(ip) else self.ip_forward

    @property
    def local_addresses(self) -> tuple[str, ...]:
        """Every address that the namespace owns, in the order in which they were added."""
        return tuple(self._local)

    def way(self, ip: str) -> tuple[Interface, str] | None:
        """Return the device and the next hop for an address, None if there is no route."""
        if self.is_local(ip):
            return self.lo, ip
        route = self.routes_for(ip).lookup(ip)
        if route is None or route.kind != "unicast":
            return None
        device = self.interfaces.get(route.device)
        if device is None or not device.up:
            return None
        return device, route.gateway or ip

    def source_for(self, ip: str) -> str:
        """Return the address from which a packet to `ip` leaves. Raises NetworkUnreachable."""
        if self.is_local(ip):
            return ip
        ipv6 = is_ipv6(ip)
        route = self.routes_for(ip).lookup(ip)
        if route is not None and route.source:
            return route.source
        way = self.way(ip)
        if way is None:
            raise NetworkUnreachable(ip)
        if own := way[0].ip_of(ipv6):
            return own
        others = (own for own in self._local if not is_loopback(own) and is_ipv6(own) == ipv6)
        return next(others, "::" if ipv6 else "0.0.0.0")

    # -- what programs do

    def listen(
        self, ip: str, port: int, protocol: str = "tcp", *, owner: object = None
    ) -> Listener:
        """Accept TCP connections to ip:port ("0.0.0.0" for every address, port 0 for any).

        Raises AddressInUse and AddressNotAvailable.
        """
        if protocol.lower() != "tcp":
            raise ValueError("listen is for TCP, use udp() or sctp_listen()")
        return Listener(self, _both_families(ip), port, owner or self.sim.group)

    async def connect(
        self,
        ip: str,
        port: int,
        *,
        timeout: float | None = None,
        source: str = "",
        owner: object = None,
        journey: Journey | None = None,
    ) -> Connection:
        """Open a TCP connection; `timeout` in virtual seconds, by default the kernel's 127.

        Raises ConnectionRefused, TimedOut, NoRoute, NetworkUnreachable.
        """
        owner = owner or self.sim.group
        return await connect(self, ip, port, timeout, source, owner, journey)

    def udp(
        self,
        ip: str = "0.0.0.0",
        port: int = 0,
        *,
        owner: object = None,
        journey: Journey | None = None,
    ) -> UdpSocket:
        """Open a UDP socket on ip:port (port 0: any). Raises AddressInUse, AddressNotAvailable."""
        return UdpSocket(self, _both_families(ip), port, owner or self.sim.group, journey)

    def sctp_listen(self, ip: str, port: int, *, owner: object = None) -> SctpListener:
        """Accept SCTP associations to ip:port, as `listen` does TCP connections."""
        from k8slab.linux.sctp_open import SctpListener

        return SctpListener(self, _both_families(ip), port, owner or self.sim.group)

    async def sctp_connect(
        self,
        ip: str,
        port: int,
        *,
        timeout: float | None = None,
        owner: object = None,
        journey: Journey | None = None,
    ) -> Association:
        """Open an SCTP association; `timeout` in virtual seconds, by default nine INITs' time.

        Raises ConnectionRefused (nobody listens there), TimedOut, NetworkUnreachable.
        """
        from k8slab.linux.sctp_open import connect

        return await connect(self, ip, port, timeout, owner or self.sim.group, journey)

    async def ping(
        self, ip: str, *, timeout: float | None = None, journey: Journey | None = None
    ) -> float:
        """Send one ICMP echo and return the round-trip time in seconds.

        Raises TimedOut, NoRoute, ConnectionRefused (an ICMP port unreachable came back),
        ProhibitedByFilter (the own OUTPUT chain says no), NetworkUnreachable.
        """
        return await ping(self, ip, timeout, journey)

    def close_owned_by(self, owner: object) -> None:
        """Close the sockets of a process that ended, as its kernel does: FIN, or RST."""
        self.sockets.close_owned_by(owner)

    def close(self) -> None:
        """Take the whole namespace away; nothing is sent, who talks to it will wait in vain."""
        self.closed = True
        self.sockets.abandon()
        for name in list(self.interfaces):
            self.remove(name)

    # -- rules

    @property
    def ruleset(self) -> Ruleset:
        """The netfilter rules of the namespace; asking for them loads netfilter."""
        return self._load_netfilter().ruleset

    @property
    def ruleset6(self) -> Ruleset:
        """The rules of ip6tables, which IPv6 packets meet in the place of those of iptables."""
        return self._load_netfilter().ruleset6

    @property
    def nft(self) -> NftRuleset:
        """The nftables rules of the namespace, which packets meet beside those of iptables."""
        return self._load_netfilter().nft

    @property
    def conntrack(self) -> Conntrack:
        """The connection tracking table; asking for it loads netfilter."""
        return self._load_netfilter().conntrack

    def iptables_restore(self, text: str, *, noflush: bool = False) -> None:
        """Do what `iptables-restore [--noflush]` does; after an IptablesError nothing changed."""
        self.ruleset.restore(text, noflush=noflush, strict=True)

    def ip6tables_restore(self, text: str, *, noflush: bool = False) -> None:
        """Do what `ip6tables-restore [--noflush]` does."""
        self.ruleset6.restore(text, noflush=noflush, strict=True)

    def iptables_save(self, table: str = "", *, counters: bool = False) -> str:
        """Return what `iptables-save [-c] [-t table]` prints."""
        return self.ruleset.save(table, counters=counters)

    def ip6tables_save(self, table: str = "", *, counters: bool = False) -> str:
        """Return what `ip6tables-save [-c] [-t table]` prints."""
        return self.ruleset6.save(table, counters=counters)

    def _load_netfilter(self) -> Netfilter:
        if self.netfilter is None:
            from k8slab.linux.hooks import Netfilter
            from k8slab.linux.netfilter import Ruleset

            self.netfilter = Netfilter(Ruleset(), self.sim, self.name, self.is_local)
        return self.netfilter

    # -- the path of a packet (ip_path.py)

    def send(self, packet: Packet) -> str:
        """Send a packet of this namespace; returns the verdict. Raises NetworkUnreachable."""
        return ip_path.send(self, packet)

    def receive(self, packet: Packet, device: Interface, port: Interface | None = None) -> None:
        """Take a packet that arrived on `device`, for a bridge through its `port`."""
        ip_path.receive(self, packet, device, port)

    def bridge(self, packet: Packet, device: Bridge, port: Interface, next_hop: str) -> None:
        """Pass a frame from one port of a bridge to another."""
        ip_path.bridge(self, packet, device, port, next_hop)

    # -- helpers of links.py

    def _add(self, kind: Callable[[NetNamespace, str, int], Device], name: str) -> Device:
        if name in self.interfaces:
            raise FileExistsError(f"RTNETLINK answers: File exists ({self.name}/{name})")
        self._index += 1
        device = kind(self, name, self._index)
        self.interfaces[name] = device
        return device

    def _addressed(self, device: Device, cidrs: tuple[str, ...]) -> Device:
        for cidr in cidrs:
            device.add_address(cidr)
        return device

    def _own(self, ip: str, device: Interface) -> None:
        self._local[ip] = device
        if is_ipv6(ip) and not is_loopback(ip) and LOOPBACK6 not in self._local:
            self.lo.add_address(f"{LOOPBACK6}/128")

    def _disown(self, ip: str) -> None:
        self._local.pop(ip, None)

    def __repr__(self) -> str:
        return f"<NetNamespace {self.name}>"


def _both_families(ip: str) -> str:
    """Return the one name under which sockets on every address are kept."""
    return ANY if ip == "::" else ip
