"""Chapter 05: right answers of several kinds pass, wrong ones hear what is wrong, stubs are met.

Each row of WRONG is an answer that learners give and the words that they need to hear.
"""

from __future__ import annotations

from typing import Any

from k8slab.api.requests import amounts, pod_requests
from tests.exercises.claims import Claims

NODES = {
    "tea": "worker-4",
    "iron": "none",
    "silk": "worker-1",
    "salt": "worker-4",
    "bulk": "worker-4",
    "fish": "worker-3",
}


def requested(pods: Any, name: str) -> int:
    return sum(pod_requests(pod).get(name, 0) for pod in pods)


class Full:
    """The fullest node by CPU."""

    weight = 100

    def filter(self, pod: Any, node: Any, pods: Any) -> Any:
        has, asks = amounts(node.status.allocatable), pod_requests(pod)
        if len(pods) >= has["pods"]:
            return "Too many pods"
        return all(n + requested(pods, name) <= has[name] for name, n in asks.items())

    def score(self, pod: Any, node: Any, pods: Any) -> int:
        return 100 * requested(pods, "cpu") // amounts(node.status.allocatable)["cpu"]


class ByNumber(Full):
    """The node with the most Pods."""

    def score(self, pod: Any, node: Any, pods: Any) -> int:
        return min(len(pods), 100)


