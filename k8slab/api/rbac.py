"""Who may do what.

Interface: ``Role``, ``ClusterRole`` and their bindings. Rights only add up: there is no rule that
forbids.

Upstream: staging/src/k8s.io/api/rbac/v1/types.go
"""

from k8slab.api.meta import LabelSelector, Object
from k8slab.api.struct import Part, always


class PolicyRule(Part):
    """Verbs allowed on resources or paths."""

    verbs: tuple[str, ...] = always(())
    apiGroups: tuple[str, ...] = ()
    nonResourceURLs: tuple[str, ...] = ()
    resourceNames: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


class Subject(Part):
    """A user, a group or a ServiceAccount."""

    name: str = always("")
    kind: str = always("")
    apiGroup: str | None = None
    namespace: str = ""


class RoleRef(Part):
    """The role that is given."""

    name: str = always("")
    kind: str = always("")
    apiGroup: str | None = None


class AggregationRule(Part):
    """Selectors of the roles that make up this one."""

    clusterRoleSelectors: tuple[LabelSelector, ...] = ()


class Role(Object):
    """Rights in one namespace."""

    apiVersion: str = always("rbac.authorization.k8s.io/v1")
    kind: str = always("Role")
    rules: tuple[PolicyRule, ...] = always(())


class ClusterRole(Object):
    """Rights in all namespaces, or on what has none."""

    apiVersion: str = always("rbac.authorization.k8s.io/v1")
    kind: str = always("ClusterRole")
    aggregationRule: AggregationRule | None = None
    rules: tuple[PolicyRule, ...] = always(())


class RoleBinding(Object):
    """Gives a role to subjects in one namespace."""

    apiVersion: str = always("rbac.authorization.k8s.io/v1")
    kind: str = always("RoleBinding")
    roleRef: RoleRef = always(RoleRef())
    subjects: tuple[Subject, ...] = ()


class ClusterRoleBinding(Object):
    """Gives a role to subjects everywhere."""

    apiVersion: str = always("rbac.authorization.k8s.io/v1")
    kind: str = always("ClusterRoleBinding")
    roleRef: RoleRef = always(RoleRef())
    subjects: tuple[Subject, ...] = ()
