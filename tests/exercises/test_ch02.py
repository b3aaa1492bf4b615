"""Chapter 02: right answers of several kinds pass, wrong ones hear what is wrong, stubs are met.

Each row of WRONG is an answer that learners give and the words that they need to hear.
"""

from __future__ import annotations

from typing import Any

from k8slab.classroom.exercises.ch02.fates import Counter
from tests.exercises.claims import Claims

WRITERS = {"A": "kube-scheduler", "B": "kubelet", "C": "kube-controller-manager", "D": "kubelet"}


def all_pods(desk: Any, event: Any) -> None:
    rota = desk.get("configmap", "rota")
    for pod in desk.list("pod") if rota else ():
        if pod.metadata.labels.get("shift") != rota.data["shift"]:
            desk.label("pod", pod.metadata.name, shift=rota.data["shift"])


def one_pod(desk: Any, event: Any) -> None:
    """Another way: only the Pod of the event; the rota's change is met by the next look."""
    if event.kind != "pod":
        return
    pod, rota = desk.get("pod", event.name), desk.get("configmap", "rota")
    if pod and rota and pod.metadata.labels.get("shift") != rota.data["shift"]:
        desk.label("pod", event.name, shift=rota.data["shift"])


def at_added(desk: Any, event: Any) -> None:
    if event.type == "ADDED":
        all_pods(desk, event)


def if_missing(desk: Any, event: Any) -> None:
    rota = desk.get("configmap", "rota")
    for pod in desk.list("pod") if rota else ():
        if "shift" not in pod.metadata.labels:
            desk.label("pod", pod.metadata.name, shift=rota.data["shift"])


def always(desk: Any, event: Any) -> None:
    rota = desk.get("configmap", "rota")
    for pod in desk.list("pod") if rota else ():
        desk.label("pod", pod.metadata.name, shift=rota.data["shift"])


def at_every_look(desk: Any, event: Any) -> None:
    all_pods(desk, event)
    rota = desk.get("configmap", "rota")
    if event.type == "SYNC" and event.kind == "pod" and rota and desk.get("pod", event.name):
        desk.label("pod", event.name, shift=rota.data["shift"])


def without_asking(desk: Any, event: Any) -> None:
    desk.get("configmap", "rota").data["shift"]


def to_the_end(desk: Any, event: Any) -> None:
    desk.label("pod", event.name, shift=5)


def count_what_is_there(desk: Any, event: Any) -> None:
    census, pods = desk.get("configmap", "census"), str(len(desk.list("pod")))
    if census and census.metadata.labels.get("pods") != pods:
        desk.label("configmap", "census", pods=pods)


def only_pods_and_looks(desk: Any, event: Any) -> None:
    """Another way: count by hand, and not at news of ConfigMaps."""
    if event.kind == "configmap" and event.type != "SYNC":
        return
    number = sum(1 for _ in desk.list("pods"))
    census = desk.get("cm", "census")
    if census is not None and census.metadata.labels.get("pods", "") != f"{number}":
        desk.label("cm", "census", pods=f"{number}")


def write_always(desk: Any, event: Any) -> None:
    desk.label("configmap", "census", pods=str(len(desk.list("pod"))))


def without_deleted(desk: Any, event: Any) -> None:
    if event.type == "ADDED":
        count_what_is_there(desk, event)


def wrong_label(desk: Any, event: Any) -> None:
    desk.label("configmap", "census", count=str(len(desk.list("pod"))))


RIGHT: dict[str, tuple[Any, ...]] = {
    "02.1": (
        WRITERS,
        {"a": "scheduler", "b": "Kubelet", "c": "controller manager", "d": "kubelet"},
        {**WRITERS, "C": "deployment-controller"},
    ),
    "02.2": ([2, 5, 6], {6, 5, 2}, (5, 2, 6)),
    "02.3": (all_pods, one_pod),
    "02.4": ("ACD", "d, c, a", ["A", "C", "D"]),
    "02.5": (count_what_is_there, only_pods_and_looks),
}
WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "02.1": (
        ({**WRITERS, "A": "kubelet"}, "Whoever chooses the node"),
        ({**WRITERS, "B": "scheduler"}, "Only the node on which a Pod runs"),
        ({**WRITERS, "C": "you"}, "A controller made the ReplicaSet"),
        ({**WRITERS, "D": "api server"}, "take and keep what others write"),
        ({"A": "scheduler"}, "Who writes B"),
    ),
    "02.2": (
        ([2, 5], "Request 6 is refused"),
        ([2, 4, 5, 6], "Request 4 is not refused"),
        ([5, 6], "Request 2 is refused"),
        ([1, 2, 5, 6], "Request 1 is not refused"),
        ([2, 3, 5, 6], "Request 3 is not refused"),
        ([], "Request 2 is refused"),
    ),
    "02.3": (
        (at_added, "whoever acts on ADDED alone"),
        (if_missing, "that it is there is not enough"),
        (always, "write only what differs"),
        (at_every_look, "in a minute in which nothing had changed"),
        (without_asking, "your reconcile raised AttributeError"),
        (to_the_end, "a label is a text"),
        (lambda desk: None, "could not be called"),
        (lambda desk, event: None, "a Pod comes without the label"),
    ),
    "02.4": (
        ("AC", "D makes it wrong"),
        ("ABCD", "B does it no harm"),
        ("AD", "Nobody tells it again"),
        ("E", "A makes it wrong"),
    ),
    "02.5": (
        (Counter(), "Do not add up what you are told"),
        (write_always, "Write only what differs"),
        (without_deleted, "count what is there"),
        (wrong_label, "Nobody wrote the label `pods`"),
        (lambda desk, event: desk.get("ship", "x"), "this desk has pod and configmap"),
    ),
}
WRONG_KIND: dict[str, tuple[Any, ...]] = {
    "02.1": (7, "kubelet", {"Z": "kubelet"}, {"A": "nobody"}),
    "02.2": ("2", [9], {"a": 1}, [True]),
    "02.3": ("web", 3),
    "02.4": (7, "XYZ", ""),
    "02.5": ("web", 3),
}


class TestExercises(Claims):
    chapter, right, wrong, wrong_kind = "02", RIGHT, WRONG, WRONG_KIND
