"""The five hooks of netfilter, and which tables are asked at each, in the kernel's order.

`Netfilter` joins a namespace's rules, connection tracking and NAT. `run(hook, packet, context)`
returns the verdict and the packet as it is afterwards. The same code serves real packets and the
what-if questions of ruletrace.py.

Rule of use: a packet passes PREROUTING or OUTPUT first and INPUT or POSTROUTING last, with one
context all the way.

Upstream: Linux include/uapi/linux/netfilter_ipv4.h (priorities), net/netfilter/core.c
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from k8slab.linux.chains import ACCEPT, DROP, REJECT, traverse
from k8slab.linux.conntrack import Conntrack
from k8slab.linux.context import Context, RuleMemory
from k8slab.linux.nat import DESTINATION_HOOKS, decide, translate
from k8slab.linux.packet import Packet
from k8slab.sim import Simulation

if TYPE_CHECKING:
    from k8slab.linux.netfilter import Ruleset

# "conntrack" is no table: there the packet's connection is looked up.
TABLES: Mapping[str, tuple[str, ...]] = {
    "PREROUTING": ("raw", "conntrack", "mangle", "nat"),
    "INPUT": ("mangle", "filter", "security", "nat"),
    "FORWARD": ("mangle", "filter", "security"),
    "OUTPUT": ("raw", "conntrack", "mangle", "nat", "filter", "security"),
    "POSTROUTING": ("mangle", "nat"),
}
LAST_HOOKS = ("INPUT", "POSTROUTING")


class Netfilter:
    """The rules of one namespace at work."""

    def __init__(
        self, ruleset: Ruleset, sim: Simulation, name: str, is_local: Callable[[str], bool]
    ) -> None:
        self.ruleset = ruleset
        self.conntrack = Conntrack(lambda: sim.now)
        stream = f"netfilter/{name}"
        self.memory = RuleMemory(
            lambda: sim.streams.rng(stream).random(), lambda: sim.now, is_local
        )

    def run(self, hook: str, packet: Packet, context: Context) -> tuple[str, Packet]:
        """Ask every table of the hook; the first that does not accept ends it."""
        context.memory = self.memory
        tables = self.ruleset.tables
        for name in TABLES[hook]:
            if name == "conntrack":
                self.conntrack.enter(packet, context)
                continue
            if name == "nat":
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

    def _nat(self, hook: str, packet: Packet, context: Context) -> tuple[str, Packet]:
        """Let the nat table decide for a new connection, and rewrite the packet."""
        entry = context.entry
        if entry is None:
            return ACCEPT, packet
        table = self.ruleset.tables.get("nat")
        destination = hook in DESTINATION_HOOKS
        bound = entry.destination_bound if destination else entry.source_bound
        if not bound and table is not None and packet.inner is None:
            context.nat = None
            verdict, packet = traverse(table, hook, packet, context)
            if verdict != ACCEPT:
                return verdict, packet
            if context.nat is not None:
                decide(context.nat, context, self.conntrack, self.memory.random)
        if destination:
            entry.destination_bound = True
        else:
            entry.source_bound = True
        return ACCEPT, translate(packet, entry, context.reply, hook)


__all__ = ["ACCEPT", "DROP", "REJECT", "TABLES", "Context", "Netfilter"]
