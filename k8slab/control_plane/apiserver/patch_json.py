"""JSON patch (RFC 6902): a list of operations, all or none.

Rule of use: the document given is changed in place; hand in a copy.

Upstream: gopkg.in/evanphx/json-patch.v4
"""

from __future__ import annotations

from typing import Any

from k8slab.api import errors


def json_patch(document: dict[str, Any], operations: Any) -> dict[str, Any]:
    """Return the document after all operations; raises ApiError if one cannot be done."""
    if not isinstance(operations, list | tuple):
        raise errors.bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type "
            "jsonpatch.Patch"
        )
    for operation in operations:
        _apply(document, operation)
    return document


def _apply(document: dict[str, Any], operation: dict[str, Any]) -> None:
    verb, path = operation.get("op", ""), operation.get("path", "")
    if verb in ("add", "replace", "test", "remove"):
        parent, key = _find(document, verb, path)
        _edit(parent, key, verb, path, operation.get("value"))
    elif verb in ("move", "copy"):
        source_parent, source_key = _find(document, verb, operation.get("from", ""))
        value = _value(source_parent, source_key, verb, operation.get("from", ""))
        if verb == "move":
            _edit(source_parent, source_key, "remove", path, None)
        parent, key = _find(document, verb, path)
        _edit(parent, key, "add", path, value)
    else:
        raise _failed(f"Unexpected kind: {verb or 'unknown'}")


def _find(document: Any, verb: str, path: str) -> tuple[Any, str]:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    for part in parts[:-1]:
        document = _value(document, part, verb, path)
    return document, parts[-1] if parts else ""


def _value(parent: Any, key: str, verb: str, path: str) -> Any:
    if isinstance(parent, list) and key.isdigit() and int(key) < len(parent):
        return parent[int(key)]
    if isinstance(parent, dict) and key in parent:
        return parent[key]
    raise _missing(verb, path)


def _edit(parent: Any, key: str, verb: str, path: str, value: Any) -> None:
    if verb == "test":
        present = parent.get(key) if isinstance(parent, dict) else _value(parent, key, verb, path)
        if present != value:
            raise _failed(f"testing value {path} failed: test failed")
    elif isinstance(parent, list):
        _edit_list(parent, key, verb, path, value)
    elif isinstance(parent, dict):
        if verb != "add":
            _value(parent, key, verb, path)
        if verb == "remove":
            del parent[key]
        else:
            parent[key] = value
    else:
        raise _missing(verb, path)


def _edit_list(parent: list[Any], key: str, verb: str, path: str, value: Any) -> None:
    if verb == "add" and key == "-":
        parent.append(value)
        return
    limit = len(parent) + (1 if verb == "add" else 0)
    if not key.isdigit() or int(key) >= limit:
        raise _missing(verb, path)
    if verb == "add":
        parent.insert(int(key), value)
    elif verb == "remove":
        del parent[int(key)]
    else:
        parent[int(key)] = value


def _missing(verb: str, path: str) -> errors.ApiError:
    if verb == "remove":
        detail = f"Unable to remove nonexistent key: {path.rpartition('/')[2]}: missing value"
        return _failed(f"remove operation does not apply: doc is missing path: {path}: {detail}")
    return _failed(f"{verb} operation does not apply: doc is missing path: {path}: missing value")


def _failed(message: str) -> errors.ApiError:
    return errors.unprocessable(message)
