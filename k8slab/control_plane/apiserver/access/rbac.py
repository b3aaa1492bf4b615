"""Role-based access control: a user has the rules of the roles that are bound to them.

ClusterRoleBindings give a role everywhere, RoleBindings in one namespace. Rights only add up:
whatever no rule allows is refused. `Rbac` remembers what each user has until a role or binding
changes.

Rule of use: `authorize` says by which binding something is allowed; `rules_for` lists all that a
user has.

Upstream: plugin/pkg/auth/authorizer/rbac/rbac.go, pkg/registry/rbac/validation/rule.go
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from msgspec import Struct

from k8slab.api.authentication import UserInfo
from k8slab.api.meta import Object
from k8slab.api.rbac import (
    ClusterRole,
    ClusterRoleBinding,
    PolicyRule,
    Role,
    RoleBinding,
    RoleRef,
    Subject,
)
from k8slab.control_plane.apiserver.access.attributes import Attributes
from k8slab.control_plane.apiserver.access.rules import allows

GROUP = "rbac.authorization.k8s.io"


class Objects(Protocol):
    """How to read roles and bindings."""

    def get(self, kind: type[Object], name: str, namespace: str = "") -> Object | None:
        """Return the object, None if there is none."""

    def all(self, kind: type[Object], namespace: str = "") -> Iterable[Object]:
        """Return all objects of a kind, in one namespace or in all."""


class Grant(Struct, frozen=True, gc=False):
    """Rules that somebody has, where ("" is everywhere), and by which binding."""

    namespace: str
    rules: tuple[PolicyRule, ...]
    source: str


class Granted(Struct, frozen=True, gc=False):
    """All that a user has, and which bindings lead to no role."""

    grants: tuple[Grant, ...]
    errors: tuple[tuple[str, str], ...]  # namespace ("" is everywhere), message


class Rbac:
    """Knows what users may do."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[tuple[str, tuple[str, ...]], Granted] = {}

    def forget(self) -> None:
        """Look everything up again: a role or binding has changed."""
        self._known.clear()

    def authorize(self, asked: Attributes) -> tuple[bool, str]:
        """Say whether it is allowed, and why; of a refusal, what went wrong meanwhile."""
        granted = self.granted(asked.user)
        where = ("", asked.namespace)
        for grant in granted.grants:
            if grant.namespace in where and any(allows(rule, asked) for rule in grant.rules):
                return True, f"RBAC: allowed by {grant.source}"
        wrong = [message for namespace, message in granted.errors if namespace in where]
        return False, f"RBAC: {aggregate(wrong)}" if wrong else ""

    def rules_for(self, user: UserInfo, namespace: str) -> tuple[list[PolicyRule], str]:
        """Return all rules that a user has in a namespace, and what went wrong meanwhile."""
        granted, where = self.granted(user), ("", namespace)
        rules = [rule for g in granted.grants if g.namespace in where for rule in g.rules]
        return rules, aggregate([text for place, text in granted.errors if place in where])

    def rules_of(self, reference: RoleRef, namespace: str) -> tuple[PolicyRule, ...] | None:
        """Return the rules of a role that a binding names, None if there is no such role."""
        if reference.kind == "ClusterRole":
            role: Any = self._objects.get(ClusterRole, reference.name)
        else:
            role = self._objects.get(Role, reference.name, namespace)
        return None if role is None else tuple(role.rules)

    def granted(self, user: UserInfo) -> Granted:
        """Return all that a user has, in all namespaces."""
        key = (user.username, user.groups)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._look_up(user)
        return found

    def _look_up(self, user: UserInfo) -> Granted:
        grants: list[Grant] = []
        wrong: list[tuple[str, str]] = []
        for binding, subject in self._bindings(user):
            namespace = binding.metadata.namespace
            rules = self.rules_of(binding.roleRef, namespace)
            if rules is None:
                kind, name = binding.roleRef.kind.lower(), binding.roleRef.name
                wrong.append((namespace, f'{kind}.{GROUP} "{name}" not found'))
            else:
                grants.append(Grant(namespace, rules, source_of(binding, subject)))
        return Granted(tuple(grants), tuple(wrong))

    def _bindings(self, user: UserInfo) -> Iterator[tuple[Any, Subject]]:
        """Yield the bindings that apply to a user, each with the subject that makes it apply."""
        for kind in (ClusterRoleBinding, RoleBinding):
            for binding in self._objects.all(kind):
                assert isinstance(binding, ClusterRoleBinding | RoleBinding)
                namespace = binding.metadata.namespace
                for subject in binding.subjects:
                    if is_subject(subject, user, namespace):
                        yield binding, subject
                        break


def is_subject(subject: Subject, user: UserInfo, namespace: str) -> bool:
    """Say whether a subject of a binding (in a namespace) is the user, or a group of theirs."""
    if subject.kind == "User":
        return subject.name == user.username
    if subject.kind == "Group":
        return subject.name in user.groups
    where = subject.namespace or namespace
    return user.username == f"system:serviceaccount:{where}:{subject.name}" and bool(where)


def source_of(binding: ClusterRoleBinding | RoleBinding, subject: Subject) -> str:
    """Say by which binding somebody has a role."""
    reference, meta = binding.roleRef, binding.metadata
    name = f"{meta.name}/{meta.namespace}" if meta.namespace else meta.name
    who = subject.name
    if subject.kind == "ServiceAccount":
        who = f"{subject.name}/{subject.namespace or meta.namespace}"
    return (
        f'{binding.kind} "{name}" of {reference.kind} "{reference.name}" to {subject.kind} "{who}"'
    )


def aggregate(messages: list[str]) -> str:
    """Join messages as Go's aggregate errors do.

    >>> aggregate(["a", "b", "a"])
    '[a, b]'
    """
    texts = list(dict.fromkeys(messages))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]" if texts else ""
