"""Exercise 11.2: the learner writes `render_rules(service, slices)`, and a cluster runs on it.

The answer gives lines for two tables, nat and filter. They are put beside what every node has
(KUBE-MARK-MASQ, the jumps to KUBE-SERVICES), and each packet of a hidden set must end where
kube-proxy's own rules would bring it, with the same chances. How the lines look is free.

Rule of use: only what becomes of packets is judged, never the text.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from k8slab.api import load, to_dict
from k8slab.api.core import Event
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import LearnerError, NotStartedError, Terminal, call
from k8slab.classroom.exercises.ch11.cards import (
    NODE_IP,
    STRANGER,
    VIP,
    Case,
    End,
    Packet,
    cases,
    ends,
    frame,
    joined,
    reference,
)
from k8slab.classroom.exercises.worlds import CLIENT, SERVICE_NAME, boot, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.node.kube_proxy.render import render

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

LIVE_SEED = 6
TABLES = ("nat", "filter")
EXPECTED = 'a dict {"nat": [lines], "filter": [lines]}, from your function'
CLOSE = Fraction(1, 1000)
FLEET = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: cabs}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: cabs}}}}
  template:
    metadata: {{labels: {{app: cabs}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{{name: main, image: "traefik/whoami:v1.11"}}]
---
apiVersion: v1
kind: Service
metadata: {{name: calls}}
spec: {{selector: {{app: cabs}}, ports: [{{port: 8080, targetPort: 80}}]}}
{CLIENT}"""
URL = "http://calls:8080"
Lines = Mapping[str, Sequence[str]]


def world(seed: int) -> Cluster:
    """Return a fleet of three behind a Service."""
    return boot(seed, FLEET)


def grade(answer: Any) -> Finding:
    """Judge a function that writes rules."""
    if not callable(answer):
        return wrong_kind("the function render_rules(service, slices)", answer)
    for case in cases():
        # Copies: what an answer does to the objects must not reach the next question.
        service, *slices = (load(to_dict(one)) for one in (case.service, *case.slices))
        given = call(answer, service, slices)
        if given is None or given is ...:
            raise NotStartedError
        if not isinstance(given, Mapping):
            return wrong_kind(EXPECTED, given)
        text = joined(frame(), lines_of(given))
        for packet in case.packets:
            finding = _compare(case, packet, text)
            if finding is not None:
                return finding
    return _live(answer)


def lines_of(given: Any) -> Lines:
    """Return the lines for each table; raises LearnerError for what are none."""
    if not isinstance(given, Mapping) or any(table not in TABLES for table in given):
        raise LearnerError(f"The tables are {' and '.join(TABLES)}; yours: {given!r:.60}.")
    for lines in given.values():
        rules = list(lines) if isinstance(lines, list | tuple) else [lines]
        for line in rules:
            if not isinstance(line, str) or not line.startswith("-A ") or len(line.split()) < 3:
                raise LearnerError(f"A rule begins with `-A CHAIN`; yours is {line!r:.60}.")
    return given


def _compare(case: Case, packet: Packet, text: str) -> Finding | None:
    """Say what is wrong about a packet's end, None if nothing is."""
    wanted = ends(reference(case), packet)
    try:
        found = ends(text, packet)
    except ValueError as problem:
        raise LearnerError(f"iptables-restore refuses your lines: {problem}") from None
    keys = {*wanted, *found}
    if all(abs(wanted.get(k, Fraction(0)) - found.get(k, Fraction(0))) <= CLOSE for k in keys):
        return None
    evidence = (
        Evidence(0, 0.0, f'"{case.name}": {packet}'),
        Evidence(0, 0.0, f"kube-proxy: {_told(wanted)}"),
        Evidence(0, 0.0, f"yours: {_told(found)}"),
    )
    message, number = _why(packet, wanted, found)
    return wrong(message, number, evidence)


def _why(
    packet: Packet, wanted: Mapping[End, Fraction], found: Mapping[End, Fraction]
) -> tuple[str, int]:
    """Put the difference into words."""
    refused = {verdict for verdict, _, _ in wanted} == {"REJECT"}
    places = {where for _, where, _ in wanted}
    got = {where for _, where, _ in found}
    if all(where.startswith(f"{VIP}:") for where in places):
        return "This packet is not the Service's, and your rules touch it.", 1
    if refused:
        return (
            "Nobody is ready, so the packet should be refused at once: REJECT, in the chain "
            "KUBE-SERVICES of the table filter. Nobody should have to wait for a time-out.",
            18,
        )
    if any(verdict == "REJECT" for verdict, _, _ in found):
        return "Somebody is ready, and your rules refuse the packet all the same.", 18
    if got - places:
        return _stray(sorted(got - places)[0], places)
    if places - got:
        return f"{sorted(places - got)[0]} never gets a packet.", 4
    if {mask for *_, mask in wanted} != {mask for *_, mask in found}:
        return _mask(packet), 0
    return (
        "The right places, with the wrong chances. A rule's probability is its share of what the "
        "rules above have left.",
        4,
    )


