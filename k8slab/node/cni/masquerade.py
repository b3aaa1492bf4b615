"""Traffic that leaves the cluster takes the node's address: nobody outside knows a Pod's.

Rule of use: `ensure` may be called again; what is there stays.

Upstream: sigs.k8s.io/kind images/kindnetd masq.go
"""

from __future__ import annotations

from k8slab.linux.addresses import is_ipv6
from k8slab.linux.netns import NetNamespace

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
    for ipv6 in (False, True):
        mine = tuple(subnet for subnet in pod_subnets if is_ipv6(subnet) == ipv6)
        if not mine:
            continue
        restore = net.ip6tables_restore if ipv6 else net.iptables_restore
        restore(rules(mine), noflush=True)
        saved = net.ip6tables_save("nat") if ipv6 else net.iptables_save("nat")
        if f"-j {CHAIN}\n" not in saved:
            restore(f"*nat\n{JUMP}\nCOMMIT\n", noflush=True)
