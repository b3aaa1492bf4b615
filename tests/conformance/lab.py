"""Words for the conformance tests: manifests in short, and what a user sees of the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from k8slab import Cluster
from k8slab.api import conditions, load
from k8slab.api.core import Container, Event, Node, Pod
from k8slab.api.discovery import EndpointSlice
from k8slab.api.meta import Object, seconds
from k8slab.client import Client, WatchStream

BUSYBOX, NGINX = "busybox:1.37", "nginx:1.27"
STUBBORN = "trap '' TERM; while true; do sleep 1; done"


# -- manifests


def container(name: str = "main", image: str = NGINX, **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": image, **fields}


def shell(script: str, name: str = "main", **fields: Any) -> dict[str, Any]:
    return container(name, BUSYBOX, command=["sh", "-c", script], **fields)


def sleeper(name: str = "main", **fields: Any) -> dict[str, Any]:
    return container(name, BUSYBOX, command=["sleep", "86400"], **fields)


def pod(name: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """Return a Pod; `labels`, `annotations` and `namespace` go to its metadata."""
    metadata: dict[str, Any] = {"name": name, "labels": {"app": name}}
    for key in ("labels", "annotations", "namespace", "finalizers", "ownerReferences"):
        if key in spec:
            metadata[key] = spec.pop(key)
    spec = {
        "terminationGracePeriodSeconds": 1,
        "containers": list(containers or (container(),)),
        **spec,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def template(name: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    made = pod(name, *containers, **spec)
    return {"metadata": {"labels": made["metadata"]["labels"]}, "spec": made["spec"]}


def workload(
    kind: str, name: str, replicas: int, *containers: dict[str, Any], **fields: Any
) -> dict[str, Any]:
    """Return a Deployment or ReplicaSet; `pod` holds more fields of its Pods' spec."""
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": template(name, *containers, **fields.pop("pod", {})),
        **fields,
    }
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def deployment(name: str, replicas: int, *containers: dict[str, Any], **fields: Any) -> Any:
    return workload("Deployment", name, replicas, *containers, **fields)


def replica_set(name: str, replicas: int, *containers: dict[str, Any], **fields: Any) -> Any:
    return workload("ReplicaSet", name, replicas, *containers, **fields)


def service(name: str, *ports: Any, **spec: Any) -> dict[str, Any]:
    """Return a Service for the Pods labelled app=NAME; a port is a number or a whole port."""
    listed = [{"port": p} if isinstance(p, int) else p for p in ports]
    fields = {"selector": {"app": name}, "ports": listed, **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": fields}


def config_map(name: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **fields}}


# -- doing


def apply(cluster: Cluster, *manifests: dict[str, Any]) -> str:
    return cluster.apply(yaml.safe_dump_all(manifests))


def call(cluster: Cluster, verb: str, kind: type[Object], **fields: Any) -> Any:
    """Send one request to the API server and return its answer; raises ApiError."""
    fields.setdefault("namespace", "default")
    answer = client(cluster).call(verb, kind, **fields)
    return cluster.sim.complete(answer, f"{verb} {kind.__name__}", timeout=60)


def watch(cluster: Cluster, kind: type[Object], version: str) -> WatchStream:
    """Watch from a version on; raises ApiError."""
    stream = client(cluster).watch(kind, version, "default")
    return cluster.sim.complete(stream, f"watch {kind.__name__}", timeout=60)


def arrived(cluster: Cluster, stream: WatchStream) -> list[tuple[str, str]]:
    """Return the events that have come: (type, name of the object)."""
    batch = cluster.sim.complete(stream.batch(), "read a watch", timeout=60)
    return [(event.type, event.object.metadata.name) for event in batch]


def patch(cluster: Cluster, kind: str, name: str, change: dict[str, Any]) -> str:
    return cluster.kubectl(f"patch {kind} {name} --type merge -p '{json.dumps(change)}'")


def client(cluster: Cluster) -> Client:
    return Client(cluster.world.transport("you"), "kubernetes-admin")


def create(cluster: Cluster, manifest: dict[str, Any]) -> Any:
    metadata = {"namespace": "default", **manifest["metadata"]}
    obj = load({**manifest, "metadata": metadata})
    return cluster.sim.complete(client(cluster).create(obj), "create", timeout=60)


