"""The patch that `kubectl apply` sends: from what was applied last, what is wanted, and what is.

    last applied   wanted    live          patch
    replicas: 2    3         2             replicas: 3       wanted differs from live
    replicas: 2    absent    5             replicas: null    was applied once, is wanted no more
    absent         absent    5             (nothing)         set by somebody else: left alone

Lists of things with names (containers, env, ports) are compared item by item.

Rule of use: `patch(original, modified, current)` is pure; {} means that nothing has to change.

Upstream: CreateThreeWayMergePatch in apimachinery/pkg/util/strategicpatch/patch.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from k8slab.api.merge_keys import RETAIN_KEYS, merge_key

Plain = Mapping[str, Any]


def patch(original: Plain, modified: Plain, current: Plain) -> dict[str, Any]:
    """Return the strategic merge patch that makes `current` what `modified` says.

    >>> patch({"a": 1, "b": 2}, {"a": 3}, {"a": 1, "b": 2, "c": 4})
    {'a': 3, 'b': None}
    """
    result: dict[str, Any] = {}
    for field, wanted in modified.items():
        if wanted is None:
            if field in current:
                result[field] = None
        elif field not in current:
            result[field] = _clean(wanted)
        else:
            _compare(result, field, original.get(field), wanted, current[field])
    for field in original:
        if field not in modified:
            result[field] = None
    return result


def merge_patch(original: Plain, modified: Plain, current: Plain) -> dict[str, Any]:
    """Return the JSON merge patch that makes `current` what `modified` says: lists go as a whole.

    >>> merge_patch({"a": [1], "b": 2}, {"a": [1, 2]}, {"a": [1], "b": 2, "c": 4})
    {'a': [1, 2], 'b': None}
    """
    result: dict[str, Any] = {}
    for field, wanted in modified.items():
        live, before = current.get(field), original.get(field)
        if isinstance(wanted, Mapping) and isinstance(live, Mapping):
            inner = merge_patch(before if isinstance(before, Mapping) else {}, wanted, live)
            result |= {field: inner} if inner else {}
        elif wanted != live or type(wanted) is not type(live):
            result[field] = wanted
    return result | {field: None for field in original if field not in modified}


def _compare(result: dict[str, Any], field: str, before: Any, wanted: Any, live: Any) -> None:
    """Add to the patch what makes one field right."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        inner = patch(before if isinstance(before, Mapping) else {}, wanted, live)
        if inner:
            result[field] = _retaining(field, inner, wanted)
    elif isinstance(wanted, list) and isinstance(live, list):
        _compare_lists(result, field, before if isinstance(before, list) else [], wanted, live)
    elif wanted != live or type(wanted) is not type(live):
        result[field] = wanted


def _retaining(field: str, inner: dict[str, Any], wanted: Plain) -> dict[str, Any]:
    if field in RETAIN_KEYS:
        inner["$retainKeys"] = sorted(wanted)
    return inner


def _compare_lists(
    result: dict[str, Any], field: str, before: list[Any], wanted: list[Any], live: list[Any]
) -> None:
    key = merge_key(field, [*wanted, *live, *before])
    if key is None or not all(isinstance(i, Mapping) == bool(key) for i in [*wanted, *live]):
        if _clean(wanted) != live:
            result[field] = _clean(wanted)
    elif key == "":
        _compare_plain(result, field, before, wanted, live)
    else:
        _compare_items(result, field, key, (before, wanted, live))


def _compare_plain(
    result: dict[str, Any], field: str, before: list[Any], wanted: list[Any], live: list[Any]
) -> None:
    added = [item for item in wanted if item not in live]
    gone = [item for item in before if item not in wanted]
    if added:
        result[field] = added
    if gone:
        result[f"$deleteFromPrimitiveList/{field}"] = gone
    if added or gone:
        result[f"$setElementOrder/{field}"] = list(wanted)


def _compare_items(
    result: dict[str, Any], field: str, key: str, lists: tuple[list[Any], list[Any], list[Any]]
) -> None:
    before, wanted, live = (_by_key(items, key) for items in lists)
    changes: list[Any] = []
    for name, item in wanted.items():
        if name not in live:
            changes.append(_clean(item))
            continue
        inner = patch(before.get(name, {}), item, live[name])
        if inner:
            changes.append({**_retaining(field, inner, item), key: name})
    changes += [{"$patch": "delete", key: name} for name in before if name not in wanted]
    if changes or [name for name in live if name in wanted] != [n for n in wanted if n in live]:
        result[f"$setElementOrder/{field}"] = [{key: name} for name in wanted]
    if changes:
        result[field] = changes


def _by_key(items: Sequence[Plain], key: str) -> dict[Any, Plain]:
    return {item.get(key): item for item in items}


def _clean(value: Any) -> Any:
    """Return a value without nulls, which mean absence in a manifest but deletion in a patch."""
    if isinstance(value, Mapping):
        return {key: _clean(item) for key, item in value.items() if item is not None}
    return [_clean(item) for item in value] if isinstance(value, list) else value
