"""Who owns what: a controller claims the objects that match its selector.

`claim` sorts objects into those that are the owner's, orphans to adopt and objects to release;
`adopt` and `release` write that down in ownerReferences, `claim_all` does so for all of them, and
`resolve_controller_ref` reads it.
Another controller's objects are left alone, whatever their labels say.

Rule of use: claim first, then count; adopt only for an owner that is not being deleted.

Upstream: pkg/controller/controller_ref_manager.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

import msgspec

from k8slab.api.errors import ApiError
from k8slab.api.labels import Selector
from k8slab.api.meta import Object, controller_of
from k8slab.client import STRATEGIC_PATCH, Client, Informer
from k8slab.control_plane.controllers.controller_utils import controller_reference, decide
from k8slab.sim import Simulation

K = TypeVar("K", bound=Object)


class Claims(msgspec.Struct, Generic[K], frozen=True):
    """What a look at the objects' owners and labels says."""

    owned: tuple[K, ...] = ()  # ours, and matching
    adopt: tuple[K, ...] = ()  # nobody's, and matching
    release: tuple[K, ...] = ()  # ours, but no longer matching


def claim(owner: Object, selector: Selector, objects: Iterable[K]) -> Claims[K]:
    """Sort the objects of the owner's namespace by what the owner should do about them."""
    owned: list[K] = []
    adopt: list[K] = []
    release: list[K] = []
    uid, namespace = owner.metadata.uid, owner.metadata.namespace
    matches = _matcher(selector)
    leaving = owner.metadata.deletionTimestamp is not None
    for obj in objects:
        meta = obj.metadata
        if meta.namespace != namespace:
            continue
        reference = controller_of(obj)
        if reference is None:
            free = not leaving and meta.deletionTimestamp is None
            if free and matches(meta.labels):
                adopt.append(obj)
        elif reference.uid == uid:
            if matches(meta.labels):
                owned.append(obj)
            elif not leaving:
                release.append(obj)
    return Claims(tuple(owned), tuple(adopt), tuple(release))


def _matcher(selector: Selector) -> Callable[[Mapping[str, str]], bool]:
    """Return a fast test: most selectors are a few labels that must be there."""
    if selector.nothing or any(r.operator != "=" for r in selector.requirements):
        return selector.matches
    wanted = {r.key: r.values[0] for r in selector.requirements}.items()
    return lambda labels: wanted <= labels.items()


async def claim_all(
    sim: Simulation,
    client: Client,
    component: str,
    owner: Object,
    selector: Selector,
    objects: Iterable[K],
) -> list[K]:
    """Release and adopt what has to be, and return the objects that are the owner's from then on.

    Each step is a decision of the `component` in the trace.
    """
    claims = claim(owner, selector, objects)
    for obj in claims.release:
        decide(sim, component, owner, f"release {obj.metadata.name}")
        await release(client, owner, obj)
    adopted = []
    for obj in claims.adopt:
        decide(sim, component, owner, f"adopt {obj.metadata.name}")
        adopted.append(await adopt(client, owner, obj))
    return [*claims.owned, *adopted]


async def adopt(client: Client, owner: Object, obj: K) -> K:
    """Make the owner the controller of an orphan, provided that it is still the same object."""
    reference = msgspec.to_builtins(controller_reference(owner))
    patch = {"metadata": {"ownerReferences": [reference], "uid": obj.metadata.uid}}
    meta = obj.metadata
    return await client.patch(
        type(obj), meta.name, patch, meta.namespace, patch_type=STRATEGIC_PATCH
    )


async def release(client: Client, owner: Object, obj: Object) -> None:
    """Take the owner's reference off an object; one that is gone needs none."""
    meta = obj.metadata
    patch = {
        "metadata": {
            "uid": meta.uid,
            "ownerReferences": [{"$patch": "delete", "uid": owner.metadata.uid}],
        }
    }
    try:
        await client.patch(type(obj), meta.name, patch, meta.namespace, patch_type=STRATEGIC_PATCH)
    except ApiError as error:
        # Invalid: the uid differs, so that it is another object of the same name by now.
        if error.reason not in ("NotFound", "Invalid"):
            raise


def resolve_controller_ref(obj: Object | None, kind: str, owners: Informer[K]) -> K | None:
    """Return the object of that kind which controls `obj`, as far as the informer knows it.

    None if another kind controls it, or nobody; the uid decides, since names can come again.

    Upstream: resolveControllerRef of each controller in pkg/controller
    """
    reference = controller_of(obj) if obj is not None else None
    if obj is None or reference is None or reference.kind != kind:
        return None
    owner = owners.get(obj.metadata.namespace, reference.name)
    return owner if owner is not None and owner.metadata.uid == reference.uid else None
