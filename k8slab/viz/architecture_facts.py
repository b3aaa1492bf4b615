"""What the architecture map shows: machines, the components on them, Pods, Services, in plain data.

`read(view)` gives `Facts`; the map is drawn from them, its text twin is written from them.

Rule of use: a component that runs in a Pod is shown once, as a component with its Pod's state.

Upstream: none
"""

from __future__ import annotations

import msgspec

from k8slab.api.core import Node, Pod, Service
from k8slab.viz.facts import (
    SYSTEM,
    ViewLike,
    count,
    endpoints_of,
    is_control_plane,
    is_node_ready,
    pod_state,
    running_containers,
    short_pod_name,
    status_column,
)
from k8slab.viz.traffic import Edge

CENTRAL = ("kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")
EVERYWHERE = ("kubelet", "kube-proxy", "kindnet", "containerd")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
GONE = "gone"  # the state of a component whose Pod is not there


class PodFacts(msgspec.Struct, frozen=True):
    """One Pod, as a tile shows it."""

    namespace: str
    name: str
    short: str
    state: str  # a row of POD_STATES
    status: str  # the STATUS column
    containers: tuple[tuple[str, bool], ...]  # name, is running
    services: str  # letters of the Services that send it traffic


class NodeFacts(msgspec.Struct, frozen=True):
    """One machine with what runs on it."""

    name: str
    control_plane: bool
    status: str  # the STATUS column of `kubectl get nodes`
    components: tuple[tuple[str, str], ...]  # name, state: a row of POD_STATES, or GONE
    pods: tuple[PodFacts, ...]


class ServiceFacts(msgspec.Struct, frozen=True):
    """One Service, as a chip shows it."""

    letter: str
    namespace: str
    name: str
    address: str
    ready: int
    total: int


class Facts(msgspec.Struct, frozen=True):
    """All that the map shows but the traffic."""

    nodes: tuple[NodeFacts, ...]
    unplaced: tuple[PodFacts, ...]
    services: tuple[ServiceFacts, ...]

    def pods(self) -> list[PodFacts]:
        """Return all Pods that are drawn as tiles."""
        return [*(pod for node in self.nodes for pod in node.pods), *self.unplaced]


def read(view: ViewLike, namespace: str = "") -> Facts:
    """Read the facts; `namespace` limits Pods and Services to one namespace."""
    services, letters = _services(view, namespace)
    everyone: list[Pod] = view.list(Pod)
    parts = [pod for pod in everyone if component_of_pod(pod)]
    shown = [
        pod
        for pod in everyone
        if not component_of_pod(pod) and namespace in ("", pod.metadata.namespace)
    ]
    tiles = [(pod.spec.nodeName, _pod(pod, letters)) for pod in shown]
    nodes = sorted(
        view.list(Node),
        key=lambda n: (not is_control_plane(n), len(n.metadata.name), n.metadata.name),
    )
    return Facts(
        tuple(
            _node(node, parts, [t for where, t in tiles if where == node.metadata.name])
            for node in nodes
        ),
        tuple(tile for where, tile in tiles if not where),
        tuple(services),
    )


def component_of_pod(pod: Pod) -> str:
    """Return which component of the cluster a Pod is, "" for all other Pods."""
    if pod.metadata.namespace != SYSTEM:
        return ""
    names = (*CENTRAL, *EVERYWHERE)
    return next((name for name in names if pod.metadata.name.startswith(f"{name}-")), "")


def _services(
    view: ViewLike, namespace: str
) -> tuple[list[ServiceFacts], dict[tuple[str, str], str]]:
    """Return the Services with Pods behind them, and the letters of each Pod."""
    services: list[ServiceFacts] = []
    letters: dict[tuple[str, str], str] = {}
    for service in view.list(Service, namespace):
        meta = service.metadata
        if (meta.namespace, meta.name) == ("default", "kubernetes"):
            continue
        letter = LETTERS[len(services)] if len(services) < len(LETTERS) else "+"
        backends = endpoints_of(view, service)
        for backend in backends:
            if backend.ready and backend.pod:
                key = (meta.namespace, backend.pod)
                letters[key] = letters.get(key, "") + letter
        ready = sum(backend.ready for backend in backends)
        address = _address(service)
        services.append(
            ServiceFacts(letter, meta.namespace, meta.name, address, ready, len(backends))
        )
    return services, letters


def _address(service: Service) -> str:
    spec = service.spec
    if spec.type == "ExternalName":
        return spec.externalName
    ports = ",".join(dict.fromkeys(str(port.port) for port in spec.ports))
    return f"{spec.clusterIP or 'None'}:{ports}" if ports else spec.clusterIP or "None"


def _node(node: Node, parts: list[Pod], tiles: list[PodFacts]) -> NodeFacts:
    ready = is_node_ready(node)
    status = "Ready" if ready else "NotReady"
    if node.spec.unschedulable:
        status += ",SchedulingDisabled"
    control_plane = is_control_plane(node)
    here = {
        component_of_pod(pod): pod_state(pod)
        for pod in parts
        if pod.spec.nodeName == node.metadata.name
    }
    here |= dict.fromkeys(("kubelet", "containerd"), "Ready" if ready else "Unknown")
    names = (*CENTRAL, *EVERYWHERE) if control_plane else EVERYWHERE
    components = tuple((name, here.get(name, GONE)) for name in names)
    return NodeFacts(node.metadata.name, control_plane, status, components, tuple(tiles))


def _pod(pod: Pod, letters: dict[tuple[str, str], str]) -> PodFacts:
    meta = pod.metadata
    return PodFacts(
        meta.namespace,
        meta.name,
        short_pod_name(pod),
        pod_state(pod),
        status_column(pod),
        tuple(running_containers(pod)),
        letters.get((meta.namespace, meta.name), ""),
    )


def describe(facts: Facts, edges: list[Edge], moment: str, since: str) -> str:
    """Write the map in words: its text twin."""
    lines = [f"{moment}: {summary(facts)}."]
    for node in facts.nodes:
        down = [f"{name} {state}" for name, state in node.components if state != "Ready"]
        trouble = f"; not well: {', '.join(down)}" if down else ""
        lines.append(f"  {node.name} {node.status}: {_listed(node.pods)}{trouble}")
    if facts.unplaced:
        lines.append(f"  on no node yet: {_listed(facts.unplaced)}")
    lines += [
        f"  Service {s.namespace}/{s.name} {s.address}: {s.ready} of {s.total} endpoints ready"
        for s in facts.services
    ]
    if edges:
        lines.append(f"  messages since {since}:")
        lines += [f"    {e.source} -> {e.target}: {e.messages} ({e.kind})" for e in edges]
    return "\n".join(lines)


def summary(facts: Facts) -> str:
    """Return how much there is: "4 nodes, 6 Pods, 1 Service"."""
    parts = (
        count(len(facts.nodes), "node"),
        count(len(facts.pods()), "Pod"),
        count(len(facts.services), "Service"),
    )
    return ", ".join(parts)


def _listed(pods: tuple[PodFacts, ...]) -> str:
    return ", ".join(f"{pod.name} {pod.status}" for pod in pods) or "no Pods"
