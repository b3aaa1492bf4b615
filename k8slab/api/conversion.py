"""Versions of one kind: objects are stored in one of them, and read and written in all.

Interface: ``to_stored`` (whatever version an object comes in), ``to_version`` (for a client that
speaks another), ``other_version`` (the row of a kind in another version), ``stored_row``,
``stored_config`` (of server-side apply).
Rule: adding a version is adding a row to ``scheme.OTHER_VERSIONS`` and two functions here.

Upstream: staging/src/k8s.io/apimachinery/pkg/runtime/converter.go
"""

from collections.abc import Callable, Mapping
from typing import Any

from k8slab.api import autoscaling, autoscaling_v1, codec, core, events
from k8slab.api.meta import Object
from k8slab.api.scheme import KINDS, OTHER_VERSIONS, Resource

_UP: Mapping[type[Object], Callable[[Any], Object]] = {
    autoscaling_v1.HorizontalPodAutoscaler: autoscaling_v1.to_v2,
    events.Event: events.to_core,
}
_DOWN: Mapping[tuple[type[Object], str, str], Callable[[Any], Object]] = {
    (autoscaling.HorizontalPodAutoscaler, "autoscaling", "v1"): autoscaling_v1.from_v2,
    (core.Event, "events.k8s.io", "v1"): events.from_core,
}
# Groups whose objects are stored in another group.
STORED_IN = {("events.k8s.io", "events"): ""}


def to_stored(obj: Object) -> Object:
    """Return the object in the version in which its kind is stored."""
    convert = _UP.get(type(obj))
    return obj if convert is None else convert(obj)


def to_version(obj: Any, group: str, version: str) -> Any:
    """Return the object in another group's or version's form, if it has that; else as it is."""
    convert = _DOWN.get((type(obj), group, version))
    return obj if convert is None else convert(obj)


def stored_group(group: str, plural: str) -> str:
    """Return the group in which the objects of a resource are stored, mostly its own."""
    return STORED_IN.get((group, plural), group)


def stored_row(resource: Resource) -> Resource:
    """Return the row in whose form the objects of a resource are stored."""
    wanted = (stored_group(resource.group, resource.plural), resource.plural)
    return next((row for row in KINDS if (row.group, row.plural) == wanted), resource)


def stored_config(config: Mapping[str, Any], resource: Resource) -> Mapping[str, Any]:
    """Return an applied configuration in the version in which its kind is stored.

    Only what somebody has said is converted: metadata stays, and a status says nothing.
    """
    other = other_version(resource, str(config.get("apiVersion", "")))
    if other is resource:
        return config
    stored = codec.to_dict(to_stored(codec.convert(dict(config), other.type)))
    stored.pop("status", None)
    return {**stored, "metadata": config.get("metadata") or {}}


def other_version(resource: Resource, api_version: str) -> Resource:
    """Return the row that serves the same objects in that version; the given row if none does."""
    for other in OTHER_VERSIONS:
        if other.api_version == api_version and stored_row(other) is stored_row(resource):
            return other
    return resource
