"""A small cluster by hand: a store with a history and a trace, and nothing that runs by itself."""

from __future__ import annotations

from typing import Any

import msgspec

from k8slab.api import labels as label_selectors
from k8slab.api.apps import ReplicaSet
from k8slab.api.codec import load
from k8slab.api.core import Event, ObjectReference, Pod
from k8slab.api.meta import ObjectMeta, timestamp
from k8slab.api.scheme import resolve, resource_for
from k8slab.sim import Simulation

replace = msgspec.structs.replace


class PretendView:
    def __init__(self, objects: dict[tuple[str, str, str], Any], time: float) -> None:
        self.objects, self.time = objects, time

    def get(self, kind: Any, name: str, namespace: str = "default") -> Any:
        resource = resource_for(kind) if not isinstance(kind, str) else resolve(kind)
        where = namespace if resource.namespaced else ""
        return self.objects.get((resource.kind, where, name))

    def list(self, kind: Any, namespace: str = "", *, labels: str = "") -> list[Any]:
        resource = resource_for(kind) if not isinstance(kind, str) else resolve(kind)
        selector = label_selectors.parse(labels)
        return [
            obj
            for (of, where, _), obj in sorted(self.objects.items())
            if of == resource.kind
            and namespace in ("", where)
            and selector.matches(obj.metadata.labels)
        ]


class Pretend:
    """Objects are written by name of a component; each write leaves a record and a revision."""

    def __init__(self) -> None:
        self.sim = Simulation(1)
        self.history: list[tuple[float, dict[tuple[str, str, str], Any]]] = [(0.0, {})]

    @property
    def now(self) -> float:
        return self.sim.now

    @property
    def trace(self) -> Any:
        return self.sim.trace

    @property
    def view(self) -> PretendView:
        return PretendView(self.history[-1][1], self.now)

    def at(self, time: float) -> PretendView:
        past = [objects for when, objects in self.history if when <= time]
        return PretendView(past[-1], time)

    def run(self, seconds: float) -> None:
        self.sim.run(self.now + seconds)

    def step(self) -> Any:
        return self.sim.step()

    def pending(self) -> list[Any]:
        return self.sim.pending()

    def write(self, who: str, obj: Any, verb: str = "create", cause: int = 0) -> int:
        meta = obj.metadata
        objects = dict(self.history[-1][1])
        key = (obj.kind, meta.namespace, meta.name)
        objects[key] = obj
        if verb == "remove":
            del objects[key]
        self.history.append((self.now, objects))
        where = f"{meta.namespace}/" if meta.namespace else ""
        self.sim.cause = cause
        number = self.trace.add(
            who, verb, f"{obj.kind}/{where}{meta.name}", revision=len(self.history)
        )
        self.sim.cause = 0
        return number

    def note(self, who: str, verb: str, subject: str, detail: str = "", cause: int = 0) -> int:
        self.sim.cause = cause
        number = self.trace.add(who, verb, subject, detail)
        self.sim.cause = 0
        return number


def node(name: str, *, control_plane: bool = False, ready: bool = True) -> Any:
    role = {"node-role.kubernetes.io/control-plane": ""} if control_plane else {}
    status = "True" if ready else "Unknown"
    return load(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **role}},
            "status": {"conditions": [{"type": "Ready", "status": status}]},
        }
    )


def pod(
    name: str,
    on: str = "",
    *,
    labels: dict[str, str] | None = None,
    state: str = "Ready",
    namespace: str = "default",
    owner: str = "",
    ip: str = "",
    containers: int = 1,
) -> Any:
    phase = {"Ready": "Running", "Waiting": "Running", "Terminating": "Running"}.get(state, state)
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    starting = {"waiting": {"reason": "ContainerCreating"}}
    running = {"running": {"startedAt": timestamp(1)}}
    kind = {"Waiting": waiting, "Pending": starting}.get(state, running)
    meta: dict[str, Any] = {"name": name, "namespace": namespace, "labels": labels or {}}
    meta["uid"] = f"uid-{name}"
    if state == "Terminating":
        meta["deletionTimestamp"] = timestamp(30)
    if owner:
        meta["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": f"uid-{owner}",
             "controller": True}
        ]  # fmt: skip
    names = ["web", "logs", "proxy"][:containers]
    ready = "True" if state == "Ready" else "False"
    return load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": meta,
            "spec": {"nodeName": on, "containers": [{"name": n, "image": "nginx"} for n in names]},
            "status": {
                "phase": phase,
                "podIP": ip,
                "conditions": [{"type": "Ready", "status": ready}],
                "containerStatuses": [{"name": n, "state": kind} for n in names],
            },
        }
    )


