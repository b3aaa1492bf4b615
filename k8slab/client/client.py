"""The typed client that every component is given: verbs on kinds, over a transport.

`client.get(Pod, "web", "default")` returns a Pod; all verbs are coroutines, because a call takes
virtual time. What comes back is immutable and may be shared.

Rule of use: make one client per component, with the component's own user name: the trace and the
audit of every write say who it was.

Upstream: staging/src/k8s.io/client-go/kubernetes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from k8slab.api.core import Binding, ObjectReference
from k8slab.api.meta import DeleteOptions, Object, ObjectMeta
from k8slab.api.scheme import resource_for
from k8slab.client.transport import (
    MERGE_PATCH,
    STRATEGIC_PATCH,
    Listing,
    Request,
    Transport,
    WatchStream,
)

K = TypeVar("K", bound=Object)


class Client:
    """Calls to the API server in the name of one user."""

    def __init__(self, transport: Transport, user: str) -> None:
        self.transport = transport
        self.user = user

    async def get(self, kind: type[K], name: str, namespace: str = "") -> K:
        """Return the object; raises ApiError with reason NotFound if there is none."""
        return cast(K, await self.call("get", kind, namespace=namespace, name=name))

    async def list(
        self, kind: type[K], namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> Listing:
        """Return the objects that both selectors match, in all namespaces if none is given."""
        answer = await self.call(
            "list", kind, namespace=namespace, label_selector=labels, field_selector=fields
        )
        return cast(Listing, answer)

    async def watch(
        self,
        kind: type[K],
        resource_version: str,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
    ) -> WatchStream:
        """Return a stream of all changes after `resource_version`.

        Raises ApiError with reason Expired if that version is too old; list again then.
        """
        answer = await self.call(
            "watch",
            kind,
            namespace=namespace,
            resource_version=resource_version,
            label_selector=labels,
            field_selector=fields,
        )
        return cast(WatchStream, answer)

    async def create(self, obj: K) -> K:
        """Create the object and return it as stored, with uid, defaults and generated name."""
        return await self._write("create", obj)

    async def update(self, obj: K) -> K:
        """Replace the object; raises ApiError with reason Conflict if it changed meanwhile."""
        return await self._write("update", obj)

    async def update_status(self, obj: K) -> K:
        """Replace only the status."""
        return await self._write("update", obj, subresource="status")

    async def patch(
        self,
        kind: type[K],
        name: str,
        patch: Mapping[str, Any] | Sequence[Any],
        namespace: str = "",
        *,
        patch_type: str = STRATEGIC_PATCH,
        subresource: str = "",
    ) -> K:
        """Change some fields of the object and return it whole."""
        answer = await self.call(
            "patch",
            kind,
            namespace=namespace,
            name=name,
            subresource=subresource,
            body=patch,
            patch_type=patch_type,
        )
        return cast(K, answer)

    async def merge(
        self, kind: type[K], name: str, patch: Mapping[str, Any], namespace: str = ""
    ) -> K:
        """Change some fields by a JSON merge patch (RFC 7386)."""
        return await self.patch(kind, name, patch, namespace, patch_type=MERGE_PATCH)

    async def delete(
        self, kind: type[K], name: str, namespace: str = "", options: DeleteOptions | None = None
    ) -> Any:
        """Ask for the object's end; it stays while finalizers or a grace period hold it."""
        return await self.call("delete", kind, namespace=namespace, name=name, body=options)

    async def bind(self, namespace: str, pod: str, node: str, uid: str = "") -> None:
        """Assign a Pod to a node, once and for all."""
        binding = Binding(
            metadata=ObjectMeta(name=pod, namespace=namespace, uid=uid),
            target=ObjectReference(kind="Node", name=node),
        )
        await self.transport.request(
            Request(
                verb="create",
                resource="pods",
                namespace=namespace,
                name=pod,
                subresource="binding",
                body=binding,
                user=self.user,
            )
        )

    async def call(self, verb: str, kind: type[Object], **fields: Any) -> Any:
        """Send one request about a kind; `fields` are those of `Request`."""
        resource = resource_for(kind)
        return await self.transport.request(
            Request(
                verb=verb,
                resource=resource.plural,
                group=resource.group,
                version=resource.version,
                user=self.user,
                **fields,
            )
        )

    async def _write(self, verb: str, obj: K, subresource: str = "") -> K:
        meta = obj.metadata
        answer = await self.call(
            verb,
            type(obj),
            namespace=meta.namespace,
            name=meta.name,
            subresource=subresource,
            body=obj,
        )
        return cast(K, answer)
