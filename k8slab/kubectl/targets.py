"""The objects that a changing command is about: from words, from files, by selector or --all.

`targets(call)` returns what was found and what went wrong; a command goes through the first and
reports the second at its end.

Rule of use: a kind without names needs -l or --all.

Upstream: staging/src/k8s.io/cli-runtime/pkg/resource/builder.go
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from k8slab.api import codec
from k8slab.kubectl.errors import KNOWN_ERRORS, CommandError
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.manifests import objects_in
from k8slab.kubectl.resources import (
    MUST_SPECIFY,
    Finder,
    Found,
    get_object,
    label_selector,
    selections,
)

NO_FILE = """\
you must specify resources by --filename when --local is set.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'"""


async def targets(
    call: Invocation, words: Sequence[str] | None = None, *, whole_kinds: bool = False
) -> tuple[list[Found], list[Exception]]:
    """Return the objects, each as it is now, and the errors met on the way.

    With `whole_kinds` a kind alone means all of its objects.
    """
    words = call.words if words is None else words
    if call.local:
        return _local(call, words)
    if call.flags.has("filename") and call.flags.all("filename"):
        return await _from_files(call)
    if not words:
        raise CommandError(MUST_SPECIFY)
    finder = Finder(call)
    named = any(selection.names for selection in selections(words, call.custom))
    chosen = whole_kinds or (call.flags.has("all") and call.flags.on("all"))
    if not named and not chosen and not label_selector(call):
        raise CommandError("resource(s) were provided, but no name was specified")
    return await finder.find(words), finder.errors


def _local(call: Invocation, words: Sequence[str]) -> tuple[list[Found], list[Exception]]:
    """Return the objects as the files have them, not as they are in the cluster."""
    if words or not call.flags.all("filename"):
        raise CommandError(NO_FILE)
    listed = list(objects_in(call))
    errors: list[Exception] = [item for item in listed if isinstance(item, Exception)]
    found = [item for item in listed if isinstance(item, Found)]
    return [replace(item, obj=codec.load(item.obj), data=item.obj) for item in found], errors


async def _from_files(call: Invocation) -> tuple[list[Found], list[Exception]]:
    found: list[Found] = []
    errors: list[Exception] = []
    for item in objects_in(call):
        if isinstance(item, Exception):
            errors.append(item)
            continue
        try:
            obj: Any = await get_object(call, item.resource, item.name, item.namespace)
        except KNOWN_ERRORS as error:
            errors.append(error)
            continue
        found.append(Found(item.resource, item.namespace, item.name, obj, item.source))
    return found, errors
