"""Chapter 12: right answers of several kinds pass, wrong ones hear what is wrong, stubs are met.

Each row of WRONG is an answer that learners give and the words that they need to hear.
"""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.classroom.checks import judge
from k8slab.classroom.exercises import find
from k8slab.classroom.exercises.ch12 import envelopes, layers
from k8slab.classroom.exercises.ch12.book import cases
from tests.exercises.claims import Claims

POD = ["caller > office:80", "caller > clerk:8080", "clerk:8080 > caller", "office:80 > caller"]
PORT = ["caller > node:30080", "node > clerk:8080", "clerk:8080 > node", "node:30080 > caller"]
FAILED = dict(zip(layers.VARIANTS[0], layers.LAYERS, strict=True))


def two(first: list[str] = POD, second: list[str] = PORT) -> dict[str, list[str]]:
    return {"first": first, "second": second}


def but(envelopes: list[str], station: int, envelope: str) -> list[str]:
    return [*envelopes[: station - 1], envelope, *envelopes[station:]]


def patch(what: str, change: str, kind: str = "strategic") -> str:
    return f"kubectl patch {what} --type {kind} -p '{change}'"


LOCAL = patch("service office", '{"spec": {"externalTrafficPolicy": "Local"}}')
ANYWHERE = patch(
    "deployment clerks", '[{"op": "remove", "path": "/spec/template/spec/nodeSelector"}]', "json"
)
DAEMON = """kubectl apply -f -
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: more}
spec:
  selector: {matchLabels: {app: clerk}}
  template:
    metadata: {labels: {app: clerk}}
    spec:
      containers:
      - name: clerk
        image: registry.k8s.io/e2e-test-images/agnhost:2.53
        args: [netexec, --http-port=8080]
"""
AFFINE = patch("service office", '{"spec": {"sessionAffinity": "ClientIP"}}')
INTERNAL = patch("service office", '{"spec": {"internalTrafficPolicy": "Local"}}')
OTHER_PORT = patch(
    "service office",
    '[{"op": "replace", "path": "/spec/ports/0/nodePort", "value": 30099}]',
    "json",
)
PROXY = "daemonset kube-proxy -n kube-system"
UNSELECT = patch(PROXY, '{"spec": {"template": {"spec": {"nodeSelector": {"proxy": null}}}}}')


# -- the book, and the ways to get it wrong


def halves(line: dict[str, Any]) -> tuple[Any, Any]:
    first = (line["src"], line["sport"], line["dst"], line["dport"])
    second = tuple(line[f"reply_{name}"] for name in ("src", "sport", "dst", "dport"))
    return first, second


def turned(half: Any) -> Any:
    return half[2:] + half[:2]


def by_halves(line: dict[str, Any], packet: Any) -> Any:
    first, second = halves(line)
    return {first: turned(second), second: turned(first)}.get(tuple(packet), packet)


def field_by_field(line: dict[str, Any], packet: Any) -> list[Any]:
    ways = (("", "reply_"), ("reply_", ""))
    for this, other in ways:
        if list(packet) == [line[f"{this}{name}"] for name in ("src", "sport", "dst", "dport")]:
            return [line[f"{other}{name}"] for name in ("dst", "dport", "src", "sport")]
    return list(packet)


def only_receiver(line: dict[str, Any], packet: Any) -> Any:
    first, second = halves(line)
    if packet == first:
        return (*packet[:2], *second[:2])
    return turned(first) if packet == second else packet


def only_there(line: dict[str, Any], packet: Any) -> Any:
    first, second = halves(line)
    return turned(second) if packet == first else packet


def not_turned(line: dict[str, Any], packet: Any) -> Any:
    first, second = halves(line)
    return {first: second, second: first}.get(packet, packet)


def careless(line: dict[str, Any], packet: Any) -> Any:
    first, second = halves(line)
    return turned(second) if packet[2:] == first[2:] else turned(first)


