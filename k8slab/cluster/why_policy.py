"""Whether a NetworkPolicy stopped a request, and which: the part of why that reads its rules.

The chain of an isolated Pod ends with a DROP that says whose it is. The policies to blame are then
all that isolate this Pod in this direction: none of them forbids, but none of them allows.

Rule of use: `dropped(view, journey)`, for packets to which no answer came; it is empty unless a
node dropped one by rule.

Upstream: none (https://kubernetes.io/docs/concepts/services-networking/network-policies)
"""

from __future__ import annotations

import re

from k8slab.api.core import Pod
from k8slab.api.networking import NetworkPolicy
from k8slab.cluster.explanation import Finding
from k8slab.cluster.sentences import listed
from k8slab.cluster.view import View
from k8slab.linux.journey import Hop, Journey
from k8slab.node.cni.network_policy import isolating

ISOLATED = re.compile(r'"(\S+)/(\S+): no policy allows this (ingress|egress)"')


def dropped(view: View, journey: Journey) -> tuple[Finding, ...]:
    """Return which rule of which node dropped the packets, and the policies behind it."""
    hop = next((each for each in reversed(journey.hops) if each.note == "DROP"), None)
    if hop is None or hop.rule is None:
        return ()
    found = ISOLATED.search(hop.rule.text)
    pod = view.get(Pod, found[2], found[1]) if found else None
    if found is None or pod is None:
        text = f"{hop.namespace} dropped the packet: {hop.rule.text}"
        return (Finding(text=text, next=("print(answer.journey)",)),)
    return (_of_policies(view, pod, found[3], hop),)


def _of_policies(view: View, pod: Pod, direction: str, hop: Hop) -> Finding:
    namespace = pod.metadata.namespace
    policies = isolating(view.list(NetworkPolicy, namespace), pod, direction.capitalize())
    names = [each.metadata.name for each in policies]
    which = f"NetworkPolicy {names[0]}" if len(names) == 1 else f"NetworkPolicies {listed(names)}"
    other = f"from {hop.after.src}" if direction == "ingress" else f"to {hop.after.dst}"
    return Finding(
        text=f"Pod {namespace}/{pod.metadata.name} is isolated: {which} "
        f"{'does' if len(names) == 1 else 'do'} not allow {direction} {other} "
        f"({hop.after.protocol} port {hop.after.dport}), so {hop.namespace} dropped the packet",
        objects=tuple(f"NetworkPolicy/{namespace}/{name}" for name in names),
        decided_by=f"kindnetd/{hop.namespace}",
        next=tuple(f"kubectl describe networkpolicy {name} -n {namespace}" for name in names),
    )
