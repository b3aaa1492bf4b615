"""Chapter 10: right answers of several kinds pass, wrong ones hear what is wrong, stubs are met.

Each row of WRONG is an answer that learners give and the words that they need to hear.
"""

from __future__ import annotations

from typing import Any

from k8slab.api.pods import is_pod_ready
from k8slab.classroom.exercises.ch10.calls import cases
from k8slab.classroom.exercises.ch10.five_cabs import CABS
from tests.exercises.claims import Claims

LAMPS = {"ada": "RS", "ben": "", "cleo": "ST", "dora": "T", "emil": "absent"}
LAMPS["ben in roll-call"] = "R"
SLICE = """kubectl apply -f -
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: archive-1, labels: {{{label}}}}}
addressType: IPv4
ports: [{{name: {name}, port: {port}}}]
endpoints: [{{addresses: ["{address}"]}}]
"""
ENDPOINTS = """kubectl apply -f -
apiVersion: v1
kind: Endpoints
metadata: {name: archive}
subsets: [{addresses: [{ip: 192.168.10.12}], ports: [{name: web, port: 8080}]}]
"""


def by_hand(
    label: str = "kubernetes.io/service-name: archive",
    name: str = "web",
    port: int = 8080,
    address: str = "192.168.10.12",
) -> str:
    return SLICE.format(label=label, name=name, port=port, address=address)


def patch(what: str, change: str, kind: str = "strategic") -> str:
    return f"kubectl patch {what} --type {kind} -p '{change}'"


RENAME = (
    '[{"op": "replace", "path": "/spec/template/spec/containers/0/ports/0/name", "value": "http"}]'
)
LISTEN = (
    '{"spec": {"template": {"spec": {"containers": [{"name": "main", "args": ["netexec", '
    '"--http-port=80", "--udp-port=-1"]}]}}}}'
)


# -- slices, and the ways to get them wrong


def lamps(service: Any, pod: Any, **wrongly: Any) -> dict[str, bool]:
    serving = is_pod_ready(pod)
    terminating = pod.metadata.deletionTimestamp is not None and not wrongly.get("stays")
    ready = serving and (not terminating or bool(wrongly.get("to_the_last")))
    if service.spec.publishNotReadyAddresses and not wrongly.get("strict"):
        ready = True
    if wrongly.get("running"):
        serving = ready = pod.status.phase == "Running"
    return {"ready": ready, "serving": serving, "terminating": terminating}


def number_of(pod: Any, target: Any, lost: int | None) -> int | None:
    if isinstance(target, int):
        return target
    named = {p.name: p.containerPort for c in pod.spec.containers for p in c.ports}
    return named.get(target, lost)


def build(service: Any, pods: Any, **wrongly: Any) -> list[dict[str, Any]]:
    """The right slices; `wrongly` switches steps off."""
    sheets: dict[Any, list[Any]] = {}
    for pod in pods:
        ended = pod.status.phase in ("Succeeded", "Failed") and not wrongly.get("ended")
        if ended or not pod.status.podIP or (wrongly.get("only_ready") and not is_pod_ready(pod)):
            continue
        lost = 8080 if wrongly.get("nobody") else None
        numbers = [(p.name, number_of(pod, p.targetPort, lost), p.port) for p in service.spec.ports]
        if wrongly.get("front"):
            numbers = [(name, port, port) for name, _, port in numbers]
        ports = tuple((name, number) for name, number, _ in numbers if number)
        row = {"addresses": [pod.status.podIP], "conditions": lamps(service, pod, **wrongly)}
        sheets.setdefault("all" if wrongly.get("mixed") else ports, []).append((ports, row))
    size = 1000 if wrongly.get("long") else 100
    return [
        {
            "ports": [{"name": name, "port": number} for name, number in rows[0][0]],
            "endpoints": [row for _, row in rows[start : start + size]],
        }
        for rows in sheets.values()
        for start in range(0, len(rows), size)
    ]


def wrongly(*switches: str) -> Any:
    return lambda service, pods: build(service, pods, **dict.fromkeys(switches, True))


def one_each(service: Any, pods: Any) -> list[dict[str, Any]]:
    """Another way: a slice for each Pod."""
    found = []
    for pod in pods:
        found += build(service, [pod])
    return found


def twice(service: Any, pods: Any) -> list[dict[str, Any]]:
    return build(service, pods) * 2