def bind(cluster: Cluster, name: str, node_name: str) -> None:
    """Do as the scheduler does; raises ApiError."""
    binding = client(cluster).bind("default", name, node_name)
    cluster.sim.complete(binding, "bind", timeout=60)


def ready(cluster: Cluster, *names: str) -> None:
    """Run until the Pods (or, with a slash, what is named) are ready or available."""
    for name in names:
        word = "available" if name.startswith("deployment/") else "ready"
        cluster.run_until(f"{name if '/' in name else f'pod/{name}'} {word}")


def every(cluster: Cluster, step: float, total: float) -> Iterator[float]:
    """Let time pass in steps and yield what has passed so far, in virtual seconds."""
    start = cluster.now
    while cluster.now - start < total:
        cluster.run(step)
        yield cluster.now - start


# -- seeing


def get(cluster: Cluster, name: str, namespace: str = "default") -> Pod:
    found = cluster.view.get(Pod, name, namespace)
    assert found is not None, f"no Pod {name}"
    return found


def exists(cluster: Cluster, name: str, kind: type[Object] = Pod) -> bool:
    return cluster.view.get(kind, name) is not None


def pods(cluster: Cluster, app: str) -> list[Pod]:
    """Return the Pods labelled app=APP that are not being deleted."""
    found = cluster.view.list(Pod, "default", labels=f"app={app}")
    return [p for p in found if p.metadata.deletionTimestamp is None]


def status(cluster: Cluster, name: str, container: str = "main") -> Any:
    """Return the status of one container."""
    found = get(cluster, name).status
    statuses = (*found.containerStatuses, *found.initContainerStatuses)
    return next(s for s in statuses if s.name == container)


def restarts(cluster: Cluster, name: str, container: str = "main") -> int:
    """Return how often a container was started again; -1 while there is none."""
    found = get(cluster, name).status
    statuses = (*found.containerStatuses, *found.initContainerStatuses)
    return next((s.restartCount for s in statuses if s.name == container), -1)


def waiting(cluster: Cluster, name: str, container: str = "main") -> str:
    """Return why a container waits, "" if it does not."""
    state = status(cluster, name, container).state
    return state.waiting.reason if state is not None and state.waiting is not None else ""


def condition(obj: Any, type_: str) -> Any:
    found = conditions.get_condition(obj.status.conditions, type_)
    assert found is not None, f"no condition {type_}"
    return found


def column(cluster: Cluster, kind: str, name: str, title: str) -> str:
    """Return one cell of what `kubectl get` prints."""
    header, line = cluster.kubectl(f"get {kind} {name}").splitlines()[:2]
    start = header.index(title)
    end = start + len(title)
    while end < len(header) and header[end] == " ":
        end += 1
    return line[start : end if end < len(header) else None].strip()


def events(cluster: Cluster, name: str, reason: str = "") -> list[str]:
    """Return the messages of the Events about an object, oldest first."""
    found = [
        e
        for e in cluster.view.list(Event, "default")
        if e.involvedObject.name == name and reason in ("", e.reason)
    ]
    return [e.message for e in sorted(found, key=lambda e: seconds(e.firstTimestamp or ""))]


def endpoints(cluster: Cluster, name: str) -> list[Any]:
    """Return all endpoints of a Service."""
    return [e for s in slices(cluster, name) for e in s.endpoints]


def slices(cluster: Cluster, name: str) -> list[EndpointSlice]:
    return cluster.view.list(EndpointSlice, "default", labels=f"kubernetes.io/service-name={name}")


def node(cluster: Cluster, name: str) -> Node:
    found = cluster.view.get(Node, name)
    assert found is not None, f"no Node {name}"
    return found


def main(obj: Any) -> Container:
    """Return the first container of a Pod, or of a workload's template."""
    spec = obj.spec if isinstance(obj, Pod) else obj.spec.template.spec
    found: Container = spec.containers[0]
    return found


def node_port(svc: Any) -> int:
    found: int = svc.spec.ports[0].nodePort
    return found


def priority_class(name: str, value: int) -> dict[str, Any]:
    kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    return {**kind, "metadata": {"name": name}, "value": value}
