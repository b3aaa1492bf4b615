"""The verbs, for every kind alike: get, list, watch, create, update, patch, delete.

A `Registry` serves one resource. A write goes: decode, default, admit, prepare, allocate,
validate, store; an update that lost a race is refused with 409 Conflict, a patch is tried again on
the newer object. Nothing is stored unless all of it succeeded.

Rule of use: what only some kinds do is in `strategy`, `admission`, `service_ports`; not here.

Upstream: staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from msgspec.structs import replace

from k8slab.api import codec, conversion, errors, scheme
from k8slab.api.core import Event, Service
from k8slab.api.meta import Object
from k8slab.api.scheme import Resource
from k8slab.client import APPLY_PATCH, STRATEGIC_PATCH, Listing, Request, patch
from k8slab.control_plane.apiserver import (
    admission,
    apply_patch,
    defaults,
    deletion,
    managed_fields,
    preconditions,
    strategy,
    validation,
    warnings,
)
from k8slab.control_plane.apiserver.cacher import Cache, Filter
from k8slab.control_plane.apiserver.decoding import decode, decode_options, decode_patched
from k8slab.control_plane.apiserver.listing import listing, version_of
from k8slab.control_plane.apiserver.service_ports import ServiceAllocator
from k8slab.control_plane.apiserver.storage import Storage
from k8slab.sim import Simulation

NOT_STRATEGIC = (
    "the body of the request was in an unknown format - accepted media types include: "
    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
)
EVENT_TTL = 3600.0  # s, --event-ttl
PATCH_RETRIES = 5
NAME_RETRIES = 8  # attempts at a generated name that is not taken
MAX_GENERATED_BASE = 58  # characters of generateName that are kept, 63 - 5
CREATE_ON_UPDATE = frozenset({"Service", "Endpoints", "Lease", "Event", "LimitRange"})


# Of (new, old): raises Forbidden if there is no room.
Charge = Callable[["Registry", Object, Object | None, Request], None]
CHARGED = ("", "resize")  # updates that may need more of a quota
Follow = Callable[[Object | None, Object | None, str], None]  # (before, after, user)
Guard = Callable[[Object, Object | None, Request], None]  # raises Forbidden for (new, old)


class Registry:
    """All objects of one resource."""

    def __init__(
        self,
        sim: Simulation,
        resource: Resource,
        storage: Storage,
        allocator: ServiceAllocator,
        look_up: admission.LookUp,
    ) -> None:
        self._sim = sim
        self.resource = resource
        self._storage = storage
        self._allocator = allocator
        self._look_up = look_up
        self.cache = Cache(sim, resource)
        self.charge: Charge | None = None  # what a new object costs, if anybody counts
        self.guard: Guard | None = None  # who may write such an object, if not everybody
        self.follow: Follow | None = None  # what else is written with such an object

    # -- reading

    def get(self, request: Request) -> Object:
        """Return the object; raises ApiError with reason NotFound."""
        version_of(request.resource_version, self._storage.etcd.revision)
        return self._current(request.namespace, request.name)

    def list(self, request: Request, wanted: Filter) -> Listing:
        """Return the objects that are wanted, sorted by key, and the version to watch from."""
        return listing(self.resource, self.cache, self._storage, request, wanted)

    # -- writing

    def create(self, request: Request) -> Object:
        """Store a new object and return it."""
        return self._create_new(self._placed(decode(self.resource, request), request), request)

    def _create_new(self, obj: Object, request: Request) -> Object:
        obj = admission.admit(defaults.apply(obj), self._context(request))
        generated = not obj.metadata.name and bool(obj.metadata.generateName)
        for _ in range(NAME_RETRIES if generated else 1):
            named = self._named(obj) if generated else obj
            named = strategy.prepare_create(named, uid=self.new_uid(), now=self._sim.now)
            named = managed_fields.track(named, None, request, self._sim.now)
            stored = self._create(named, request)
            if stored is not None:
                return stored
        raise errors.already_exists(self.resource, named.metadata.name)

    def update(self, request: Request) -> Object:
        """Replace the object, or its status, and return it."""
        new = self._placed(decode(self.resource, request), request)
        if new.metadata.name != request.name:
            raise errors.bad_request(
                f"the name of the object ({new.metadata.name}) does not match the name on the "
                f"URL ({request.name})"
            )
        if request.subresource != "status":
            new = defaults.apply(new)
        if request.subresource == "":
            old = self._storage.get(self.resource, request.namespace, request.name)
            if old is None and self.resource.builtin_kind in CREATE_ON_UPDATE:
                if request.notes is not None:
                    request.notes.created = True
                return self.create(request)
        old = self._current(request.namespace, request.name)
        preconditions.check_version(self.resource, new, old)
        preconditions.check_uid(self.resource, new, old)
        return self._update(new, old, request)

    def patch(self, request: Request) -> Object:
        """Change some fields of the object, or of its status, and return it."""
        if request.patch_type == APPLY_PATCH:
            return self._apply(request)
        if request.patch_type == STRATEGIC_PATCH and self.resource.is_custom:
            raise errors.unsupported_media_type(NOT_STRATEGIC)
        for _ in range(PATCH_RETRIES):
            old = self._current(request.namespace, request.name)
            spoken = codec.to_dict(conversion.to_version(old, request.group, request.version))
            document = patch.apply(spoken, request.body, request.patch_type)
            new = decode_patched(document, self.resource, request)
            if new.metadata.resourceVersion:
                preconditions.check_version(self.resource, new, old)
            if request.subresource != "status":
                new = defaults.apply(new)
            try:
                return self._update(new, old, request)
            except LostRace:
                continue
        raise errors.conflict(self.resource, request.name)

    def _apply(self, request: Request) -> Object:
        """Make the object what a client wants of it, without taking what is others'."""
        now = self._sim.now
        if isinstance(request.body, dict):
            body = conversion.stored_config(request.body, self.resource)
            request = replace(request, body=body)
        config = apply_patch.check(request, self.resource)
        old = self._storage.get(self.resource, request.namespace, request.name)
        if old is None:
            return self._apply_new(config, request)
        applied = apply_patch.merge(old, request, now)
        new = decode_patched(applied.document, self.resource, request)
        if new.metadata.resourceVersion:
            preconditions.check_version(self.resource, new, old)
        preconditions.check_uid(self.resource, new, old)
        if request.subresource != "status":
            new = defaults.apply(new)
        return self._update(managed_fields.with_entries(new, applied.entries), old, request)

    def _apply_new(self, config: dict[str, Any], request: Request) -> Object:
        if (config.get("metadata") or {}).get("uid") or request.subresource:
            raise errors.not_found(self.resource, request.name)
        obj = self._placed(decode(self.resource, request), request)
        obj = replace(obj, metadata=replace(obj.metadata, name=request.name))
        entry = apply_patch.created(config, obj, request, self._sim.now)
        if request.notes is not None:
            request.notes.created = True
        return self._create_new(managed_fields.with_entries(obj, [entry]), request)

    def modify(
        self, namespace: str, name: str, change: Callable[[Any], Object], request: Request
    ) -> Object:
        """Store what `change` makes of the object; the API server's own updates use this."""
        old = self._current(namespace, name)
        new = change(old)
        return old if new is old else self._store(new, old, request)

    def new_uid(self) -> str:
        """Return a uid that nothing has yet."""
        return strategy.new_uid(self._sim.streams.rng("apiserver/uid").getrandbits(128))

    # -- deleting

    def delete(self, request: Request) -> Object:
        """Remove the object, or mark it; return it as it was or as it is now marked."""
        options = decode_options(request.body)
        admission.admit_deletion(self.resource, request.name)
        old = self._current(request.namespace, request.name)
        preconditions.check(self.resource, options, old)
        marked = deletion.decide(old, options, self._sim.now)
        if request.dry_run:
            return old
        if marked is None:
            self._remove(old, request.user)
            return deletion.gone(old, self._sim.now)
        return old if marked is old else self._store(marked, old, request)

    # -- inside

    def _create(self, obj: Object, request: Request) -> Object | None:
        if isinstance(obj, Service):
            obj = self._allocator.allocate(obj)
        try:
            if self.guard is not None:
                self.guard(obj, None, request)
            self._raise_invalid(obj, validation.validate(obj))
            self._advise(obj, None, request)
            if self.charge is not None:
                self.charge(self, obj, None, request)
            if request.dry_run:
                self._release(obj)
                return obj
            stored = self._storage.write(self.resource, obj, None, "create", request.user)
        except errors.ApiError:
            self._release(obj)
            raise
        if stored is None:
            self._release(obj)
        elif self.follow is not None:
            self.follow(None, stored, request.user)
        elif isinstance(stored, Event):
            self._storage.expire(self.resource, stored, EVENT_TTL)
        return stored

    def _update(self, new: Object, old: Object, request: Request) -> Object:
        part = request.subresource
        new = strategy.prepare_part(new, old, part) if part else strategy.prepare_update(new, old)
        new = managed_fields.track(new, old, request, self._sim.now)
        if isinstance(new, Service) and isinstance(old, Service):
            new = self._allocator.allocate(new, old)
        if self.guard is not None:
            self.guard(new, old, request)
        try:
            found = (
                validation.validate_part(new, old, part) if part else validation.validate(new, old)
            )
            self._raise_invalid(new, found)
            if not part:
                self._advise(new, old, request)
            if self.charge is not None and part in CHARGED:
                self.charge(self, new, old, request)
        except errors.ApiError:
            self._release(new, keep=old)
            raise
        return self._store(new, old, request)

    def _store(self, new: Object, old: Object, request: Request) -> Object:
        """Write an update that was checked; an object that waited for nothing else goes."""
        if new == old:
            return old
        if request.dry_run:
            self._release(new, keep=old)
            return new
        if deletion.is_finished(new):
            self._remove(old, request.user)
            return new
        verb = f"{request.verb} {request.subresource}".rstrip()
        stored = self._storage.write(self.resource, new, old, verb, request.user)
        if stored is None:
            raise LostRace(errors.conflict(self.resource, new.metadata.name).status)
        self._release(old, keep=new)
        if self.follow is not None:
            self.follow(old, stored, request.user)
        return stored

    def _remove(self, old: Object, user: str) -> None:
        if not self._storage.delete(self.resource, old, user):
            raise LostRace(errors.conflict(self.resource, old.metadata.name).status)
        self._release(old)
        if self.follow is not None:
            self.follow(old, None, user)

    def _release(self, obj: Object, keep: Object | None = None) -> None:
        if isinstance(obj, Service):
            self._allocator.release(obj, cast("Service | None", keep))

    def _current(self, namespace: str, name: str) -> Object:
        found = self._storage.get(self.resource, namespace, name)
        if found is None:
            raise errors.not_found(self.resource, name)
        return found

    def _placed(self, obj: Object, request: Request) -> Object:
        """Return the object in the namespace of the request."""
        meta = obj.metadata
        wanted = request.namespace if self.resource.namespaced else ""
        if meta.namespace and meta.namespace != wanted:
            raise errors.bad_request(
                "the namespace of the provided object does not match the namespace sent on the "
                "request"
            )
        return (
            obj
            if meta.namespace == wanted
            else replace(obj, metadata=replace(meta, namespace=wanted))
        )

    def _named(self, obj: Object) -> Object:
        meta = obj.metadata
        base = meta.generateName[:MAX_GENERATED_BASE]
        return replace(obj, metadata=replace(meta, name=base + self._suffix()))

    def _suffix(self) -> str:
        return self._sim.streams.suffix(f"apiserver/{self.resource.plural}")

    def _context(self, request: Request) -> admission.Context:
        return admission.Context(self.resource, self._look_up, self._suffix, request.warn)

    def _raise_invalid(self, obj: Object, found: Any) -> None:
        if found:
            resource = self.resource
            raise errors.invalid(resource.kind, obj.metadata.name, found, resource.group)

    def _advise(self, obj: Object, old: Object | None, request: Request) -> None:
        """Warn of what is allowed and doubtful, if anybody listens."""
        if request.notes is not None:
            for text in warnings.warnings_for(obj, old):
                request.warn(text)


class LostRace(errors.ApiError):
    """The object changed between reading and writing it."""


def registries(
    sim: Simulation, storage: Storage, allocator: ServiceAllocator, look_up: admission.LookUp
) -> dict[tuple[str, str], Registry]:
    """Return a registry for each kind of the scheme, by (group, plural)."""
    return {
        (resource.group, resource.plural): Registry(sim, resource, storage, allocator, look_up)
        for resource in scheme.KINDS
    }
