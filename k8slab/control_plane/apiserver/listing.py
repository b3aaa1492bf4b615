r"""Lists: as of which revision, how much at a time, and where the next part begins.

A long list comes in parts. The token in each part names the revision of the first and the key after
which to go on, so that all parts show the same moment; if that moment was compacted meanwhile, the
client is told, and may go on with what is there now.

    {"v": "meta.k8s.io/v1", "rv": 14170, "start": "/l0\u0000"}      as base64

Rule of use: `listing` answers a request; `page` cuts a part off.

Upstream: staging/src/k8s.io/apiserver/pkg/storage/{continue.go,etcd3/store.go}
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from k8slab.api import errors, go_json
from k8slab.api.errors import ApiError
from k8slab.api.meta import ListMeta, Object, StatusCause
from k8slab.api.scheme import Resource
from k8slab.client import Listing, Request, key_of
from k8slab.control_plane.apiserver.cacher import Cache, Filter
from k8slab.control_plane.apiserver.storage import Storage
from k8slab.control_plane.etcd import Compacted

INCONSISTENT = -1  # in a token: go on with what is there now
EXPIRED_TOKEN = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter, or use the continue token in this response "
    "to retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)
TOO_OLD = "The resourceVersion for the provided list is too old."


class Token(msgspec.Struct, frozen=True):
    """Where a list goes on."""

    v: str
    rv: int
    start: str

    def encode(self) -> str:
        """Return the token as text."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).rstrip(b"=").decode()

    @classmethod
    def decode(cls, text: str) -> Token:
        """Return the token in a text; raises ApiError if there is none.

        >>> Token.decode(Token("meta.k8s.io/v1", 7, "a").encode()).rv
        7
        """
        data = b""
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            token = msgspec.json.decode(data, type=cls)
        except (ValueError, binascii.Error, msgspec.DecodeError) as error:
            said = go_json.complaint(data.decode("latin-1")) if data else ""
            why = f"continue key is not valid: {said or error}"
            raise errors.bad_request(f"invalid continue token: {why}") from None
        if token.v != "meta.k8s.io/v1":
            why = f'continue key is not valid: unrecognized encoding version "{token.v}"'
            raise errors.bad_request(f"invalid continue token: {why}")
        return token


def listing(
    resource: Resource, cache: Cache, storage: Storage, request: Request, wanted: Filter
) -> Listing:
    """Return the list that the request asks for, or a part of it; raises ApiError."""
    current = storage.etcd.revision
    if request.continue_token:
        return _continued(resource, storage, request, wanted)
    version = version_of(request.resource_version, current)
    if dict(request.options).get("resourceVersionMatch") == "Exact":
        found: Iterable[Object] = _as_of(resource, storage, wanted, version)
        return page(tuple(found), request, version, is_filtered=wanted.selects)
    limit = 0 if request.resource_version == "0" else request.limit  # the cache gives all it has
    objects = tuple(cache.list(wanted))
    return page(objects, replace(request, limit=limit), current, is_filtered=wanted.selects)


def page(
    objects: tuple[Object, ...], request: Request, revision: int, *, is_filtered: bool = False
) -> Listing:
    """Return the first `limit` objects and the token for the others."""
    limit = request.limit
    if limit <= 0 or len(objects) <= limit:
        return Listing(objects, str(revision))
    shown = objects[:limit]
    last = key_of(shown[-1]) if not request.namespace else shown[-1].metadata.name
    token = Token("meta.k8s.io/v1", revision, f"/{last}\0")
    remaining = 0 if is_filtered else len(objects) - limit
    return Listing(shown, str(revision), token.encode(), remaining)


def version_of(text: str, current: int) -> int:
    """Return a resourceVersion as a number, 0 for none; raises ApiError if it lies ahead."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise errors.bad_request(f'resourceVersion: Invalid value: "{text}": {why}')
    version = int(text)
    if version > current:
        cause = StatusCause(reason="ResourceVersionTooLarge", message="Too large resource version")
        message = f"Too large resource version: {version}, current: {current}"
        raise errors.timeout(message, 1, (cause,))
    return version


def _continued(resource: Resource, storage: Storage, request: Request, wanted: Filter) -> Listing:
    if request.resource_version not in ("", "0"):
        raise errors.bad_request("specifying resource version is not allowed when using continue")
    token = Token.decode(request.continue_token)
    revision = storage.etcd.revision if token.rv == INCONSISTENT else token.rv
    start = token.start.lstrip("/").rstrip("\0")
    try:
        found = _as_of(resource, storage, wanted, revision)
    except ApiError as refused:
        if refused.reason != "Expired":
            raise
        raise _expired(replace(token, rv=INCONSISTENT, start=f"{start}\0")) from None
    by_name = bool(request.namespace)
    rest = tuple(o for o in found if (o.metadata.name if by_name else key_of(o)) > start)
    return page(rest, request, revision, is_filtered=wanted.selects)


def _as_of(resource: Resource, storage: Storage, wanted: Filter, revision: int) -> list[Object]:
    """Return what was there at a revision; raises ApiError if nobody remembers."""
    version_of(str(revision), storage.etcd.revision)
    try:
        objects = list(storage.range(resource, wanted.namespace, revision))
    except Compacted:
        raise errors.expired(TOO_OLD) from None
    return [obj for obj in objects if wanted.matches(obj)]


def _expired(token: Token) -> ApiError:
    refused = errors.expired(EXPIRED_TOKEN)
    metadata: Any = ListMeta(continue_=token.encode())
    return ApiError(replace(refused.status, metadata=metadata))
