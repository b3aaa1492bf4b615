"""What is wrong with a Pod, or with the Pods of a workload.

`trouble(cluster, pod)` looks at the Pod as kubectl describe does, from placing to readiness, and
stops at the first step that failed: what comes later cannot work before.

Rule of use: no findings means that all is well.

Upstream: none (the Events and conditions that kubectl describe prints)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.api import labels
from k8slab.api.conditions import is_true
from k8slab.api.core import Event, Node, Pod
from k8slab.api.pods import is_pod_active, is_pod_ready, is_pod_terminal
from k8slab.cluster import sentences
from k8slab.cluster.explanation import Finding
from k8slab.cluster.view import View

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster
    from k8slab.cluster.world import World
    from k8slab.control_plane.scheduler import Explanation

IMAGE_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
CONFIG_REASONS = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")


def trouble(cluster: Cluster, pod: Pod) -> tuple[Finding, ...]:
    """Return what keeps the Pod from doing its work, () if nothing does."""
    view = cluster.view
    if pod.metadata.deletionTimestamp:
        return _deleting(view, pod)
    if not pod.spec.nodeName:
        return _not_placed(cluster, pod)
    node = view.get(Node, pod.spec.nodeName, "")
    if node is None or not is_true(node.status.conditions, "Ready"):
        return (_node_is_away(pod, node),)
    if is_pod_terminal(pod):
        return _ended(pod)
    return _containers(view, pod) or _readiness(pod)


def trouble_of_workload(cluster: Cluster, obj: Any) -> tuple[Finding, ...]:
    """Return what is wrong with the first Pod in trouble of a Deployment, ReplicaSet, ..."""
    selector = getattr(getattr(obj, "spec", None), "selector", None)
    wanted = getattr(obj.spec, "replicas", None) if selector is not None else None
    if selector is None or not hasattr(selector, "matchLabels"):
        return ()
    chosen = labels.from_label_selector(selector)
    pods = cluster.view.list(Pod, obj.metadata.namespace)
    own = [p for p in pods if chosen.matches(p.metadata.labels) and is_pod_active(p)]
    bad = [(pod, found) for pod in own if (found := trouble(cluster, pod))]
    if not bad:
        return _no_pods(obj, wanted, len(own))
    pod, found = bad[0]
    head = f"{len(bad)} of its {len(own)} Pods are in trouble; of the first, {pod.metadata.name}:"
    return (Finding(text=head, objects=(_subject(pod),)), *found)


def name_with_namespace(pod: Pod) -> str:
    """Return how a command names the Pod: "web" or "web -n shop"."""
    namespace = pod.metadata.namespace
    return pod.metadata.name + (f" -n {namespace}" if namespace != "default" else "")


def _no_pods(obj: Any, wanted: int | None, there: int) -> tuple[Finding, ...]:
    if not wanted or there >= wanted:
        return ()
    kind, name = obj.kind.lower(), obj.metadata.name
    return (
        Finding(
            text=f"it wants {wanted} Pods and has {there}",
            next=(f"kubectl describe {kind} {name}", "kubectl get pods -n kube-system"),
        ),
    )


# -- before a node has it


def _not_placed(cluster: Cluster, pod: Pod) -> tuple[Finding, ...]:
    describe = f"kubectl describe pod {name_with_namespace(pod)}"
    condition = next((c for c in pod.status.conditions if c.type == "PodScheduled"), None)
    if condition is None:
        text = "it is Pending and no scheduler has looked at it"
        scheduler = f"schedulerName is {pod.spec.schedulerName}"
        commands = ("kubectl get pods -n kube-system -l component=kube-scheduler",)
        return (Finding(text=f"{text}; its {scheduler}", next=commands),)
    first = Finding(
        text=f"it is Pending: {condition.message or condition.reason}",
        objects=(_subject(pod),),
        decided_by="kube-scheduler",
        next=(describe,),
    )
    if condition.reason != "Unschedulable":
        return (first,)
    decision = scheduling_of(cluster.world, cluster.view, pod)
    refused = [(v.node, v.plugin, v.reasons) for v in decision.nodes.values() if not v.fits]
    last = (f"kubectl describe node {refused[-1][0]}",) if refused else ()
    told = sentences.refused_by_nodes(refused[: sentences.SHOWN])
    return (first, *(Finding(text=text, next=last) for text in told))


def scheduling_of(world: World, view: View, pod: Pod) -> Explanation:
    """Return the decision of the Pod's scheduler about it, among what is there in the view."""
    from k8slab.control_plane.scheduler import LISTED_KINDS, explain
    from k8slab.control_plane.scheduler.config import DEFAULT_SCHEDULER_NAME

    name = pod.spec.schedulerName or DEFAULT_SCHEDULER_NAME
    return explain(
        pod,
        view.list(Node),
        [p for p in view.list(Pod) if p.metadata.uid != pod.metadata.uid],
        objects=[each for kind in LISTED_KINDS for each in view.list(kind)],
        plugins=world.replace.get("scheduler_plugins"),
        profile=world.scheduler_profiles.get(name),
    )


