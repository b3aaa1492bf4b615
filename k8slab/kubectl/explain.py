"""`kubectl explain pod.spec.containers`: which fields there are, and what they are.

The answer comes from the Structs of `k8slab.api`: the types of the fields, and one sentence for
each part that has fields of its own.

Rule of use: --recursive lists all fields below, without sentences.

Upstream: staging/src/k8s.io/kubectl/pkg/explain/v2
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from k8slab.api.diagnosis import field_types
from k8slab.api.types_in_words import inner_struct, type_name
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.resources import resolve

NOTHING_ASKED = (
    'You must specify the type of resource to explain. Use "kubectl api-resources" for a complete '
    "list of supported resources."
)
MAX_DEPTH = 12  # of --recursive


async def explain(call: Invocation) -> None:
    """Print what a kind, or a field of it, is."""
    if not call.words:
        raise CommandError(NOTHING_ASKED)
    if len(call.words) > 1:
        raise CommandError(
            "We accept only this format: explain RESOURCE\n"
            "See 'kubectl explain -h' for help and examples"
        )
    word, *path = call.words[0].split(".")
    resource = resolve(word)
    group = f"GROUP:      {resource.group}\n" if resource.group else ""
    call.print(f"{group}KIND:       {resource.kind}\nVERSION:    {resource.version}\n")
    expected: Any = resource.type
    for name in path:
        struct = inner_struct(expected)
        known = field_types(struct) if struct is not None else {}
        if name not in known:
            raise CommandError(f'field "{name}" does not exist')
        expected = known[name]
    if path:
        call.print(f"FIELD: {path[-1]} <{type_name(expected)}>\n\n")
    struct = inner_struct(expected)
    if struct is None:
        return
    call.print(f"DESCRIPTION:\n    {_sentence(struct)}\n    \nFIELDS:")
    recursive = call.flags.on("recursive")
    texts = _tree(struct, 1) if recursive else _fields(struct)
    call.print("\n".join(texts))


def _fields(struct: type[msgspec.Struct]) -> Iterator[str]:
    known = field_types(struct)
    for name in sorted(known):
        inner = inner_struct(known[name])
        sentence = f"    {_sentence(inner)}\n" if inner is not None else ""
        yield f"  {name}\t<{type_name(known[name])}>\n{sentence}"


def _tree(struct: type[msgspec.Struct], depth: int) -> Iterator[str]:
    known = field_types(struct)
    for name in sorted(known):
        yield f"{'  ' * depth}{name}\t<{type_name(known[name])}>"
        inner = inner_struct(known[name])
        if inner is not None and depth < MAX_DEPTH:
            yield from _tree(inner, depth + 1)


def _sentence(struct: type[msgspec.Struct]) -> str:
    return (struct.__doc__ or "").strip().partition("\n")[0]


EXPLAIN = Command(
    explain, (Flag("api-version"), Flag("output", default="plaintext"), flag_on("recursive"))
)