def _stray(stray: str, places: set[str]) -> tuple[str, int]:
    """Say why nothing should end there."""
    if stray.startswith(f"{VIP}:"):
        return (
            "Some packets keep the Service's address, where nobody is. Does a rule match "
            "this port and protocol, and does the last rule take all that is left?",
            1,
        )
    if stray.split(":")[0] in {where.split(":")[0] for where in places}:
        return (
            f"{stray}: the address is right and the port is not. A slice has ports of its "
            "own; the one with the Service port's name counts.",
            7,
        )
    return f"{stray} should get no packet: is it ready, and is this its Service port?", 9


def _mask(packet: Packet) -> str:
    """Say whose source is marked."""
    if packet.source == NODE_IP:
        return (
            "This one comes from the node, from outside of the Pods' network 10.244.0.0/16. Such "
            "a source jumps to KUBE-MARK-MASQ first, so that answers come back here."
        )
    if packet.source == STRANGER:
        return "A Pod's own source is kept: only others are marked for masquerade."
    return (
        "A Pod has drawn itself. Then, and only then, its source is marked: "
        "-s ITS-ADDRESS -j KUBE-MARK-MASQ, before the DNAT."
    )


def _told(found: Mapping[End, Fraction]) -> str:
    parts = []
    for (verdict, where, masked), chance in sorted(found.items()):
        parts.append(f"{float(chance):.3f} {where or verdict}{' masked' if masked else ''}")
    return ", ".join(parts[:4]) + (", ..." if len(parts) > 4 else "")


# -- a cluster that runs on it


def proxy(answer: Callable[..., Any]) -> Callable[..., str]:
    """Return what kube-proxies ask: the learner's rules for `calls`, ours for all others."""

    def rules(services: Sequence[Any], slices: Sequence[Any], **facts: Any) -> str:
        others = [one for one in services if one.metadata.name != "calls"]
        text = str(render(others, slices, **facts))
        for service in services:
            if service.metadata.name == "calls":
                own = [s for s in slices if s.metadata.labels.get(SERVICE_NAME) == "calls"]
                text = joined(text, lines_of(answer(service, own)))
        return text

    return rules


def _live(answer: Callable[..., Any]) -> Finding:
    """Let a cluster run on it; scale, empty it, and see who answers."""
    from k8slab.cluster import Cluster

    cluster = Cluster(workers=2, seed=LIVE_SEED, replace={"kube_proxy": proxy(answer)})
    terminal = Terminal(cluster)
    terminal.run(f"apply -f -\n{FLEET}")
    cluster.run(20)
    terminal.run("scale deployment cabs --replicas=5")
    cluster.run(20)
    heard = [cluster.request("pod/client", URL) for _ in range(12)]
    terminal.run("scale deployment cabs --replicas=0")
    cluster.run(20)
    last = cluster.request("pod/client", URL)
    for event in cluster.view.list(Event):
        if event.reason == "FailedRules":
            return wrong(f"Right for all packets. In a cluster it failed: {event.message}")
    if not all(one.ok for one in heard) or last.outcome != "refused":
        text = f"{sum(one.ok for one in heard)} of 12 calls answered; without cabs: {last.outcome}"
        return almost(
            "Right for all packets. In a cluster something is missing.", 0, (seen(cluster, text),)
        )
    text = "12 of 12 calls were answered; without cabs the next one was refused"
    return right(
        f"Right in {len(cases())} worlds, and a cluster has run on your rules. The kernel does not "
        "ask who wrote them.",
        (seen(cluster, text),),
    )


EXERCISE = Exercise(
    key="11.2",
    title="Make the clerk",
    points=4,
    hints=(
        "Begin with one endpoint: one line in KUBE-SERVICES that finds address, protocol and port, "
        "and one that does the DNAT. Then several endpoints, a chain for each.",
        "-m statistic --mode random --probability P -j CHAIN, with P = 1/n, 1/(n-1), ..., and "
        "none for the last. Without a ready endpoint: one REJECT in KUBE-SERVICES of filter.",
        "Two marks: `! -s 10.244.0.0/16 -j KUBE-MARK-MASQ` at the head of the Service's chain, "
        "`-s IP/32 -j KUBE-MARK-MASQ` at the head of an endpoint's.",
    ),
    grade=grade,
    world=world,
)
