"""Chapter 14: right answers of several kinds pass, wrong ones hear what is wrong, stubs are met.

Each row of WRONG is an answer that learners give and the words that they need to hear.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from k8slab.api import load
from k8slab.classroom.checks import judge
from k8slab.classroom.exercises import find
from k8slab.classroom.exercises.ch14 import first_packet
from k8slab.classroom.exercises.ch14.post import (
    WRITER,
    assembled,
    cases,
    many,
    probe,
    rules_met,
    shares,
)
from k8slab.classroom.exercises.ch14.settings import settings
from k8slab.classroom.exercises.worlds import boot
from k8slab.node.kube_proxy import nftables
from k8slab.node.kube_proxy import render as proxy_rules
from tests.exercises.claims import Claims

NUMBERS = {"first Pod": 264, "last Pod": 275, "nftables": 14, "crossing": 250}
CHOICES = {"bazaar": ("nftables", "1s"), "museum": ("iptables", "1s"), "fair": ("nftables", "1s")}
LOOK_UP = "ip daddr . meta l4proto . th dport vmap @"
RESTART = "kubectl rollout restart daemonset kube-proxy -n kube-system"


def patch(period: str, mode: str = "iptables") -> str:
    config = settings(boot(1)) | {"mode": mode, mode: {"minSyncPeriod": period}}
    data = json.dumps({"data": {"config.conf": json.dumps(config)}})
    return f"kubectl patch configmap kube-proxy -n kube-system --type merge -p '{data}'"


# -- maps, and the ways to get them wrong


def key_of(port: Any, wrongly: Any) -> str:
    protocol = "tcp" if wrongly.get("tcp_only") else port.protocol
    return f"{port.ip} . {protocol} . {port.port}"


def die(names: list[str], wrongly: Any) -> list[str]:
    """Return the rules that choose."""
    if wrongly.get("walk"):  # as iptables does
        left = range(len(names), 0, -1)
        return [
            f"numgen random mod {n} == 0 goto {name}" for n, name in zip(left, names, strict=True)
        ]
    if wrongly.get("always_the_first"):
        return [f"goto {names[0]}"]
    if wrongly.get("forgets"):
        names = names[:-1] or names
    if wrongly.get("unfair"):
        names = [names[0], *names]
    choices = " , ".join(f"{n} : goto {name}" for n, name in enumerate(names))
    return [f"numgen random mod {len(names)} vmap {{ {choices} }}"]


def render(ports: Any, **wrongly: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The right maps; `wrongly` switches steps off."""
    found: dict[str, str] = {}
    empty: dict[str, str] = {}
    entry: list[str] = []
    chains: dict[str, Any] = {}
    for port in ports:
        key = key_of(port, wrongly)
        if not port.backends:
            empty[key] = "goto reject-chain"
            continue
        name = f"svc-{key.replace(' . ', '-')}"
        found[key] = f"goto {name}"
        entry.append(f"ip daddr {port.ip} {port.protocol} dport {port.port} goto {name}")
        names = []
        for number, backend in enumerate(port.backends):
            names.append(f"{name}-{number}")
            own = [f"ip saddr {backend.split(':')[0]} jump mark-for-masquerade"]
            if wrongly.get("marks_none"):
                own = []
            if wrongly.get("marks_all"):
                own = ["jump mark-for-masquerade"]
            target = backend
            if wrongly.get("front"):
                target = f"{backend.split(':')[0]}:{port.port}"
            chains[names[-1]] = [*own, f"meta l4proto {port.protocol} dnat to {target}"]
        chains[name] = die(names, wrongly)
    chains["services"] = entry if wrongly.get("list") else [f"{LOOK_UP}service-ips"]
    maps = {"service-ips": found}
    if not wrongly.get("waits"):
        maps["nobody"] = empty
        chains["refuse"] = [f"{LOOK_UP}nobody"]
    return maps, chains


def wrongly(*switches: str) -> Any:
    return lambda ports: render(ports, **dict.fromkeys(switches, True))


