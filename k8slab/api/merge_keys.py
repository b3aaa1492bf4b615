"""By which field the items of a list are told apart when lists are merged.

Interface: ``merge_key(field, items)``; ``RETAIN_KEYS``, the unions of which one member at a time is
kept. The API server merges patches by these, `kubectl apply` writes patches by them.

Upstream: the patchStrategy and patchMergeKey tags of staging/src/k8s.io/api/*/types.go
"""

from collections.abc import Iterable, Mapping
from typing import Any

# Field name -> key that tells its items apart; "" for lists of plain values that are merged.
MERGE_KEYS: Mapping[str, str] = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "env": "name",
    "imagePullSecrets": "name",
    "secrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "schedulingGates": "name",
    "resourceClaims": "name",
    "conditions": "type",
    "addresses": "type",
    "taints": "key",
    "ownerReferences": "uid",
    "finalizers": "",
    "podCIDRs": "",
}
PORT_KEYS = ("containerPort", "port")  # of containers, of Services
RETAIN_KEYS = frozenset({"strategy", "volumes"})  # unions: setting one member clears the others


def merge_key(field: str, items: Iterable[Any]) -> str | None:
    """Return the key by which a list is merged, "" for plain values, None if it is replaced."""
    if field != "ports":
        return MERGE_KEYS.get(field)
    ports = [item for item in items if isinstance(item, Mapping)]
    return next((key for key in PORT_KEYS if any(key in port for port in ports)), None)
