"""Patches: three ways to say which fields of an object change.

    merge      {"spec": {"replicas": 3}, "metadata": {"labels": {"x": null}}}     RFC 7386
    json       [{"op": "replace", "path": "/spec/replicas", "value": 3}]          RFC 6902
    strategic  as merge, but lists of objects are merged by their key (containers by name)

All of them take and return plain dictionaries; the result is decoded and checked like any other
body.

Rule of use: `apply(document, patch, patch_type)`; raises ApiError with upstream's words.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go,
staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8slab.api import errors
from k8slab.api.patch_json import json_patch
from k8slab.api.patch_strategic import strategic_patch
from k8slab.client.transport import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH


def apply(document: dict[str, Any], patch: Any, patch_type: str) -> dict[str, Any]:
    """Return the document with the patch applied; neither is changed."""
    document = _own(document)
    if patch_type == JSON_PATCH:
        return json_patch(document, patch)
    if patch_type == MERGE_PATCH:
        return merge_patch(document, patch)
    if patch_type == STRATEGIC_PATCH:
        return strategic_patch(document, patch)
    raise errors.unsupported_media_type()


def _own(value: Any) -> Any:
    """Return a copy that may be changed: dictionaries and lists all the way down."""
    if isinstance(value, Mapping):
        return {key: _own(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_own(item) for item in value]
    return value


def merge_patch(target: dict[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `patch` into `target`: null deletes, objects merge, everything else replaces.

    >>> merge_patch({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, Mapping):
            inner = target.get(key)
            target[key] = merge_patch(inner if isinstance(inner, dict) else {}, value)
        else:
            target[key] = value
    return target