def by_address(ports: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Another way: one rule does the choice and the rewriting, with a chain for each Service."""
    maps, chains = render(ports)
    renamed = {"wege": maps["service-ips"], "niemand": maps["nobody"]}
    chains["services"] = ["jump ask"]
    chains["ask"] = [f"{LOOK_UP}wege"]
    chains["refuse"] = [f"{LOOK_UP}niemand"]
    return renamed, chains


def two_fields(ports: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    maps, chains = render(ports)
    chains["services"] = ["ip daddr . th dport vmap @service-ips"]
    return maps, chains


RIGHT: dict[str, tuple[Any, ...]] = {
    "14.1": (NUMBERS, dict(reversed(NUMBERS.items()))),
    "14.2": (render, by_address),
    "14.3": (
        CHOICES,
        {"bazaar": ["nftables", "10s"], "museum": ["iptables", "0s"], "fair": ["iptables", "1s"]},
    ),
    "14.4": ([patch("1s"), RESTART], [patch("1s", "nftables"), RESTART]),
}
WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "14.1": (
        ({**NUMBERS, "first Pod": 414}, "what stands behind it in the list is never met"),
        ({**NUMBERS, "first Pod": 15223}, "enters only the chain"),
        ({**NUMBERS, "first Pod": 250}, "is the search alone"),
        ({**NUMBERS, "last Pod": 264}, "is made by rules as well"),
        ({**NUMBERS, "last Pod": 276}, "one more rule for each Pod that was not chosen"),
        ({**NUMBERS, "nftables": 264}, "A map is asked once"),
        ({**NUMBERS, "crossing": 500}, "on average"),
        ({**NUMBERS, "crossing": 264}, "Compare like with like"),
        ({**NUMBERS, "crossing": 251}, "one for each Pod"),
    ),
    "14.2": (
        (wrongly("waits"), "are not refused: the client waits"),
        (wrongly("tcp_only"), "No rule takes a packet to"),
        (wrongly("always_the_first"), "never sends to"),
        (wrongly("forgets"), "never sends to"),
        (wrongly("unfair"), "Equal chances"),
        (wrongly("marks_none"), "must be marked"),
        (wrongly("marks_all"), "Only a Pod that is given to itself"),
        (wrongly("front"), "which is not behind it"),
        (wrongly("list"), "the way is still a list"),
        (wrongly("walk"), "still walks from rule to rule"),
        (lambda ports: ({}, {}), "There is no chain `services`"),
        (lambda ports: ({}, {"services": ["go home"]}), "nft does not take the rule `go home`"),
        (lambda ports: ({}, {"services": ["jump"]}), "nft does not take these rules"),
        (lambda ports: ({}, {"services": ["goto home"]}), "not among your chains"),
        (lambda ports: ({}, {"services": [f"{LOOK_UP}all"]}), "asks a map that is not among"),
        (lambda ports: ({}, {"services": [], "reject-chain": []}), "belongs to the frame"),
        (lambda ports: ({}, {"services": ["goto b"], "b": ["goto services"]}), "no circles"),
        (lambda ports: ({"a": {"10.96.0.1:80": "accept"}}, {"services": []}), "is no key"),
        (two_fields, "asks for other fields"),
        (lambda ports: ports.nothing, "AttributeError"),
    ),
    "14.3": (
        ({**CHOICES, "bazaar": ("ipvs", "1s")}, "deprecated since v1.35"),
        ({**CHOICES, "bazaar": ("iptables", "1s")}, "Which mode asks a map?"),
        ({**CHOICES, "museum": ("nftables", "1s")}, "nobody answers at 127.0.0.1"),
        ({**CHOICES, "fair": ("nftables", "0s")}, "A longer minSyncPeriod"),
        ({**CHOICES, "fair": ("nftables", "30s")}, "also holds them back"),
        ({**CHOICES, "fair": ("eBPF", "1s")}, "has no mode"),
        ({**CHOICES, "fair": ("nftables", "soon")}, "does not start"),
    ),
    "14.4": (
        (["kubectl get pods"], "is `minSyncPeriod`"),
        ([patch("1s")], "reads its configuration when it starts"),
        ([RESTART], "is `minSyncPeriod`"),
        ([patch("20s"), RESTART], "Gather for less long"),
        (
            ["kubectl delete daemonset kube-proxy -n kube-system"],
            "The DaemonSet kube-proxy is gone",
        ),
        (["kubectl delete deployment stalls"], "The market is gone"),
        (["kubectl scale deployment stalls --replicas=3"], "A small storm is no repair"),
        ([patch("1s", "ipvs"), RESTART], "kube-proxy does not run on"),
    ),
}
WRONG_KIND: dict[str, tuple[Any, ...]] = {
    "14.1": (5, [1, 2], {"first Pod": 3}, {**NUMBERS, "crossing": "many"}),
    "14.2": ("maps", 3, lambda ports: 3, lambda ports: {"services": {}}),
    "14.3": (5, "nftables", {"bazaar": ("nftables", "1s")}, {**CHOICES, "fair": "1s"}),
    "14.4": ([], [1], 3, {"a": 1}, ["  "]),
}


class TestExercises(Claims):
    chapter, right, wrong, wrong_kind = "14", RIGHT, WRONG, WRONG_KIND


@pytest.mark.parametrize("node", first_packet.VARIANTS, ids=str)
def test_every_variant_has_its_own_numbers_and_a_crossing(node: first_packet.Node) -> None:
    facts = first_packet.truth(node)
    numbers = facts.numbers
    assert numbers["last Pod"] - numbers["first Pod"] == node.pods - 1
    assert numbers["nftables"] < numbers["first Pod"] < facts.written
    assert numbers["crossing"] == node.place


def test_a_learner_is_asked_about_their_own_node() -> None:
    tasks = {find("14.1", name).task for name in ("", "Ada", "Ben", "Cleo", "Dora", "Emil")}
    assert len(tasks) > 2
    assert judge(find("14.1"), NUMBERS).rung == "right"


def test_the_worlds_of_the_make_task_hold_what_they_promise() -> None:
    found = cases()
    assert len(found) == 12
    assert any(not port.backends for case in found for port in case.ports)
    assert {port.protocol for case in found for port in case.ports} == {"tcp", "udp"}


def as_objects(ports: Any) -> tuple[list[Any], list[Any]]:
    """Return Services and EndpointSlices of which kube-proxy makes these ports."""
    services, slices = [], []
    for number, port in enumerate(ports):
        meta = {"name": f"svc-{number}", "namespace": "default"}
        listens = [{"port": port.port, "protocol": port.protocol.upper()}]
        spec = {"clusterIP": port.ip, "clusterIPs": [port.ip], "ports": listens}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}
        services.append(load(service))
        rows = [{"addresses": [each.split(":")[0]]} for each in port.backends]
        target = int(port.backends[0].split(":")[1]) if port.backends else 80
        own = {"kubernetes.io/service-name": meta["name"]}
        slices.append(
            load(
                {
                    "apiVersion": "discovery.k8s.io/v1",
                    "kind": "EndpointSlice",
                    "metadata": {**meta, "labels": own},
                    "addressType": "IPv4",
                    "ports": [{"name": "", "port": target, "protocol": port.protocol.upper()}],
                    "endpoints": rows,
                }
            )
        )
    return services, slices


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.seed}-{case.kind}")
def test_the_right_maps_do_what_kube_proxy_does_in_both_modes(case: Any) -> None:
    objects = as_objects(case.ports)
    own = assembled(*render(case.ports))
    for port in case.ports:
        answer = probe(own, port)
        for theirs in (nftables.render(*objects), proxy_rules(*objects)):
            trace = theirs.trace(WRITER, port.ip, port.port, port.protocol)
            assert shares(answer) == shares(trace)
            assert answer.verdict == trace.verdict


def test_a_map_and_a_list_lead_to_the_same_places_at_different_cost() -> None:
    ports = many(40, 4)
    one, other = assembled(*render(ports)), assembled(*render(ports, list=True))
    first, last = probe(one, ports[-1]), probe(other, ports[-1])
    assert shares(first) == shares(last) == dict.fromkeys(ports[-1].backends, Fraction(1, 4))
    assert rules_met(last) - rules_met(first) == 39