class InUse:
    """Whatever is in use already, both resources looked at, and another way to refuse."""

    name = "in use"
    weight = 50

    def filter(self, pod: Any, node: Any, *, pods: Any) -> Any:
        lacking = []
        has = amounts(node.status.allocatable)
        for name, amount in {**pod_requests(pod), "pods": 1}.items():
            there = len(pods) if name == "pods" else requested(pods, name)
            lacking += [name] if amount > has[name] - there else []
        return ", ".join(lacking) or None

    def score(self, pod: Any, node: Any, *, pods: Any) -> int:
        has = amounts(node.status.allocatable)
        return max(100 * requested(pods, name) // has[name] for name in ("cpu", "memory"))


class OnlyCpu(Full):
    def filter(self, pod: Any, node: Any, pods: Any) -> Any:
        has = amounts(node.status.allocatable)
        fits = requested([pod, *pods], "cpu") <= has["cpu"]
        return fits and len(pods) < has["pods"]


class NoLast(Full):
    def filter(self, pod: Any, node: Any, pods: Any) -> Any:
        has, asks = amounts(node.status.allocatable), pod_requests(pod)
        fits = all(n + requested(pods, name) < has[name] for name, n in asks.items())
        return fits and len(pods) < has["pods"]


class Uncounted(Full):
    def filter(self, pod: Any, node: Any, pods: Any) -> Any:
        has, asks = amounts(node.status.allocatable), pod_requests(pod)
        return all(n + requested(pods, name) <= has[name] for name, n in asks.items())


class Alone(Full):
    def filter(self, pod: Any, node: Any, pods: Any) -> Any:
        has, asks = amounts(node.status.allocatable), pod_requests(pod)
        return len(pods) < has["pods"] and all(n <= has[name] for name, n in asks.items())


class FirstContainer(Full):
    def filter(self, pod: Any, node: Any, pods: Any) -> Any:
        has = amounts(node.status.allocatable)
        asks = amounts(pod.spec.containers[0].resources.requests)
        if len(pods) >= has["pods"]:
            return False
        return all(n + requested(pods, name) <= has[name] for name, n in asks.items())


class ByLimits(Full):
    def filter(self, pod: Any, node: Any, pods: Any) -> Any:
        has = amounts(node.status.allocatable)
        for name in ("cpu", "memory"):
            limits = [amounts(c.resources.limits).get(name, 0) for c in pod.spec.containers]
            if sum(limits) + requested(pods, name) > has[name]:
                return False
        return len(pods) < has["pods"]


class Spread(Full):
    def score(self, pod: Any, node: Any, pods: Any) -> int:
        return 100 - Full.score(self, pod, node, pods)


class Light(Full):
    weight = 1


class TooHigh(Full):
    def score(self, pod: Any, node: Any, pods: Any) -> int:
        return requested(pods, "cpu")


class Fraction(Full):
    def score(self, pod: Any, node: Any, pods: Any) -> Any:
        return requested(pods, "cpu") / 4000


class Absent(Full):
    def filter(self, pod: Any, node: Any, pods: Any) -> Any:
        return pod_requests(pod)["cpu"] + requested(pods, "cpu") <= 4000


class OtherArguments:
    def filter(self, pod: Any) -> Any:
        return True

    def score(self, pod: Any, node: Any) -> int:
        return 0


class NoScore(Full):
    def score(self, pod: Any, node: Any, pods: Any) -> int:
        raise NotImplementedError


class Weightless(Full):
    weight = 0


class OnlyFilter:
    def filter(self, pod: Any, node: Any) -> bool:
        return True


class OddFilter(Full):
    def filter(self, pod: Any, node: Any, pods: Any) -> Any:
        return 3


ORGAN = "kubectl set resources deployment organ --requests=cpu=%s"
STALLS = "kubectl set resources deployment stalls --requests=cpu=%s"
DRAIN = "kubectl drain worker-2 --ignore-daemonsets"
FIRST = "kubectl create priorityclass first --value=1000"
USE = """kubectl patch deployment organ -p \
'{"spec": {"template": {"spec": {"priorityClassName": "first"}}}}'"""
RIGHT: dict[str, tuple[Any, ...]] = {
    "05.1": (NODES, {**NODES, "iron": None}, {k: v.upper() for k, v in NODES.items()}),
    "05.2": ("ABG", "g, b, a", ["A", "B", "G"], {"A", "B", "G"}),
    "05.3": (Full, Full(), ByNumber, InUse),
    "05.4": (
        [ORGAN % "1"],
        [STALLS % "500m"],
        [DRAIN, "kubectl uncordon worker-2"],
        [FIRST, USE],
    ),
}
WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "05.1": (
        ({**NODES, "tea": "worker-2"}, "the largest share left unrequested"),
        ({**NODES, "tea": "worker-3"}, "a taint, which tea does not tolerate"),
        ({**NODES, "iron": "worker-1"}, "has the crane, and not the room"),
        ({**NODES, "silk": "worker-4"}, "A nodeSelector is a filter"),
        ({**NODES, "salt": "worker-3"}, "It does not draw it there"),
        ({**NODES, "bulk": "worker-2"}, "2000m do not fit into what is left"),
        ({**NODES, "fish": "none"}, "fish tolerates the taint"),
        ({"tea": "worker-4"}, "there is no node for it".capitalize()),
    ),
    "05.2": (
        ("AB", "G would help, and you left it out. Three Pods that ask for 300m"),
        ("ABCG", "C would not help. One CPU more is free"),
        ("ABDG", "D would not help. Limits are the kubelet's affair"),
        ("ABEG", "two filters"),
        ("ABFG", "The taint is still there"),
        ("ABGH", "looks at the labels of nodes"),
        ("CD", "3 of 8"),
    ),
    "05.3": (
        (OnlyCpu, "CPU is left, and memory is not"),
        (NoLast, "to the last millicore"),
        (Uncounted, "only so many Pods"),
        (Alone, "Sum the requests of the Pods that are there"),
        (FirstContainer, "room for all of them"),
        (ByLimits, "Limits, and what is used, are not asked"),
        (Spread, "spreads as ours does"),
        (Light, "Give it more `weight`"),
        (TooHigh, "returns an invalid score"),
        (Fraction, "your score returned 0.0 (float), expected a whole number"),
        (Absent, "KeyError: 'cpu' at `return pod_requests(pod)"),
        (OtherArguments, "could not be called as filter(pod, node)"),
        (NoScore, "Your score is still a stub"),
        (Weightless, "a weight is a whole number from 1"),
    ),
    "05.4": (
        (["kubectl get pods"], "The organ still waits for 2500m CPU on one worker"),
        ([ORGAN % "500m"], "asks for 500m CPU and uses up to 1000m"),
        ([STALLS % "10m"], "The scheduler would promise the rest to others"),
        (["kubectl scale deployment stalls --replicas=4"], "There are 4 stalls of 8"),
        (["kubectl delete deployment organ"], "There is no organ any more"),
        ([DRAIN], "worker-2 is closed for new Pods"),
        (
            ["kubectl taint node control-plane node-role.kubernetes.io/control-plane-"],
            "leave it to them",
        ),
        ([ORGAN % "5"], "A whole worker has 4000m"),
        (["kubectl delete node worker-1"], "A node was deleted"),
    ),
}
WRONG_KIND: dict[str, tuple[Any, ...]] = {
    "05.1": (5, {"coffee": "worker-1"}, {"tea": "worker-9"}, {}, ["worker-1"]),
    "05.2": (5, "XYZ", "", [], ["A", 1]),
    "05.3": (5, "Full", OnlyFilter, requested, OddFilter),
    "05.4": ([], [1], 3, {"a": 1}),
}


class TestExercises(Claims):
    chapter, right, wrong, wrong_kind = "05", RIGHT, WRONG, WRONG_KIND
