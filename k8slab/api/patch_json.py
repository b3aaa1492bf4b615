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
            "[]handlers.jsonPatchOp"
        )
    for operation in operations:
        _check(operation)
        _apply(document, operation)
    return document


def _check(operation: Any) -> None:
    """Raise ApiError for what has not the form of an operation."""
    if not isinstance(operation, dict):
        raise errors.bad_request(
            "error decoding patch: json: cannot unmarshal value into Go value of type "
            "handlers.jsonPatchOp"
        )
    for name in ("op", "path", "from"):
        if not isinstance(operation.get(name, ""), str):
            raise errors.bad_request(
                f"error decoding patch: json: cannot unmarshal value into Go struct field "
                f"jsonPatchOp.{name} of type string"
            )


def _apply(document: dict[str, Any], operation: dict[str, Any]) -> None:
    verb, path = operation.get("op", ""), operation.get("path", "")
    if verb in ("add", "replace", "test", "remove"):
        parent, key = _find(document, path)
        _edit(parent, key, verb, operation.get("value"))
    elif verb in ("move", "copy"):
        source_parent, source_key = _find(document, operation.get("from", ""))
        value = _value(source_parent, source_key)
        if verb == "move":
            _edit(source_parent, source_key, "remove", None)
        parent, key = _find(document, path)
        _edit(parent, key, "add", value)
    else:
        raise _failed()


def _find(document: Any, path: str) -> tuple[Any, str]:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    for part in parts[:-1]:
        document = _value(document, part)
    return document, parts[-1] if parts else ""


def _value(parent: Any, key: str) -> Any:
    if isinstance(parent, list) and key.isdigit() and int(key) < len(parent):
        return parent[int(key)]
    if isinstance(parent, dict) and key in parent:
        return parent[key]
    raise _failed()


def _edit(parent: Any, key: str, verb: str, value: Any) -> None:
    if verb == "test":
        present = parent.get(key) if isinstance(parent, dict) else _value(parent, key)
        if present != value:
            raise _failed()
    elif isinstance(parent, list):
        _edit_list(parent, key, verb, value)
    elif isinstance(parent, dict):
        if verb != "add":
            _value(parent, key)
        if verb == "remove":
            del parent[key]
        else:
            parent[key] = value
    else:
        raise _failed()


def _edit_list(parent: list[Any], key: str, verb: str, value: Any) -> None:
    if verb == "add" and key == "-":
        parent.append(value)
        return
    limit = len(parent) + (1 if verb == "add" else 0)
    if not key.isdigit() or int(key) >= limit:
        raise _failed()
    if verb == "add":
        parent.insert(int(key), value)
    elif verb == "remove":
        del parent[int(key)]
    else:
        parent[int(key)] = value


def _failed() -> errors.ApiError:
    # Upstream's server knows more than it says.
    return errors.unprocessable("the server rejected our request due to an error in our request")
