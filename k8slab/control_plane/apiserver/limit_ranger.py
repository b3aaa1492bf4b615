"""LimitRanges: what containers of a namespace get if they ask for nothing, and what none may ask.

Defaults are filled in first, and written down in an annotation. Then every bound is asked: of each
container, of each Pod as a whole, of each claim. All that is wrong is told at once.

Rule of use: `limit_ranger` is a plugin of admission; the rest is pure.

Upstream: plugin/pkg/admission/limitranger/admission.go
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from k8slab.api import quota
from k8slab.api.core import (
    Container,
    LimitRange,
    LimitRangeItem,
    PersistentVolumeClaim,
    Pod,
)
from k8slab.api.quantity import parse

ANNOTATION = "kubernetes.io/limit-ranger"
Amounts = Mapping[str, str]


def with_defaults(pod: Pod, limits: LimitRange) -> Pod:
    """Return the Pod with the defaults of a LimitRange where its containers say nothing."""
    limit: dict[str, str] = {}
    request: dict[str, str] = {}
    for item in limits.spec.limits:
        if item.type == "Container":
            request.update(item.defaultRequest)
            limit.update(item.default)
    said: list[str] = []
    changes = {
        field: tuple(_filled(container, request, limit, kind, said) for container in containers)
        for field, kind, containers in (
            ("containers", "container", pod.spec.containers),
            ("initContainers", "init container", pod.spec.initContainers),
        )
    }
    if not said:
        return pod
    note = f"LimitRanger plugin set: {'; '.join(said)}"
    annotations = {**pod.metadata.annotations, ANNOTATION: note}
    meta = replace(pod.metadata, annotations=annotations)
    return replace(pod, metadata=meta, spec=replace(pod.spec, **changes))


def _filled(
    container: Container, request: Amounts, limit: Amounts, kind: str, said: list[str]
) -> Container:
    own = container.resources
    requests = {k: v for k, v in request.items() if k not in own.requests}
    limits = {k: v for k, v in limit.items() if k not in own.limits}
    for word, added in (("request", requests), ("limit", limits)):
        if added:
            said.append(f"{', '.join(sorted(added))} {word} for {kind} {container.name}")
    if not requests and not limits:
        return container
    filled = replace(own, requests={**own.requests, **requests}, limits={**own.limits, **limits})
    return replace(container, resources=filled)


def broken(obj: Any, limits: LimitRange) -> Iterator[str]:
    """Yield what of a LimitRange an object breaks, in upstream's words."""
    for item in limits.spec.limits:
        if isinstance(obj, Pod) and item.type == "Container":
            for container in (*obj.spec.containers, *obj.spec.initContainers):
                own = container.resources
                yield from _bounds(item, own.requests, own.limits)
        elif isinstance(obj, Pod) and item.type == "Pod":
            yield from _bounds(item, quota.total(obj, "requests"), quota.total(obj, "limits"))
        elif isinstance(obj, PersistentVolumeClaim) and item.type == "PersistentVolumeClaim":
            yield from _of_claim(item, obj.spec.resources.requests)


def _bounds(item: LimitRangeItem, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name, bound in sorted(item.min.items()):
        yield from _minimum(
            f"minimum {name} usage per {item.type} is {bound}", name, bound, (requests, limits)
        )
    for name, bound in sorted(item.max.items()):
        yield from _maximum(
            f"maximum {name} usage per {item.type} is {bound}", name, bound, (requests, limits)
        )
    for name, bound in sorted(item.maxLimitRequestRatio.items()):
        said = f"{name} max limit to request ratio per {item.type} is {bound}"
        yield from _ratio(said, name, bound, (requests, limits))


Sides = tuple[Amounts, Amounts]  # requests, limits


def _minimum(said: str, name: str, bound: str, sides: Sides) -> Iterator[str]:
    request, limit = (side.get(name) for side in sides)
    if request is None:
        yield f"{said}.  No request is specified"
    elif quota.exceeds(bound, request):
        yield f"{said}, but request is {request}"
    elif limit is not None and quota.exceeds(bound, limit):
        yield f"{said}, but limit is {limit}"


def _maximum(said: str, name: str, bound: str, sides: Sides) -> Iterator[str]:
    request, limit = (side.get(name) for side in sides)
    if limit is None:
        yield f"{said}.  No limit is specified"
    elif quota.exceeds(limit, bound):
        yield f"{said}, but limit is {limit}"
    elif request is not None and quota.exceeds(request, bound):
        yield f"{said}, but request is {request}"


def _ratio(said: str, name: str, bound: str, sides: Sides) -> Iterator[str]:
    request, limit = (parse(side.get(name, "0"))[0] for side in sides)
    if not request:
        yield f"{said}, but no request is specified or request is 0"
    elif not limit:
        yield f"{said}, but no limit is specified or limit is 0"
    elif limit / request > parse(bound)[0]:
        yield f"{said}, but provided ratio is {float(limit / request):f}"


def _of_claim(item: LimitRangeItem, requests: Amounts) -> Iterator[str]:
    asked = requests.get("storage", "0")
    low, high = item.min.get("storage"), item.max.get("storage")
    kind = item.type
    if low is not None and quota.exceeds(low, asked):
        yield f"minimum storage usage per {kind} is {low}, but request is {asked}"
    if high is not None and quota.exceeds(asked, high):
        yield f"maximum storage usage per {kind} is {high}, but request is {asked}"
