"""Nobody gives away more than they have: the check on writes of roles and bindings.

Who may create roles could otherwise make one with all rights and bind it to themselves. So the
rules of a new role, or of a role that is bound, must be covered by the author's own, unless a role
gives them the verb `escalate` (on roles) or `bind` (on the role that is bound).

Rule of use: `check` before a role or binding is stored.

Upstream: pkg/registry/rbac/{role,rolebinding}/policybased/storage.go, pkg/registry/rbac/
escalation_check.go
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from k8slab.api import errors
from k8slab.api.authentication import UserInfo
from k8slab.api.meta import Object
from k8slab.api.policy_rules import compact
from k8slab.api.rbac import ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding
from k8slab.api.scheme import resource_for
from k8slab.control_plane.apiserver.access.attributes import Attributes
from k8slab.control_plane.apiserver.access.authentication import MASTERS
from k8slab.control_plane.apiserver.access.rbac import GROUP, Rbac
from k8slab.control_plane.apiserver.access.rules import in_words, missing, quoted

Authorize = Callable[[Attributes], tuple[bool, str]]
EVERYTHING = (
    PolicyRule(verbs=("*",), apiGroups=("*",), resources=("*",)),
    PolicyRule(verbs=("*",), nonResourceURLs=("*",)),
)


class EscalationCheck:
    """Refuses roles and bindings that give more than their author has."""

    def __init__(self, rbac: Rbac, authorize: Authorize) -> None:
        self._rbac = rbac
        self._authorize = authorize

    def check(self, obj: Object, old: Object | None, user: UserInfo) -> None:
        """Refuse what gives away more than the user has; raises Forbidden."""
        if MASTERS in user.groups:
            return
        if isinstance(obj, Role | ClusterRole):
            self._role(obj, old, user)
        elif isinstance(obj, RoleBinding | ClusterRoleBinding):
            self._binding(obj, old, user)

    def _role(self, role: Role | ClusterRole, old: Object | None, user: UserInfo) -> None:
        if self._may("escalate", role.kind, role.metadata.name, role.metadata.namespace, user):
            return
        if isinstance(role, ClusterRole) and role.aggregationRule is not None:
            before = old.aggregationRule if isinstance(old, ClusterRole) else None
            if before != role.aggregationRule and self._lacks(EVERYTHING, "", user):
                text = "must have cluster-admin privileges to use an aggregationRule"
                raise errors.forbidden(resource_for(role), role.metadata.name, text)
        before_rules = old.rules if isinstance(old, Role | ClusterRole) else None
        if before_rules != role.rules:
            self._confirm(role, role.rules, user)

    def _binding(
        self, binding: RoleBinding | ClusterRoleBinding, old: Object | None, user: UserInfo
    ) -> None:
        if isinstance(old, RoleBinding | ClusterRoleBinding) and (
            (old.roleRef, old.subjects) == (binding.roleRef, binding.subjects)
        ):
            return
        reference, namespace = binding.roleRef, binding.metadata.namespace
        if self._may("bind", reference.kind, reference.name, namespace, user):
            return
        rules = self._rbac.rules_of(reference, namespace)
        if rules is None:
            role = resource_for(ClusterRole if reference.kind == "ClusterRole" else Role)
            raise errors.not_found(role, reference.name)
        self._confirm(binding, rules, user)

    def _may(self, verb: str, kind: str, name: str, namespace: str, user: UserInfo) -> bool:
        asked = Attributes(
            user=user,
            verb=verb,
            group=GROUP,
            resource="clusterroles" if kind == "ClusterRole" else "roles",
            namespace=namespace,
            name=name,
        )
        return self._authorize(asked)[0]

    def _lacks(
        self, rules: Sequence[PolicyRule], namespace: str, user: UserInfo
    ) -> list[PolicyRule]:
        owned, _ = self._rbac.rules_for(user, namespace)
        return missing(owned, rules)

    def _confirm(self, obj: Object, rules: Sequence[PolicyRule], user: UserInfo) -> None:
        namespace = obj.metadata.namespace
        lacking = self._lacks(rules, namespace, user)
        if not lacking:
            return
        texts = sorted({in_words(rule): None for rule in compact(lacking)})
        why = (
            f'user "{user.username}" (groups={quoted(user.groups)}) is attempting to grant RBAC '
            "permissions not currently held:\n" + "\n".join(texts)
        )
        _, wrong = self._rbac.rules_for(user, namespace)
        if wrong:
            why += f"; resolution errors: [{wrong}]"
        raise errors.forbidden(resource_for(obj), obj.metadata.name, why)
