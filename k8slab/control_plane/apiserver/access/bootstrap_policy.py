"""The roles that a cluster begins with: for people, for components, and for whoever asks politely.

People are given `view`, `edit`, `admin` (in their namespaces) or `cluster-admin`; the first three
are made of all roles with a certain label, so that a new kind can add its rules to them. Components
have one role each. Those of the controllers are in `controller_policy`.

Rule of use: `cluster_roles()` and `cluster_role_bindings()`; the API server makes sure of them when
it starts with RBAC.

Upstream: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go
"""

from __future__ import annotations

from collections.abc import Iterator

from k8slab.api.meta import LabelSelector, ObjectMeta
from k8slab.api.rbac import (
    AggregationRule,
    ClusterRole,
    ClusterRoleBinding,
    RoleRef,
    Subject,
)
from k8slab.control_plane.apiserver.access.controller_policy import CONTROLLERS
from k8slab.control_plane.apiserver.access.policy_text import rules

LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
ANNOTATIONS = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
RBAC_GROUP = "rbac.authorization.k8s.io"
CONTROLLER = "system:controller:"
_EVENTS = "EVENTS: core events\nEVENTS: events.k8s.io events"

NODE_RULES = rules("""
    create: authentication.k8s.io tokenreviews
    create: authorization.k8s.io localsubjectaccessreviews subjectaccessreviews
    READ: core services
    create READ: core nodes
    patch update: core nodes/status
    patch update: core nodes
    EVENTS: core events
    EVENTS: events.k8s.io events
    READ: core pods
    create delete: core pods
    patch update: core pods/status
    create: core pods/eviction
    READ: core configmaps secrets
    get: core persistentvolumeclaims persistentvolumes
    get: core endpoints
    create READ: certificates.k8s.io certificatesigningrequests
    create delete get patch update: coordination.k8s.io leases
    get: storage.k8s.io volumeattachments
    create: core serviceaccounts/token
    get patch update: core persistentvolumeclaims/status
    READ: storage.k8s.io csidrivers
    create delete get patch update: storage.k8s.io csinodes
    READ: node.k8s.io runtimeclasses
""")
ROLES = {
    "cluster-admin": "*: * *\n*: paths *",
    "system:discovery": "get: paths /api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* "
    "/readyz /version /version/",
    "system:public-info-viewer": "get: paths /healthz /livez /readyz /version /version/",
    "system:monitoring": "get: paths /healthz /healthz/* /livez /livez/* /metrics /metrics/slis "
    "/readyz /readyz/*",
    "system:basic-user": """
        create: authorization.k8s.io selfsubjectaccessreviews selfsubjectrulesreviews
        create: authentication.k8s.io selfsubjectreviews
    """,
    "system:service-account-issuer-discovery": "get: paths /.well-known/openid-configuration "
    "/.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
    "system:auth-delegator": """
        create: authentication.k8s.io tokenreviews
        create: authorization.k8s.io subjectaccessreviews
    """,
    "system:kubelet-api-admin": """
        READ: core nodes
        proxy: core nodes
        *: core nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy
    """,
    "system:node-proxier": f"""
        list watch: core endpoints services
        READ: core nodes
        {_EVENTS}
        list watch: discovery.k8s.io endpointslices
        list watch: networking.k8s.io servicecidrs
    """,
    "system:kube-dns": "list watch: core endpoints services",
    "system:kube-scheduler": f"""
        {_EVENTS}
        create list watch: coordination.k8s.io leases
        get update: coordination.k8s.io leases =kube-scheduler
        READ: core nodes
        delete READ: core pods
        create: core bindings pods/binding
        patch update: core pods/status
        READ: core replicationcontrollers services
        READ: apps replicasets
        READ: apps statefulsets
        READ: policy poddisruptionbudgets
        READ: core persistentvolumeclaims persistentvolumes
        create: authentication.k8s.io tokenreviews
        create: authorization.k8s.io subjectaccessreviews
        READ: storage.k8s.io csidrivers csinodes csistoragecapacities volumeattachments
        READ: core namespaces
    """,
    "system:volume-scheduler": """
        READ patch update: core persistentvolumes
        READ: storage.k8s.io storageclasses
        READ patch update: core persistentvolumeclaims
    """,
    "system:kube-controller-manager": f"""
        {_EVENTS}
        create list watch: coordination.k8s.io leases
        get update: coordination.k8s.io leases =kube-controller-manager
        create: core secrets serviceaccounts
        delete: core secrets
        get: core configmaps namespaces secrets serviceaccounts
        update: core secrets serviceaccounts
        create: authentication.k8s.io tokenreviews
        create: authorization.k8s.io subjectaccessreviews
        list watch: * *
        create: core serviceaccounts/token
    """,
    "system:persistent-volume-provisioner": f"""
        create delete READ: core persistentvolumes
        READ update: core persistentvolumeclaims
        READ: storage.k8s.io storageclasses
        watch: core events
        {_EVENTS}
    """,
}
AGGREGATED = {
    "admin": """
        create: authorization.k8s.io localsubjectaccessreviews
        WRITE READ: rbac.authorization.k8s.io rolebindings roles
    """,
    "edit": """
        READ: core pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy
        impersonate: core serviceaccounts
        WRITE: core pods pods/attach pods/exec pods/portforward pods/proxy
        create: core pods/eviction
        WRITE: core configmaps events persistentvolumeclaims replicationcontrollers \
replicationcontrollers/scale secrets serviceaccounts services services/proxy
        create: core serviceaccounts/token
        WRITE: apps daemonsets deployments deployments/rollback deployments/scale replicasets \
replicasets/scale statefulsets statefulsets/scale
        WRITE: autoscaling horizontalpodautoscalers
        WRITE: batch cronjobs jobs
        WRITE: extensions daemonsets deployments deployments/rollback deployments/scale ingresses \
networkpolicies replicasets replicasets/scale replicationcontrollers/scale
        WRITE: policy poddisruptionbudgets
        WRITE: networking.k8s.io ingresses networkpolicies
        WRITE READ: coordination.k8s.io leases
    """,
    "view": """
        READ: core configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods \
replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status
        READ: core bindings events limitranges namespaces/status pods/log pods/status \
replicationcontrollers/status resourcequotas resourcequotas/status
        READ: core namespaces
        READ: discovery.k8s.io endpointslices
        READ: apps controllerrevisions daemonsets daemonsets/status deployments deployments/scale \
deployments/status replicasets replicasets/scale replicasets/status statefulsets \
statefulsets/scale statefulsets/status
        READ: autoscaling horizontalpodautoscalers horizontalpodautoscalers/status
        READ: batch cronjobs cronjobs/status jobs jobs/status
        READ: extensions daemonsets daemonsets/status deployments deployments/scale \
deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale \
replicasets/status replicationcontrollers/scale
        READ: policy poddisruptionbudgets poddisruptionbudgets/status
        READ: networking.k8s.io ingresses ingresses/status networkpolicies
    """,
}
GREATER = {"view": "edit", "edit": "admin"}  # each has what the one before it has
# What is given to whom: a role, and users (u:), groups (g:) or accounts of kube-system (s:).
BOUND = {
    "cluster-admin": "g:system:masters",
    "system:monitoring": "g:system:monitoring",
    "system:discovery": "g:system:authenticated",
    "system:basic-user": "g:system:authenticated",
    "system:public-info-viewer": "g:system:authenticated g:system:unauthenticated",
    "system:node-proxier": "u:system:kube-proxy",
    "system:kube-controller-manager": "u:system:kube-controller-manager",
    "system:kube-dns": "s:kube-dns",
    "system:kube-scheduler": "u:system:kube-scheduler",
    "system:volume-scheduler": "u:system:kube-scheduler",
    "system:service-account-issuer-discovery": "g:system:serviceaccounts",
    "system:node": "",  # the node authorizer does what this role once did
}


