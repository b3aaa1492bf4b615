"""Exercise 01.4: four clusters, in each of which one part has been stopped; only symptoms are seen.

The cluster of seed 1 is patient 1, and so on. The check starts the part that is named, in fresh
clusters, and looks whether the complaint is gone.

Rule of use: a wrong name is answered with what that part was seen doing in this very cluster.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api.core import Node, Pod
from k8slab.api.pods import is_pod_ready
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.ch01.stage import read_part, shop
from k8slab.classroom.exercises.worlds import pods_with, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

ROUNDS = 2  # clusters for each patient
WAIT = 60.0  # virtual seconds, longer than the node controller's patience
RECOVERY = 60.0  # virtual seconds after which a started part must have caught up
KNOWN = (
    *("kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager"),
    *("kubelet", "kube-proxy", "coredns", "kindnet", "containerd"),
)
MACHINES = ("control-plane", "worker-1", "worker-2")


class Patient(msgspec.Struct, frozen=True):
    """What was stopped, what was then tried, and when the complaint is over."""

    stopped: str
    command: str
    is_well: Callable[[Cluster], bool]
    complaint: str


def _four(cluster: Cluster) -> bool:
    return sum(map(is_pod_ready, pods_with(cluster.view, "app=web"))) == 4


def _front(cluster: Cluster) -> bool:
    return cluster.request("pod/client", "http://front", timeout=2).ok


SCALE = "scale deployment web --replicas=4"
EXPOSE = "expose deployment web --name=front --port=80"
PATIENTS: tuple[Patient, ...] = (
    Patient("kube-controller-manager", SCALE, _four, "four Pods are wanted and not ready"),
    Patient("kube-proxy", EXPOSE, _front, "the new Service `front` does not answer"),
    Patient("kubelet/worker-2", SCALE, _four, "four Pods are wanted and not ready"),
    Patient("kube-scheduler", SCALE, _four, "four Pods are wanted and not ready"),
)


def world(seed: int) -> Cluster:
    """Return the patient whose turn it is: seed 1 is patient 1."""
    patient = patient_of(seed)
    cluster = shop(seed)
    cluster.stop(patient.stopped)
    cluster.run(5)  # until its container has ended
    Terminal(cluster).run(patient.command)
    cluster.run(WAIT)
    return cluster


def patient_of(seed: int) -> Patient:
    """Return the patient of a seed."""
    return PATIENTS[(seed - 1) % len(PATIENTS)]


def grade(answer: Any) -> Finding:
    """Judge four names of parts, a list of them or a mapping of 1 to 4."""
    given = _read(answer)
    if given is None:
        text = 'the stopped part of each of four patients, such as ["etcd", "coredns", ...]'
        return wrong_kind(text, answer)
    for name in given:
        base, _, machine = name.partition("/")
        if base not in KNOWN or (machine and machine not in MACHINES):
            return wrong_kind(f"parts of the cast ({', '.join(KNOWN)})", name)
    wrongs = [f for number, name in enumerate(given, 1) for f in _judge(number, name)]
    if wrongs:
        share = f"{len(given) - len(wrongs)} of {len(given)} patients are cured."
        worst = wrongs[0]
        if worst.rung == "almost" and len(wrongs) > 1:
            worst = msgspec.structs.replace(worst, rung="keep working")
        return msgspec.structs.replace(worst, message=f"{share} {worst.message}")
    evidence = tuple(e for number, name in enumerate(given, 1) for e in _cure(number, name))
    return right(
        "All four are cured: each part was started, and what had been written down meanwhile was "
        "caught up with. Nobody had to give the command again.",
        evidence,
    )


def _judge(number: int, name: str) -> Iterator[Finding]:
    """Yield what is wrong with the name for a patient, if anything."""
    stopped = PATIENTS[number - 1].stopped
    base, _, machine = name.partition("/")
    if base == stopped.partition("/")[0]:
        if "/" in stopped and not machine:
            yield almost(f'Patient {number}: a {base}, yes, but whose? Say "{base}/NODE".')
        elif "/" in stopped and name != stopped:
            yield wrong(f"Patient {number}: the {base} of {machine} reports to this day.")
        return
    cluster = world(number)
    alibi = ALIBIS[base](cluster, number)
    complaint = PATIENTS[number - 1].complaint
    yield wrong(
        f"Patient {number} ({complaint}): {base} is not what is missing. {alibi}",
        evidence=tuple(_looks(cluster)),
    )


def _cure(number: int, name: str) -> Iterator[Evidence]:
    """Start the part in fresh clusters and yield that the complaint is gone."""
    patient = PATIENTS[number - 1]
    for turn in range(ROUNDS):
        cluster = world(number + turn * len(PATIENTS))
        assert not patient.is_well(cluster), "the patient is not ill"
        cluster.start(patient.stopped)
        cluster.run(RECOVERY)
        assert patient.is_well(cluster), f"{name} did not cure patient {number}"
        if not turn:
            yield seen(cluster, f"patient {number}: well again after {name} was started")


def _looks(cluster: Cluster) -> Iterator[Evidence]:
    """Yield the symptoms that everybody can see."""
    pods = pods_with(cluster.view, "app=web")
    placed = sum(bool(pod.spec.nodeName) for pod in pods)
    ready = sum(map(is_pod_ready, pods))
    yield seen(cluster, f"{len(pods)} web Pods exist, {placed} have a node, {ready} are ready")


def _alibi_api(cluster: Cluster, number: int) -> str:
    return "kubectl got an answer: the API server and its store are there."


def _alibi_manager(cluster: Cluster, number: int) -> str:
    if number == 2:
        return "The list behind the new Service was written, which is its work."
    return "All four Pods exist, and it was the ReplicaSet controller that wrote them."


def _alibi_scheduler(cluster: Cluster, number: int) -> str:
    if number == 1:
        return "No Pod is waiting for a node: there are only two Pods at all."
    return "Every Pod has a node, so somebody chose one."


def _alibi_kubelet(cluster: Cluster, number: int) -> str:
    nodes = cluster.view.list(Node)
    text = "Every node reports to be ready, so the kubelets are alive."
    if number == 4:
        text += " And a Pod that has no node is no kubelet's business yet."
    return text if all(_is_ready(node) for node in nodes) else "Look at the nodes."


def _is_ready(node: Node) -> bool:
    return any(c.type == "Ready" and c.status == "True" for c in node.status.conditions)


def _alibi_proxy(cluster: Cluster, number: int) -> str:
    return "kube-proxy writes rules for Services; it makes no Pod, places none and starts none."


def _alibi_dns(cluster: Cluster, number: int) -> str:
    answer = cluster.request("pod/client", "http://web", timeout=2)
    shown = f"The name `web` resolves, and the request ends: {answer.outcome}."
    if number == 2:
        shown += " So does the name `front`: what fails is the connection."
    return shown


def _alibi_network(cluster: Cluster, number: int) -> str:
    pods = cluster.view.list(Pod, "default", labels="app=web")
    pod = next(pod for pod in pods if is_pod_ready(pod))
    answer = cluster.request("pod/client", f"http://{pod.status.podIP}", timeout=2)
    return f"A Pod's own address is reached from another Pod: {answer.outcome}."


def _alibi_runtime(cluster: Cluster, number: int) -> str:
    return "No container failed to start: nobody has asked the runtime to start one."


ALIBIS: Mapping[str, Callable[[Cluster, int], str]] = {
    "kube-apiserver": _alibi_api,
    "etcd": _alibi_api,
    "kube-controller-manager": _alibi_manager,
    "kube-scheduler": _alibi_scheduler,
    "kubelet": _alibi_kubelet,
    "kube-proxy": _alibi_proxy,
    "coredns": _alibi_dns,
    "kindnet": _alibi_network,
    "containerd": _alibi_runtime,
}


def _read(answer: Any) -> list[str] | None:
    """Return four names, None if the answer is nothing of the kind."""
    if isinstance(answer, Mapping):
        if sorted(map(str, answer)) != list("1234"):
            return None
        answer = [one for _, one in sorted(answer.items(), key=lambda pair: str(pair[0]))]
    if not isinstance(answer, list | tuple) or len(answer) != len(PATIENTS):
        return None
    return [read_part(one) for one in answer] if all(isinstance(o, str) for o in answer) else None


EXERCISE = Exercise(
    key="01.4",
    title="Four patients",
    points=3,
    hints=(
        "Ask how far each wish came: is the Pod written down, has it a node, does it start, does "
        "the Service have rules? The part after the last deed is missing.",
        "`kubectl get pods -o wide`, `get nodes`, `get endpointslices`, and a request to a Pod's "
        "own address, to the old Service and to the new one tell them apart.",
        "`cluster.start(NAME)` is your test: if the complaint goes away within a minute, you have "
        'found it. A kubelet is named with its machine: "kubelet/worker-1".',
    ),
    grade=grade,
    world=world,
)
