"""`kubectl create`: objects from files, or from a few words.

`create -f` goes through all documents and reports each; `create deployment web --image=nginx` and
its kin make one object as plain data, exactly what kubectl would send.

Rule of use: generators are pure functions of the flags, listed in `generators.GENERATORS`.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/create
"""

from __future__ import annotations

from typing import Any

from k8slab.api import scheme
from k8slab.api.errors import ApiError
from k8slab.kubectl.changing import CHANGE, check_output, send, show
from k8slab.kubectl.command_line import Flag
from k8slab.kubectl.errors import KNOWN_ERRORS, CommandError, raise_all, while_doing
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.last_applied import with_last_applied
from k8slab.kubectl.manifests import FILES, objects_in
from k8slab.kubectl.raw import raw
from k8slab.kubectl.resources import Found


async def create(call: Invocation) -> None:
    """Create all objects in the files."""
    if call.flags.given("raw"):
        return await raw(call)
    if not call.flags.all("filename"):
        if call.words:
            raise CommandError(
                f"Unexpected args: [{' '.join(call.words)}]\n"
                "See 'kubectl create -h' for help and examples"
            )
        raise CommandError("must specify one of -f and -k")
    check_output(call)
    errors: list[Exception] = []
    seen = 0
    for found in objects_in(call):
        if isinstance(found, Exception):
            errors.append(found)
            continue
        seen += 1
        try:
            await _create(call, found)
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)
    if not seen:
        raise CommandError("no objects passed to create")


async def _create(call: Invocation, found: Found) -> None:
    body = found.obj
    if call.flags.on("save-config"):
        body = with_last_applied(body)
    stored: Any = body
    if call.dry_run != "client":
        try:
            stored = await send(call, "create", found, body)
        except ApiError as error:
            raise while_doing("creating", found.source, error) from None
    show(call, named(found, stored), stored, "created")


def named(found: Found, obj: Any) -> Found:
    """Return what was found under the name that the API server gave it."""
    if found.name or isinstance(obj, dict):
        return found
    return Found(found.resource, found.namespace, obj.metadata.name, obj, found.source)


async def create_generated(
    call: Invocation, data: dict[str, Any], done: str = "created", failure: str = ""
) -> Any:
    """Create an object that was made from flags, and print it; return what was stored.

    `done` says what was done ("" prints nothing), `failure` begins the sentence if it was refused.
    """
    check_output(call)
    kind = scheme.lookup(data["apiVersion"], data["kind"])
    assert kind is not None
    resource = scheme.resource_for(kind)
    namespace = call.namespace if resource.namespaced else ""
    if call.flags.given("namespace") and resource.namespaced:
        data = {**data, "metadata": {**data["metadata"], "namespace": namespace}}
    if call.flags.on("save-config"):
        data = with_last_applied(data)
    found = Found(resource, namespace, data["metadata"]["name"], data)
    stored: Any = data
    if call.dry_run != "client":
        try:
            stored = await send(call, "create", found, data)
        except ApiError as error:
            if not failure:
                raise
            raise CommandError(f"{failure} {error.message}") from None
    if done:
        show(call, found, stored, done)
    return stored


CREATE = Command(create, (*FILES, *CHANGE, Flag("raw")))
