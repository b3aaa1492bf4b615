"""What a Pod takes over from the RuntimeClass that it names.

Its overhead becomes the Pod's own, so that scheduler, kubelet and quota count it; its node selector
and tolerations are added to the Pod's, so that it goes where its handler is.

Rule of use: pure; ValueError with upstream's words for a Pod that contradicts its class.

Upstream: plugin/pkg/admission/runtimeclass/admission.go
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from k8slab.api.core import Pod, Toleration
from k8slab.api.node import RuntimeClass
from k8slab.api.requests import amounts

ANOTHER_OVERHEAD = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
NO_OVERHEAD = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"


def with_class(pod: Pod, runtime: RuntimeClass | None) -> Pod:
    """Return the Pod as its class wants it; None stands for a Pod that names no class."""
    spec = pod.spec
    overhead = runtime.overhead if runtime is not None else None
    if overhead is None:
        if spec.overhead:
            raise ValueError(NO_OVERHEAD)
    elif spec.overhead and amounts(spec.overhead) != amounts(overhead.podFixed):
        raise ValueError(ANOTHER_OVERHEAD)
    else:
        spec = replace(spec, overhead=overhead.podFixed)
    if runtime is None or runtime.scheduling is None:
        return pod if spec is pod.spec else replace(pod, spec=spec)
    wanted = runtime.scheduling
    spec = replace(
        spec,
        nodeSelector=merged(spec.nodeSelector, wanted.nodeSelector),
        tolerations=(*spec.tolerations, *_missing(wanted.tolerations, spec.tolerations)),
    )
    return replace(pod, spec=spec)


def merged(own: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return both node selectors in one. Raises ValueError if they contradict each other.

    >>> merged({"disk": "ssd"}, {"sandbox": "yes"})
    {'disk': 'ssd', 'sandbox': 'yes'}
    """
    for key, value in wanted.items():
        if own.get(key, value) != value:
            raise ValueError(
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                f"pod.spec.nodeSelector[{key}] = {own[key]}"
            )
    return {**own, **wanted}


def _missing(wanted: tuple[Toleration, ...], own: tuple[Toleration, ...]) -> tuple[Toleration, ...]:
    return tuple(each for each in wanted if each not in own)
