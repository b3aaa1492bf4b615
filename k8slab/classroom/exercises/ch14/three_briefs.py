"""Exercise 14.3: three operators say what they need, and the learner chooses kube-proxy's settings.

A brief is a set of things that can be tried: how many rules a packet meets, whether 127.0.0.1 leads
to node ports, how often rules are written in a burst, how late they are. The check starts each
cluster with the settings, and tries them. Whatever does it is right.

Rule of use: a setting that the brief does not care about may be anything that works.

Upstream: pkg/proxy/apis/config/types.go
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.ch14.settings import configure, market, storm
from k8slab.classroom.exercises.worlds import boot, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.cluster.scale import cost_of_rules
from k8slab.node.kube_proxy import MODES, ConfigError, parse_config

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEED = 6
BAZAAR, MUSEUM, FAIR = "bazaar", "museum", "fair"
BRIEFS = (BAZAAR, MUSEUM, FAIR)
EXPECTED = 'a dict such as {"bazaar": ("nftables", "1s"), "museum": ..., "fair": ...}'
SERVICES, MOST_RULES = 800, 50  # of the bazaar; that a first packet may meet
BURST, MOST_WRITES, LATEST = 60, 5, 2.0  # Pods of the fair, writes of a node, virtual seconds
PORT = 30080
STATUES = f"""
apiVersion: v1
kind: Pod
metadata: {{name: statues, labels: {{app: statues}}}}
spec: {{containers: [{{name: main, image: "nginx:1.27"}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: statues}}
spec:
  type: NodePort
  selector: {{app: statues}}
  ports: [{{port: 80, nodePort: {PORT}}}]
"""


class Choice(msgspec.Struct, frozen=True):
    """The settings of one kube-proxy."""

    mode: str
    period: str  # minSyncPeriod, "1s"


def world(seed: int) -> Cluster:
    """Return a cluster to look around in."""
    return boot(seed, STATUES)


def grade(answer: Any) -> Finding:
    """Judge the settings of three clusters."""
    if not isinstance(answer, dict) or set(answer) != set(BRIEFS):
        return wrong_kind(EXPECTED, answer)
    choices = {}
    for name in BRIEFS:
        pair = answer[name]
        if not isinstance(pair, list | tuple) or not all(isinstance(one, str) for one in pair):
            return wrong_kind(EXPECTED, answer)
        if len(pair) != 2:
            return wrong_kind(EXPECTED, answer)
        choices[name] = Choice(pair[0].strip(), pair[1].strip())
        refused = _refused(name, choices[name])
        if refused is not None:
            return refused
    findings = [TRIALS[name](choices[name]) for name in BRIEFS]
    bad = [found for found in findings if found.rung != "right"]
    if not bad:
        return right(
            "All three are served. Each wanted something that can be measured, so measure before "
            "you choose.",
            tuple(one for found in findings for one in found.evidence),
        )
    verdict = almost if len(bad) == 1 else wrong
    return verdict(bad[0].message, bad[0].misconception, bad[0].evidence)


def _refused(name: str, choice: Choice) -> Finding | None:
    """Say whether kube-proxy would not even start."""
    if choice.mode == "ipvs":
        return wrong(
            f"{name}: ipvs was the answer of former years. It is deprecated since v1.35, will be "
            "off by default from v1.40, and is not simulated. Its successor is nftables."
        )
    if choice.mode not in MODES:
        return wrong(f"{name}: kube-proxy has no mode {choice.mode!r}. Here: {', '.join(MODES)}.")
    try:
        parse_config(f"mode: {choice.mode}\n{choice.mode}: {{minSyncPeriod: '{choice.period}'}}")
    except ConfigError as problem:
        return wrong(f"{name}: kube-proxy does not start: {problem}.")
    return None


@cache
def _rules_met() -> Mapping[str, int]:
    cost = cost_of_rules(SERVICES, 3)
    return {"iptables": cost.iptables, "nftables": cost.nftables}


def _bazaar(choice: Choice) -> Finding:
    met = _rules_met()[choice.mode]
    text = f"bazaar, {choice.mode}: the first packet to the last Service meets {met} rules"
    evidence = (Evidence(0, 0.0, text),)
    if met <= MOST_RULES:
        return right("", evidence)
    return wrong(
        f"bazaar: with {choice.mode} the first packet of a connection meets {met} rules, and "
        f"{MOST_RULES} were allowed. Which mode asks a map?",
        0,
        evidence,
    )


def _museum(choice: Choice) -> Finding:
    cluster = boot(SEED, STATUES)
    configure(cluster, choice.mode, choice.period)
    answer = cluster.request("node/worker-1", f"http://127.0.0.1:{PORT}")
    text = f"museum, {choice.mode}: http://127.0.0.1:{PORT} on worker-1: {answer.outcome or 'ok'}"
    if answer.ok:
        return right("", (seen(cluster, text),))
    return wrong(
        f"museum: with {choice.mode} nobody answers at 127.0.0.1:{PORT}. Node ports on the "
        "loopback address are a habit of one mode only; the other has them at the node's own "
        "address.",
        0,
        (seen(cluster, text),),
    )


def _fair(choice: Choice) -> Finding:
    cluster = boot(SEED, market(BURST))
    configure(cluster, choice.mode, choice.period)
    burst = storm(cluster)
    text = f"fair, minSyncPeriod {choice.period}: at most {burst.most} writes on a node, "
    evidence = (seen(cluster, f"{text}the last {burst.late:.1f} s late"),)
    if burst.most > MOST_WRITES:
        return wrong(
            f"fair: with {choice.period} a node wrote its rules {burst.most} times in one burst, "
            f"and {MOST_WRITES} were allowed. A longer minSyncPeriod gathers more changes.",
            0,
            evidence,
        )
    if burst.late > LATEST:
        return wrong(
            f"fair: with {choice.period} the last change reached the rules {burst.late:.1f} s "
            f"late, and {LATEST:g} s were allowed. What gathers changes also holds them back.",
            0,
            evidence,
        )
    return right("", evidence)


TRIALS = {BAZAAR: _bazaar, MUSEUM: _museum, FAIR: _fair}
EXERCISE = Exercise(
    key="14.3",
    title="Three briefs",
    points=3,
    hints=(
        "Read each brief for the one thing in it that can be measured: rules met, an address that "
        "answers, writes and lateness.",
        "`cluster.cost_of_rules(800, 3)` serves the bazaar. For the museum: in the lab, try "
        f"cluster.request('node/worker-1', 'http://127.0.0.1:{PORT}').",
        "The fair is free in its mode. Its period must gather a burst of a second, and may hold a "
        "change back for no longer than two.",
    ),
    grade=grade,
    world=world,
)
