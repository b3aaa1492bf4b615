"""What the controller remembers between two looks at a Service.

`SliceTracker` puts its own latest writes over what the informer has heard, so that two looks in
quick succession do not undo each other. `TriggerTimes` works out when the change happened that a
write tells of: readers measure from there how long the news took to reach them.

Rule of use: only memory; after a restart everything is worked out anew.

Upstream: staging/src/k8s.io/endpointslice/util/endpointslice_tracker.go, trigger_time_tracker.go
"""

from __future__ import annotations

from collections.abc import Iterable

from k8slab.api.conditions import get_condition
from k8slab.api.core import Pod, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.client import key_of


def version(one: EndpointSlice) -> int:
    """Return the revision of the store at which the slice was written."""
    return int(one.metadata.resourceVersion or 0)


class SliceTracker:
    """Own writes that the informer has not told of yet."""

    def __init__(self) -> None:
        self._written: dict[str, dict[str, EndpointSlice | None]] = {}  # None: deleted

    def wrote(self, service: str, one: EndpointSlice) -> None:
        """Remember a slice as the API server returned it."""
        self._written.setdefault(service, {})[key_of(one)] = one

    def deleted(self, service: str, one: EndpointSlice) -> None:
        """Remember that a slice is gone."""
        self._written.setdefault(service, {})[key_of(one)] = None

    def heard(self, service: str, old: EndpointSlice | None, new: EndpointSlice | None) -> bool:
        """Take in what the informer tells; say whether somebody else did it."""
        one = new or old
        assert one is not None
        pending = self._written.get(service, {})
        key = key_of(one)
        if key not in pending:
            return True
        own = pending[key]
        if own is None or new is None:
            if new is None:
                del pending[key]
            return new is None and own is not None
        if version(new) >= version(own):
            del pending[key]
        return version(new) > version(own)

    def current(self, service: str, listed: Iterable[EndpointSlice]) -> list[EndpointSlice]:
        """Return the Service's slices as they are by now."""
        slices = {key_of(one): one for one in listed}
        for key, own in self._written.get(service, {}).items():
            if own is None:
                slices.pop(key, None)
            elif key not in slices or version(slices[key]) < version(own):
                slices[key] = own
        return list(slices.values())

    def forget(self, service: str) -> None:
        """Drop a Service that is gone."""
        self._written.pop(service, None)


class TriggerTimes:
    """When Pods and Services last changed, as far as endpoints are concerned."""

    def __init__(self) -> None:
        self._services: dict[str, str] = {}
        self._pods: dict[str, dict[str, str]] = {}

    def of(self, service: Service, pods: Iterable[Pod]) -> str:
        """Return the earliest change since the last call, "" if nothing relevant changed."""
        key = key_of(service)
        before = self._pods.get(key, {})
        times: dict[str, str] = {}
        changed = []
        for pod in pods:
            ready = get_condition(pod.status.conditions, "Ready")
            if ready is not None and ready.lastTransitionTime:
                name = pod.metadata.name
                times[name] = ready.lastTransitionTime
                # Times are RFC 3339 in UTC with whole seconds, so they compare as text.
                if ready.lastTransitionTime > before.get(name, ""):
                    changed.append(ready.lastTransitionTime)
        created = service.metadata.creationTimestamp
        if created > self._services.get(key, ""):
            changed.append(created)
        self._services[key], self._pods[key] = created, times
        return min(changed, default="")

    def forget(self, service: str) -> None:
        """Drop a Service that is gone."""
        self._services.pop(service, None)
        self._pods.pop(service, None)
