"""A Pod template as Go's dump of it: the text that upstream hashes.

    (v1.PodTemplateSpec){ObjectMeta:(v1.ObjectMeta){Name:(string) ... Spec:(v1.PodSpec){...}}

Interface: ``dump``. The text names every field and its type, and ``<nil>`` where nothing is.
Rule: for hashing only. A struct that ``go_types`` does not have is written with our own names of
fields: its hash then is one of the right form, but another than upstream's.

Upstream: staging/src/k8s.io/apimachinery/pkg/util/dump/dump.go (ForHash)
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from k8slab.api.go_types import STRUCTS

NIL = "<nil>"
NO_TIME = "{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")

_QUANTITY = re.compile(r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eE][+-]?[0-9]+|[a-zA-Z]*)")


class Field(msgspec.Struct, frozen=True):
    """A field of a Go struct."""

    name: str
    type: str
    ours: str  # the same field of our Struct; "" for an embedded struct


def dump(struct: msgspec.Struct, go_type: str) -> str:
    """Return the text for a Struct whose Go type has this name.

    >>> from k8slab.api.core import Toleration
    >>> dump(Toleration(key="a", operator="Exists", tolerationSeconds=5), "v1.Toleration")[:62]
    '(v1.Toleration){Key:(string)a Operator:(v1.TolerationOperator)'
    """
    return f"({go_type}){_value(struct, go_type)}"


def _value(value: Any, go_type: str) -> str:
    """Write a value without its type."""
    if go_type.startswith("*"):
        return NIL if value is None else _value(value, go_type[1:])
    if go_type.startswith("[]"):
        items = (_value(item, go_type[2:]) for item in value)
        return f"[{' '.join(items)}]" if value else NIL
    if isinstance(value, Mapping):
        of = "resource.Quantity" if go_type == "v1.ResourceList" else "string"
        entries = (f"{key}:{_value(value[key], of)}" for key in sorted(value))
        return f"map[{' '.join(entries)}]" if value else NIL
    if go_type == "v1.Time":
        return NO_TIME  # a template has none
    if go_type == "resource.Quantity":
        return _quantity(value or "0")
    if go_type == "intstr.IntOrString":
        return _int_or_string(value)
    if isinstance(value, msgspec.Struct):
        return _struct(value, go_type)
    return str(value).lower() if isinstance(value, bool) else str("" if value is None else value)


def _struct(value: msgspec.Struct, go_type: str, *, embedded: bool = False) -> str:
    parts = []
    for field in fields(go_type, type(value)):
        if field.ours:
            found = _value(getattr(value, field.ours), field.type)
        else:
            found = _struct(value, field.type, embedded=True)
        parts.append(f"{field.name}:({field.type}){found}")
    if not embedded:
        parts += [
            f"{name}:{younger!r}"
            for name in unlisted(go_type, type(value))
            if (younger := getattr(value, name))
        ]
    return f"{{{' '.join(parts)}}}"


@cache
def fields(go_type: str, ours: type[msgspec.Struct]) -> tuple[Field, ...]:
    """Return the fields of a Go struct, in its order."""
    by_case = {name.lower(): name for name in ours.__struct_fields__}
    if go_type not in STRUCTS:
        return tuple(Field(name, "string", name) for name in ours.__struct_fields__)
    found = []
    for entry in re.split(r"[;\n]", STRUCTS[go_type]):
        if words := entry.split():
            name, _, alias = words[0].partition("=")
            own = "" if name.startswith("~") else alias or by_case[name.lower()]
            found.append(Field(name.removeprefix("~"), words[1], own))
    return tuple(found)


@cache
def unlisted(go_type: str, ours: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return our fields that neither the Go struct nor one embedded in it has."""
    left = dict.fromkeys(ours.__struct_fields__)
    for field in fields(go_type, ours):
        embedded = unlisted(field.type, ours) if not field.ours else None
        left = {
            name: None
            for name in left
            if (name in embedded if embedded is not None else name != field.ours)
        }
    return tuple(left)


def _int_or_string(value: int | str | None) -> str:
    if isinstance(value, str):
        return f"{{Type:(intstr.Type)1 IntVal:(int32)0 StrVal:(string){value}}}"
    return f"{{Type:(intstr.Type)0 IntVal:(int32){value or 0} StrVal:(string)}}"


def _quantity(text: str) -> str:
    """Write a quantity as Go keeps it after parsing: a number, a power of ten, perhaps the text.

    The text is kept only where a quick look shows that it is canonical.
    """
    sign, whole, fraction, suffix = _QUANTITY.fullmatch(text).groups()  # type: ignore[union-attr]
    digits = whole + (fraction or "")
    number, scale = int(f"{sign}{digits or 0}"), -len(fraction or "")
    if suffix in BINARY:
        kept = text if number & 7 else ""
        return _parsed(number << 10 * (BINARY.index(suffix) + 1), scale, kept, "BinarySI")
    form = "DecimalSI" if suffix in DECIMAL else "DecimalExponent"
    scale += DECIMAL[suffix] if suffix in DECIMAL else int(suffix[1:] or "0")
    canonical = scale % 3 == 0 and not digits.endswith("000") and not digits.startswith("0")
    return _parsed(number, scale, text if canonical else "", form)


def _parsed(number: int, scale: int, text: str, form: str) -> str:
    return (
        f"{{i:(resource.int64Amount){{value:(int64){number} scale:(resource.Scale){scale}}} "
        f"d:(resource.infDecAmount){{Dec:(*inf.Dec){NIL}}} "
        f"s:(string){text} Format:(resource.Format){form}}}"
    )