RIGHT: dict[str, tuple[Any, ...]] = {
    "10.1": (LAMPS, {**LAMPS, "ada": "sr", "cleo": "T, S", "emil": "Absent"}),
    "10.2": (build, one_each),
    "10.3": ([by_hand()], [ENDPOINTS]),
    "10.4": (
        [patch("deployment new-cabs", RENAME, "json")],
        [  # both fleets listen on one number, and the Service says which
            patch("deployment new-cabs", LISTEN),
            patch("service calls", '{"spec": {"ports": [{"port": 80, "targetPort": 80}]}}'),
        ],
    ),
}
WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "10.1": (
        ({**LAMPS, "ben": "absent"}, "has a row all the same"),
        ({**LAMPS, "cleo": "absent"}, "still answers her probe"),
        ({**LAMPS, "cleo": "RST"}, "gets no new connections"),
        ({**LAMPS, "dora": "ST"}, "readiness goes on being asked"),
        ({**LAMPS, "emil": ""}, "has completed"),
        ({**LAMPS, "ben in roll-call": "RS"}, "lights ready for everybody, and nothing else"),
        (dict.fromkeys(LAMPS, "RS"), "1 of 6 rows are right"),
    ),
    "10.2": (
        (wrongly("only_ready"), "ready or not"),
        (wrongly("ended"), "has ended"),
        (wrongly("nobody"), "has no port of the name"),
        (wrongly("stays"), "has a deletionTimestamp"),
        (wrongly("to_the_last"), "not ready for new connections"),
        (wrongly("running"), "`serving` of"),
        (wrongly("strict"), "publishNotReadyAddresses"),
        (wrongly("front"), "`targetPort` is a number, or a name"),
        (wrongly("mixed"), "Pods with other ports need another slice"),
        (wrongly("long"), "100 is the limit"),
        (twice, "in your slices twice"),
        (lambda service, pods: [{"ports": []}], "lacks `ports` or `endpoints`"),
        (lambda service, pods: pods.nothing, "AttributeError"),
    ),
    "10.3": (
        (["kubectl get services"], "has no EndpointSlice yet"),
        ([by_hand(label="app: archive")], "no label ties it to the Service"),
        ([by_hand(name='""')], "calls its port `web`"),
        ([by_hand(port=80)], "The slice says port 80"),
        ([by_hand(address="10.244.2.2")], "The archive answers at 192.168.10.12"),
        ([patch("svc archive", '{"spec": {"selector": {"a": "b"}}}')], "has a selector now"),
        (
            [patch("svc archive", '{"spec": {"type": "ExternalName", "externalName": "old"}}')],
            "An ExternalName is a CNAME",
        ),
        (["kubectl delete svc archive", by_hand()], "another one now, or gone"),
        (["kubectl label pod old-archive -n cellar app=archive"], "The archive was touched"),
    ),
    "10.4": (
        (["kubectl get pods"], "new-cabs are still not called"),
        (
            [patch("svc calls", '{"spec": {"ports": [{"port": 80, "targetPort": "web"}]}}')],
            "Now the old cabs are not called",
        ),
        (
            [patch("svc calls", '{"spec": {"ports": [{"port": 80, "targetPort": 80}]}}')],
            "somebody does not listen",
        ),
        (["kubectl scale deployment new-cabs --replicas=0"], "Nobody is sent away"),
        (["kubectl delete deployment new-cabs"], "The Deployment new-cabs is gone"),
        (["kubectl delete service calls"], "The Service calls is gone"),
    ),
}
WRONG_KIND: dict[str, tuple[Any, ...]] = {
    "10.1": (5, "RS", {"ada": "RS"}, {**LAMPS, "ben": "X"}, {**LAMPS, "ben": 3}),
    "10.2": ("slices", 3, lambda service, pods: 3, lambda service, pods: "no"),
    "10.3": ([], [1], 3, {"a": 1}, ["  "]),
    "10.4": ([], [1], 3, {"a": 1}, ["  "]),
}


class TestExercises(Claims):
    chapter, right, wrong, wrong_kind = "10", RIGHT, WRONG, WRONG_KIND


def test_the_worlds_of_the_make_task_hold_what_they_promise() -> None:
    found = cases()
    assert len(found) == 18
    assert max(len(case.wanted) for case in found) == 230
    assert any(len(case.wanted) < len(case.pods) for case in found)
    assert any(len({row.ports for row in case.wanted.values()}) > 1 for case in found)
    assert {name for name in LAMPS if " " not in name} == set(CABS)
