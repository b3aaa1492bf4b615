"""Defaults of what rules over others: policies, bounds, priorities, roles and classes.

Rule of use: each function takes an object of its kind; like all defaults it is pure and idempotent.

Upstream: pkg/apis/{core,networking,scheduling,rbac}/v1/defaults.go
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from k8slab.control_plane.apiserver.default_filling import absent, fill

RBAC = "rbac.authorization.k8s.io"


def network_policy(obj: Any) -> Any:
    """Default a NetworkPolicy: TCP; it is about egress only if it has rules for it."""
    spec = obj.spec

    def with_tcp(rules: Any) -> Any:
        return tuple(
            replace(rule, ports=tuple(absent(port, protocol="TCP") for port in rule.ports))
            for rule in rules
        )

    types = spec.policyTypes or (("Ingress", "Egress") if spec.egress else ("Ingress",))
    spec = replace(
        spec, ingress=with_tcp(spec.ingress), egress=with_tcp(spec.egress), policyTypes=types
    )
    return replace(obj, spec=spec)


def limit_range(obj: Any) -> Any:
    """Default the bounds of containers: limits from the most, requests from limits or the least."""
    return replace(obj, spec=replace(obj.spec, limits=tuple(map(_bounds, obj.spec.limits))))


def _bounds(item: Any) -> Any:
    if item.type != "Container":
        return item
    limit = {**item.max, **item.default}
    return replace(item, default=limit, defaultRequest={**item.min, **limit, **item.defaultRequest})


def priority_class(obj: Any) -> Any:
    """Default a PriorityClass: its Pods may push others out."""
    return absent(obj, preemptionPolicy="PreemptLowerPriority")


def role_binding(obj: Any) -> Any:
    """Default a RoleBinding or ClusterRoleBinding: the API groups of role and subjects."""
    subjects = tuple(
        fill(subject, apiGroup="" if subject.kind == "ServiceAccount" else RBAC)
        for subject in obj.subjects
    )
    return replace(obj, roleRef=fill(obj.roleRef, apiGroup=RBAC), subjects=subjects)


def ingress_class(obj: Any) -> Any:
    """Default an IngressClass: its settings are an object of the cluster."""
    if obj.spec.parameters is None:
        return obj
    parameters = fill(obj.spec.parameters, scope="Cluster")
    return replace(obj, spec=replace(obj.spec, parameters=parameters))
