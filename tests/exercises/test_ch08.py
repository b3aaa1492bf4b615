"""Chapter 08: right answers of several kinds pass, wrong ones hear what is wrong, stubs are met.

Each row of WRONG is an answer that learners give and the words that they need to hear.
"""

from __future__ import annotations

from typing import Any

from k8slab.api.labels import from_label_selector
from k8slab.api.meta import controller_of
from k8slab.api.pods import is_pod_active
from k8slab.classroom.exercises.ch08.plan_worlds import cases
from k8slab.control_plane.controllers.replica_set import Plan, plan, rank_for_deletion
from tests.exercises.claims import Claims

VICTIMS = {"north": "cal", "east": "eve", "south": "gus", "west": "jon"}
BAR = """kubectl apply -f -
apiVersion: apps/v1
kind: {kind}
metadata: {{name: bar}}
spec:
  replicas: 2
  selector: {{matchLabels: {{{labels}}}}}
  template:
    metadata: {{labels: {{{labels}}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{{name: main, image: "nginx:1.27"}}]
"""


def bar(labels: str = "team: bar", kind: str = "ReplicaSet") -> str:
    return BAR.format(labels=labels, kind=kind)


# -- who made it


def subject_of(pod: Any) -> str:
    return f"Pod/{pod.metadata.namespace}/{pod.metadata.name}"


def by_record(pod: Any, records: Any) -> str:
    made = [r for r in records if r.subject == subject_of(pod) and r.verb == "create"]
    return str(made[0].component)


def without_node(pod: Any, records: Any) -> str:
    """Another way: the first record of the Pod that is a write, and a kubelet without its node."""
    for record in records:
        if record.subject == subject_of(pod) and record.revision:
            return str(record.component.partition("/")[0])
    return "nobody"


def by_owner(pod: Any, records: Any) -> str:
    owner = controller_of(pod)
    known = {"ReplicaSet": "replicaset-controller", "DaemonSet": "daemon-set-controller"}
    return known.get(owner.kind, "kubelet") if owner is not None else "you"


def owned_or_you(pod: Any, records: Any) -> str:
    """Right but for the released one, whose owner is gone."""
    return by_record(pod, records) if pod.metadata.ownerReferences else "you"


def first_cause(pod: Any, records: Any) -> str:
    return "you"


def not_static(pod: Any, records: Any) -> str:
    return by_record(pod, records) if pod.metadata.namespace == "default" else "kube-scheduler"


# -- a plan, and the ways to get it wrong


def my_plan(rs: Any, pods: Any, *, now: float, related: Any = (), **wrongly: Any) -> Plan:
    """The right plan; `wrongly` switches its steps off."""
    selector = from_label_selector(rs.spec.selector)
    mine: list[Any] = []
    adopt: list[Any] = []
    release: list[Any] = []
    for pod in pods:
        owner, matches = controller_of(pod), selector.matches(pod.metadata.labels)
        if wrongly.get("labels_only"):
            owner = None
        ending = pod.metadata.deletionTimestamp is not None
        if owner is None and matches and (not ending or wrongly.get("adopt_ending")):
            if not wrongly.get("no_adoption"):
                adopt.append(pod)
        elif owner is not None and owner.uid == rs.metadata.uid:
            (mine if matches or wrongly.get("keep") else release).append(pod)
    counted = mine + ([] if wrongly.get("adopted_later") else adopt)
    active = [pod for pod in counted if is_pod_active(pod) or wrongly.get("count_ending")]
    missing = rs.spec.replicas - len(active)
    if missing >= 0:
        return Plan(create=missing, adopt=tuple(adopt), release=tuple(release))
    if not wrongly.get("any_victim"):
        active = rank_for_deletion(active, related, now)
    surplus = missing if wrongly.get("off_by_a_sign") else -missing
    return Plan(delete=tuple(active[:surplus]), adopt=tuple(adopt), release=tuple(release))


def wrongly(*switches: str) -> Any:
    return lambda rs, pods, **given: my_plan(rs, pods, **given, **dict.fromkeys(switches, True))


def in_lists(rs: Any, pods: Any, *, now: float, related: Any = ()) -> Any:
    """Another way: lists, the labels by hand, and `pods` filled in."""
    wanted = rs.spec.selector.matchLabels.items()
    fits = [p for p in pods if wanted <= p.metadata.labels.items()]
    own = [p for p in pods if [r.uid for r in p.metadata.ownerReferences] == [rs.metadata.uid]]
    free = [p for p in fits if not p.metadata.ownerReferences and not p.metadata.deletionTimestamp]
    stay = [p for p in own if p in fits] + free
    active = rank_for_deletion([p for p in stay if is_pod_active(p)], related, now)
    surplus = max(0, len(active) - rs.spec.replicas)
    return Plan(
        create=max(0, rs.spec.replicas - len(active)),
        delete=active[:surplus],  # type: ignore[arg-type]
        adopt=free,  # type: ignore[arg-type]
        release=[p for p in own if p not in fits],  # type: ignore[arg-type]
        pods=stay,  # type: ignore[arg-type]
    )


