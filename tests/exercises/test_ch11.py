"""Chapter 11: right answers of several kinds pass, wrong ones hear what is wrong, stubs are met.

Each row of WRONG is an answer that learners give and the words that they need to hear.
"""

from __future__ import annotations

from typing import Any

from k8slab.classroom.exercises import find
from k8slab.classroom.exercises.ch11.cards import cases
from k8slab.classroom.exercises.ch11.lost_line import outcome
from k8slab.classroom.exercises.ch11.odds import COUNTS, variant
from tests.exercises.claims import Claims

CLUSTER = 'kubectl patch service calls -p \'{"spec": {"internalTrafficPolicy": "Cluster"}}\''
SPREAD = (
    '{"spec": {"replicas": 4, "template": {"spec": {"nodeSelector": null, '
    '"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", '
    '"whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": "Honor", '
    '"labelSelector": {"matchLabels": {"app": "cabs"}}}]}}}}'
)
LOST = {"north": "2", "east": "service", "south": "4", "west": "1"}
FAIR = [1 / 5, 1 / 4, 1 / 3, 1 / 2, 1]


def ready_of(slices: Any, port: Any, wrongly: Any) -> list[tuple[str, int]]:
    return [
        (address, port.port if wrongly.get("front") else own.port)
        for one in slices
        for own in one.ports
        if (own.name or "") == (port.name or "") or wrongly.get("any_port")
        for endpoint in one.endpoints
        if endpoint.conditions.ready or wrongly.get("everybody")
        for address in endpoint.addresses
    ]


def render(service: Any, slices: Any, **wrongly: Any) -> dict[str, list[str]]:
    """The right rules; `wrongly` switches steps off."""
    nat, refusals = [], []
    for number, port in enumerate(service.spec.ports):
        protocol = "tcp" if wrongly.get("tcp") else port.protocol.lower()
        match = (
            "" if wrongly.get("no_port") else f" -p {protocol} -m {protocol} --dport {port.port}"
        )
        to = f"-A KUBE-SERVICES -d {service.spec.clusterIP}/32{match}"
        ready = ready_of(slices, port, wrongly)
        if not ready:
            if not wrongly.get("silent"):
                refusals.append(f"{to} -j REJECT")
            continue
        nat.append(f"{to} -j CALLS-{number}")
        if not wrongly.get("unmarked"):
            nat.append(f"-A CALLS-{number} ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ")
        for place, (address, target) in enumerate(ready):
            left = len(ready) if wrongly.get("equal") else len(ready) - place
            left += bool(wrongly.get("leaky"))
            chance = f"-m statistic --mode random --probability {1 / left:.10f} "
            is_last = place == len(ready) - 1 and not wrongly.get("leaky")
            dice = "" if is_last else chance
            nat.append(f"-A CALLS-{number} {dice}-j CAB-{number}-{place}")
            if not wrongly.get("no_hairpin"):
                nat.append(f"-A CAB-{number}-{place} -s {address}/32 -j KUBE-MARK-MASQ")
            if wrongly.get("mark_all"):
                nat.append(f"-A CAB-{number}-{place} -j KUBE-MARK-MASQ")
            rewrite = f"-p {protocol} -j DNAT --to-destination {address}:{target}"
            nat.append(f"-A CAB-{number}-{place} {rewrite}")
    return {"nat": nat, "filter": refusals}


def wrongly(*switches: str) -> Any:
    return lambda service, slices: render(service, slices, **dict.fromkeys(switches, True))


def flat(service: Any, slices: Any) -> dict[str, list[str]]:
    """Another way: no chains of one's own for endpoints, dice and DNAT in one line."""
    given = render(service, slices)
    nat: list[str] = []
    for line in given["nat"]:
        if " -j CAB-" in line:
            chain, cab = line.split()[1], line.split()[-1]
            dice = line.partition(chain)[2].partition("-j")[0].strip()
            rewrite = next(
                each for each in given["nat"] if each.startswith(f"-A {cab} ") and "DNAT" in each
            )
            address = rewrite.split()[-1].split(":")[0]
            chosen = f"PICK-{cab}"
            nat.append(f"-A {chain} {dice} -g {chosen}".replace("  ", " "))
            nat.append(f"-A {chosen} -s {address} -j KUBE-MARK-MASQ")
            nat.append(rewrite.replace(f"-A {cab}", f"-A {chosen}"))
        elif not line.startswith("-A CAB-"):
            nat.append(line)
    return {**given, "nat": nat}


