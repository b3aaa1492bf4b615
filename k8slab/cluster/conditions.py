"""Words for what to wait for: "deployment/web available", "pod/web phase=Running".

The first word names an object, the second says what shall be true of it: a condition's name
(available, ready, progressing, ...), "deleted", or FIELD=VALUE with "phase" for short.

Rule of use: `condition(view, words)` returns a function of the cluster that says whether it holds.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/wait
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from k8slab.api.custom import builtin_kind
from k8slab.cluster.names import find, parse_name
from k8slab.cluster.view import View

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster


def condition(view: View, words: str) -> Callable[[Cluster], bool]:
    """Return the test; raises ValueError with an example if the words make no sense."""
    parts = words.split()
    if len(parts) != 2:
        raise ValueError(
            f'expected an object and a condition such as "deployment/web available", got {words!r}'
        )
    resource, namespace, name = parse_name(view, parts[0])
    wanted = parts[1]

    return lambda cluster: holds(find(cluster.view, resource, namespace, name), wanted)


def holds(obj: Any, wanted: str) -> bool:
    """Say whether "available", "phase=Failed", "deleted", ... is true of an object, or of None."""
    if obj is None or wanted.lower() == "deleted":
        return obj is None and wanted.lower() == "deleted"
    field, equals, value = wanted.partition("=")
    if equals:
        path = "status.phase" if field == "phase" else field
        return str(_field(obj, path)) == value
    conditions = _field(obj, "status.conditions") or ()
    found = any(
        str(_field(c, "type")).lower() == wanted.lower() and _field(c, "status") == "True"
        for c in conditions
    )
    return found and _is_rolled_out(obj) if builtin_kind(obj) == "Deployment" else found


def _is_rolled_out(deployment: Any) -> bool:
    """Say whether the status speaks of the present spec, and all replicas are there."""
    spec, status = deployment.spec, deployment.status
    return bool(
        status.observedGeneration >= deployment.metadata.generation
        and status.updatedReplicas == status.availableReplicas == (spec.replicas or 0)
    )


def _field(obj: Any, path: str) -> Any:
    for part in path.split("."):
        obj = obj.get(part) if isinstance(obj, Mapping) else getattr(obj, part, None)
    return obj
