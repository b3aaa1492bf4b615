"""Which kinds the server has beside the built-in ones: kubectl asks when it needs to know.

Real kubectl reads the discovery documents and keeps them in a folder for six hours. Here the
built-in kinds are known; the definitions are read when a command names a kind that is none of them,
or means all kinds. Who has no right to read them reads discovery, as everybody may.

Rule of use: `discover(call)` before the command runs; it fills `call.custom`.

Upstream: staging/src/k8s.io/client-go/discovery/cached/disk, restmapper
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from k8slab.api import scheme
from k8slab.api.apiextensions import (
    CustomResourceDefinition,
    CustomResourceDefinitionNames,
    JSONSchemaProps,
)
from k8slab.api.custom import Definition
from k8slab.api.errors import ApiError
from k8slab.api.scheme import KINDS, OTHER_VERSIONS, Resource
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.raw import discovered

TAKE_KINDS = frozenset(
    {
        *("get", "describe", "delete", "edit", "patch", "label", "annotate", "scale", "wait"),
        *("explain", "apply view-last-applied", "apply set-last-applied", "events", "auth can-i"),
        *("apply edit-last-applied", "rollout status", "expose", "autoscale"),
    }
)
_API_VERSION = re.compile(r"""["']?apiVersion["']?:\s*["']?([\w./-]+)""")


async def discover(call: Invocation) -> None:
    """Learn which kinds were defined, if the command may mean one of them.

    Warns of a short name that two kinds have.
    """
    words = tuple(_named(call))
    for word in words:
        other = scheme.shadowed(word)
        if other is not None:
            call.warn_once(
                f'short name "{word}" could also match lower priority resource '
                f"{other.group_resource}"
            )
    if not any(_is_unknown(word) for word in words):
        return
    definitions = scheme.resource_for(CustomResourceDefinition)
    try:
        listing = await call.request("list", definitions, dry_run=False)
        call.custom = tuple(scheme.defined(listing.items))
    except ApiError:  # no right to read definitions; discovery is open to everybody
        if call.around.http is not None:
            call.custom = tuple(_rows(await discovered(call)))


def _rows(groups: list[dict[str, Any]]) -> Iterator[Resource]:
    """Yield the kinds that discovery lists beside the built-in ones; nothing is known of fields."""
    built_in = {row.group: row for row in (*KINDS, *OTHER_VERSIONS)}
    for group in groups:
        name = group["metadata"].get("name", "")
        if not name or name in built_in:
            continue
        for version in group["versions"]:
            for found in version["resources"]:
                names = CustomResourceDefinitionNames(
                    plural=found["resource"],
                    singular=found["singularResource"],
                    shortNames=tuple(found.get("shortNames", ())),
                    kind=found["responseKind"]["kind"],
                    categories=tuple(found.get("categories", ())),
                )
                kind = Definition(
                    group=name,
                    version=version["version"],
                    names=names,
                    namespaced=found["scope"] == "Namespaced",
                    schema=JSONSchemaProps(preserve_unknown=True),
                )
                yield scheme.resource_of(kind)


def _named(call: Invocation) -> Iterator[str]:
    """Yield the kinds, or their group and version, that a command names."""
    if call.path in TAKE_KINDS and call.words:
        words = call.words[1:] if call.path == "auth can-i" else call.words  # a verb comes first
        with_slash = [word for word in words if "/" in word and "=" not in word]
        for word in with_slash or words[:1]:
            kinds = word.partition("/")[0].split(",")
            yield from (kind.partition(".")[0] for kind in kinds if call.path == "explain")
            yield from (kind for kind in kinds if call.path != "explain")
    if call.path == "events" and "/" in call.flags.text("for"):
        yield call.flags.text("for").partition("/")[0]
    if call.flags.has("resource"):  # of a role
        for given in call.flags.all("resource"):
            yield from (kind.partition("/")[0] for kind in given.split(",") if kind != "*")
    if call.flags.has("filename"):
        for path in call.flags.all("filename"):
            yield from _API_VERSION.findall(_text(call, path))


def _text(call: Invocation, path: str) -> str:
    if path == "-":
        return call.stdin
    try:
        return call.around.read_file(path)
    except (OSError, UnicodeDecodeError):  # the command itself will say so
        return ""


def _is_unknown(word: str) -> bool:
    if "/" in word or word == "v1":
        return all(row.api_version != word for row in (*KINDS, *OTHER_VERSIONS))
    return scheme.resolve(word) is None  # "all" and other categories are among these
