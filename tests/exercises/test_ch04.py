"""Chapter 04: right answers of several kinds pass, wrong ones hear what is wrong, stubs are met.

Each row of WRONG is an answer that learners give and the words that they need to hear.
"""

from __future__ import annotations

from typing import Any

from k8slab.node.kubelet import status
from tests.exercises.claims import Claims

CAUSES = {"anna": "crashes", "bert": "no image", "cleo": "not ready", "dora": "no node"}
LOGS = ["anna", "cleo"]
SHY = """kubectl apply -f -
apiVersion: v1
kind: Pod
metadata: {name: shy}
spec: {%scontainers: [{name: main, image: "nginx:1.27"%s}]}
"""
FALSE = '{exec: {command: ["false"]}}'
SHOP = (
    """kubectl patch deployment shop -p '{"spec": {"template": {"spec": {"containers": [%s]}}}}'"""
)


def liveness(probe: str, more: str = "") -> list[str]:
    return [SHOP % ('{"name": "shop", "livenessProbe": %s%s}' % (probe, more))]  # noqa: UP031


def restarts_again(spec: Any, exit_code: int) -> bool:
    return spec.restartPolicy == "Always" or (spec.restartPolicy == "OnFailure" and exit_code != 0)


def phase(spec: Any, containers: Any, init_containers: Any) -> str:
    for one in init_containers:
        ended = one.state.terminated or (one.lastState.terminated if one.state.waiting else None)
        if ended is None:
            return "Pending"
        if ended.exitCode and not restarts_again(spec, ended.exitCode):
            return "Failed"
    codes: list[int | None] = []
    for one in containers:
        if one.state.running is not None:
            codes.append(None)
            continue
        ended = one.state.terminated or one.lastState.terminated
        if ended is None:
            return "Pending"
        codes.append(ended.exitCode)
    if None in codes or any(restarts_again(spec, code or 0) for code in codes):
        return "Running"
    return "Failed" if any(codes) else "Succeeded"


def by_running(spec: Any, containers: Any, init_containers: Any) -> str:
    return "Running" if any(one.state.running for one in containers) else "Pending"


def back_off_is_pending(spec: Any, containers: Any, init_containers: Any) -> str:
    if any(one.state.waiting for one in containers):
        return "Pending"
    return phase(spec, containers, init_containers)


def any_failure_fails(spec: Any, containers: Any, init_containers: Any) -> str:
    if any(one.state.terminated and one.state.terminated.exitCode for one in containers):
        return "Failed"
    return phase(spec, containers, init_containers)


def without_init(spec: Any, containers: Any, init_containers: Any) -> str:
    return phase(spec, containers, ())


RIGHT: dict[str, tuple[Any, ...]] = {
    "04.1": ([6, 21, 46, 92, 177], (5, 20, 45, 90, 175)),
    "04.2": (
        [SHY % ("", f", readinessProbe: {FALSE}")],
        [SHY % ("readinessGates: [{conditionType: example.com/fed}], ", "")],
        [SHY % ("", ", readinessProbe: {tcpSocket: {port: 8080}}")],
    ),
    "04.3": (phase, status.pod_phase),
    "04.4": ({**CAUSES, "logs": LOGS}, {**CAUSES, "logs": {"cleo", "anna"}}),
    "04.5": (
        liveness('{"exec": null, "tcpSocket": {"port": 80}}'),
        liveness('{"exec": null, "httpGet": {"path": "/", "port": 80}}'),
        liveness('{"exec": {"command": ["wget", "-q", "-O", "-", "http://localhost"]}}'),
    ),
}
WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "04.1": (
        ([5, 10, 15, 20, 25], "You let it start again at once"),
        ([15, 30, 45, 60, 75], "The wait doubles"),
        ([15, 40, 85, 170, 335], "one too early"),
        ([0, 10, 30, 70, 150], "You left out the 5 seconds"),
        ([5, 20, 45, 90, 300], "Start 6 does not come"),
        ([1, 2, 3, 4, 5], "A run lasts 5 s"),
    ),
    "04.2": (
        ([SHY % ("", "")], "was ready for a while"),
        ([SHY % ("", f", livenessProbe: {FALSE}")], "A probe that restarts is a liveness probe"),
        (["kubectl run shy --image=nginx:1.27 --command -- sh -c 'exit 1'"], "was restarted"),
        ([SHY % ("nodeSelector: {a: b}, ", "")], "is Pending after three minutes"),
        (["kubectl get pods"], "There is no Pod `shy`"),
        ([SHY % ("", f", startupProbe: {FALSE}")], "was restarted"),
    ),
    "04.3": (
        (by_running, "cases are right"),
        (back_off_is_pending, "A container that waits for its restart has been started before"),
        (any_failure_fails, "or will be started again"),
        (without_init, "Init containers come first"),
        (lambda spec, containers, init: "Happy", "You say 'Happy'"),
        (lambda pod: "Running", "could not be called"),
    ),
    "04.4": (
        ({**CAUSES, "bert": "crashes", "logs": LOGS}, "No container of it was ever started"),
        ({**CAUSES, "anna": "not ready", "logs": LOGS}, "ended with exit code 2"),
        ({**CAUSES, "cleo": "crashes", "logs": LOGS}, "its readiness probe fails"),
        ({**CAUSES, "dora": "no image", "logs": LOGS}, "more CPU than any node has"),
        ({**CAUSES, "logs": ["anna"]}, "look at cleo again"),
        ({**CAUSES, "logs": [*LOGS, "bert"]}, "look at bert again"),
        ({"anna": "crashes", "logs": LOGS}, "What is the matter with bert"),
    ),
    "04.5": (
        (["kubectl get pods"], "The storm goes on"),
        (["kubectl scale deployment db --replicas=1"], "You brought the database back"),
        (liveness("null"), "no liveness probe any more"),
        (["kubectl delete deployment shop"], "The Deployment shop was deleted"),
        (["kubectl scale deployment shop --replicas=0"], "fewer than three replicas"),
        (liveness('{"periodSeconds": 20}'), "The storm goes on"),
        (liveness('{"failureThreshold": 1000}'), "the storm is only put off"),
        (
            liveness(
                '{"exec": null, "tcpSocket": {"port": 80}}',
                ', "readinessProbe": {"tcpSocket": {"port": 8080}}',
            ),
            "the rollout waits",
        ),
    ),
}
WRONG_KIND: dict[str, tuple[Any, ...]] = {
    "04.1": (5, [1, 2], ["a"] * 5, "6 21 46 92 177"),
    "04.2": ([], [1], 3, {"a": 1}),
    "04.3": ("web", 3, lambda spec, containers, init: 5, lambda spec, containers, init: None),
    "04.4": (3, {"anna": "ill"}, {"zoe": "crashes"}, {**CAUSES, "logs": 5}),
    "04.5": ([], [1], 3, ["  "]),
}


class TestExercises(Claims):
    chapter, right, wrong, wrong_kind = "04", RIGHT, WRONG, WRONG_KIND
