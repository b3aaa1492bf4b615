"""What a rule does with a packet that matches: one small class for each iptables target.

The walk (`chains.py`) and NAT (`nat.py`) act on them; here they only say what they are and print
themselves as iptables-save does. A target that the lab does not know becomes `UnknownTarget`: it
keeps its words, the packet goes on, and the walk reports it.

Rule of use: targets are immutable values.

Upstream: Linux net/netfilter/xt_*.c, net/ipv4/netfilter/ipt_REJECT.c
"""

from __future__ import annotations

import msgspec

from k8slab.linux.addresses import joined
from k8slab.linux.packet import Packet, rewrite

ALL_BITS = 0xFFFFFFFF
# other names that --reject-with accepts
REJECT_NAMES = {
    "net-unreach": "icmp-net-unreachable",
    "host-unreach": "icmp-host-unreachable",
    "port-unreach": "icmp-port-unreachable",
    "no-route": "icmp6-no-route",
    "adm-prohibited": "icmp6-adm-prohibited",
    "addr-unreach": "icmp6-addr-unreachable",
    "tcp-rst": "tcp-reset",
    "tcp-reset": "tcp-reset",
}


class Target(msgspec.Struct, frozen=True, gc=False):
    """The end of a rule."""


class Verdict(Target, frozen=True, gc=False):
    """-j ACCEPT, DROP or RETURN: the packet's fate in this chain."""

    verdict: str

    def __str__(self) -> str:
        return f"-j {self.verdict}"


class Jump(Target, frozen=True, gc=False):
    """-j CHAIN (come back after its last rule) or -g CHAIN (do not)."""

    chain: str
    goto: bool = False

    def __str__(self) -> str:
        return f"{'-g' if self.goto else '-j'} {self.chain}"


class Reject(Target, frozen=True, gc=False):
    """-j REJECT: drop the packet and tell its sender."""

    reject_with: str = "icmp-port-unreachable"

    def __str__(self) -> str:
        return f"-j REJECT --reject-with {self.reject_with}"


class Nat(Target, frozen=True, gc=False):
    """-j DNAT, SNAT, MASQUERADE or REDIRECT: rewrite the connection from now on."""

    kind: str
    ips: tuple[str, ...] = ()  # empty: keep it (DNAT), the device's own (MASQUERADE, REDIRECT)
    ports: tuple[int, int] | None = None  # None: keep it
    random: bool = False
    random_fully: bool = False
    persistent: bool = False

    def __str__(self) -> str:
        words = [f"-j {self.kind}"]
        address = "-".join(self.ips)
        ports = "" if self.ports is None else "-".join(map(str, sorted(set(self.ports))))
        if self.kind in ("MASQUERADE", "REDIRECT"):
            words += ["--to-ports", ports] if ports else []
        else:
            option = "--to-destination" if self.kind == "DNAT" else "--to-source"
            words += [option, joined(address, ports) if ports else address]
        words += ["--random"] if self.random else []
        words += ["--random-fully"] if self.random_fully else []
        return " ".join(words + (["--persistent"] if self.persistent else []))


class SetMark(Target, frozen=True, gc=False):
    """-j MARK --set-xmark value/mask: clear the bits of the mask, then XOR the value."""

    value: int
    mask: int = ALL_BITS

    def apply(self, packet: Packet) -> Packet:
        """Return the packet with its new mark.

        >>> SetMark(0x4000, 0x4000).apply(Packet("tcp", "a", "b", mark=1)).mark == 0x4001
        True
        """
        return rewrite(packet, mark=(packet.mark & ~self.mask & ALL_BITS) ^ self.value)

    def __str__(self) -> str:
        return f"-j MARK --set-xmark {self.value:#x}/{self.mask:#x}"


class NoTrack(Target, frozen=True, gc=False):
    """-j CT --notrack, or NOTRACK: neither connection tracking nor NAT touches the packet."""

    def __str__(self) -> str:
        return "-j CT --notrack"


class Log(Target, frozen=True, gc=False):
    """-j LOG, NFLOG, TCPMSS, ...: what does not decide about the packet, which goes on."""

    kind: str
    words: str = ""

    def __str__(self) -> str:
        return f"-j {self.kind} {self.words}".rstrip()


class UnknownTarget(Target, frozen=True, gc=False):
    """A target that the lab does not know."""

    words: str

    def __str__(self) -> str:
        return f"-j {self.words}"
