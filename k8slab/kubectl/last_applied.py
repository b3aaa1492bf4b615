"""The annotation in which `kubectl apply` remembers what it was last told.

It holds the manifest as JSON, without the annotation itself. The next apply compares it with the
new manifest: a field that was there and is gone is to be removed, one that others set stays.

Rule of use: `with_last_applied(manifest)` is what is sent, `last_applied(obj)` what was stored.

Upstream: staging/src/k8s.io/kubectl/pkg/util/apply.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from k8slab.api.meta import Object
from k8slab.kubectl.printers import compact_json

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def with_last_applied(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest with its own text in the annotation."""
    bare = without_last_applied(manifest)
    meta = bare["metadata"]
    annotations = {**meta["annotations"], LAST_APPLIED: compact_json(bare) + "\n"}
    return {**bare, "metadata": {**meta, "annotations": annotations}}


def without_last_applied(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest as the annotation has it: with annotations, but not with that one."""
    meta = dict(manifest.get("metadata") or {})
    annotations = dict(meta.get("annotations") or {})
    annotations.pop(LAST_APPLIED, None)
    return {**manifest, "metadata": {**meta, "annotations": annotations}}


def last_applied(obj: Object) -> dict[str, Any] | None:
    """Return the manifest that was last applied, None if there is none."""
    text = obj.metadata.annotations.get(LAST_APPLIED)
    if not text:
        return None
    found = msgspec.json.decode(text)
    return found if isinstance(found, dict) else None
