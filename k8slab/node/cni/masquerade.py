"""Traffic that leaves the cluster takes the node's address: nobody outside knows a Pod's.

Every minute the agent looks whether the rules are there; as long as nobody else edits rules, the
look costs nothing.

Rule of use: `ensure` may be called again; what is there stays. `keep` runs beside the agent.

Upstream: sigs.k8s.io/kind images/kindnetd masq.go
"""

from __future__ import annotations

from collections.abc import Iterator

from k8slab.linux.addresses import is_ipv6
from k8slab.linux.netfilter import Ruleset
from k8slab.linux.netns import NetNamespace
from k8slab.linux.targets import Jump
from k8slab.sim import Signal, Simulation

SYNC_PERIOD = 60.0  # s

CHAIN = "KIND-MASQ-AGENT"
JUMP = (
    '-A POSTROUTING -m addrtype ! --dst-type LOCAL -m comment --comment "kind-masq-agent: '
    "ensure nat POSTROUTING directs all non-LOCAL destination traffic to our custom "
    f'{CHAIN} chain" -j {CHAIN}'
)


def rules(pod_subnets: tuple[str, ...]) -> str:
    """Return the chain as text for `iptables-restore --noflush`."""
    lines = ["*nat", f":{CHAIN} - [0:0]"]
    lines += [
        f'-A {CHAIN} -d {subnet} -m comment --comment "kind-masq-agent: local traffic is not '
        'subject to MASQUERADE" -j RETURN'
        for subnet in pod_subnets
    ]
    lines.append(
        f'-A {CHAIN} -m comment --comment "kind-masq-agent: outbound traffic is subject to '
        'MASQUERADE (must be last in chain)" -j MASQUERADE'
    )
    return "\n".join([*lines, "COMMIT", ""])


def ensure(net: NetNamespace, pod_subnets: tuple[str, ...]) -> None:
    """Write the chain and the jump to it, for each family that has Pods."""
    for ruleset, mine in _families(net, pod_subnets):
        ruleset.restore(rules(mine), noflush=True, strict=True)
        if not _is_linked(ruleset):
            ruleset.restore(f"*nat\n{JUMP}\nCOMMIT\n", noflush=True, strict=True)


def is_there(net: NetNamespace, pod_subnets: tuple[str, ...]) -> bool:
    """Say whether every chain has its rules, and is called."""
    return all(
        _is_linked(ruleset) and len(ruleset.rules("nat", CHAIN)) == len(mine) + 1
        for ruleset, mine in _families(net, pod_subnets)
    )


async def keep(sim: Simulation, net: NetNamespace, pod_subnets: tuple[str, ...]) -> None:
    """Write the rules again, at the next full minute, whenever somebody has taken them away."""
    started, name = sim.now, f"kindnetd/{net.name}: masquerade"
    gone = Signal(sim, name)

    def look() -> None:
        if not is_there(net, pod_subnets):
            gone.set()

    stops = [ruleset.edits.add(look) for ruleset, _ in _families(net, pod_subnets)]
    try:
        while True:
            await gone.wait()
            await sim.sleep(SYNC_PERIOD - (sim.now - started) % SYNC_PERIOD, name)
            gone = Signal(sim, name)
            if not is_there(net, pod_subnets):
                ensure(net, pod_subnets)
                sim.trace.add(f"kindnetd/{net.name}", "restore", "masquerade rules")
    finally:
        for stop in stops:
            stop()


def _families(
    net: NetNamespace, pod_subnets: tuple[str, ...]
) -> Iterator[tuple[Ruleset, tuple[str, ...]]]:
    """Yield the rules of each family that has Pods, with their subnets."""
    for ipv6 in (False, True):
        mine = tuple(subnet for subnet in pod_subnets if is_ipv6(subnet) == ipv6)
        if mine:
            yield (net.ruleset6 if ipv6 else net.ruleset), mine


def _is_linked(ruleset: Ruleset) -> bool:
    return any(
        isinstance(rule.target, Jump) and rule.target.chain == CHAIN
        for rule in ruleset.rules("nat", "POSTROUTING")
    )
