"""Chapter 06: right answers of several kinds pass, wrong ones hear what is wrong, stubs are met.

Each row of WRONG is an answer that learners give and the words that they need to hear.
"""

from __future__ import annotations

from typing import Any

from k8slab.api.pods import is_pod_ready
from tests.exercises.claims import Claims

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: checkout}
spec: {selector: {%s}, ports: [{port: 80%s}]}
"""
APPLY = "kubectl apply -f -\n" + SERVICE


def mended(selector: str, port: str = "") -> list[str]:
    return [APPLY % (selector, port)]


def four_tests(service: Any, pods: Any) -> list[str]:
    selector = service.spec.selector
    return [
        pod.metadata.name
        for pod in pods
        if selector
        and pod.metadata.namespace == service.metadata.namespace
        and selector.items() <= pod.metadata.labels.items()
        and is_pod_ready(pod)
        and pod.metadata.deletionTimestamp is None
    ]


def one_by_one(service: Any, pods: Any) -> Any:
    """Another way: Pods instead of names, a generator instead of a list."""
    if not service.spec.selector:
        return
    for pod in pods:
        ready = [c.status for c in pod.status.conditions if c.type == "Ready"]
        wanted = [pod.metadata.labels.get(k) == v for k, v in service.spec.selector.items()]
        same = pod.metadata.namespace == service.metadata.namespace
        if all(wanted) and ready == ["True"] and same and not pod.metadata.deletionTimestamp:
            yield pod


def without(service: Any, pods: Any, *left_out: str) -> list[str]:
    """The right function, with some of its tests forgotten."""
    selector = service.spec.selector
    tests = {
        "selector": lambda pod: bool(selector),
        "namespace": lambda pod: pod.metadata.namespace == service.metadata.namespace,
        "labels": lambda pod: selector.items() <= pod.metadata.labels.items(),
        "ready": is_pod_ready,
        "staying": lambda pod: pod.metadata.deletionTimestamp is None,
    }
    used = [test for name, test in tests.items() if name not in left_out]
    return [pod.metadata.name for pod in pods if all(test(pod) for test in used)]


def forgetting(*left_out: str) -> Any:
    return lambda service, pods: without(service, pods, *left_out)


def any_label(service: Any, pods: Any) -> list[str]:
    found = [
        pods_ for pods_ in pods if service.spec.selector.items() & pods_.metadata.labels.items()
    ]
    return [name for name in without(service, found, "labels")]


def by_name(service: Any, pods: Any) -> list[str]:
    return [p.metadata.name for p in pods if p.metadata.name.startswith(service.metadata.name)]


def by_owner(service: Any, pods: Any) -> list[str]:
    return without(service, [pod for pod in pods if pod.metadata.ownerReferences])


def running(service: Any, pods: Any) -> list[str]:
    return without(service, [p for p in pods if p.status.phase == "Running"], "ready")


def broken(service: Any, pods: Any) -> list[str]:
    return [pod.name for pod in pods]


RIGHT: dict[str, tuple[Any, ...]] = {
    "06.1": ("DBACE", "BDACE", list("DABCE"), "d, a, c, b, e"),
    "06.2": (
        {"app": "shop", "tier": "web"},
        {"app": "shop", "serves": "people"},
        "app=shop,tier=web,serves=people",
    ),
    "06.3": (four_tests, one_by_one),
    "06.4": (
        mended("app: checkout, tier: backend"),
        mended("run: checkout"),
        ["""kubectl patch service checkout -p '{"spec": {"selector": {"tier": "backend"}}}'"""],
        ["kubectl get pods --show-labels", "kubectl get svc", *mended("run: checkout")],
    ),
}
WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "06.1": (
        ("FBACE", "Nobody deletes the relabeled Pod"),
        ("DBGACE", "The Deployment does nothing"),
        ("DBACEH", "The Service keeps its ClusterIP"),
        ("DACE", "The Service follows labels and nothing else"),
        ("BACE", "A ReplicaSet, too, goes by labels"),
        ("ADBCE", "D comes before A"),
        ("DBAEC", "only a ready Pod is given traffic"),
        ("DACEB", "B comes before E"),
        ("DDACE", "at most once"),
    ),
    "06.2": (
        ({"app": "shop"}, "should not be in"),
        ({"tier": "web"}, "blog-web"),
        ({"app": "shop", "tier": "web", "track": "stable"}, "canary serves customers too"),
        ({"release": "r41"}, "select by what stays"),
        ({"name": "shop-web"}, "No Pod bears `name=shop-web`"),
        ({"tier": "api", "track": "canary"}, "no Pod bears all of them"),
        ({}, "without a selector selects nothing"),
        ("app=shop,tier in (web)", "a Service does not"),
        ({"matchLabels": {"app": "shop"}}, "belongs to Deployments"),
    ),
    "06.3": (
        (forgetting("namespace"), "own namespace only"),
        (forgetting("ready"), "not ready"),
        (forgetting("staying"), "no new connections"),
        (forgetting("selector"), "No selector selects nothing"),
        (any_label, "One matching label is not enough"),
        (by_name, "Only labels count"),
        (by_owner, "No ReplicaSet made it"),
        (running, "not ready"),
        (broken, "AttributeError"),
        (lambda service: [], "could not be called"),
        (lambda service, pods: ["ghost"], "There is no Pod called 'ghost'"),
    ),
    "06.4": (
        (mended("app: checkout"), "too many do"),
        (mended("tier: backend"), "too many do"),
        (mended("app: chekout"), "Nobody is behind the Service"),
        (["kubectl get pods"], "Nobody is behind the Service"),
        (["kubectl delete service checkout", *mended("run: checkout")], "Change it in place"),
        (["kubectl delete service checkout"], "The Service is gone"),
        (["kubectl delete deployment cart", *mended("tier: backend")], "cart was deleted"),
        (
            ["kubectl label pods -l app=checkout-old app=retired --overwrite"],
            "labels of checkout-old",
        ),
        (
            ["kubectl label pods -l run=checkout tier=frontend --overwrite"],
            "until a Pod is replaced",
        ),
        (mended("run: checkout", ", targetPort: 8080"), "look at its ports"),
        (["kubectl scale deployment checkout --replicas=0"], "no checkout Pods"),
        (["kubectl scale deployment cart --replicas=100000"], "needs no 1000"),
        (["kubectl delete pod client", *mended("run: checkout")], "client is gone"),
        (["kubectl -n kube-system delete deployment coredns"], "coredns was deleted"),
        (
            [
                "kubectl -n kube-system scale deployment coredns --replicas=0",
                *mended("run: checkout"),
            ],
            "its name is lost",
        ),
        (["kubectl wait --for=delete pod/client --timeout=3000s"], "still running after 600"),
    ),
}
WRONG_KIND: dict[str, tuple[Any, ...]] = {
    "06.1": (5, "XYZ", "", ["A", 1]),
    "06.2": (7, ["app", "shop"], {"app": 1}, "app==="),
    "06.3": ("web", 3, lambda service, pods: 5, lambda service, pods: "web"),
    "06.4": ([], [1], 3, {"a": 1}, ["  "]),
}


class TestExercises(Claims):
    chapter, right, wrong, wrong_kind = "06", RIGHT, WRONG, WRONG_KIND
