"""NetworkPolicies as rules of the filter table, in the way of every packet that is forwarded.

    FORWARD -> KIND-NETPOL -> KIND-OUT-HASH of the sending Pod, which drops what is not allowed
                           -> KIND-IN-HASH of the receiving Pod, likewise

A chain returns for what is allowed, so that the other end is asked too. What the node itself sends
to its Pods (probes) is not forwarded and so is always allowed, as Kubernetes demands.

Rule of use: the jump must come first in FORWARD: kube-proxy accepts there what it has marked.

Upstream: none (kindnet judges packets itself; kube-router has chains such as these)
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Iterable, Mapping

from k8slab.linux.netfilter import Ruleset, parse_rule
from k8slab.node.cni.network_policy import Allowed, Isolated

TOP, IN, OUT = "KIND-NETPOL", "KIND-IN-", "KIND-OUT-"
JUMP = f'-m comment --comment "kindnet: network policies" -j {TOP}'
HASH_LENGTH = 16

Chains = Mapping[str, tuple[str, ...]]  # chain -> its rules, without "-A CHAIN"


def chains(isolated: Iterable[Isolated]) -> dict[str, tuple[str, ...]]:
    """Return the chains for the isolated Pods of a node; none if there are none."""
    out, into, found = [], [], {}
    for pod in isolated:
        name = _hash(pod.pod)
        comment = f'-m comment --comment "{pod.pod}"'
        if pod.egress is not None:
            out.append(f"-s {pod.cidr} {comment} -j {OUT}{name}")
            found[f"{OUT}{name}"] = _chain(pod, pod.egress, "-d")
        if pod.ingress is not None:
            into.append(f"-d {pod.cidr} {comment} -j {IN}{name}")
            found[f"{IN}{name}"] = _chain(pod, pod.ingress, "-s")
    if not found:
        return {}
    answers = (
        '-m comment --comment "what has begun may go on" '
        "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"
    )
    return {TOP: (answers, *out, *into), **found}


def text(wanted: Chains) -> str:
    """Return the chains as text for `iptables-restore --noflush`, with the jump to them."""
    names = [f":{name} - [0:0]" for name in wanted]
    rules = [f"-A {name} {rule}" for name, rules in wanted.items() for rule in rules]
    jump = [f"-I FORWARD 1 {JUMP}"] if wanted else []
    return "\n".join(["*filter", *names, *jump, *rules, "COMMIT", ""])


def install(ruleset: Ruleset, wanted: Chains, before: Chains) -> int:
    """Bring a node's rules from `before` to `wanted`; returns how many chains were touched."""
    changed = [name for name in wanted if before.get(name) != wanted[name]]
    gone = [name for name in before if name not in wanted]
    for name in changed:
        ruleset.replace_chain("filter", name, list(wanted[name]))
    jump = parse_rule(JUMP)
    rules = ruleset.rules("filter", "FORWARD")
    if jump in rules and (not wanted or rules[0] != jump):
        ruleset.delete_rule("filter", "FORWARD", jump)
    if wanted:
        ruleset.ensure_rule("filter", "FORWARD", jump, prepend=True)
    for name in gone:
        ruleset.delete_chain("filter", name)
    return len(changed) + len(gone)


def installed(ruleset: Ruleset) -> Chains:
    """Return the chains of an earlier agent, as if they were empty: all will be written anew."""
    names = ruleset.table("filter").chains if "filter" in ruleset.tables else ()
    return {name: () for name in names if name == TOP or name.startswith((IN, OUT))}


def _chain(pod: Isolated, allowed: Iterable[Allowed], peer: str) -> tuple[str, ...]:
    """Return the rules of one Pod and direction; `peer` is -s or -d, where the other end stands."""
    itself = f'{peer} {pod.cidr} -m comment --comment "a Pod may reach itself" -j RETURN'
    direction = "ingress" if peer == "-s" else "egress"
    end = f'-m comment --comment "{pod.pod}: no policy allows this {direction}" -j DROP'
    return (itself, *(_rule(each, peer) for each in allowed), end)


def _rule(allowed: Allowed, peer: str) -> str:
    words = []
    if allowed.cidr and not allowed.cidr.endswith("/0"):
        words.append(f"{peer} {allowed.cidr}")
    if allowed.protocol:
        words.append(f"-p {allowed.protocol}")
    words.append(f'-m comment --comment "allowed by {allowed.policy}"')
    if allowed.ports:
        words.append(f"-m {allowed.protocol} --dport {allowed.ports}")
    return " ".join([*words, "-j RETURN"])


def _hash(name: str) -> str:
    return b32encode(hashlib.sha256(name.encode()).digest()).decode()[:HASH_LENGTH]
