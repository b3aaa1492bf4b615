"""Versions of one kind: objects are stored in one of them, and read and written in all.

Interface: ``to_stored`` (whatever version an object comes in), ``to_version`` (for a client that
speaks another), ``other_version`` (the row of a kind in another version).
Rule: adding a version is adding a row to ``scheme.OTHER_VERSIONS`` and two functions here.

Upstream: staging/src/k8s.io/apimachinery/pkg/runtime/converter.go
"""

from collections.abc import Callable, Mapping
from typing import Any

from k8slab.api import autoscaling, autoscaling_v1
from k8slab.api.meta import Object
from k8slab.api.scheme import OTHER_VERSIONS, Resource

_UP: Mapping[type[Object], Callable[[Any], Object]] = {
    autoscaling_v1.HorizontalPodAutoscaler: autoscaling_v1.to_v2,
}
_DOWN: Mapping[tuple[type[Object], str], Callable[[Any], Object]] = {
    (autoscaling.HorizontalPodAutoscaler, "v1"): autoscaling_v1.from_v2,
}


def to_stored(obj: Object) -> Object:
    """Return the object in the version in which its kind is stored."""
    convert = _UP.get(type(obj))
    return obj if convert is None else convert(obj)


def to_version(obj: Any, version: str) -> Any:
    """Return the object in another version of its group, if it has that; else as it is."""
    convert = _DOWN.get((type(obj), version))
    return obj if convert is None else convert(obj)


def other_version(resource: Resource, api_version: str) -> Resource:
    """Return the row that serves the same objects in that version; the given row if none does."""
    for other in OTHER_VERSIONS:
        same = (other.group, other.plural) == (resource.group, resource.plural)
        if same and other.api_version == api_version:
            return other
    return resource
