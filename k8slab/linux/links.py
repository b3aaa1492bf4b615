"""Network devices and the wires between them: lo, veth pairs, bridges, Ethernet on a segment.

`Interface.transmit(packet, next_hop)` sends towards the neighbour that owns `next_hop`, False if
nobody on the wire does (the ARP request stays unanswered). Crossing a wire is one event of the
simulation. A `Segment` is the switch that nodes hang on; faults are injected there.

Rule of use: make devices through `NetNamespace.add_*` and `veth_pair`, never directly.

Upstream: Linux drivers/net/veth.c, drivers/net/loopback.c, net/bridge/br_forward.c
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from k8slab.linux import latency
from k8slab.linux.addresses import is_ipv6, prefix_length
from k8slab.linux.addresses import network as parse_network
from k8slab.linux.packet import Packet
from k8slab.linux.routes import connected
from k8slab.sim import Simulation

if TYPE_CHECKING:
    from k8slab.linux.netns import NetNamespace

Fault = Callable[[Packet, str, str], bool]  # packet, from, to (namespaces): True loses it


class Interface:
    """A device of one namespace: a name, an index, addresses; down it neither sends nor takes."""

    kind = "ethernet"
    flags = "BROADCAST,MULTICAST,UP,LOWER_UP"
    mtu = 1500
    delay = latency.VETH  # s

    def __init__(self, namespace: NetNamespace, name: str, index: int) -> None:
        self.namespace = namespace
        self.name = name
        self.index = index
        self.addresses: list[str] = []  # "10.244.1.1/24", the first is the primary one
        self.up = True
        self.hairpin = False  # whether its bridge may send a frame back to where it came from
        self.proxy_arp = False  # answers for every address, as Calico's host ends do
        self.master: Bridge | None = None
        self.received = 0  # packets
        self.sent = 0
        self._label = f"wire {namespace.name}/{name}"

    @property
    def mac(self) -> str:
        """The hardware address, made from the names so that it is always the same."""
        digest = hashlib.sha256(f"{self.namespace.name}/{self.name}".encode()).digest()
        return ":".join(f"{byte:02x}" for byte in bytes([digest[0] & 0xFC | 2]) + digest[1:6])

    @property
    def ip(self) -> str:
        """The primary IPv4 address without its prefix length, empty if there is none."""
        return self.ip_of(ipv6=False)

    def ip_of(self, ipv6: bool) -> str:
        """Return the primary address of a family without its prefix length, "" if there is none."""
        mine = (cidr for cidr in self.addresses if is_ipv6(cidr) == ipv6)
        return next(mine, "").partition("/")[0]

    def add_address(self, cidr: str) -> None:
        """Own the address from now on, with the route to its network that the kernel adds."""
        _, mask = parse_network(cidr)
        ip = cidr.partition("/")[0]
        cidr = f"{ip}/{prefix_length(mask, is_ipv6(ip))}"
        if cidr in self.addresses:
            raise FileExistsError("RTNETLINK answers: File exists")
        self.addresses.append(cidr)
        self.namespace._own(ip, self)
        if not cidr.endswith(("/32", "/128")) and self.kind != "loopback":
            self.namespace.routes_for(ip).replace(connected(cidr, self.name))

    def remove_address(self, cidr: str) -> None:
        """Give the address up, with its route."""
        self.addresses.remove(cidr)
        self.namespace._disown(cidr.partition("/")[0])
        self.namespace.routes_for(cidr).remove(connected(cidr, self.name).destination)

    def transmit(self, packet: Packet, next_hop: str) -> bool:
        """Send the packet to the owner of `next_hop`; False if no neighbour owns it."""
        raise NotImplementedError

    def arrive(self, packet: Packet, next_hop: str) -> None:
        """Take a packet off the wire."""
        if not self.up or self.namespace.closed:
            return
        self.received += 1
        if self.master is not None:
            self.master.take_frame(packet, self, next_hop)
        else:
            self.namespace.receive(packet, self)

    def answers(self, ip: str) -> bool:
        """Say whether an ARP request for the address is answered from this side."""
        if not self.up or self.namespace.closed:
            return False
        if self.master is not None:
            return self.master.reaches(ip, self)
        return self.proxy_arp or self.namespace.is_local(ip)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.namespace.name}/{self.name} {' '.join(self.addresses)}>"


class Loopback(Interface):
    """lo: what is sent comes back."""

    kind = "loopback"
    flags = "LOOPBACK,UP,LOWER_UP"
    mtu = 65536
    delay = latency.LOOPBACK

    def transmit(self, packet: Packet, next_hop: str) -> bool:
        """Deliver to the same namespace a moment later."""
        self.namespace.sim.after(self.delay, partial(self.arrive, packet, next_hop), self._label)
        return True


class Dummy(Interface):
    """A device with no wire behind it: addresses can be put on it, and nothing ever leaves it."""

    kind = "dummy"
    flags = "BROADCAST,NOARP,UP,LOWER_UP"

    def transmit(self, packet: Packet, next_hop: str) -> bool:
        """Take the packet and forget it."""
        self.sent += 1
        return True


class Veth(Interface):
    """One end of a cable; the other end is in another namespace (or in the same)."""

    kind = "veth"
    peer: Veth

    def transmit(self, packet: Packet, next_hop: str) -> bool:
        """Send to the other end."""
        peer = self.peer
        if not self.up or not peer.answers(next_hop):
            return False
        self.send_frame(packet, next_hop)
        return True

    def send_frame(self, packet: Packet, next_hop: str) -> None:
        """Put a frame on the wire without asking who is there."""
        self.sent += 1
        arrive = partial(self.peer.arrive, packet, next_hop)
        self.namespace.sim.after(self.delay, arrive, self._label)


class Bridge(Interface):
    """A switch inside a namespace, itself a device with an address (cni0)."""

    kind = "bridge"

    def __init__(self, namespace: NetNamespace, name: str, index: int) -> None:
        super().__init__(namespace, name, index)
        self.ports: list[Veth] = []
        self._learned: dict[str, Veth] = {}  # address -> port, as the forwarding database

    def attach(self, port: Veth, *, hairpin: bool = True) -> None:
        """Make the device a port. Kubernetes' bridges set hairpin so that a Pod reaches itself."""
        port.master = self
        port.hairpin = hairpin
        self.ports.append(port)

    def detach(self, port: Veth) -> None:
        """Make the device no port any more."""
        if port.master is self:
            port.master = None
            self.ports.remove(port)

    def port_for(self, ip: str) -> Veth | None:
        """Return the port behind which the address is: learned, or asked of all (flooding)."""
        port = self._learned.get(ip)
        if port is not None and port.master is self and port.peer.answers(ip):
            return port
        self._learned.pop(ip, None)
        for port in self.ports:
            if port.up and port.peer.answers(ip):
                self._learned[ip] = port
                return port
        return None

    def reaches(self, ip: str, origin: Veth | Interface) -> bool:
        """Say whether the address is on this bridge, for who asks through the port `origin`."""
        if self.proxy_arp or self.namespace.is_local(ip):
            return True
        port = self.port_for(ip)
        return port is not None and port is not origin

    def take_frame(self, packet: Packet, port: Interface, next_hop: str) -> None:
        """Hand a frame from a port up to the own namespace, or on to another port."""
        if self.namespace.is_local(next_hop):
            self.namespace.receive(packet, self, port)
        else:
            self.namespace.bridge(packet, self, port, next_hop)

    def transmit(self, packet: Packet, next_hop: str) -> bool:
        """Send a packet of the own namespace out of the right port."""
        port = self.port_for(next_hop) if self.up else None
        if port is None:
            return False
        port.send_frame(packet, next_hop)
        return True


