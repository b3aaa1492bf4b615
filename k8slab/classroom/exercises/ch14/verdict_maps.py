"""Exercise 14.2: the learner writes `render_maps(ports)`, and every node's kernel runs on it.

The answer is maps and chains; the frame around them is given. In every world each packet must go
where the Service's backends are, with equal chances, and the number of rules that it meets must not
grow, neither with the Services nor with the Pods. Then a cluster's kube-proxy asks the function.

Rule of use: packets are the judge; names of maps and chains are free.

Upstream: pkg/proxy/nftables/proxier.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from k8slab.api.core import Event
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import LearnerError, NotStartedError, Terminal, call
from k8slab.classroom.exercises.ch14.post import (
    FLEET,
    LARGE,
    SMALL,
    STRANGER,
    WORLDS,
    WRITER,
    Case,
    ServedPort,
    cases,
    many,
    probe,
    rules_met,
    shares,
)
from k8slab.classroom.exercises.ch14.tables import renderer, rules_of
from k8slab.classroom.exercises.makes import Mistake, gather, most_telling
from k8slab.classroom.exercises.worlds import CLIENT, boot, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.linux.nft import NftError, NftRuleset

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

LIVE_SEED = 8
GROWTH = 2  # rules more that a packet may meet in a large world
EXPECTED = "two dicts from your function: `return maps, chains`"
# Kinds of mistakes; of several, the first one here is talked about.
MOST_TELLING = (
    *("not found", "refused", "protocol", "elsewhere", "silent", "stranger", "left out"),
    *("unfair", "itself"),
)
WORLD = (
    """