# -- on its node


def _node_is_away(pod: Pod, node: Node | None) -> Finding:
    name = pod.spec.nodeName
    state = "there is no such node" if node is None else "that node is not Ready"
    return Finding(
        text=f"it was placed on {name}, and {state}: what happens to it, only its kubelet can tell",
        objects=(f"Node/{name}",),
        decided_by="kubelet",
        next=(f"kubectl describe node {name}", f'cluster.node("{name}").shell("crictl ps")'),
    )


def _deleting(view: View, pod: Pod) -> tuple[Finding, ...]:
    meta = pod.metadata
    describe = f"kubectl describe pod {name_with_namespace(pod)}"
    if meta.finalizers:
        text = f"it is being deleted and waits for its finalizers: {', '.join(meta.finalizers)}"
        return (Finding(text=text, next=(describe,)),)
    node = view.get(Node, pod.spec.nodeName, "")
    if node is not None and not is_true(node.status.conditions, "Ready"):
        text = f"it is being deleted; only the kubelet of {pod.spec.nodeName} can confirm its end"
        return (Finding(text=text), _node_is_away(pod, node))
    grace = meta.deletionGracePeriodSeconds
    text = f"it is being deleted: its containers were asked to end and have {grace} s for it"
    return (Finding(text=text, decided_by="kubelet", next=(describe,)),)


def _ended(pod: Pod) -> tuple[Finding, ...]:
    if pod.status.phase == "Succeeded":
        return ()
    ends = [_end_of(status) for status in pod.status.containerStatuses]
    told = pod.status.message or sentences.listed([end for end in ends if end])
    reason = f" ({pod.status.reason})" if pod.status.reason else ""
    next_ = (f"kubectl logs {name_with_namespace(pod)}",)
    text = f"it has failed{reason}: {told}; its restartPolicy is {pod.spec.restartPolicy}"
    return (Finding(text=text, decided_by="kubelet", next=next_),)


def _end_of(status: Any) -> str:
    end = status.state.terminated
    if end is None or end.exitCode == 0:
        return ""
    told = sentences.ending(end.exitCode, end.reason, end.message)
    return f"container {status.name} ended {told}"


def _containers(view: View, pod: Pod) -> tuple[Finding, ...]:
    """Return what is wrong with containers; the others wait for the init containers."""
    specs = (*pod.spec.initContainers, *pod.spec.containers)
    images = {container.name: container.image for container in specs}
    found = []
    for status in (*pod.status.initContainerStatuses, *pod.status.containerStatuses):
        finding = _container(view, pod, status, images.get(status.name, status.image))
        found += [finding] if finding is not None else []
    if not found and not pod.status.containerStatuses:
        text = f"it was placed on {pod.spec.nodeName}, whose kubelet has not reported on it yet"
        next_ = (f'cluster.node("{pod.spec.nodeName}").shell("journalctl -u kubelet")',)
        found.append(Finding(text=text, decided_by="kubelet", next=next_))
    return tuple(found)