RIGHT: dict[str, tuple[Any, ...]] = {
    "11.1": (FAIR, (0.2, 0.25, 0.33, 0.5, 1)),
    "11.2": (render, flat),
    "11.3": (LOST, {"north": 2, "east": "Service", "south": 4, "west": 1}),
    "11.4": ([CLUSTER], [f"kubectl patch deployment cabs -p '{SPREAD}'"]),
}
WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "11.1": (
        ([0.2, 0.2, 0.2, 0.2, 1], "what each should get of *all*"),
        ([0.2, 0.2, 0.2, 0.2, 0.2], "The last rule has no dice"),
        ([0.5, 0.4, 0.3, 0.2, 1], "Your numbers fall"),
        ([0.2, 0.25, 0.33, 0.4, 1], "One number is off: that of rule 4"),
        ([0, 0, 0.33, 0.5, 1], "3 of 5 are right"),
    ),
    "11.2": (
        (wrongly("silent"), "refused at once: REJECT"),
        (wrongly("everybody"), "should get no packet"),
        (wrongly("front"), "the address is right and the port is not"),
        (wrongly("equal"), "with the wrong chances"),
        (wrongly("leaky"), "keep the Service's address"),
        (wrongly("unmarked"), "comes from the node"),
        (wrongly("no_hairpin"), "has drawn itself"),
        (wrongly("mark_all"), "own source is kept"),
        (wrongly("no_port"), "your rules touch it"),
        (wrongly("tcp"), "keep the Service's address"),
        (wrongly("any_port"), "the port is not"),
        (lambda service, slices: {"nat": ["KUBE-SERVICES"]}, "begins with `-A CHAIN`"),
        (lambda service, slices: {"mangle": []}, "The tables are nat and filter"),
        (lambda service, slices: {"nat": ["-A KUBE-SERVICES --what 1 -j X"]}, "refuses your lines"),
        (lambda service, slices: slices.nothing, "AttributeError"),
    ),
    "11.3": (
        ({**LOST, "north": "3"}, "On north one endpoint is never heard"),
        ({**LOST, "north": "service"}, "On north somebody is heard"),
        ({**LOST, "east": "4"}, "On east nobody is ever heard"),
        ({**LOST, "south": "3"}, "On south packets get lost"),
        (dict.fromkeys(LOST, "3"), "0 of 4 are right"),
    ),
    "11.4": (
        (["kubectl get pods"], "Calls from west still time out"),
        (
            ["kubectl rollout restart daemonset kube-proxy -n kube-system"],
            "Calls from west still time out",
        ),
        (["kubectl scale deployment cabs --replicas=6"], "has no local endpoints"),
        (["kubectl delete pod west"], "west is gone"),
        (
            [
                "kubectl delete service calls",
                "kubectl expose deployment cabs --name=calls --port=80",
            ],
            "calls is another one now",
        ),
        (["kubectl scale deployment cabs --replicas=1"], "Nobody is sent home"),
    ),
}
WRONG_KIND: dict[str, tuple[Any, ...]] = {
    "11.1": (0.2, "0.2", [0.2], [0.2, 0.25, 0.33, 0.5, 2], [0.2, 0.25, 0.33, 0.5, "1"]),
    "11.3": ("2", 3, {"north": "2"}, {**LOST, "west": "5"}),
    "11.4": (4, "", [], {"kubectl": "get pods"}),
    "11.2": ("rules", 3, lambda service, slices: "no", lambda service, slices: []),
}


class TestExercises(Claims):
    chapter, right, wrong, wrong_kind = "11", RIGHT, WRONG, WRONG_KIND


def test_every_variant_is_solved_by_the_same_rule() -> None:
    for count in COUNTS:
        assert variant(count).grade([1 / (count - n) for n in range(count)]).rung == "right"


def test_the_worlds_of_the_make_task_hold_what_they_promise() -> None:
    assert len(cases()) == 10
    assert find("11.1", "Ada").task == find("11.1", " ada ").task


def test_the_table_of_outcomes_is_what_the_rules_do() -> None:
    shares = {node: [round(share, 3) for share in outcome(line)] for node, line in LOST.items()}
    assert shares == {
        "north": [0.25, 0, 0.375, 0.375, 0],
        "east": [0, 0, 0, 0, 1],
        "south": [0.25, 0.25, 0.25, 0, 0.25],
        "west": [0, 0.333, 0.333, 0.333, 0],
    }