apiVersion: apps/v1
kind: Deployment
metadata: {name: post}
spec:
  replicas: 3
  selector: {matchLabels: {app: post}}
  template:
    metadata: {labels: {app: post}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: traefik/whoami:v1.11
        ports: [{containerPort: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: post}
spec: {selector: {app: post}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
"""
    + CLIENT
)


def world(seed: int) -> Cluster:
    """Return a cluster with two Services, one of them with nobody behind it."""
    return boot(seed, WORLD)


def grade(answer: Any) -> Finding:
    """Judge a function that renders maps and chains."""
    if not callable(answer):
        return wrong_kind("the function render_maps(ports)", answer)
    mistakes = gather(
        cases(), lambda case: _ask(answer, case.ports), _mistakes, lambda case, _: _evidence(case)
    )
    if isinstance(mistakes, Finding):
        return mistakes
    return most_telling(mistakes, MOST_TELLING) or _growth(answer) or _live(answer)


def _ask(answer: Callable[..., Any], ports: Sequence[ServedPort]) -> NftRuleset | Finding:
    given = call(answer, list(ports))
    if given is None or given is ...:
        raise NotStartedError
    pair = isinstance(given, tuple | list) and len(given) == 2
    if not pair or not all(isinstance(one, dict) for one in given):
        return wrong_kind(EXPECTED, given)
    return rules_of(given)


# -- where the packets go


def _mistakes(case: Case, rules: NftRuleset) -> Iterator[Mistake]:
    try:
        for port in case.ports:
            yield from _of_port(case, rules, port)
        ip, number = STRANGER
        if rules.trace(WRITER, ip, number).translated:
            yield Mistake("stranger", f"A packet to {ip}, which is no Service's, was rewritten.")
    except NftError as problem:
        raise LearnerError(f"A packet came to a rule that leads nowhere: {problem}") from None


def _of_port(case: Case, rules: NftRuleset, port: ServedPort) -> Iterator[Mistake]:
    trace, about = probe(rules, port), _named(port)
    found = shares(trace)
    if not port.backends:
        if found:
            yield Mistake(
                "refused", f"{about} has no backends, and its packets go to {_some(found)}."
            )
        elif trace.verdict != "REJECT":
            yield Mistake(
                "silent",
                f"{about} has no backends, and its packets are not refused: the client waits. "
                "Lead them to `reject-chain`, from the chain `refuse`.",
                18,
            )
        return
    if not found:
        if trace.verdict == "REJECT":
            yield Mistake("refused", f"{about} has backends, and its packets are refused.", 18)
        else:
            yield Mistake("not found", f"No rule takes a packet to {about} anywhere.")
        return
    strangers = sorted(set(found) - set(port.backends))
    if strangers:
        yield _elsewhere(case, port, strangers[0])
        return
    left = [backend for backend in port.backends if backend not in found]
    if left:
        text = f"{about} never sends to {left[0]}, and has {len(port.backends)} backends."
        yield Mistake("left out", text)
    elif len(set(found.values())) > 1 or sum(found.values()) != 1:
        worst = max(found, key=lambda each: found[each])
        yield Mistake(
            "unfair",
            f"Of the connections to {about}, {found[worst]} go to {worst}, which is one of "
            f"{len(port.backends)} backends. Equal chances are {Fraction(1, len(port.backends))}.",
            4,
        )
    yield from _hairpin(rules, port)


def _hairpin(rules: NftRuleset, port: ServedPort) -> Iterator[Mistake]:
    """Look whether a Pod that gets its own packet would see another sender."""
    backend = port.backends[0]
    ip = backend.partition(":")[0]
    for branch in probe(rules, port, ip).branches:
        to_itself = branch.ip == ip and branch.translated
        if to_itself and not branch.masqueraded:
            yield Mistake(
                "itself",
                f"{ip} calls {_named(port)} and is given to itself: the packet must be marked, or "
                "the Pod sees its own address as the sender. Jump to `mark-for-masquerade` first.",
            )
            return
        if branch.masqueraded and branch.translated and not to_itself:
            yield Mistake(
                "itself",
                f"{ip} calls {_named(port)} and is given to {branch.ip}, who would not see the "
                "caller's address. Only a Pod that is given to itself is masqueraded.",
            )
            return


def _elsewhere(case: Case, port: ServedPort, address: str) -> Mistake:
    for other in case.ports:
        if address in other.backends and other.ip == port.ip:
            what = "protocol" if other.protocol != port.protocol else "port"
            return Mistake(
                "protocol",
                f"{_named(port)} sends to {address}, which is behind {_named(other)}. The key of a "
                f"Service is address, protocol and port: the {what} is missing in yours.",
                7,
            )
    return Mistake("elsewhere", f"{_named(port)} sends to {address}, which is not behind it.")


def _named(port: ServedPort) -> str:
    return f"{port.ip} . {port.protocol} . {port.port}"


def _some(found: Mapping[str, Fraction]) -> str:
    return ", ".join(sorted(found)[:3])


def _evidence(case: Case) -> Evidence:
    backends = sum(len(port.backends) for port in case.ports)
    text = f'"{case.kind}": {len(case.ports)} Service ports, {backends} backends'
    return Evidence(case.seed, 0.0, text)


# -- how many rules they meet


def _growth(answer: Callable[..., Any]) -> Finding | None:
    """Say which number makes a packet meet more rules."""
    few = _met(answer, many(SMALL, SMALL))
    services = _met(answer, many(LARGE, SMALL))
    pods = _met(answer, many(SMALL, FLEET))
    text = (
        f"the packet to the last Service meets {few} rules with {SMALL} Services of {SMALL} Pods, "
        f"{services} with {LARGE} Services, {pods} with {FLEET} Pods"
    )
    evidence = (Evidence(0, 0.0, text),)
    if services > few + GROWTH:
        return wrong(
            "Every packet arrives, and the way is still a list: it meets more rules the more "
            "Services there are. `vmap @NAME` looks a key up in a map of yours, once.",
            0,
            evidence,
        )
    if pods > few + GROWTH:
        return almost(
            "The Service is found at once. Among its Pods the packet still walks from rule to "
            "rule: `numgen random mod N vmap { 0 : goto ..., 1 : goto ... }` throws one die.",
            4,
            evidence,
        )
    return None


def _met(answer: Callable[..., Any], ports: Sequence[ServedPort]) -> int:
    rules = _ask(answer, ports)
    if isinstance(rules, Finding):
        raise LearnerError("Your function returned something else with many Services.")
    trace = probe(rules, ports[-1])
    return rules_met(trace)


# -- a cluster that runs on it


def _live(answer: Callable[..., Any]) -> Finding:
    """Let a cluster run on it; scale, and see who answers."""
    from k8slab.cluster import Cluster

    replace = {"kube_proxy": renderer(answer)}
    cluster = Cluster(workers=2, seed=LIVE_SEED, proxy_mode="nftables", replace=replace)
    terminal = Terminal(cluster)
    terminal.run(f"apply -f -\n{WORLD}")
    cluster.run(15)
    terminal.run("scale deployment post --replicas=5")
    cluster.run(15)
    for event in cluster.view.list(Event):
        if event.reason == "FailedRules":
            return wrong(f"Right in {WORLDS} worlds. In a cluster it failed: {event.message}")
    answers = [cluster.request("pod/client", "http://post") for _ in range(8)]
    refused = cluster.request("pod/client", "http://nobody")
    if not all(one.ok for one in answers) or refused.outcome != "refused":
        failed = sum(not one.ok for one in answers)
        return almost(
            f"Right in {WORLDS} worlds. In a cluster {failed} of 8 requests failed, and a Service "
            f"without Pods was {refused.outcome}.",
            0,
            (seen(cluster, f"http://post from pod/client: {failed} of 8 failed"),),
        )
    hosts = {one.served_by for one in answers}
    return right(
        f"Right in {WORLDS} worlds, and a cluster has run on it: the names, too, were asked "
        "through your maps. However large it gets, a packet makes one look-up.",
        (seen(cluster, f"8 of 8 requests answered by {len(hosts)} Pods, and nobody was refused"),),
    )


EXERCISE = Exercise(
    key="14.2",
    title="One look-up",
    points=4,
    hints=(
        "A map is a dict: keys such as '10.96.0.7 . tcp . 80', verdicts such as 'goto NAME'. The "
        "chain `services` needs a single rule: ip daddr . meta l4proto . th dport vmap @NAME.",
        "For each port a chain that throws one die, and for each backend a chain with two rules: "
        "one marks the packet if it comes from that backend, the other is `meta l4proto tcp dnat "
        "to ADDRESS:PORT`.",
        "Ports without backends go into another map, with `goto reject-chain`; the chain `refuse` "
        "asks that map. The die: numgen random mod 2 vmap { 0 : goto a , 1 : goto b }.",
    ),
    grade=grade,
    world=world,
)
