"""Validation of roles and of who gets them.

Upstream: pkg/apis/rbac/validation/validation.go
"""

from __future__ import annotations

from k8slab.api.errors import invalid_value, not_supported, required
from k8slab.api.rbac import ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject
from k8slab.control_plane.apiserver.validation.formats import (
    Errors,
    dns_subdomain,
    each,
    path_segment,
)
from k8slab.control_plane.apiserver.validation.selectors import label_selector

GROUP = "rbac.authorization.k8s.io"
SUBJECTS = ("ServiceAccount", "User", "Group")


def role(obj: Role) -> Errors:
    """Yield what is wrong with the rules of a role."""
    for index, rule in enumerate(obj.rules):
        yield from _rule(f"rules[{index}]", rule, namespaced=True)


def cluster_role(obj: ClusterRole) -> Errors:
    """Yield what is wrong with the rules of a cluster role, or with its selectors of others."""
    for index, rule in enumerate(obj.rules):
        yield from _rule(f"rules[{index}]", rule, namespaced=False)
    if obj.aggregationRule is None:
        return
    selectors, path = obj.aggregationRule.clusterRoleSelectors, "aggregationRule"
    if not selectors:
        text = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        yield required(f"{path}.clusterRoleSelectors", text)
    for index, selector in enumerate(selectors):
        yield from label_selector(f"{path}.clusterRoleSelectors[{index}]", selector)


def role_binding(obj: RoleBinding) -> Errors:
    """Yield what is wrong with a binding in one namespace."""
    yield from _binding(obj, ("Role", "ClusterRole"))


def cluster_role_binding(obj: ClusterRoleBinding) -> Errors:
    """Yield what is wrong with a binding for the whole cluster."""
    yield from _binding(obj, ("ClusterRole",))


def binding_update(
    new: RoleBinding | ClusterRoleBinding, old: RoleBinding | ClusterRoleBinding
) -> Errors:
    """Yield what is wrong with a changed binding: whom it is for may change, the role not."""
    yield from role_binding(new) if isinstance(new, RoleBinding) else cluster_role_binding(new)
    if new.roleRef != old.roleRef:
        yield invalid_value("roleRef", new.roleRef, "cannot change roleRef")


def _rule(path: str, rule: PolicyRule, *, namespaced: bool) -> Errors:
    if not rule.verbs:
        yield required(f"{path}.verbs", "verbs must contain at least one value")
    if rule.nonResourceURLs:
        where = f"{path}.nonResourceURLs"
        if namespaced:
            text = "namespaced rules cannot apply to non-resource URLs"
            yield invalid_value(where, rule.nonResourceURLs, text)
        if rule.apiGroups or rule.resources or rule.resourceNames:
            text = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid_value(where, rule.nonResourceURLs, text)
        return
    if not rule.apiGroups:
        yield required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.resources:
        yield required(f"{path}.resources", "resource rules must supply at least one resource")


def _binding(obj: RoleBinding | ClusterRoleBinding, kinds: tuple[str, ...]) -> Errors:
    ref = obj.roleRef
    if (ref.apiGroup or "") != GROUP:
        yield not_supported("roleRef.apiGroup", ref.apiGroup or "", (GROUP,))
    if ref.kind not in kinds:
        yield not_supported("roleRef.kind", ref.kind, kinds)
    if not ref.name:
        yield required("roleRef.name")
    else:
        yield from each("roleRef.name", ref.name, path_segment(ref.name))
    for index, subject in enumerate(obj.subjects):
        yield from _subject(f"subjects[{index}]", subject, namespaced=isinstance(obj, RoleBinding))


def _subject(path: str, subject: Subject, *, namespaced: bool) -> Errors:
    name, group = subject.name, subject.apiGroup or ""
    if not name:
        yield required(f"{path}.name")
    if subject.kind == "ServiceAccount":
        if name:
            yield from each(f"{path}.name", name, dns_subdomain(name))
        if group:
            yield not_supported(f"{path}.apiGroup", group, ("",))
        if not namespaced and not subject.namespace:
            yield required(f"{path}.namespace")
    elif subject.kind in SUBJECTS:
        if not name:
            yield invalid_value(
                f"{path}.name", name, f"{subject.kind.lower()} name cannot be empty"
            )
        if group != GROUP:
            yield not_supported(f"{path}.apiGroup", group, (GROUP,))
    else:
        yield not_supported(f"{path}.kind", subject.kind, SUBJECTS)