def cluster_roles() -> Iterator[ClusterRole]:
    """Yield the roles that a cluster begins with."""
    for name, text in ROLES.items():
        yield ClusterRole(metadata=_meta(name), rules=rules(text))
    yield ClusterRole(metadata=_meta("system:node"), rules=NODE_RULES)
    for name, text in AGGREGATED.items():
        own = {f"{AGGREGATE}{name}": "true"}
        part = _meta(f"system:aggregate-to-{name}", own)
        yield ClusterRole(metadata=part, rules=rules(text))
        part_of = {f"{AGGREGATE}{GREATER[name]}": "true"} if name in GREATER else {}
        gathers = AggregationRule(clusterRoleSelectors=(LabelSelector(matchLabels=own),))
        yield ClusterRole(metadata=_meta(name, part_of), aggregationRule=gathers)
    for name, text in CONTROLLERS.items():
        yield ClusterRole(metadata=_meta(f"{CONTROLLER}{name}"), rules=rules(text))


def cluster_role_bindings() -> Iterator[ClusterRoleBinding]:
    """Yield the bindings that a cluster begins with."""
    for name, subjects in BOUND.items():
        yield _binding(name, subjects)
    for name in CONTROLLERS:
        yield _binding(f"{CONTROLLER}{name}", f"s:{name}")


def _binding(name: str, subjects: str) -> ClusterRoleBinding:
    return ClusterRoleBinding(
        metadata=_meta(name),
        roleRef=RoleRef(apiGroup=RBAC_GROUP, kind="ClusterRole", name=name),
        subjects=tuple(_subject(word) for word in subjects.split()),
    )


def _subject(word: str) -> Subject:
    kind, _, name = word.partition(":")
    if kind == "s":
        return Subject(kind="ServiceAccount", name=name, namespace="kube-system")
    return Subject(kind="User" if kind == "u" else "Group", name=name, apiGroup=RBAC_GROUP)


def _meta(name: str, labels: dict[str, str] | None = None) -> ObjectMeta:
    return ObjectMeta(name=name, labels={**LABELS, **(labels or {})}, annotations=ANNOTATIONS)