def only_in_the_worlds(rs: Any, pods: Any, *, now: float, related: Any = ()) -> Plan:
    if now < 100:
        raise KeyError("a cluster")
    return my_plan(rs, pods, now=now, related=related)


def lazy_in_a_cluster(rs: Any, pods: Any, *, now: float, related: Any = ()) -> Plan:
    return Plan() if now < 100 else my_plan(rs, pods, now=now, related=related)


RIGHT: dict[str, tuple[Any, ...]] = {
    "08.1": (VICTIMS, {team: name.title() for team, name in VICTIMS.items()}),
    "08.2": (by_record, without_node),
    "08.3": (my_plan, in_lists, lambda rs, pods, **more: plan(rs, pods, **more)),
    "08.4": (
        ["kubectl delete rs bar", bar()],
        ["kubectl delete rs bar", bar("craft: bar")],
        ["kubectl get rs -o wide", "kubectl delete rs bar", bar(kind="Deployment")],
        [
            "kubectl scale rs bar --replicas=0",
            "kubectl delete rs bar",
            bar("team: bar, shift: late"),
        ],
    ),
}
WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "08.1": (
        ({**VICTIMS, "north": "bea"}, "cal has no node"),
        ({**VICTIMS, "east": "dan"}, "Cost is asked before age"),
        ({**VICTIMS, "south": "hal"}, "Readiness is asked before cost"),
        ({**VICTIMS, "west": "kim"}, "ready for less time"),
        ({**VICTIMS, "west": "lea", "south": "ida"}, "2 of 4 are right"),
        ({**VICTIMS, "west": "ada"}, "no 'ada' in the team west"),
    ),
    "08.2": (
        (by_owner, "the ReplicaSet adopted it later"),
        (owned_or_you, "let it go"),
        (first_cause, "the other end of the chain"),
        (not_static, "from a file on the node"),
        (lambda pod, records: "kube-scheduler", "the ReplicaSet adopted it later"),
        (lambda pod, records: pod.name, "AttributeError"),
        (lambda pod: "you", "could not be called"),
    ),
    "08.3": (
        (wrongly("labels_only"), "has another controller"),
        (wrongly("off_by_a_sign"), "create 0, delete 2. You create 0 and delete 1"),
        (wrongly("no_adoption"), "adopt it, whoever made it"),
        (wrongly("adopt_ending"), "being deleted already"),
        (wrongly("keep"), "release it"),
        (wrongly("adopted_later"), "counts at once"),
        (wrongly("count_ending"), "no replica any more"),
        (wrongly("any_victim"), "First to go"),
        (lambda rs, pods, **_: Plan(create=1, delete=tuple(pods)), "creates and deletes at once"),
        (lambda rs, pods, **_: Plan(create=rs.spec.replicas - len(pods)), "cannot be carried out"),
        (lambda rs, pods, **_: pods[99], "IndexError"),
        (lambda rs, pods: Plan(), "could not be called"),
        (plan, "That is our plan"),
        (only_in_the_worlds, "In a cluster it failed. Your function raised KeyError"),
        (lazy_in_a_cluster, "decided something else"),
    ),
    "08.4": (
        (["kubectl get rs -o wide"], "A selector asks labels, not images"),
        (["kubectl delete rs bar"], "no ReplicaSet makes anybody"),
        (["kubectl scale rs bar --replicas=0"], "wants 0 Pods"),
        (["kubectl delete rs bar", bar("team: ushers, craft: bar")], "It works tonight"),
        (["kubectl delete rs ushers"], "ushers is gone"),
        (["kubectl delete rs ushers bar", bar()], "ushers is gone"),
        (["kubectl delete rs bar", bar(), "kubectl scale rs bar --replicas=1"], "2 are wanted"),
        (["kubectl delete rs bar", "kubectl run bar --image=nginx:1.27"], "has no controller"),
        (["kubectl scale rs bar --replicas=4000"], "needs no 40"),
        (
            [
                "kubectl patch rs bar -p "
                '\'{"spec": {"selector": {"matchLabels": {"team": "bar"}}}}\''
            ],
            "A selector asks labels",
        ),
    ),
}
WRONG_KIND: dict[str, tuple[Any, ...]] = {
    "08.1": (5, "cal", ["cal", "eve", "gus", "jon"], {}, {"north": 1}),
    "08.2": ("you", 3, lambda pod, records: 5),
    "08.3": ("plan", Plan(), lambda rs, pods, **_: 3, lambda rs, pods, **_: {"create": 1}),
    "08.4": ([], [1], 3, {"a": 1}, ["  "]),
}


class TestExercises(Claims):
    chapter, right, wrong, wrong_kind = "08", RIGHT, WRONG, WRONG_KIND


def test_the_worlds_of_the_make_task_hold_what_they_promise() -> None:
    plans = [case.wanted for case in cases()]
    assert len(plans) == 20
    assert sum(bool(one.create) for one in plans) >= 10
    assert sum(bool(one.delete) for one in plans) >= 5
    assert sum(bool(one.adopt) for one in plans) == sum(bool(one.release) for one in plans) == 5
