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
from k8slab.api.core import Pod
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
    """When the first change happened that the slices of a Service do not show yet."""

    def __init__(self) -> None:
        self._pending: dict[str, str] = {}

    def note(self, service: str, time: str) -> None:
        """Remember that a Service, or the Ready condition of a Pod behind it, changed then."""
        # Times are RFC 3339 in UTC with whole seconds, so they compare as text.
        if time and time < self._pending.get(service, "~"):
            self._pending[service] = time

    def take(self, service: str) -> str:
        """Return the earliest change since the last call, "" if there was none."""
        return self._pending.pop(service, "")


def ready_since(pod: Pod | None) -> str:
    """Return when the Pod's Ready condition last changed, "" if it has none."""
    ready = get_condition(pod.status.conditions, "Ready") if pod is not None else None
    return (ready.lastTransitionTime or "") if ready is not None else ""