def service(name: str, selector: dict[str, str], ip: str = "10.96.7.20") -> Any:
    return load(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"clusterIP": ip, "selector": selector, "ports": [{"port": 80}]},
        }
    )


def slice_of(name: str, backends: dict[str, tuple[str, bool]]) -> Any:
    endpoints = [
        {
            "addresses": [ip],
            "conditions": {"ready": ready},
            "targetRef": {"kind": "Pod", "name": pod_name, "namespace": "default"},
        }
        for pod_name, (ip, ready) in backends.items()
    ]
    return load(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": f"{name}-abcde",
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": "IPv4",
            "endpoints": endpoints,
        }
    )


def replica_set(name: str, replicas: int, labels: dict[str, str], ready: int = 0) -> Any:
    return load(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "web", "image": "nginx"}]},
                },
            },
            "status": {"replicas": replicas, "readyReplicas": ready},
        }
    )


STATIC = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
STATES = ("Ready", "Ready", "Running", "Pending", "Ready", "Waiting", "Terminating", "Ready")


def cluster(workers: int = 3, pods: int = 6) -> Pretend:
    """A booted cluster with a Service `web` in front of some of its Pods, and some traffic."""
    made = Pretend()
    names = ["control-plane", *(f"worker-{n}" for n in range(1, workers + 1))]
    for name in names:
        made.write(f"kubelet/{name}", node(name, control_plane=name == "control-plane"))
        made.write(
            "kube-controller-manager",
            pod(f"kube-proxy-{name[-1]}abcd", name, namespace="kube-system"),
        )
        made.write(
            "kube-controller-manager", pod(f"kindnet-{name[-1]}efgh", name, namespace="kube-system")
        )
    for name in STATIC:
        made.write(
            "kubelet/control-plane",
            pod(f"{name}-control-plane", "control-plane", namespace="kube-system"),
        )
    made.run(10)
    made.write("you", service("web", {"app": "web"}))
    labels = {"app": "web", "pod-template-hash": "6f7d8c9b4"}
    set_ = made.write("you", replica_set("web-6f7d8c9b4", pods, labels))
    backends = {}
    for number in range(pods):
        name = f"web-6f7d8c9b4-x{number:02d}kp"
        on = names[1 + number % workers] if workers else "control-plane"
        state = STATES[number % len(STATES)]
        made.run(0.25)
        cause = made.write(
            "replicaset-controller",
            pod(name, labels=labels, state="Pending", owner="web-6f7d8c9b4"),
            cause=set_,
        )
        bound = made.write(
            "kube-scheduler",
            pod(name, on, labels=labels, state="Pending", owner="web-6f7d8c9b4"),
            "create binding",
            cause,
        )
        made.note(f"containerd/{on}", "start", f"Pod/default/{name}", "container web", bound)
        made.run(0.5)
        made.write(
            f"kubelet/{on}",
            pod(
                name,
                on,
                labels=labels,
                state=state,
                owner="web-6f7d8c9b4",
                ip=f"10.244.1.{number + 2}",
                containers=1 + number % 3,
            ),
            "update status",
            bound,
        )
        backends[name] = (f"10.244.1.{number + 2}", state == "Ready")
    made.write("endpointslice-controller", slice_of("web", backends))
    return made


__all__ = ["Event", "ObjectMeta", "ObjectReference", "Pod", "Pretend", "ReplicaSet", "cluster"]
