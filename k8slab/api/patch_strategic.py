"""Strategic merge patch: a merge patch that knows by which key the items of a list are told apart.

Containers are merged by name, ports by number, tolerations replaced whole; `$patch: delete` takes
an item out, `$patch: replace` stops merging, `$setElementOrder/x` says in which order the items
shall be, `$deleteFromPrimitiveList/x` takes plain values out, `$retainKeys` clears the others.

Rule of use: the document given is changed in place; hand in a copy.

Upstream: staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8slab.api import errors
from k8slab.api.merge_keys import merge_key

LIST_DIRECTIVES = frozenset({"$retainKeys", "$setElementOrder", "$deleteFromPrimitiveList"})


def strategic_patch(target: dict[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `patch` into `target` by the rules above."""
    _check_directives(patch)
    directive = patch.get("$patch")
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    if directive == "delete":
        return {}
    retained = patch.get("$retainKeys")
    if retained is not None:
        target = {key: value for key, value in target.items() if key in retained}
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_field(target, key, value)
    _delete_plain(target, patch)
    _order_lists(target, patch)
    return target


def _merge_field(target: dict[str, Any], field: str, value: Any) -> None:
    if value is None:
        target.pop(field, None)
    elif isinstance(value, Mapping):
        inner = target.get(field)
        target[field] = strategic_patch(inner if isinstance(inner, dict) else {}, value)
    elif isinstance(value, list | tuple):
        present = target.get(field)
        target[field] = _merge_list(field, present if isinstance(present, list) else [], value)
    else:
        target[field] = value


def _merge_list(field: str, present: list[Any], patch: Any) -> list[Any]:
    replaced = [item for item in patch if not _is_directive(item, "replace")]
    key = merge_key(field, [*present, *replaced])
    if key is None or len(replaced) != len(patch):
        return [strategic_patch({}, i) if isinstance(i, Mapping) else i for i in replaced]
    if key == "":
        return [*present, *(item for item in replaced if item not in present)]
    if not all(isinstance(item, Mapping) for item in (*present, *replaced)):
        raise errors.bad_request(f"expected maps with the merge key {key} in {field}")
    merged = list(present)
    for item in replaced:
        index = next((i for i, old in enumerate(merged) if old.get(key) == item.get(key)), None)
        if _is_directive(item, "delete"):
            if index is not None:
                del merged[index]
        elif index is None:
            merged.append(strategic_patch({}, item))
        else:
            merged[index] = strategic_patch(dict(merged[index]), item)
    return merged


def _check_directives(patch: Mapping[str, Any]) -> None:
    """Raise ApiError if a directive that has a list has something else."""
    for name, value in patch.items():
        prefix = name.partition("/")[0]
        if prefix in LIST_DIRECTIVES and not isinstance(value, list | tuple):
            raise errors.bad_request(f"{name} must be a list, found {value!r}")


def _is_directive(item: Any, word: str) -> bool:
    return isinstance(item, Mapping) and item.get("$patch") == word


def _delete_plain(target: dict[str, Any], patch: Mapping[str, Any]) -> None:
    for directive, gone in patch.items():
        prefix, _, field = directive.partition("/")
        if prefix == "$deleteFromPrimitiveList" and field in target:
            target[field] = [item for item in target[field] if item not in gone]


def _order_lists(target: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """Put the items that the patch names into its order; others stay where they were."""
    for directive, order in patch.items():
        prefix, _, field = directive.partition("/")
        if prefix != "$setElementOrder" or not isinstance(target.get(field), list):
            continue
        items = target[field]
        key = merge_key(field, items)
        wanted = [entry.get(key) if isinstance(entry, Mapping) else entry for entry in order]

        def name(item: Any, key: str | None = key) -> Any:
            return item.get(key) if isinstance(item, Mapping) else item

        named = sorted(
            (item for item in items if name(item) in wanted), key=lambda i: wanted.index(name(i))
        )
        others = [item for item in items if name(item) not in wanted]
        target[field] = _weave(items, named, others)


def _weave(items: list[Any], named: list[Any], others: list[Any]) -> list[Any]:
    """Keep each unnamed item behind the items that it stood behind."""
    result = list(named)
    for item in others:
        before = items[: items.index(item)]
        position = max((result.index(i) + 1 for i in before if i in result), default=0)
        result.insert(position, item)
    return result
