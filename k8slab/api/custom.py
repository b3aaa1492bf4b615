"""Objects of kinds that a CustomResourceDefinition made.

Each served version of such a kind gets a Struct of its own, made while the program runs: its fields
are those at the top of the schema (`spec`, `status`, ...), and what is in them is plain data that
nobody can change. So tables, selectors, owners and patches work on these objects as on all others.

    kinds = served_kinds(crd)         # one `Definition` for each version, best first
    type_ = type_of(kinds[0])         # class CronTab(Custom): apiVersion, kind, metadata, spec
    type_.__definition__.schema       # what its objects may be

Rule of use: the same definition gives the same type, so types can be compared.

Upstream: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/unstructured/unstructured.go,
staging/src/k8s.io/apimachinery/pkg/version/helpers.go (CompareKubeAwareVersionStrings)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, NoReturn

import msgspec

from k8slab.api.apiextensions import (
    ESTABLISHED,
    CustomResourceColumnDefinition,
    CustomResourceDefinition,
    CustomResourceDefinitionNames,
    CustomResourceSubresourceScale,
    JSONSchemaProps,
)
from k8slab.api.conditions import is_true
from k8slab.api.meta import Object
from k8slab.api.struct import Part

IDENTITY = ("apiVersion", "kind", "metadata")
_VERSION = re.compile(r"v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?")


class Definition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of a kind: what the types and the API server need of a definition."""

    group: str
    version: str
    names: CustomResourceDefinitionNames
    namespaced: bool
    schema: JSONSchemaProps
    stored_version: str = ""
    has_status: bool = False
    scale: CustomResourceSubresourceScale | None = None
    columns: tuple[CustomResourceColumnDefinition, ...] = ()
    selectable_fields: tuple[str, ...] = ()
    deprecation_warning: str = ""

    @property
    def api_version(self) -> str:
        """What objects of this kind carry as apiVersion."""
        return f"{self.group}/{self.version}"


class Custom(Object):
    """An object of a kind that somebody defined."""

    __definition__: ClassVar[Definition]


class Frozen(dict[str, Any]):
    """A map in an object: it is read like any other, and cannot be changed."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("objects are values: make a new one instead of changing this one")

    __setitem__ = __delitem__ = __ior__ = clear = pop = _refuse
    popitem = setdefault = update = _refuse


def frozen(value: Any) -> Any:
    """Return plain data as objects hold it: maps that cannot be changed, lists as tuples.

    >>> frozen({"a": [1, {"b": 2}]})["a"]
    (1, {'b': 2})
    """
    if isinstance(value, Mapping):
        return Frozen((key, frozen(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    return value


def builtin_kind(obj: Object) -> str:
    """Return the kind of a built-in object, "" for others: they may be called Service, too."""
    return "" if isinstance(obj, Custom) else obj.kind


def is_established(crd: CustomResourceDefinition) -> bool:
    """Say whether the kind is served."""
    return is_true(crd.status.conditions, ESTABLISHED)


def served_kinds(crd: CustomResourceDefinition) -> list[Definition]:
    """Return what a definition serves, the version that clients should prefer first."""
    return [kind for kind, version in _kinds(crd) if version.served]


def _kinds(crd: CustomResourceDefinition) -> list[tuple[Definition, Any]]:
    names = crd.status.acceptedNames if crd.status.acceptedNames.plural else crd.spec.names
    found = []
    stored = next((version.name for version in crd.spec.versions if version.storage), "")
    for version in sorted(crd.spec.versions, key=lambda version: version_rank(version.name)):
        subresources = version.subresources
        warning = ""
        if version.deprecated:
            gvk = f"{crd.spec.group}/{version.name} {names.kind}"
            warning = version.deprecationWarning or f"{gvk} is deprecated"
        kind = Definition(
            group=crd.spec.group,
            version=version.name,
            names=names,
            namespaced=crd.spec.scope == "Namespaced",
            schema=(version.schema and version.schema.openAPIV3Schema) or JSONSchemaProps(),
            stored_version=stored,
            has_status=subresources is not None and subresources.status is not None,
            scale=subresources.scale if subresources is not None else None,
            columns=version.additionalPrinterColumns,
            selectable_fields=tuple(field.jsonPath for field in version.selectableFields),
            deprecation_warning=warning,
        )
        found.append((kind, version))
    return found


def version_rank(version: str) -> tuple[int, int, int, str]:
    """Return what versions are sorted by: stable ones first, then beta, then alpha, newest first.

    >>> sorted(["v1beta1", "v1", "foo", "v2", "v1alpha2"], key=version_rank)
    ['v2', 'v1', 'v1beta1', 'v1alpha2', 'foo']
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        return 3, 0, 0, version
    major, stage, minor = match.groups()
    return {None: 0, "beta": 1, "alpha": 2}[stage], -int(major), -int(minor or 0), ""


def type_of(definition: Definition) -> type[Custom]:
    """Return the Struct of a kind's objects."""
    return _made(msgspec.json.encode(definition))


@cache
def _made(encoded: bytes) -> type[Custom]:
    definition = msgspec.json.decode(encoded, type=Definition)
    schema = definition.schema
    usual = ("spec", "status") if schema.preserve_unknown else ()  # if it names none
    own = [name for name in (*schema.properties, *usual) if name not in IDENTITY]
    names = {**{name: None for name in own}, **({"status": None} if definition.has_status else {})}
    fields = {re.sub(r"\W", "_", name): msgspec.field(default=None, name=name) for name in names}
    kind = definition.names.kind
    body: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": definition.schema.description or f"A {kind}.",
        "__annotations__": {"apiVersion": str, "kind": str, **dict.fromkeys(fields, Any)},
        "apiVersion": msgspec.field(default_factory=lambda: definition.api_version),
        "kind": msgspec.field(default_factory=lambda: kind),
        **fields,
    }
    metaclass: Any = type(Part)
    made = metaclass(kind, (Custom,), body)
    made.__definition__ = definition
    return made  # type: ignore[no-any-return]


def as_type(obj: Custom, type_: type[Custom]) -> Custom:
    """Return the object in another version, or under another schema, of its kind.

    Strategy None: all fields that the other version has are kept, only apiVersion changes.
    """
    if type(obj) is type_:
        return obj
    names = [name for name in type_.__struct_fields__ if name not in ("apiVersion", "kind")]
    fields: dict[str, Any] = {name: getattr(obj, name, None) for name in names}
    return type_(**fields)