def _container(view: View, pod: Pod, status: Any, image: str) -> Finding | None:
    name, where = status.name, name_with_namespace(pod)
    describe = f"kubectl describe pod {where}"
    waiting, running = status.state.waiting, status.state.running
    if waiting is not None and waiting.reason == "CrashLoopBackOff":
        last = status.lastState.terminated
        end = sentences.ending(last.exitCode, last.reason, last.message) if last else "somehow"
        back_off = waiting.message.partition(" restarting")[0]
        text = sentences.crash_loop(name, status.restartCount, end, back_off)
        logs = f"kubectl logs {where} -c {name} --previous"
        return Finding(text=text, decided_by="kubelet", next=(logs, describe))
    if waiting is not None and waiting.reason in IMAGE_REASONS:
        message = _pull_message(view, pod) if "rror" not in waiting.message else waiting.message
        text = sentences.image_fault(name, image, message or waiting.message or waiting.reason)
        return Finding(text=text, decided_by="kubelet", next=(describe,))
    if waiting is not None and waiting.reason in CONFIG_REASONS:
        text = f"container {name} cannot be started ({waiting.reason}): {waiting.message}"
        return Finding(text=text, decided_by="kubelet", next=(describe, "kubectl get events"))
    if waiting is not None and waiting.reason not in ("PodInitializing",):
        text = f"container {name} is being made ready ({waiting.reason or 'waiting'})"
        return Finding(text=text, decided_by="kubelet", next=(describe,))
    if running is not None and not status.ready and status.name not in _init_names(pod):
        return _not_ready(view, pod, name)
    end = status.state.terminated
    if end is not None and end.exitCode:
        told = sentences.ending(end.exitCode, end.reason, end.message)
        logs = f"kubectl logs {where} -c {name}"
        return Finding(text=f"container {name} ended {told}", decided_by="kubelet", next=(logs,))
    return None


def _not_ready(view: View, pod: Pod, container: str) -> Finding:
    spec = next(c for c in pod.spec.containers if c.name == container)
    kinds = [k for k in ("startup", "readiness") if getattr(spec, f"{k}Probe") is not None]
    told = [e.message for e in _events(view, pod) if e.reason == "Unhealthy"]
    probe = f"its {kinds[0]} probe has not succeeded" if kinds else "it has only just started"
    last = f"; last it said: {told[-1]}" if told else ""
    commands = (f"kubectl describe pod {name_with_namespace(pod)}",)
    logs = f"kubectl logs {name_with_namespace(pod)} -c {container}"
    text = f"container {container} runs and is not ready: {probe}{last}"
    return Finding(text=text, decided_by="kubelet", next=(*commands, logs))


def _readiness(pod: Pod) -> tuple[Finding, ...]:
    if is_pod_ready(pod):
        return ()
    gates = [gate.conditionType for gate in pod.spec.readinessGates]
    waits = [name for name in gates if not is_true(pod.status.conditions, name)]
    reason = next((c.message for c in pod.status.conditions if c.type == "Ready"), "")
    told = f"its readiness gates wait: {', '.join(waits)}" if waits else reason or "no condition"
    next_ = (f"kubectl describe pod {name_with_namespace(pod)}",)
    return (Finding(text=f"it is not ready: {told}", decided_by="kubelet", next=next_),)


def _pull_message(view: View, pod: Pod) -> str:
    told = [e.message for e in _events(view, pod) if "Failed to pull" in e.message]
    return told[-1] if told else ""


def _events(view: View, pod: Pod) -> list[Event]:
    events = view.list(Event, pod.metadata.namespace)
    own = [e for e in events if e.involvedObject.uid == pod.metadata.uid]
    return sorted(own, key=lambda event: str(event.lastTimestamp))


def _init_names(pod: Pod) -> list[str]:
    return [container.name for container in pod.spec.initContainers]


def _subject(pod: Pod) -> str:
    return f"Pod/{pod.metadata.namespace}/{pod.metadata.name}"
