"""The Pods behind a name: "web-1", "pod/web-1", "deploy/web", "svc/web".

A workload is followed by its selector. Of several Pods, the one to look into is a Pod that runs and
is ready, the oldest first.

Rule of use: `attachable_pod` for logs and exec, `selector_of` for everything that has Pods.

Upstream: staging/src/k8s.io/kubectl/pkg/polymorphichelpers/attachablepodforobject.go
"""

from __future__ import annotations

from typing import Any

from k8slab.api import labels
from k8slab.api.core import Pod, Service
from k8slab.api.pods import is_pod_ready
from k8slab.api.scheme import resource_for
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.resources import get_object, list_objects, split_name

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


async def attachable_pod(call: Invocation, word: str, *, quiet: bool = False) -> Pod:
    """Return the Pod that a name means. Raises ApiError, CommandError if there is none."""
    (pod,) = await pods_behind(call, word, quiet=quiet)
    return pod


async def pods_behind(
    call: Invocation, word: str, *, every: bool = False, quiet: bool = False
) -> list[Pod]:
    """Return the first of the Pods that a name means, or all of them.

    Raises ApiError, CommandError if there is none.
    """
    if "/" not in word:
        return [await get_object(call, resource_for(Pod), word)]
    resource, name = split_name(word)
    obj = await get_object(call, resource, name)
    if isinstance(obj, Pod):
        return [obj]
    selector = selector_of(obj)
    if selector is None:
        doing = "get the logs from" if call.path == "logs" else "attach to"
        raise CommandError(f"cannot {doing} *v1.{resource.kind}: {_no_selector(obj)}")
    pods = await list_pods(call, selector)
    if not pods:
        raise CommandError(
            f"timed out waiting for the condition: no Pod of {resource.plural}/{name} was found"
        )
    if every:
        return sorted(pods, key=lambda pod: pod.metadata.name)
    if len(pods) > 1 and not quiet:
        call.say(f"Found {len(pods)} pods, using pod/{pods[0].metadata.name}")
    return pods[:1]


def containers_of(pod: Pod) -> list[tuple[str, str]]:
    """Return the name of each container, and how lists of them mark its sort."""
    spec = pod.spec
    return [
        *((c.name, "") for c in spec.containers),
        *((c.name, " (init)") for c in spec.initContainers),
        *((c.name, " (ephem)") for c in spec.ephemeralContainers),
    ]


def chosen_container(call: Invocation, pod: Pod, given: str = "") -> str:
    """Return the container that is meant, the default one if none is named.

    Says so if there is a choice; CommandError if the Pod has no such container.
    """
    known = containers_of(pod)
    everyone = ", ".join(name + mark for name, mark in known)
    if given:
        if given not in dict(known):
            name = pod.metadata.name
            raise CommandError(f"container {given} is not valid for pod {name} out of: {everyone}")
        return given
    annotated = pod.metadata.annotations.get(DEFAULT_CONTAINER, "")
    if annotated in dict(known):
        return annotated
    first = pod.spec.containers[0].name
    if len(known) > 1:
        call.say(f'Defaulted container "{first}" out of: {everyone}')
    return first


async def list_pods(call: Invocation, selector: str, namespace: str = "") -> list[Pod]:
    """Return the Pods that a selector matches, the one to look into first."""
    pods: tuple[Pod, ...] = await list_objects(
        call, "Pod", namespace or call.namespace, labels=selector
    )
    return sorted(pods, key=_most_restarted if call.path == "logs" else _least_restarted)


def selector_of(obj: Any) -> str | None:
    """Return the selector by which an object finds its Pods, None if it has none."""
    if isinstance(obj, Service):
        return str(labels.from_labels(obj.spec.selector)) if obj.spec.selector else None
    spec = getattr(obj, "spec", None)
    selector = getattr(spec, "selector", None)
    if selector is None:
        return None
    if hasattr(selector, "matchLabels"):
        return str(labels.from_label_selector(selector))
    return str(labels.from_labels(selector)) if selector else None


def _no_selector(obj: Any) -> str:
    if isinstance(obj, Service):
        name = obj.metadata.name
        return f"invalid service '{name}': Service is defined without a selector"
    return f"selector for *v1.{obj.kind} not implemented"


def _rank(pod: Pod) -> tuple[bool, int, bool, str]:
    """Placed before unplaced, running before not, ready before not and the longer the better."""
    phases = ("Running", "Unknown", "Pending")
    phase = pod.status.phase
    ready = next((c for c in pod.status.conditions if c.type == "Ready"), None)
    since = ready.lastTransitionTime or "" if ready is not None and is_pod_ready(pod) else ""
    rank = phases.index(phase) if phase in phases else 0
    return not pod.spec.nodeName, rank, not is_pod_ready(pod), since


def _restarts(pod: Pod) -> int:
    return max((status.restartCount for status in pod.status.containerStatuses), default=0)


def _most_restarted(pod: Pod) -> tuple[Any, int, str]:
    """Order Pods for logs: of equals the one that restarted most, then the oldest."""
    return _rank(pod), -_restarts(pod), pod.metadata.creationTimestamp


def _least_restarted(pod: Pod) -> tuple[Any, int, str]:
    """Order Pods for commands: of equals the one that restarted least, then the oldest."""
    return _rank(pod), _restarts(pod), pod.metadata.creationTimestamp
