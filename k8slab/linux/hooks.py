"""The five hooks of netfilter, and which tables are asked at each, in the kernel's order.

`Netfilter` joins a namespace's rules, connection tracking and NAT. `run(hook, packet, context)`
returns the verdict and the packet as it is afterwards. The base chains of nftables take their
places between the tables of iptables by their priority; NAT is done once, at its own place, and
every nat chain is asked there. The same code serves real packets and the what-if questions of
ruletrace.py.

Rule of use: a packet passes PREROUTING or OUTPUT first and INPUT or POSTROUTING last, with one
context all the way.

Upstream: Linux include/uapi/linux/netfilter_ipv4.h (priorities), net/netfilter/core.c
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from k8slab.linux.addresses import is_ipv6
from k8slab.linux.chains import ACCEPT, DROP, REJECT, Table, traverse
from k8slab.linux.conntrack import Conntrack
from k8slab.linux.context import Context, RuleMemory
from k8slab.linux.nat import DESTINATION_HOOKS, decide, translate
from k8slab.linux.netfilter import Ruleset
from k8slab.linux.nft import NftChain, NftRuleset, NftTable
from k8slab.linux.nft_walk import traverse as traverse_nft
from k8slab.linux.packet import Packet
from k8slab.sim import Simulation

# "conntrack" is no table: there the packet's connection is looked up.
TABLES: Mapping[str, tuple[str, ...]] = {
    "PREROUTING": ("raw", "conntrack", "mangle", "nat"),
    "INPUT": ("mangle", "filter", "security", "nat"),
    "FORWARD": ("mangle", "filter", "security"),
    "OUTPUT": ("raw", "conntrack", "mangle", "nat", "filter", "security"),
    "POSTROUTING": ("mangle", "nat"),
}
PRIORITIES: Mapping[str, int] = {
    "raw": -300,
    "conntrack": -200,
    "mangle": -150,
    "filter": 0,
    "security": 50,
}
DESTINATION_NAT, SOURCE_NAT = -100, 100
LAST_HOOKS = ("INPUT", "POSTROUTING")
Judge = Callable[[Packet, Context], tuple[str, Packet]]


class Netfilter:
    """The rules of one namespace at work."""

    def __init__(
        self, ruleset: Ruleset, sim: Simulation, name: str, is_local: Callable[[str], bool]
    ) -> None:
        self.ruleset = ruleset
        self.ruleset6 = Ruleset()
        self.nft = NftRuleset()
        self.conntrack = Conntrack(lambda: sim.now)
        stream = f"netfilter/{name}"
        self.memory = RuleMemory(
            lambda: sim.streams.rng(stream).random(), lambda: sim.now, is_local
        )

    def run(self, hook: str, packet: Packet, context: Context) -> tuple[str, Packet]:
        """Ask every table of the hook; the first that does not accept ends it."""
        context.memory = self.memory
        tables = self._tables(packet)
        for name in self._steps(hook, packet) if self.nft.tables else TABLES[hook]:
            if not isinstance(name, str):
                verdict, packet = traverse_nft(*name, packet, context)
            elif name == "conntrack":
                self.conntrack.enter(packet, context)
                continue
            elif name == "nat":
                verdict, packet = self._nat(hook, packet, context)
            elif name in tables:
                verdict, packet = traverse(tables[name], hook, packet, context)
            else:
                continue
            if verdict != ACCEPT:
                return verdict, packet
        if hook in LAST_HOOKS:
            self.conntrack.confirm(context.entry)
        return ACCEPT, packet

    def _tables(self, packet: Packet) -> Mapping[str, Table]:
        return (self.ruleset6 if is_ipv6(packet.dst) else self.ruleset).tables

    def _steps(self, hook: str, packet: Packet) -> list[str | tuple[NftTable, NftChain]]:
        """Return the tables of iptables and the base chains of nftables by their priorities."""
        nat = DESTINATION_NAT if hook in DESTINATION_HOOKS else SOURCE_NAT
        steps: list[tuple[int, str | tuple[NftTable, NftChain]]] = [
            (PRIORITIES.get(name, nat), name) for name in TABLES[hook]
        ]
        for priority, table, chain in self.nft.base_chains(hook.lower(), is_ipv6(packet.dst)):
            if chain.type != "nat":
                steps.append((priority, (table, chain)))
        return [step for _, step in sorted(steps, key=lambda step: step[0])]

    def _nat(self, hook: str, packet: Packet, context: Context) -> tuple[str, Packet]:
        """Let the nat chains decide for a new connection, and rewrite the packet."""
        entry = context.entry
        if entry is None:
            return ACCEPT, packet
        destination = hook in DESTINATION_HOOKS
        bound = entry.destination_bound if destination else entry.source_bound
        if not bound and packet.inner is None:
            for judge in self._nat_chains(hook, packet):
                context.nat = None
                verdict, packet = judge(packet, context)
                if verdict != ACCEPT:
                    return verdict, packet
                if context.nat is not None:
                    decide(context.nat, context, self.conntrack, self.memory.random)
                    break
        if destination:
            entry.destination_bound = True
        else:
            entry.source_bound = True
        return ACCEPT, translate(packet, entry, context.reply, hook)

    def _nat_chains(self, hook: str, packet: Packet) -> list[Judge]:
        """Return iptables' nat table and the nat chains of nftables; the first that acts wins."""
        table = self._tables(packet).get("nat")
        chains: list[tuple[int, Judge]] = []
        if table is not None:
            place = DESTINATION_NAT if hook in DESTINATION_HOOKS else SOURCE_NAT
            chains.append((place, partial(traverse, table, hook)))
        for priority, owner, chain in self.nft.base_chains(hook.lower(), is_ipv6(packet.dst)):
            if chain.type == "nat":
                chains.append((priority, partial(traverse_nft, owner, chain)))
        if len(chains) > 1:
            chains.sort(key=lambda each: each[0])
        return [judge for _, judge in chains]


__all__ = ["ACCEPT", "DROP", "REJECT", "TABLES", "Context", "Netfilter"]
