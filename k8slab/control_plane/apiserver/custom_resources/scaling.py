"""The scale of a kind that was defined: numbers that lie where its definition says.

    subresources: {scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}

Rule of use: pure; `subresources.scale` asks and writes.

Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/etcd.go (ScaleREST)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from k8slab.api import errors
from k8slab.api.autoscaling import Scale, ScaleSpec, ScaleStatus
from k8slab.api.custom import Custom, Frozen
from k8slab.control_plane.apiserver.custom_resources.reading import document_of


def scale_of(obj: Custom) -> Scale:
    """Return the scale of an object; raises ApiError if it says nothing of its size."""
    definition = obj.__definition__
    where = definition.scale
    assert where is not None
    document = document_of(obj)
    replicas = _at(document, where.specReplicasPath)
    if replicas is None:
        raise errors.internal(f'the spec replicas field "{where.specReplicasPath}" does not exist')
    status = _at(document, where.statusReplicasPath)
    selector = _at(document, where.labelSelectorPath or "")
    return Scale(
        spec=ScaleSpec(replicas=int(replicas)),
        status=ScaleStatus(replicas=int(status or 0), selector=str(selector or "")),
    )


def with_replicas(obj: Custom, replicas: int) -> Custom:
    """Return the object with another number of replicas; the same if it has that already."""
    where = obj.__definition__.scale
    assert where is not None
    first, *rest = _steps(where.specReplicasPath)
    before = getattr(obj, first)
    after = _put(before, rest, replicas)
    if after == before:
        return obj
    meta = replace(obj.metadata, generation=obj.metadata.generation + 1)
    changes: Any = {first: after, "metadata": meta}
    return replace(obj, **changes)


def _steps(path: str) -> list[str]:
    return [step for step in path.split(".") if step]


def _at(document: Any, path: str) -> Any:
    for step in _steps(path):
        document = document.get(step) if isinstance(document, Mapping) else None
    return document if path else None


def _put(value: Any, steps: list[str], replicas: int) -> Any:
    if not steps:
        return replicas
    given = value if isinstance(value, Mapping) else {}
    return Frozen({**given, steps[0]: _put(given.get(steps[0]), steps[1:], replicas)})
