"""Which kinds the server has beside the built-in ones: kubectl asks when it needs to know.

Real kubectl reads the discovery documents and keeps them in a folder for six hours. Here the
built-in kinds are known; the definitions are read when a command names a kind that is none of them,
or means all kinds.

Rule of use: `discover(call)` before the command runs; it fills `call.custom`.

Upstream: staging/src/k8s.io/client-go/discovery/cached/disk, restmapper
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8slab.api import scheme
from k8slab.api.apiextensions import CustomResourceDefinition
from k8slab.api.errors import ApiError
from k8slab.api.scheme import KINDS, OTHER_VERSIONS
from k8slab.kubectl.invocation import Invocation

TAKE_KINDS = frozenset(
    {
        *("get", "describe", "delete", "edit", "patch", "label", "annotate", "scale", "wait"),
        *("explain", "apply view-last-applied", "apply set-last-applied", "events", "auth can-i"),
        *("apply edit-last-applied", "rollout status", "expose", "autoscale"),
    }
)
_API_VERSION = re.compile(r"""["']?apiVersion["']?:\s*["']?([\w./-]+)""")


async def discover(call: Invocation) -> None:
    """Learn which kinds were defined, if the command may mean one of them."""
    if not any(_is_unknown(word) for word in _named(call)):
        return
    definitions = scheme.resource_for(CustomResourceDefinition)
    try:
        listing = await call.request("list", definitions, dry_run=False)
    except ApiError:  # no right to look: what is built in is all there is
        return
    call.custom = tuple(scheme.defined(listing.items))


def _named(call: Invocation) -> Iterator[str]:
    """Yield the kinds, or their group and version, that a command names."""
    if call.path in TAKE_KINDS and call.words:
        words = call.words[1:] if call.path == "auth can-i" else call.words  # a verb comes first
        with_slash = [word for word in words if "/" in word and "=" not in word]
        for word in with_slash or words[:1]:
            kinds = word.partition("/")[0].split(",")
            yield from (kind.partition(".")[0] for kind in kinds if call.path == "explain")
            yield from (kind for kind in kinds if call.path != "explain")
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
