"""The nouns: every object that the API server stores, and how text becomes one.

Interface: ``load``, ``load_all``, ``to_dict``, ``to_yaml`` and the kinds that most programs need;
the rest is in the modules ``core``, ``apps``, ``discovery``, ...; ``scheme`` lists all kinds.
Rule: objects are frozen; ``replace`` makes a changed copy, so that all can share the original.

Upstream: staging/src/k8s.io/api, staging/src/k8s.io/apimachinery
"""

from msgspec.structs import replace

from k8slab.api.apps import DaemonSet, Deployment, ReplicaSet, StatefulSet
from k8slab.api.codec import DecodeError, load, load_all, to_dict, to_json, to_yaml
from k8slab.api.coordination import Lease
from k8slab.api.core import (
    Binding,
    ConfigMap,
    Event,
    Namespace,
    Node,
    Pod,
    Secret,
    Service,
    ServiceAccount,
)
from k8slab.api.discovery import EndpointSlice
from k8slab.api.errors import ApiError, FieldError
from k8slab.api.meta import LabelSelector, Object, ObjectMeta, OwnerReference

__all__ = [
    "ApiError",
    "Binding",
    "ConfigMap",
    "DaemonSet",
    "DecodeError",
    "Deployment",
    "EndpointSlice",
    "Event",
    "FieldError",
    "LabelSelector",
    "Lease",
    "Namespace",
    "Node",
    "Object",
    "ObjectMeta",
    "OwnerReference",
    "Pod",
    "ReplicaSet",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
    "load",
    "load_all",
    "replace",
    "to_dict",
    "to_json",
    "to_yaml",
]
