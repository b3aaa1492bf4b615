"""The loop of the EndpointSlice controller.

At each change of a Service, or of a Pod that it selects, it plans the Service's slices and writes
those that differ. Pods are found by one of their labels, Services by one of their selector's, so
that a change costs what it touches and no more.

Rule of use: Services without a selector have slices that somebody else writes.

Upstream: pkg/controller/endpointslice/endpointslice_controller.go
"""

from __future__ import annotations

from collections.abc import Iterable

from k8slab.api.core import Node, Pod, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.api.errors import ApiError
from k8slab.api.pods import is_pod_ready, is_pod_terminal
from k8slab.client import Client, EventRecorder, Informers, WorkQueue, key_of
from k8slab.client.learner import ReplacementError
from k8slab.control_plane.controllers.controller_utils import decide, work
from k8slab.control_plane.controllers.endpoint_slice.desired import Desired
from k8slab.control_plane.controllers.endpoint_slice.endpoints import ZONE
from k8slab.control_plane.controllers.endpoint_slice.learner import SlicePlanner
from k8slab.control_plane.controllers.endpoint_slice.reconciler import (
    CONTROLLER_NAME,
    MANAGED_BY,
    MAX_ENDPOINTS,
    SERVICE_NAME,
    SlicePlan,
    plan,
)
from k8slab.control_plane.controllers.endpoint_slice.topology_cache import TopologyCache
from k8slab.control_plane.controllers.endpoint_slice.tracker import (
    SliceTracker,
    TriggerTimes,
    ready_since,
)

SYSTEM = "kube-system"  # whose slices a cluster needs to come up: they are planned by ours
WORKERS = 5  # --concurrent-service-endpoint-syncs