class Ethernet(Interface):
    """A network card on a segment."""

    delay = latency.ETHERNET
    segment: Segment

    def transmit(self, packet: Packet, next_hop: str) -> bool:
        """Send through the switch."""
        target = self.segment.find(next_hop, self) if self.up else None
        if target is None:
            return False
        self.sent += 1
        self.segment.carry(packet, self, target, next_hop)
        return True


class Segment:
    """The switch that joins the nodes; here packets can be lost and nodes cut off."""

    def __init__(self, sim: Simulation, name: str = "lan", delay: float = latency.ETHERNET) -> None:
        self.sim = sim
        self.name = name
        self.delay = delay  # s
        self.loss = 0.0  # probability of losing a packet
        self.fault: Fault | None = None  # a hook that loses the packets it returns True for
        self.lost = 0  # packets
        self.ports: list[Ethernet] = []
        self._cut: dict[tuple[str, str], bool] = {}
        self._neighbours: dict[str, Ethernet] = {}

    def find(self, ip: str, origin: Ethernet) -> Ethernet | None:
        """Return the card that answers for the address, None if none does."""
        known = self._neighbours.get(ip)
        if known is not None and known is not origin and known.answers(ip):
            return known
        for port in self.ports:
            if port is not origin and port.answers(ip):
                self._neighbours[ip] = port
                return port
        return None

    def carry(self, packet: Packet, origin: Ethernet, target: Ethernet, next_hop: str) -> None:
        """Deliver the packet after the delay, unless a fault loses it."""
        if self._loses(packet, origin.namespace.name, target.namespace.name):
            self.lost += 1
            if packet.leg is not None:
                packet.leg.record(origin.namespace, "LOST", packet, note=f"on {self.name}")
            return
        self.sim.after(self.delay, partial(target.arrive, packet, next_hop), self.name)

    def partition(self, one: str, other: str) -> None:
        """Lose everything between the two namespaces (by name) until `heal`."""
        self._cut[_pair(one, other)] = True

    def heal(self, one: str, other: str) -> None:
        """Carry packets between the two again."""
        self._cut.pop(_pair(one, other), None)

    def _loses(self, packet: Packet, origin: str, target: str) -> bool:
        if self._cut and _pair(origin, target) in self._cut:
            return True
        if self.fault is not None and self.fault(packet, origin, target):
            return True
        return self.loss > 0 and self.sim.streams.rng(f"segment/{self.name}").random() < self.loss


def veth_pair(
    namespace: NetNamespace, name: str, peer_namespace: NetNamespace, peer_name: str
) -> tuple[Veth, Veth]:
    """Make a cable between two namespaces and return its ends, both up."""
    one = namespace._add(Veth, name)
    other = peer_namespace._add(Veth, peer_name)
    one.peer, other.peer = other, one
    return one, other


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)
