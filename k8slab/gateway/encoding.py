"""Answers as bytes: objects, lists, Tables, metadata alone, watch events.

A list names its kind once ("PodList"); its items do not repeat it. What a client sees of an object
is exactly what is stored, zero values left out.

Rule of use: pure functions from what the API server answers to bytes.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/response.go
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from k8slab.api import codec
from k8slab.api.meta import ListMeta, Object, Status, StatusDetails
from k8slab.api.scheme import Resource
from k8slab.api.table import PartialObjectMetadata, Table, TableRow
from k8slab.client import Listing, WatchEvent
from k8slab.gateway.messages import YAML
from k8slab.gateway.negotiation import Form

ENCODER = msgspec.json.Encoder()
# Kinds whose deletion is answered with the object that was deleted, not with a Status.
RETURN_DELETED = frozenset(
    {
        "Pod",
        "Service",
        "ServiceAccount",
        "PodTemplate",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "ResourceQuota",
        "StorageClass",
        "CSINode",
    }
)


def encode(answer: Any, resource: Resource, form: Form) -> bytes:
    """Return an answer of the API server in the form that was asked for."""
    if form.is_metadata:
        answer = metadata_only(answer)
    if isinstance(answer, Listing):
        body = encode_list(answer, resource, form)
    else:
        body = ENCODER.encode(answer)
    if form.media_type == YAML:
        return codec.to_yaml(msgspec.json.decode(body)).encode()
    return body + b"\n"


def encode_list(listing: Listing, resource: Resource, form: Form | None = None) -> bytes:
    """Return a list, its items without their kind."""
    kind, api_version = f"{resource.kind}List", resource.api_version
    if form is not None and form.is_metadata:
        kind, api_version = "PartialObjectMetadataList", "meta.k8s.io/v1"
    meta = ListMeta(
        resourceVersion=listing.resource_version,
        continue_=listing.continue_token,
        remainingItemCount=listing.remaining or None,
    )
    head = ENCODER.encode({"kind": kind, "apiVersion": api_version, "metadata": meta})
    items = b",".join(_without_kind(items) for items in _encoded(listing.items))
    return head[:-1] + b',"items":[' + items + b"]}"


def encode_event(event: WatchEvent, form: Form) -> bytes:
    """Return one line of a watch."""
    obj = metadata_only(event.object) if form.is_metadata else event.object
    return b'{"type":"%s","object":%s}\n' % (event.type.encode(), ENCODER.encode(obj))


def metadata_only(answer: Any) -> Any:
    """Return an object, or each of a list, without all but its metadata."""
    if isinstance(answer, Listing):
        items = tuple(metadata_only(item) for item in answer.items)
        return Listing(items, answer.resource_version, answer.continue_token, answer.remaining)
    if isinstance(answer, Object):
        return PartialObjectMetadata(metadata=answer.metadata)
    return answer


def of_deletion(obj: Any, resource: Resource) -> Any:
    """Return what a delete answers: the object while it stays, else a Status about it."""
    stays = isinstance(obj, Object) and obj.metadata.deletionTimestamp is not None
    if stays or not isinstance(obj, Object) or resource.builtin_kind in RETURN_DELETED:
        return obj
    meta = obj.metadata
    details = StatusDetails(
        name=meta.name, group=resource.group, kind=resource.plural, uid=meta.uid
    )
    return Status(status="Success", details=details)


def rows_only(table: Table) -> Table:
    """Return a later Table of a watch: the columns were told with the first."""
    return replace(table, columnDefinitions=())


def _encoded(items: Iterable[Any]) -> Iterable[bytes]:
    return (ENCODER.encode(item) for item in items)


def _without_kind(item: bytes) -> bytes:
    """Cut `"kind":"Pod","apiVersion":"v1",` off, with which every encoded object begins."""
    return b"{" + item[item.index(b'"metadata"') :]


__all__ = ["TableRow", "encode", "encode_event", "encode_list", "metadata_only", "of_deletion"]