class EndpointSliceController:
    """The loop: at each change of a Service or of a Pod behind it, plan and write its slices."""

    component = "endpointslice-controller"

    def __init__(
        self,
        informers: Informers,
        client: Client,
        recorder: EventRecorder,
        *,
        max_endpoints: int = MAX_ENDPOINTS,
        planner: SlicePlanner | None = None,
    ) -> None:
        """Prepare to keep slices; `planner` decides in the place of `plan`."""
        self._planner = planner
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._max_endpoints = max_endpoints
        self._services = informers.informer(Service)
        self._pods = informers.informer(Pod)
        self._nodes = informers.informer(Node)
        self._slices = informers.informer(EndpointSlice)
        self._queue = WorkQueue(self._sim, self.component)
        self._tracker = SliceTracker()
        self._trigger_times = TriggerTimes()
        self._desired: dict[str, Desired] = {}  # by key of the Service
        self._nodes_by_name: dict[str, Node] = {}
        self._topology = TopologyCache(self._nodes_by_name)

    async def run(self) -> None:
        """Keep all Services' slices for ever."""
        self._pods.add_index("label", _label_pairs)
        self._services.add_index("selector", _first_selector_pair)
        self._slices.add_index("service", lambda one: (_service_of(one),))
        self._services.add_handler(self._on_service)
        self._pods.add_handler(self._on_pod)
        self._slices.add_handler(self._on_slice)
        self._nodes.add_handler(self._on_node)
        for informer in (self._services, self._pods, self._nodes, self._slices):
            await informer.synced.wait()
        await work(self._sim, self._queue, self._sync, WORKERS)

    # -- what makes a Service worth a look

    def _on_service(self, old: Service | None, new: Service | None) -> None:
        service = new or old
        assert service is not None
        key = key_of(service)
        self._desired.pop(key, None)
        if old is None:
            self._trigger_times.note(key, service.metadata.creationTimestamp)
        self._queue.add(key)

    def _on_pod(self, old: Pod | None, new: Pod | None) -> None:
        if not _endpoint_changed(old, new):
            return
        since = ready_since(new)
        news = since if since != ready_since(old) else ""
        selecting = dict.fromkeys(self._services_of(new)) if new is not None else {}
        before = dict.fromkeys(self._services_of(old)) if old is not None else {}
        for key in selecting | before:
            if key in self._desired:
                if old is not None and key not in selecting:
                    self._desired[key].drop(old)
                elif new is not None:
                    self._desired[key].put(new)
            self._trigger_times.note(key, news)
            self._queue.add(key)

    def _services_of(self, pod: Pod) -> Iterable[str]:
        labels = pod.metadata.labels.items()
        for pair in _label_pairs(pod):
            for service in self._services.by_index("selector", pair):
                if service.spec.selector.items() <= labels:
                    yield key_of(service)

    def _on_slice(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        for one in (old, new):
            if one is not None and one.metadata.labels.get(MANAGED_BY) == CONTROLLER_NAME:
                service = _service_of(one)
                if self._tracker.heard(service, old, new):
                    self._queue.add(service)

    def _on_node(self, old: Node | None, new: Node | None) -> None:
        """A node that comes, goes or changes its zone touches the Services with Pods on it."""
        if new is not None:
            self._nodes_by_name[new.metadata.name] = new
        elif old is not None:
            del self._nodes_by_name[old.metadata.name]
        for key in self._topology.node_changed(old, new):
            self._queue.add(key)
        if old is not None and new is not None and _zone(old) == _zone(new):
            return
        self._desired.clear()
        for service in self._services.all():
            self._queue.add(key_of(service))

    # -- one look

    async def _sync(self, key: str) -> None:
        service = self._services.by_key(key)
        if service is None:
            self._tracker.forget(key)
            self._topology.forget(key)
            self._trigger_times.take(key)
            return
        if not service.spec.selector or service.spec.type == "ExternalName":
            return
        try:
            result, told = self._topology.apply(key, service, self._plan(key, service))
            for type_, reason, message in told:
                self._recorder.event(service, type_, reason, message)
            await self._write(key, service, result)
        except (ApiError, ReplacementError) as error:
            text = f"Error updating Endpoint Slices for Service {key}: {error}"
            self._recorder.event(service, "Warning", "FailedToUpdateEndpointSlices", text)
            if isinstance(error, ApiError):
                raise

    def _plan(self, key: str, service: Service) -> SlicePlan:
        existing = self._tracker.current(key, self._slices.by_index("service", key))
        trigger_time = self._trigger_times.take(key)
        namespace = service.metadata.namespace
        if self._planner is not None and namespace != SYSTEM:
            pods = [pod for pod in self._pods.all() if pod.metadata.namespace == namespace]
            nodes = list(self._nodes_by_name.values())
            return self._planner(service, pods, nodes, existing, trigger_time=trigger_time)
        if key not in self._desired:
            pods = self._selected(service)
            self._desired[key] = Desired(service, self._nodes_by_name, pods)
        return plan(
            service,
            (),
            (),
            existing,
            max_endpoints=self._max_endpoints,
            trigger_time=trigger_time,
            desired=self._desired[key],
        )

    def _selected(self, service: Service) -> list[Pod]:
        (pair,) = _first_selector_pair(service)
        pods = self._pods.by_index("label", pair)
        wanted = service.spec.selector.items()
        if len(wanted) == 1:
            return pods
        return [pod for pod in pods if wanted <= pod.metadata.labels.items()]

    async def _write(self, key: str, service: Service, result: SlicePlan) -> None:
        if not result.create and not result.update and not result.delete:
            return
        decide(self._sim, self.component, service, describe(result))
        for one in result.create:
            self._tracker.wrote(key, await self._client.create(one))
        for one in result.update:
            self._tracker.wrote(key, await self._client.update(one))
        for one in result.delete:
            meta = one.metadata
            await self._client.delete(EndpointSlice, meta.name, meta.namespace)
            self._tracker.deleted(key, one)


def describe(result: SlicePlan) -> str:
    """Say in words what a plan is about.

    >>> describe(SlicePlan())
    '0 endpoints, 0 ready'
    """
    endpoints = [endpoint for one in result.slices for endpoint in one.endpoints]
    ready = sum(bool(endpoint.conditions.ready) for endpoint in endpoints)
    words = [f"{len(endpoints)} endpoints, {ready} ready"]
    for verb, slices in (
        ("create", result.create),
        ("update", result.update),
        ("delete", result.delete),
    ):
        if slices:
            words.append(f"{verb} {len(slices)} slice{'s' if len(slices) > 1 else ''}")
    return ": ".join([words[0], ", ".join(words[1:])]) if words[1:] else words[0]


def _label_pairs(pod: Pod) -> Iterable[str]:
    namespace = pod.metadata.namespace
    return [f"{namespace}/{key}={value}" for key, value in pod.metadata.labels.items()]


def _first_selector_pair(service: Service) -> Iterable[str]:
    for key, value in sorted(service.spec.selector.items()):
        return (f"{service.metadata.namespace}/{key}={value}",)
    return ()


def _service_of(one: EndpointSlice) -> str:
    return f"{one.metadata.namespace}/{one.metadata.labels.get(SERVICE_NAME, '')}"


def _zone(node: Node) -> str:
    return node.metadata.labels.get(ZONE, "")


def _endpoint_changed(old: Pod | None, new: Pod | None) -> bool:
    """Say whether anything changed that a slice shows: without an address nothing does."""
    before, after = _facts(old), _facts(new)
    if before is None or after is None or old is None or new is None:
        return before is not after
    return before != after or old.metadata.labels != new.metadata.labels


def _facts(pod: Pod | None) -> tuple[object, ...] | None:
    if pod is None or not (pod.status.podIP or pod.status.podIPs):
        return None
    return (
        pod.status.podIP,
        pod.status.podIPs,
        is_pod_ready(pod),
        is_pod_terminal(pod),
        pod.metadata.deletionTimestamp is not None,
        pod.spec.nodeName,
        pod.spec.hostname,
        pod.spec.subdomain,
        pod.metadata.uid,
    )
