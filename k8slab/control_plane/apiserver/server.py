"""The API server: the only door to the cluster's state, and the same door for everybody.

`handle` takes one `Request` and returns an object, a `Listing` or a `WatchStream`, or raises
`ApiError`. It keeps no state of its own: a cache that etcd fills, and the open watches. Stop it and
start another, and nothing is lost; stop etcd and it can only answer errors.

Rule of use: `start` loads the cache and begins to serve, `stop` breaks all watches.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints, pkg/controlplane/instance.go
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from k8slab.api import conversion, errors, scheme
from k8slab.api.core import Service
from k8slab.api.errors import ApiError
from k8slab.api.meta import ListMeta, Object, Status
from k8slab.api.networking import ServiceCIDR
from k8slab.api.table import Table
from k8slab.client import Latency, Listing, Request, WatchEvent, WatchStream, Wire
from k8slab.client.http_call import Forward, nowhere
from k8slab.control_plane.apiserver import (
    reviews,
    strategy,
    tables,
    unstored,
    warnings,
    watching,
)
from k8slab.control_plane.apiserver.access import ALWAYS_ALLOW, STREAMS, Access
from k8slab.control_plane.apiserver.access.objects import CachedObjects
from k8slab.control_plane.apiserver.access.rbac import GROUP as RBAC
from k8slab.control_plane.apiserver.access.tokens import Tokens
from k8slab.control_plane.apiserver.allocators import SERVICE_CIDR, NodePorts, service_ranges
from k8slab.control_plane.apiserver.cacher import Filter, Watcher
from k8slab.control_plane.apiserver.custom_resources.serving import CustomResources
from k8slab.control_plane.apiserver.ip_addresses import IpAddresses
from k8slab.control_plane.apiserver.metrics import Metrics
from k8slab.control_plane.apiserver.quota_admission import QuotaAdmission
from k8slab.control_plane.apiserver.registry import Registry, registries
from k8slab.control_plane.apiserver.selection import selected
from k8slab.control_plane.apiserver.service_ports import ServiceAllocator
from k8slab.control_plane.apiserver.storage import Storage
from k8slab.control_plane.apiserver.subresources import handler_of
from k8slab.control_plane.etcd import Endpoint, Etcd, KeyValue, Unavailable
from k8slab.sim import Simulation

VERBS = frozenset(
    {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
)
SERVICE_CIDRS = "servicecidrs"
RBAC_KINDS = ("roles", "clusterroles", "rolebindings", "clusterrolebindings")
DEFINITIONS = "customresourcedefinitions"
CONNECTED = ("log", "exec", "attach", "portforward")  # parts of a Pod that its kubelet has
KubeletCall = Callable[[str, Request], Awaitable[Any]]  # (node, request) -> log, exec result
Delegate = Callable[[Request], Awaitable[Any]]  # what an add-on that serves a group answers


class APIServer:
    """Serves all kinds of the scheme from one etcd."""

    def __init__(
        self,
        sim: Simulation,
        etcd: Endpoint,
        *,
        latency: Latency | None = None,
        service_cidr: str = SERVICE_CIDR,
        kubelet: KubeletCall | None = None,
        authorization_mode: str = ALWAYS_ALLOW,
        delegates: Mapping[str, Delegate] | None = None,
        forward: Forward = nowhere,
    ) -> None:
        self._sim = sim
        self._endpoint = etcd
        self._wire = Wire(sim, (latency or Latency()).watch_delivery)
        self._kubelet = kubelet
        self.forward = forward
        self.dice = sim.streams.rng("apiserver/proxy")  # for a Service's endpoint
        self._delegates: Mapping[str, Delegate] = {} if delegates is None else delegates
        self._storage = Storage(sim, etcd)
        self.services = ServiceAllocator(
            sim.streams.rng("apiserver/services"), service_ranges(service_cidr), NodePorts()
        )
        self.registries: dict[tuple[str, str], Registry] = {}
        self.look_up = CachedObjects(self.registries)
        self.registries |= registries(sim, self._storage, self.services, self.look_up)
        quotas = QuotaAdmission(self.registries["", "resourcequotas"])
        self._charge = quotas.charge
        for registry in self.registries.values():
            registry.charge = self._charge
        self.custom = CustomResources(self._storage, self._registry_of)
        self.registries["", "services"].follow = IpAddresses(sim, self._storage).follow
        tokens = Tokens(sim.streams.seed, self.look_up)
        self.access = Access(authorization_mode, self.look_up, tokens, lambda: sim.now)
        for kind in RBAC_KINDS:
            self.registries[RBAC, kind].guard = self.access.check_escalation
        self._by_plural = {r.resource.plural: r for r in self.registries.values()}
        self.metrics = Metrics()
        self._revision = 0  # of the last write that the caches have
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def now(self) -> float:
        """Virtual time, in seconds."""
        return self._sim.now

    @property
    def revision(self) -> int:
        """The revision of etcd; raises Unavailable if that does not answer."""
        return self._storage.etcd.revision

    # -- life

    def start(self) -> None:
        """Load the caches and serve; raises Unavailable if etcd does not answer."""
        etcd = self._storage.etcd
        for registry in self.registries.values():
            registry.cache.load(self._storage.range(registry.resource))
        for cidr in self.look_up.all(ServiceCIDR):
            self._on_service_cidr(cidr)
        for service in self._by_plural["services"].cache.list(Filter("", None, None)):
            assert isinstance(service, Service)
            self.services.adopt(service)
        for crd in self._by_plural[DEFINITIONS].cache.list(Filter("", None, None)):
            self.custom.update(crd.metadata.name, crd)
        self._revision = etcd.revision
        self._unsubscribe = self._endpoint.on_serve(self._follow)

    def stop(self) -> None:
        """Break all watches and forget everything, as a process that dies does."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        for registry in self.registries.values():
            registry.cache.close()
        self.custom.close()

    # -- requests

    def handle(self, request: Request) -> Any:
        """Answer one request; raises ApiError. Log and exec answer with an awaitable."""
        try:
            answer = self._route(self.access.admit(request))
        except Unavailable as down:
            self.metrics.count(request, 500)
            raise errors.unknown(str(down)) from None
        except ApiError as refused:
            self.metrics.count(request, refused.code)
            raise
        self.metrics.count(request, 200)
        return answer

    def _route(self, request: Request) -> Any:
        if request.url == "/metrics":
            return self.metrics.text({key: r.cache for key, r in self.registries.items()})
        if request.url:
            return Status(status="Success", message=f"revision {self.revision}")
        if reviews.is_review(request):
            return reviews.answer(self.access, request)
        if unstored.is_unstored(request):
            return unstored.answer(self, request)
        group = conversion.stored_group(request.group, request.resource)
        registry = self.registries.get((group, request.resource))
        if registry is None:
            registry = self.custom.for_request(request)
        if registry is None and request.group in self._delegates:
            return self._delegated(request)
        if registry is None or request.verb not in VERBS:
            raise errors.no_such_path()
        warnings.warn_of_kind(request)
        if request.verb in ("list", "watch", "deletecollection"):
            return self._collection(registry, request)
        if not strategy.is_part(registry.resource, request.subresource):
            return self._subresource(registry, request)
        verb: Callable[[Request], Object] = getattr(registry, request.verb)
        answer: Any = verb(request)
        if request.as_table:
            return self._table(registry, request, [answer])
        return conversion.to_version(answer, request.group, request.version)

    def _registry_of(self, resource: scheme.Resource) -> Registry:
        """Return a registry for a kind that was defined."""
        registry = Registry(self._sim, resource, self._storage, self.services, self.look_up)
        registry.charge = self._charge
        return registry

    def _collection(self, registry: Registry, request: Request) -> Any:
        wanted = selected(registry.resource, request)
        if request.verb == "watch":
            return self._watch(registry, request, wanted)
        listing = registry.list(request, wanted)
        if request.verb == "deletecollection":
            return self._delete_all(registry, request, listing)
        if request.as_table:
            meta = listing_meta(listing)
            return replace(self._table(registry, request, listing.items), metadata=meta)
        return _spoken(registry, request, listing)

    def _subresource(self, registry: Registry, request: Request) -> Any:
        name = request.subresource
        if registry.resource.builtin_kind == "Pod" and name in CONNECTED:
            return self._ask_kubelet(registry, request)
        handler = handler_of(registry, name)
        if handler is None:
            raise errors.no_such_path()
        return handler(self, registry, request)

    def _ask_kubelet(self, registry: Registry, request: Request) -> Any:
        pod: Any = registry.get(request)
        if self._kubelet is None or not pod.spec.nodeName:
            raise errors.bad_request(f"pod {request.name} does not have a host assigned")
        if request.body is None and request.subresource in STREAMS:
            return pod  # allowed so far: the caller has no streams yet, and looks first
        return self._kubelet(pod.spec.nodeName, request)

    async def _delegated(self, request: Request) -> Any:
        """Answer with what the add-on says that serves the group."""
        answer = await self._delegates[request.group](request)
        if not request.as_table:
            return answer
        rows = scheme.AGGREGATED
        resource = next(r for r in rows if (r.group, r.plural) == (request.group, request.resource))
        items = answer.items if isinstance(answer, Listing) else (answer,)
        return tables.table(resource, items, now=self._sim.now)

    def _delete_all(self, registry: Registry, request: Request, listing: Listing) -> Listing:
        deleted = []
        for obj in listing.items:
            meta = obj.metadata
            one = replace(request, verb="delete", namespace=meta.namespace, name=meta.name)
            deleted.append(registry.delete(one))
        return Listing(tuple(deleted), str(self._storage.etcd.revision))

    def _table(self, registry: Registry, request: Request, objects: Sequence[Any]) -> Table:
        include = include_object(request)
        return tables.table(registry.resource, objects, now=self._sim.now, include_object=include)

    def _row(self, registry: Registry, request: Request, event: WatchEvent) -> WatchEvent:
        include = include_object(request)
        return tables.of_event(registry.resource, event, now=self._sim.now, include_object=include)

    # -- watches

    def _watch(self, registry: Registry, request: Request, wanted: Filter) -> WatchStream:
        stream = WatchStream(self._sim, self._wire)
        form: Callable[[WatchEvent], WatchEvent] | None = None
        if request.as_table:
            form = partial(self._row, registry, request)
        elif _speaks_another(registry, request):
            form = partial(_spoken_event, request.group, request.version)
        watcher = Watcher(wanted, stream, form)
        start = watching.start_of(request)
        watching.begin(self._sim, registry.cache, self._storage, registry.resource, watcher, start)
        registry.cache.add_watcher(watcher)
        return stream

    def _follow(self, etcd: Etcd) -> None:
        """Hear of every write, from the last one that the caches have."""
        etcd.watch("/registry/", self._on_write, self._revision + 1)

    def _on_service_cidr(self, cidr: Object) -> None:
        """Give out addresses of the range, unless it is on its way out."""
        assert isinstance(cidr, ServiceCIDR)
        going = cidr.metadata.deletionTimestamp is not None
        self.services.add_ranges(cidr.metadata.name, () if going else cidr.spec.cidrs)

    def _on_write(self, written: KeyValue) -> None:
        self._revision = written.mod_revision
        before = self._storage.etcd.previous(written)
        _, _, resource, rest = written.key.split("/", 3)
        if "." in resource:  # the group of a kind that was defined
            self.custom.write(resource, rest.partition("/")[0], before, written)
            return
        registry = self._by_plural[resource]
        if resource == SERVICE_CIDRS and written.value is not None:
            self._on_service_cidr(written.value)
        elif resource == SERVICE_CIDRS:
            self.services.add_ranges(rest, ())
        if resource in RBAC_KINDS:
            self.access.rbac.forget()
        if resource == DEFINITIONS:
            self.custom.update(rest, written.value)
        registry.cache.apply(before.value if before is not None else None, written)


