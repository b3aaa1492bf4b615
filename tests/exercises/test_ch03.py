"""Chapter 03: right answers of several kinds pass, wrong ones hear what is wrong, stubs are met.

Each row of WRONG is an answer that learners give and the words that they need to hear.
"""

from __future__ import annotations

from typing import Any

from tests.exercises.claims import Claims

STEPS = {
    "etcd": 1,
    "kube-scheduler": 2,
    "kube-controller-manager": 7,
    "kubelet": 4,
    "kube-proxy": 7,
}
POD = """kubectl apply -f -
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec: {%scontainers: [{name: main, image: "%s"%s}]}
"""
UNGATE = """kubectl patch pod late -p '{"spec": {"schedulingGates": null}}'"""
EARLY = POD % ("early", "nodeName: worker-1, ", "nginx:1.27", "")
LATE = POD % ("late", "schedulingGates: [{name: example.com/wait}], ", "nginx:1.27", "")
STILL = POD % ("still", "", "redis:7", ", imagePullPolicy: Never")
LABEL = "kubectl label node worker-2 lift=heavy"
MENU = "kubectl create configmap menu --from-literal=soup=tomato"
IMAGE = "kubectl set image pod/cook cook=nginx:1.27"


def in_order(pod: Any) -> int:
    if not pod.spec.nodeName:
        return 2
    if pod.status.startTime is None:
        return 4
    if pod.status.phase != "Pending":
        return 7
    ready = {c.type: c.status for c in pod.status.conditions}
    return 6 if ready.get("PodReadyToStartContainers") == "True" else 5


def from_the_end(pod: Any) -> int:
    """Another way: from the report backwards."""
    if pod.status.phase in ("Running", "Succeeded", "Failed"):
        return 7
    for one in pod.status.conditions:
        if (one.type, one.status) == ("PodReadyToStartContainers", "True"):
            return 6
    return 5 if pod.status.startTime else 4 if pod.spec.nodeName else 2


def by_status_alone(pod: Any) -> int:
    return 7 if pod.status.phase == "Running" else 2


def without_sandbox(pod: Any) -> int:
    return 5 if in_order(pod) == 6 else in_order(pod)


def without_report(pod: Any) -> int:
    return 6 if in_order(pod) == 7 else in_order(pod)


def only_running(pod: Any) -> int:
    return 6 if in_order(pod) == 7 and pod.status.phase != "Running" else in_order(pod)


def broken(pod: Any) -> int:
    return int(pod.nodeName)


RIGHT: dict[str, tuple[Any, ...]] = {
    "03.1": ("ECGBHIDAF", "ecgfbhida", list("ECGBFHIDA"), "E C G B H I D F A"),
    "03.2": (STEPS, {**STEPS, "kubelet": 4.0}, {k.upper(): v for k, v in STEPS.items()}),
    "03.3": (in_order, from_the_end),
    "03.4": (
        [EARLY, LATE, UNGATE, STILL],
        [
            STILL.replace("redis:7", "my/own:1"),
            LATE,
            "kubectl patch pod late --type=json "
            """-p '[{"op":"remove","path":"/spec/schedulingGates"}]'""",
            EARLY.replace("worker-1", "worker-2"),
        ],
    ),
    "03.5": (
        [LABEL, MENU, IMAGE],
        [
            "kubectl describe pod waiter",
            "kubectl label nodes worker-1 worker-2 lift=heavy",
            "kubectl apply -f -\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: menu}",
            """kubectl patch pod cook --type=json -p '[{"op":"replace",\
"path":"/spec/containers/0/image","value":"nginx:1.27"}]'""",
        ],
    ),
}
WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "03.1": (
        ("CEGFBHIDA", "E comes before C"),
        ("ECBGHIDAF", "G comes before B"),
        ("ECGHBIDAF", "B comes before H"),
        ("ECGBIHDAF", "H comes before I"),
        ("ECGBHIADF", "D comes before A"),
        ("ECGBHIDA", "writes down what it sees (F)"),
        ("EGBHIDAF", "A Deployment makes no Pods"),
        ("EECGBHIDAF", "at most once"),
    ),
    "03.2": (
        ({**STEPS, "kube-controller-manager": 2}, "You sent a Pod"),
        ({**STEPS, "kube-proxy": 5}, "kube-proxy writes the rules of Services"),
        ({**STEPS, "kubelet": 5}, "there is no step 5"),
        ({**STEPS, "etcd": 2}, "Without etcd it can store no object"),
        ({**STEPS, "kube-scheduler": 3}, "nobody writes a node into it"),
        ({"etcd": 1}, "no number for it"),
    ),
    "03.3": (
        (by_status_alone, "It has a spec.nodeName, and no status.startTime"),
        (without_sandbox, "PodReadyToStartContainers is True"),
        (without_report, "Its phase is Running"),
        (only_running, "Its phase is Succeeded"),
        (lambda pod: 3, "the object shows 2, 4, 5, 6 or 7"),
        (broken, "AttributeError"),
        (lambda: 2, "could not be called"),
    ),
    "03.4": (
        (["kubectl run early --image=nginx"], "The scheduler placed `early`"),
        ([EARLY], "There is no Pod `late`"),
        ([EARLY, "kubectl run late --image=nginx"], "before you wrote to it again"),
        ([EARLY, LATE, STILL], "never placed `late`"),
        (
            [
                EARLY,
                POD % ("late", "nodeSelector: {a: b}, ", "nginx:1.27", ""),
                "kubectl label pod late some=thing",
                "kubectl label node worker-1 a=b",
            ],
            "before your second write, and failed",
        ),
        ([EARLY, LATE, UNGATE, "kubectl run still --image=nginx:1.72"], "pulled an image"),
        (
            [EARLY, LATE, UNGATE, POD % ("still", "nodeSelector: {a: b}, ", "redis:7", "")],
            "never got its network",
        ),
        ([EARLY.replace("worker-1", "worker-9"), LATE, UNGATE, STILL], "early"),
    ),
    "03.5": (
        (["kubectl get pods"], "the selector of a Pod"),
        ([LABEL], "names a ConfigMap that does not exist"),
        ([LABEL, MENU], "No registry has that tag"),
        ([LABEL, MENU, "kubectl delete pod cook"], "cook is gone"),
        (
            [LABEL, MENU, "kubectl delete pod cook", "kubectl run cook --image=nginx:1.27"],
            "This is another cook",
        ),
        (["kubectl delete node worker-2", LABEL, MENU, IMAGE], "A node was deleted"),
        ([LABEL, MENU, "kubectl set image pod/cook cook=nginx:1.72"], "No registry has that tag"),
    ),
}
WRONG_KIND: dict[str, tuple[Any, ...]] = {
    "03.1": (5, "XYZ", "", ["A", 1]),
    "03.2": (7, {"etcd": 9}, {"kube": 2}, ["etcd"], {"etcd": True}),
    "03.3": ("web", 3, lambda pod: "five", lambda pod: None),
    "03.4": ([], [1], 3, {"a": 1}),
    "03.5": ([], [1], 3, ["  "]),
}


class TestExercises(Claims):
    chapter, right, wrong, wrong_kind = "03", RIGHT, WRONG, WRONG_KIND
