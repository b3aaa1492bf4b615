"""Text and plain data to objects, and back.

Interface: ``load`` (one object), ``load_all`` (a file of them), ``convert`` (data to a given type),
``to_dict``, ``to_yaml``, ``to_json``; ``DecodeError`` says where and why something was refused.
Rule: decoding checks names and types of fields, nothing else; defaults and admission are the API
server's business.

Upstream: staging/src/k8s.io/apimachinery/pkg/runtime/serializer/json/json.go
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from k8slab.api.meta import Object
from k8slab.api.quantity import Quantity, canonical
from k8slab.api.scheme import KINDS, lookup

T = TypeVar("T", bound=msgspec.Struct)


class DecodeError(ValueError):
    """Data that is not an object.

    ``path`` is the field ("Pod.spec.containers[0]"), ``steps`` the same as keys and indexes,
    ``line`` its line in the text or None, ``reason`` our words, ``upstream`` the API server's.
    """

    def __init__(
        self, reason: str, *, path: str = "", line: int | None = None, upstream: str = ""
    ) -> None:
        where = f"{path}: " if path else ""
        at = f" (line {line})" if line is not None else ""
        super().__init__(f"{where}{reason}{at}")
        self.reason = reason
        self.path = path
        self.line = line
        self.upstream = upstream or reason
        self.steps: tuple[str | int, ...] = ()


def load(source: Mapping[str, Any] | str) -> Object:
    """Return the one object in a text or in plain data; DecodeError if there is not exactly one."""
    objects = load_all(source) if isinstance(source, str) else _load_list(source, None, 0)
    if len(objects) != 1:
        raise DecodeError(f"expected one object, found {len(objects)}: use load_all")
    return objects[0]


def load_all(text: str, *, duplicates: bool = False) -> list[Object]:
    """Return all objects in a YAML or JSON text, lists flattened; DecodeError at the first fault.

    A key that comes twice is a fault too; with ``duplicates`` the last one wins, as in kubectl.
    """
    from k8slab.api.yaml_text import YamlError, parse

    try:
        documents = parse(text, duplicates=duplicates)
    except YamlError as error:
        upstream = f"error converting YAML to JSON: {error}"
        raise DecodeError(error.reason, line=error.line, upstream=upstream) from None
    objects: list[Object] = []
    for number, document in enumerate(documents):
        objects.extend(_load_list(document, text, number))
    return objects


def convert(data: Any, type_: type[T], *, drop_unknown: bool = False) -> T:
    """Return plain data as an object of the given type, whatever its apiVersion and kind say.

    Unknown fields are an error, or with ``drop_unknown`` left out (fieldValidation Warn, Ignore).
    """
    return _convert(data, type_, drop_unknown)


def to_dict(obj: msgspec.Struct) -> dict[str, Any]:
    """Return an object as plain data, zero values left out as on the wire."""
    plain: dict[str, Any] = msgspec.to_builtins(obj)
    return plain


def to_json(obj: msgspec.Struct) -> bytes:
    """Return an object as compact JSON."""
    return msgspec.json.encode(obj)


def to_yaml(obj: msgspec.Struct | Mapping[str, Any]) -> str:
    """Return an object as ``kubectl get -o yaml`` prints it: keys sorted, block style."""
    from k8slab.api.yaml_text import dump

    return dump(to_dict(obj) if isinstance(obj, msgspec.Struct) else obj)


def type_of(data: Any) -> type[Object]:
    """Return the type that apiVersion and kind name; DecodeError in upstream's words if none."""
    if not isinstance(data, Mapping):
        raise DecodeError(f"expected an object with apiVersion and kind, found {data!r}")
    kind, api_version = data.get("kind"), data.get("apiVersion")
    if not kind or not isinstance(kind, str):
        raise DecodeError(f"Object 'Kind' is missing in '{_compact(data)}'")
    if not api_version or not isinstance(api_version, str):
        raise DecodeError(f"Object 'apiVersion' is missing in '{_compact(data)}'")
    found = lookup(api_version, kind)
    if found is None:
        upstream = f'no matches for kind "{kind}" in version "{api_version}"'
        error = DecodeError(upstream + _hint(api_version, kind), upstream=upstream)
        error.steps = ("kind",)
        raise error
    return found


def _load_list(data: Any, text: str | None, document: int) -> list[Object]:
    prefix: tuple[str | int, ...] = ()
    items = [(prefix, data)]
    if isinstance(data, Mapping) and data.get("kind") == "List":
        items = [(("items", index), item) for index, item in enumerate(data.get("items") or ())]
    return [_load_object(item, text, document, path) for path, item in items]


def _load_object(
    data: Any, text: str | None, document: int, prefix: tuple[str | int, ...]
) -> Object:
    try:
        return _convert(data, type_of(data), False)
    except DecodeError as error:
        if text is None:
            raise
        from k8slab.api.yaml_text import line_of

        line = line_of(text, (*prefix, *error.steps), document)
        raise DecodeError(
            error.reason, path=error.path, line=line, upstream=error.upstream
        ) from None


def _convert(data: Any, type_: type[T], drop_unknown: bool) -> T:
    try:
        return msgspec.convert(data, type_, dec_hook=_decode_custom)
    except msgspec.ValidationError:
        return _convert_slowly(data, type_, drop_unknown)


def _convert_slowly(data: Any, type_: type[T], drop_unknown: bool) -> T:
    from k8slab.api import diagnosis

    clean = diagnosis.repaired(data, type_, drop_unknown=drop_unknown)
    try:
        return msgspec.convert(clean, type_, dec_hook=_decode_custom)
    except msgspec.ValidationError as error:
        found = diagnosis.problems(clean, type_)
        if not found:
            raise DecodeError(str(error), path=type_.__name__) from None
        raise _decode_error(found[0], type_) from None


def _decode_error(problem: Any, type_: type[msgspec.Struct]) -> DecodeError:
    from k8slab.api.diagnosis import render

    # An unknown field is named in the reason; the path leads to what should have had it.
    steps = problem.path[:-1] if problem.is_unknown_field else problem.path
    path = ".".join(part for part in (type_.__name__, render(steps)) if part)
    error = DecodeError(problem.reason, path=path, upstream=problem.upstream)
    error.steps = problem.path
    return error


def _decode_custom(type_: type[Any], data: Any) -> Any:
    if type_ is Quantity:
        if isinstance(data, bool) or not isinstance(data, str | int | float):
            raise ValueError(f"expected a quantity, found {data!r}")
        return canonical(str(data))
    raise NotImplementedError(type_)


def _hint(api_version: str, kind: str) -> str:
    import difflib

    for resource in KINDS:
        if resource.kind == kind:
            return f', did you mean version "{resource.api_version}"?'
    close = difflib.get_close_matches(kind, [resource.kind for resource in KINDS], n=1)
    return f', did you mean "{close[0]}"?' if close else ""


def _compact(data: Mapping[str, Any]) -> str:
    return msgspec.json.encode(data, order="sorted").decode()
