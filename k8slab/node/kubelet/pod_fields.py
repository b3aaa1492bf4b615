"""The downward API: fields of a Pod, and of its containers' resources, as text.

Rule of use: pure; ValueError in upstream's words for what cannot be given.

Upstream: pkg/fieldpath/fieldpath.go, pkg/api/v1/resource/helpers.go
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from k8slab.api.core import Container, Pod, ResourceFieldSelector
from k8slab.api.quantity import milli_value, value
from k8slab.node.kubelet.container import all_containers

_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


def pod_field(pod: Pod, path: str, *, host_ips: Sequence[str], pod_ips: Sequence[str]) -> str:
    """Return the field that a fieldRef names."""
    meta, spec = pod.metadata, pod.spec
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript is not None:
        values: Mapping[str, str] = getattr(meta, subscript[1])
        return values.get(subscript[2], "")
    fields = {
        "metadata.name": meta.name,
        "metadata.namespace": meta.namespace,
        "metadata.uid": meta.uid,
        "spec.nodeName": spec.nodeName,
        "spec.serviceAccountName": spec.serviceAccountName,
        "status.hostIP": "".join(host_ips[:1]),
        "status.hostIPs": ",".join(host_ips),
        "status.podIP": "".join(pod_ips[:1]),
        "status.podIPs": ",".join(pod_ips),
    }
    if path in fields:
        return fields[path]
    if path in ("metadata.labels", "metadata.annotations"):
        return format_map(getattr(meta, path.partition(".")[2]))
    raise ValueError(f"unsupported fieldPath: {path}")


def format_map(values: Mapping[str, str]) -> str:
    """Write labels or annotations as the downward API's file has them."""
    return "\n".join(f"{key}={_quoted(values[key])}" for key in sorted(values))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def resource_field(
    pod: Pod,
    container: Container,
    selector: ResourceFieldSelector,
    allocatable: Mapping[str, str],
) -> str:
    """Return a container's request or limit in units of the divisor, rounded up.

    A limit that is not set is what the node can give.
    """
    if selector.containerName:
        named = [c for c in all_containers(pod.spec) if c.name == selector.containerName]
        if not named:
            raise ValueError(f"container {selector.containerName} not found")
        container = named[0]
    kind, _, resource = selector.resource.partition(".")
    if kind not in ("limits", "requests") or not resource:
        raise ValueError(f"unsupported container resource : {selector.resource}")
    amounts = getattr(container.resources, kind)
    amount = amounts.get(resource)
    if amount is None:
        fallback = container.resources.limits if kind == "requests" else allocatable
        amount = fallback.get(resource) or "0"
    divisor = selector.divisor if selector.divisor not in ("", "0") else "1"
    if resource == "cpu":
        return str(-(-milli_value(amount) // milli_value(divisor)))
    return str(-(-value(amount) // value(divisor)))
