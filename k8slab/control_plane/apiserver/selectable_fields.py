"""The fields of each kind that a field selector may name; there are few, and no others work.

    kubectl get pods --field-selector spec.nodeName=worker-1,status.phase!=Running

Rule of use: `fields_of(obj)` gives all of an object's selectable fields as text.

Upstream: pkg/registry/core/*/strategy.go (ToSelectableFields), pkg/apis/core/v1/conversion.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from k8slab.api import jsonpath
from k8slab.api.custom import Custom
from k8slab.api.meta import Object
from k8slab.api.scheme import Resource
from k8slab.control_plane.apiserver.custom_resources.reading import fields_of as fields_in


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _pod(pod: Any) -> dict[str, str]:
    spec, status = pod.spec, pod.status
    return {
        "spec.nodeName": spec.nodeName,
        "spec.restartPolicy": spec.restartPolicy,
        "spec.schedulerName": spec.schedulerName,
        "spec.serviceAccountName": spec.serviceAccountName,
        "spec.hostNetwork": _text(bool(spec.hostNetwork)),
        "status.phase": status.phase,
        "status.podIP": status.podIP,
        "status.nominatedNodeName": status.nominatedNodeName,
    }


def _event(event: Any) -> dict[str, str]:
    about = event.involvedObject
    return {
        "involvedObject.kind": about.kind,
        "involvedObject.namespace": about.namespace,
        "involvedObject.name": about.name,
        "involvedObject.uid": about.uid,
        "involvedObject.apiVersion": about.apiVersion,
        "involvedObject.resourceVersion": about.resourceVersion,
        "involvedObject.fieldPath": about.fieldPath,
        "reason": event.reason,
        "reportingComponent": event.reportingComponent,
        "source": event.source.component or event.reportingComponent,
        "type": event.type,
    }


OF_EVERY_KIND = ("metadata.name", "metadata.namespace")
FIELDS: Mapping[str, Callable[[Any], dict[str, str]]] = {
    "Pod": _pod,
    "Event": _event,
    "Node": lambda node: {"spec.unschedulable": _text(bool(node.spec.unschedulable))},
    "Namespace": lambda ns: {"status.phase": ns.status.phase},
    "Secret": lambda secret: {"type": secret.type},
    "Service": lambda svc: {"spec.clusterIP": svc.spec.clusterIP, "spec.type": svc.spec.type},
    "ReplicaSet": lambda rs: {"status.replicas": _text(rs.status.replicas)},
    "ReplicationController": lambda rc: {"status.replicas": _text(rc.status.replicas)},
    "Job": lambda job: {"status.successful": _text(job.status.succeeded or 0)},
}


def unknown_field(resource: Resource, field: str) -> str:
    """Return the sentence that refuses a field selector."""
    if resource.kind in FIELDS or resource.is_custom:
        return f"field label not supported: {field}"
    known = ", ".join(f'"{name}"' for name in OF_EVERY_KIND)
    return f'"{field}" is not a known field selector: only {known}'


def fields_of(obj: Object) -> dict[str, str]:
    """Return the selectable fields of an object and their values."""
    if isinstance(obj, Custom):
        return _custom(obj)
    specific = FIELDS.get(obj.kind)
    fields = specific(obj) if specific is not None else {}
    fields["metadata.name"] = obj.metadata.name
    fields["metadata.namespace"] = obj.metadata.namespace
    return fields


def _custom(obj: Custom) -> dict[str, str]:
    paths = obj.__definition__.selectable_fields
    found = {"metadata.name": obj.metadata.name, "metadata.namespace": obj.metadata.namespace}
    if paths:
        document = fields_in(obj)
        for path in paths:
            values = jsonpath.relaxed(path).results(document)[0]
            found[path.removeprefix(".")] = _text(values[0] if values else None)
    return found
