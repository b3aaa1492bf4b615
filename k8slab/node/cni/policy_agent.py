"""The part of kindnetd that keeps the node's rules true to the NetworkPolicies.

As long as there is no policy it watches nothing else. With the first one it begins to watch Pods
and namespaces; every change that may matter has the node's isolated Pods worked out anew.

Rule of use: `await PolicyAgent(...).run()` in the agent's process. Stop it, and the rules stay.

Upstream: sigs.k8s.io/kube-network-policies pkg/networkpolicy/controller.go
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.api.core import Namespace, Pod
from k8slab.api.networking import NetworkPolicy
from k8slab.client import Client, Informer, Informers
from k8slab.linux.netfilter import Ruleset
from k8slab.node.cni.network_policy import Isolated, addresses_of, has_own_address, plan
from k8slab.node.cni.policy_chains import Chains, chains, install, installed
from k8slab.node.machine import Machine
from k8slab.sim import Signal, Simulation

RESTORE = 0.02  # s, one write of the rules, an assumption


class PolicyAgent:
    """NetworkPolicies on one node."""

    def __init__(self, sim: Simulation, client: Client, machine: Machine) -> None:
        self._sim = sim
        self._machine = machine
        self._name = f"kindnetd/{machine.name}"
        self._informers = Informers(sim, client)
        self._pods: Informer[Pod] | None = None
        self._installed: dict[bool, Chains] = {}  # in the rules of IPv4, and of IPv6 (True)
        self._cause = 0  # of the first change since the last sync
        self._news = Signal(sim, f"{self._name}: network policies")

    async def run(self) -> None:
        """Follow policies, and what they select, for ever."""
        self._policies = self._informers.informer(NetworkPolicy)
        await self._policies.synced.wait()
        self._policies.add_handler(lambda old, new: self._change())
        self._installed = {ipv6: installed(self._ruleset(ipv6)) for ipv6 in (False, True)}
        if any(self._installed.values()):
            self._change()
        while True:
            await self._news.wait()
            if self._pods is None:
                await self._watch_pods()
            # What else happens meanwhile is part of the same write.
            await self._sim.sleep(RESTORE, f"{self._name}: iptables-restore")
            self._news = Signal(self._sim, f"{self._name}: network policies")
            self._sim.cause, self._cause = self._cause, 0
            self._sync()

    async def _watch_pods(self) -> None:
        self._pods = self._informers.informer(Pod)
        self._namespaces = self._informers.informer(Namespace)
        await self._informers.wait_for_sync()
        self._pods.add_handler(self._on_pod)
        self._namespaces.add_handler(self._on_namespace)

    def _on_pod(self, old: Pod | None, new: Pod | None) -> None:
        if _facts(old) != _facts(new):
            self._change()

    def _on_namespace(self, old: Namespace | None, new: Namespace | None) -> None:
        if old is None or new is None or old.metadata.labels != new.metadata.labels:
            self._change()

    def _change(self) -> None:
        self._cause = self._cause or self._sim.cause
        self._news.set()

    def _sync(self) -> None:
        changed = count = 0
        for ipv6, before in self._installed.items():
            wanted = chains(self.isolated(ipv6=ipv6))
            changed += install(self._ruleset(ipv6), wanted, before)
            count += sum(len(rules) for rules in wanted.values())
            self._installed[ipv6] = wanted
        if changed:
            self._sim.trace.add(self._name, "sync", "network policies", f"{count} rules")

    def _ruleset(self, ipv6: bool) -> Ruleset:
        net = self._machine.net
        return net.ruleset6 if ipv6 else net.ruleset

    def isolated(self, *, ipv6: bool = False) -> tuple[Isolated, ...]:
        """Return the Pods of this node that policies isolate now, in one family."""
        policies = self._policies.all()
        if not policies or self._pods is None:
            return ()
        labels: Mapping[str, Mapping[str, str]] = {
            each.metadata.name: each.metadata.labels for each in self._namespaces.all()
        }
        return plan(policies, self._pods.all(), labels, node=self._machine.name, ipv6=ipv6)


def _facts(pod: Pod | None) -> tuple[object, ...] | None:
    """Return what counts of a Pod, None for one that has no address of its own."""
    if pod is None or not has_own_address(pod):
        return None
    return addresses_of(pod), pod.metadata.labels, pod.spec.nodeName, pod.metadata.uid