RIGHT: dict[str, tuple[Any, ...]] = {
    "12.1": (two(), two([each.upper().replace(" ", "") for each in POD])),
    "12.2": ([LOCAL, ANYWHERE], [LOCAL, DAEMON]),
    "12.3": (by_halves, field_by_field),
    "12.4": (FAILED, {name: layer.upper() for name, layer in FAILED.items()}),
    "12.5": (["kubectl label node worker-1 proxy=yes"], [UNSELECT]),
}
WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "12.1": (
        (two(but(POD, 1, "caller > clerk:8080")), "It says what the caller wrote"),
        (two(but(POD, 2, "caller > office:80")), "A Pod gets its own mail"),
        (two(but(POD, 2, "node > clerk:8080")), "the clerk sees the caller"),
        (two(but(POD, 2, "caller > clerk:80")), "the addresses are right, and a port is not"),
        (two(but(POD, 3, "office:80 > caller")), "answers whom it sees"),
        (two(but(POD, 4, "clerk:8080 > caller")), "only from whom it wrote to"),
        (two(second=but(PORT, 2, "caller > clerk:8080")), "writes itself in as the sender"),
        (two(PORT, POD), "0 of 8 are right"),
        (two(second=[*PORT[:3], ...]), "1 of 8 envelopes"),  # type: ignore[list-item]
    ),
    "12.2": (
        (["kubectl get pods"], "The clerks still see a node"),
        ([LOCAL], "worker-2 has no clerk of its own"),
        ([ANYWHERE], "The clerks still see a node"),
        ([AFFINE], "It does not show the clerk who it is"),
        ([INTERNAL], "callers inside the cluster"),
        ([OTHER_PORT], "lost one of them"),
        ([patch("service office", '{"spec": {"type": "ClusterIP"}}')], "lost one of them"),
        (["kubectl delete service office"], "The Service office is gone"),
        (["kubectl scale deployment clerks --replicas=0"], "No clerk is left"),
    ),
    "12.3": (
        (lambda line, packet: packet, "so it is to be rewritten"),
        (only_receiver, "The sender may be another one, too"),
        (only_there, "the second half of the line, so it is to be rewritten"),
        (not_turned, "the reverse of that"),
        (careless, "It differs from both halves in one number"),
        (lambda line, packet: line["nothing"], "KeyError"),
    ),
    "12.4": (
        (dict.fromkeys(FAILED, "endpoints"), "1 of 5 are right"),
        ({**FAILED, "cedar": "policy"}, "no packet was sent"),
        ({**FAILED, "alder": "name"}, "refused by a rule of the client's own node"),
        ({**FAILED, "maple": "process"}, "is it the one to which the rule sends"),
        ({**FAILED, "birch": "port"}, "shows at which address it listens"),
        ({**FAILED, "elder": "endpoints"}, "the packet was dropped on its way"),
    ),
    "12.5": (
        (["kubectl get pods"], "on which nodes does it run"),
        (["kubectl delete pod -l app=clerk"], "on which nodes does it run"),
        (["kubectl rollout restart daemonset kube-proxy -n kube-system"], "Not on worker-1"),
        (["kubectl delete pod client"], "The client is another one, or gone"),
        (["kubectl delete service office"], "The Service is another one, or gone"),
        ([f"kubectl delete {PROXY}"], "kube-proxy is gone from all nodes"),
        (["kubectl scale deployment clerks --replicas=0"], "no clerk any more"),
    ),
}
WRONG_KIND: dict[str, tuple[Any, ...]] = {
    "12.1": (5, POD, {"first": POD}, two(["a > b"]), two(["caller"] * 4)),
    "12.2": ([], [1], 3, {"a": 1}, ["  "]),
    "12.3": ("book", 3, lambda line, packet: 3, lambda line, packet: (1, 2)),
    "12.4": (
        [],
        "name",
        {"alder": "name"},
        {**FAILED, "alder": "the wire"},
        {**FAILED, "elder": 3},
    ),
    "12.5": ([], [1], 3, {"a": 1}, ["  "]),
}


class TestExercises(Claims):
    chapter, right, wrong, wrong_kind = "12", RIGHT, WRONG, WRONG_KIND


@pytest.mark.parametrize("names", envelopes.VARIANTS)
def test_every_variant_asks_for_one_kept_and_one_hidden_caller(names: tuple[str, str]) -> None:
    seen = [envelopes.observe(name, envelopes.SEEDS[0])[0] for name in names]
    kept = [each[0].partition(" ")[0] == each[1].partition(" ")[0] for each in seen]
    assert sorted(kept) == [False, True]
    answer = dict(zip(("first", "second"), map(list, seen), strict=True))
    assert envelopes.grade(names, answer).rung == "right"


@pytest.mark.parametrize("names", layers.VARIANTS)
def test_in_every_variant_each_name_fails_in_its_layer(names: tuple[str, ...]) -> None:
    assert layers.grade(names, dict(zip(names, layers.LAYERS, strict=True))).rung == "right"


def test_the_book_is_asked_both_ways_and_of_strangers() -> None:
    found = cases()
    assert len(found) == 120
    kinds = [case.kind for case in found]
    assert (kinds.count("there"), kinds.count("back"), kinds.count("stranger")) == (15, 15, 90)
    hidden = [c for c in found if c.kind == "there" and c.packet[:2] != c.wanted[:2]]
    assert len(hidden) == 9


def test_a_learner_s_name_chooses_the_variant() -> None:
    tasks = {find("12.1", name).task for name in ("Ada", "Ben", "Cleo", "Dora", "Emil", "Fay")}
    assert len(tasks) > 1
    assert judge(find("12.1", "Ada"), two()).rung in ("right", "keep working", "almost")
