"""`kubectl explain pod.spec.containers`: which fields there are, and what they are.

The answer is read from the OpenAPI schemas of the server: those of the built-in kinds, and those
that definitions bring for theirs.

Rule of use: --recursive lists all fields below, without sentences.

Upstream: staging/src/k8s.io/kubectl/pkg/explain/v2
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from k8slab.api.openapi_schemas import collect, schema_name
from k8slab.api.scheme import KINDS, OTHER_VERSIONS, Resource
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import BareError, CommandError
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.resources import resolve

NOTHING_ASKED = (
    'You must specify the type of resource to explain. Use "kubectl api-resources" for a complete '
    "list of supported resources."
)
WIDTH = 76  # characters of a line of a sentence
MAX_DEPTH = 12  # of --recursive
MAX_WORDS = 4  # of a list of words that a field may have
FORMATS = ("plaintext", "plaintext-openapiv2")  # the lab prints both alike
Schema: TypeAlias = Mapping[str, Any]
Schemas: TypeAlias = Mapping[str, Any]  # by name


async def explain(call: Invocation) -> None:
    """Print what a kind, or a field of it, is."""
    if not call.words:
        raise CommandError(NOTHING_ASKED)
    if len(call.words) > 1:
        raise CommandError("We accept only this format: explain RESOURCE")
    if call.flags.text("output") not in FORMATS:
        raise CommandError(f"unrecognized format: {call.flags.text('output')}")
    resource, path = _asked(call)
    schemas: dict[str, Any] = {}
    collect(resource.type, schemas)
    group = f"GROUP:      {resource.group}\n" if resource.group else ""
    call.print(f"{group}KIND:       {resource.kind}\nVERSION:    {resource.version}\n")
    schema: Schema = schemas[schema_name(resource.type)]
    for name in path:
        known = _fields_of(schema, schemas)
        if name not in known:
            raise CommandError(f'field "{path[-1]}" does not exist')
        schema = known[name]
    if path:
        call.print("\n".join(_heading(path[-1], schema)) + "\n")
    said = [f"    {line}" for text in _descriptions(schema, schemas) for line in _wrap(text)]
    call.print("\n".join(["DESCRIPTION:", *(said or ["    <empty>"]), *("    " for _ in said[:1])]))
    fields = _fields_of(schema, schemas)
    if not fields:
        return call.print()
    call.print("FIELDS:")
    if call.flags.on("recursive"):
        call.print("\n".join(_tree(schema, schemas, 1)) + "\n")
        return
    required = _whole(schema, schemas).get("required", ())
    for name in sorted(fields):
        call.print("\n".join(_field(name, fields[name], schemas, name in required)) + "\n")
    call.print()


def _asked(call: Invocation) -> tuple[Resource, list[str]]:
    """Return the kind and the path below it; the kind may be said with its group."""
    asked = call.words[0].removesuffix(".")
    word, *path = asked.split(".")
    if "" in (word, *path):
        raise CommandError("invalid jsonpath syntax, first node must be field node")
    try:
        resource = resolve(word, call.custom)
    except CommandError as error:
        raise BareError(error.message) from None
    whole = f"{resource.plural}.{resource.group}"
    if resource.group and f"{asked}.".startswith(f"{whole}."):
        path = [name for name in asked.removeprefix(whole).split(".") if name]
    return _in_version(resource, call.flags.text("api-version")), path


def _in_version(resource: Resource, api_version: str) -> Resource:
    """Return the kind as --api-version asks for it."""
    if api_version in ("", resource.api_version):
        return resource
    for other in OTHER_VERSIONS:
        if (other.api_version, other.kind) == (api_version, resource.kind):
            return other
    group, _, version = api_version.rpartition("/")
    asked = f"{group}/{version}, Resource={resource.plural}"
    if any(known.api_version == api_version for known in (*KINDS, *OTHER_VERSIONS)):
        raise CommandError(f"GVR ({asked}) not found in OpenAPI schema")
    raise CommandError(f'couldn\'t find resource for "{asked}"')


def _heading(name: str, schema: Schema) -> Iterator[str]:
    yield f"FIELD: {name} <{_type(schema)}>"
    if schema.get("enum"):
        yield "ENUM:"
        yield from (f"    {_word(value)}" for value in schema["enum"])
    else:
        yield ""


def _field(name: str, schema: Schema, schemas: Schemas, is_required: bool) -> Iterator[str]:
    yield _line(name, schema, is_required)
    if schema.get("enum"):
        yield f"  enum: {_few(schema['enum'])}"
    said = schema.get("description") or "<no description>"
    yield from (f"    {line}" for line in _wrap(said))


def _few(words: Sequence[Any]) -> str:
    """Return the words that a field may have, or the first of them.

    >>> _few(["", "a", "b", "c", "d"])
    '"", a, b, c, ....'
    """
    shown = [_word(word) for word in words[:MAX_WORDS]]
    return ", ".join([*shown, *("...." for _ in words[MAX_WORDS : MAX_WORDS + 1])])


def _word(value: Any) -> str:
    return str(value) or '""'


def _line(name: str, schema: Schema, is_required: bool) -> str:
    return f"  {name}\t<{_type(schema)}>{' -required-' if is_required else ''}"


def _tree(schema: Schema, schemas: Schemas, depth: int) -> Iterator[str]:
    fields = _fields_of(schema, schemas)
    required = _whole(schema, schemas).get("required", ())
    for name in sorted(fields):
        indent = "  " * (depth - 1)
        yield indent + _line(name, fields[name], name in required)
        if fields[name].get("enum"):
            yield f"{indent}  enum: {_few(fields[name]['enum'])}"
        if depth < MAX_DEPTH:
            yield from _tree(fields[name], schemas, depth + 1)


def _reference(schema: Schema) -> str:
    """Return the name of the schema that this one means, "" if it is one itself."""
    inner = schema["allOf"][0] if len(schema.get("allOf", ())) == 1 else schema
    return str(inner.get("$ref", "")).rpartition("/")[2]


def _whole(schema: Schema, schemas: Schemas) -> Schema:
    """Return the schema that says which fields there are: of an item, if it is a list or a map."""
    name = _reference(schema)
    if name:
        return _whole(schemas[name], schemas)
    if isinstance(schema.get("items"), Mapping):
        return _whole(schema["items"], schemas)
    if isinstance(schema.get("additionalProperties"), Mapping):
        return _whole(schema["additionalProperties"], schemas)
    return schema


def _fields_of(schema: Schema, schemas: Schemas) -> Mapping[str, Schema]:
    found: Mapping[str, Schema] = _whole(schema, schemas).get("properties", {})
    return found


def _type(schema: Schema) -> str:
    name = _reference(schema)
    if name:
        return name.rpartition(".")[2]
    if schema.get("type") == "array":
        return f"[]{_type(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"map[string]{_type(schema['additionalProperties'])}"
    if schema.get("x-kubernetes-int-or-string"):
        return "IntOrString"
    kind = schema.get("type", "object")
    return "Object" if kind == "object" else str(kind)


def _descriptions(schema: Schema, schemas: Schemas) -> list[str]:
    """Return what is said of a field, and of what it is made of."""
    found = [str(schema.get("description", ""))]
    name, items = _reference(schema), schema.get("items")
    if name:
        found += _descriptions(schemas[name], schemas)
    elif isinstance(items, Mapping):
        found += _descriptions(items, schemas)
    elif isinstance(schema.get("additionalProperties"), Mapping):
        found += _descriptions(schema["additionalProperties"], schemas)
    return [text for text in found if text]


def _wrap(text: str) -> list[str]:
    lines = text.split("\n")
    return [part for line in lines for part in textwrap.wrap(line, WIDTH) or [""]]


EXPLAIN = Command(
    explain, (Flag("api-version"), Flag("output", default="plaintext"), flag_on("recursive"))
)