def _spoken(registry: Registry, request: Request, listing: Listing) -> Listing:
    """Return the list in the version that the caller speaks."""
    if not _speaks_another(registry, request):
        return listing
    group, version = request.group, request.version
    items = tuple(conversion.to_version(item, group, version) for item in listing.items)
    return replace(listing, items=items)


def _spoken_event(group: str, version: str, event: WatchEvent) -> WatchEvent:
    return replace(event, object=conversion.to_version(event.object, group, version))


def _speaks_another(registry: Registry, request: Request) -> bool:
    stored = registry.resource
    return request.group != stored.group or request.version not in ("", stored.version)


def listing_meta(listing: Listing) -> ListMeta:
    """Return the metadata of a list or a Table: where to watch from, where it goes on."""
    return ListMeta(
        resourceVersion=listing.resource_version,
        continue_=listing.continue_token,
        remainingItemCount=listing.remaining or None,
    )


def include_object(request: Request) -> str:
    """Return what each row of a Table carries: Metadata, Object or None; raises ApiError."""
    given = dict(request.options).get("includeObject", "") or "Metadata"
    if given not in ("Metadata", "Object", "None"):
        raise errors.bad_request(
            "Unable to convert to Table as requested: includeObject: Invalid value: "
            f"\"{given}\": must be 'Metadata', 'Object', 'None', or empty"
        )
    return given
