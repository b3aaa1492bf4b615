"""Validation: what is wrong with an object, field by field, in Kubernetes' words.

`validate(obj)` checks a new object, `validate(new, old)` an update, `validate_part(new, old, part)`
an update of one part, such as "status"; the answer is a list of `FieldError`, empty if all is well.
All errors are found at once. Every rule is a generator of errors, or returns the list of them.

Rule of use: to validate a kind, add functions to one of the modules and a row to `VALIDATORS`.

Upstream: pkg/apis/*/validation/validation.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from k8slab.api.custom import builtin_kind
from k8slab.api.errors import FieldError
from k8slab.api.meta import Object
from k8slab.control_plane.apiserver.validation import (
    addresses,
    autoscaling,
    batch,
    config,
    custom_objects,
    definitions,
    endpoints,
    nodes,
    pod_parts,
    pod_updates,
    pods,
    policies,
    quotas,
    rbac,
    services,
    storage,
    workloads,
)
from k8slab.control_plane.apiserver.validation.metadata import metadata, metadata_update

Check = Callable[[Any], Iterable[FieldError]]
Compare = Callable[[Any, Any], Iterable[FieldError]]

# By kind ("": all that are not built in): what a new object must be, what an update may not do
# beside that.
VALIDATORS: Mapping[str, tuple[Check, Compare | None]] = {
    "": (custom_objects.valid, custom_objects.valid_update),
    "Pod": (pods.pod, pod_updates.pod_update),
    "PodTemplate": (pods.pod_template_object, None),
    "Service": (services.service, services.service_update),
    "EndpointSlice": (services.endpoint_slice, services.endpoint_slice_update),
    "Deployment": (workloads.deployment, workloads.deployment_update),
    "ReplicaSet": (workloads.replica_set, workloads.replica_set_update),
    "DaemonSet": (workloads.daemon_set, workloads.daemon_set_update),
    "StatefulSet": (workloads.stateful_set, workloads.stateful_set_update),
    "ReplicationController": (workloads.replication_controller, None),
    "ConfigMap": (config.config_map, config.config_map_update),
    "Secret": (config.secret, config.secret_update),
    "CustomResourceDefinition": (definitions.definition, definitions.definition_update),
    "Namespace": (nodes.namespace, None),
    "Node": (nodes.node, nodes.node_update),
    "Lease": (nodes.lease, None),
    "Event": (nodes.event, None),
    "Job": (batch.job, batch.job_update),
    "CronJob": (batch.cron_job, batch.cron_job_update),
    "HorizontalPodAutoscaler": (autoscaling.horizontal_pod_autoscaler, None),
    "PodDisruptionBudget": (policies.pod_disruption_budget, None),
    "PriorityClass": (policies.priority_class, policies.priority_class_update),
    "RuntimeClass": (policies.runtime_class, policies.runtime_class_update),
    "NetworkPolicy": (policies.network_policy, None),
    "Ingress": (policies.ingress, None),
    "ServiceCIDR": (addresses.service_cidr, addresses.service_cidr_update),
    "IPAddress": (addresses.ip_address, addresses.ip_address_update),
    "IngressClass": (policies.ingress_class, policies.ingress_class_update),
    "Endpoints": (endpoints.endpoints, None),
    "Role": (rbac.role, None),
    "ClusterRole": (rbac.cluster_role, None),
    "RoleBinding": (rbac.role_binding, rbac.binding_update),
    "ClusterRoleBinding": (rbac.cluster_role_binding, rbac.binding_update),
    "ResourceQuota": (quotas.resource_quota, quotas.resource_quota_update),
    "LimitRange": (quotas.limit_range, None),
    "PersistentVolumeClaim": (storage.claim, storage.claim_update),
    "PersistentVolume": (storage.volume, storage.volume_update),
    "StorageClass": (storage.storage_class, storage.storage_class_update),
    "CSINode": (storage.csi_node, storage.csi_node_update),
}
# By kind and subresource: what an update of that part may not do.
PART_VALIDATORS: Mapping[tuple[str, str], Compare] = {
    ("", "status"): custom_objects.valid_update,
    ("Pod", "status"): pod_updates.pod_status_update,
    ("Pod", "ephemeralcontainers"): pod_parts.ephemeral_containers_update,
    ("Pod", "resize"): pod_parts.resize,
    **{(kind, "status"): workloads.workload_status for kind in workloads.STATUS_NUMBERS},
}


def validate(obj: Object, old: Object | None = None) -> list[FieldError]:
    """Return what is wrong with the object, or with the change from `old` to it."""
    check, compare = VALIDATORS.get(builtin_kind(obj), (None, None))
    if old is None:
        found = list(metadata(obj))
        if check is not None:
            found.extend(check(obj))
        return found
    # Upstream asks twice, for all kinds and for each kind: causes are listed twice, too.
    found = metadata_update(obj, old) * 2
    if compare is not None:
        found.extend(compare(obj, old))
    elif check is not None:
        found.extend(check(obj))
    return found


def validate_part(new: Object, old: Object, part: str) -> list[FieldError]:
    """Return what is wrong with a new part, such as "status"; the rest was stored before."""
    found = metadata_update(new, old) * 2
    compare = PART_VALIDATORS.get((builtin_kind(new), part))
    if compare is not None:
        found.extend(compare(new, old))
    return found
