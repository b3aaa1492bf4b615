"""The kinds that the cluster knows, and all their names.

Interface: ``KINDS`` (the table), ``resource_for`` (a type, an object or a kind), ``resolve`` (what
people type: "po", "pods", "deployments.apps", "Deployment"), ``lookup`` (apiVersion and kind).
Rule: adding a kind is adding a row.

Upstream: staging/src/k8s.io/apimachinery/pkg/api/meta/restmapper.go
"""

from collections.abc import Iterable, Iterator
from functools import cache

from msgspec import Struct

from k8slab.api import (
    apiextensions,
    apps,
    authentication,
    authorization,
    autoscaling,
    autoscaling_v1,
    batch,
    coordination,
    core,
    discovery,
    events,
    metrics,
    networking,
    node,
    policy,
    rbac,
    scheduling,
    storage,
)
from k8slab.api.apiextensions import CustomResourceDefinition
from k8slab.api.custom import Custom, Definition, is_established, served_kinds, type_of
from k8slab.api.meta import Object

QUESTION_GROUPS = ("authentication.k8s.io", "authorization.k8s.io")


class Resource(Struct, frozen=True, kw_only=True):
    """A kind, where it is served, and by which names people call it."""

    kind: str
    group: str  # "" for the core group
    version: str
    plural: str
    singular: str
    short_names: tuple[str, ...]
    namespaced: bool
    categories: tuple[str, ...]
    type: type[Object]

    @property
    def api_version(self) -> str:
        """What objects of this kind carry as apiVersion: "v1", "apps/v1"."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def is_question(self) -> bool:
        """Whether objects of the kind are answered at once, and never stored."""
        return self.group in QUESTION_GROUPS

    @property
    def is_custom(self) -> bool:
        """Whether a CustomResourceDefinition has made the kind."""
        return issubclass(self.type, Custom)

    @property
    def key_prefix(self) -> str:
        """What the keys of its objects begin with in etcd."""
        of_group = f"{self.group}/" if self.is_custom else ""
        return f"/registry/{of_group}{self.plural}/"

    @property
    def builtin_kind(self) -> str:
        """The kind if it is built in, else "": others may be called Service, too."""
        return "" if self.is_custom else self.kind

    @property
    def group_resource(self) -> str:
        """What messages call it: "pods", "deployments.apps"."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


def _row(
    type: type[Object],
    plural: str,
    short_names: str = "",
    *,
    namespaced: bool = True,
    categories: str = "",
) -> Resource:
    prototype = type()
    group, _, version = prototype.apiVersion.rpartition("/")
    return Resource(
        kind=prototype.kind,
        group=group,
        version=version,
        plural=plural,
        singular=prototype.kind.lower(),
        short_names=tuple(short_names.split()),
        namespaced=namespaced,
        categories=tuple(categories.split()),
        type=type,
    )


KINDS: tuple[Resource, ...] = (
    _row(core.ConfigMap, "configmaps", "cm"),
    _row(core.Endpoints, "endpoints", "ep"),
    _row(core.Event, "events", "ev"),
    _row(core.LimitRange, "limitranges", "limits"),
    _row(core.Namespace, "namespaces", "ns", namespaced=False),
    _row(core.Node, "nodes", "no", namespaced=False),
    _row(core.PersistentVolumeClaim, "persistentvolumeclaims", "pvc"),
    _row(core.PersistentVolume, "persistentvolumes", "pv", namespaced=False),
    _row(core.Pod, "pods", "po", categories="all"),
    _row(core.PodTemplate, "podtemplates"),
    _row(core.ReplicationController, "replicationcontrollers", "rc", categories="all"),
    _row(core.ResourceQuota, "resourcequotas", "quota"),
    _row(core.Secret, "secrets"),
    _row(core.ServiceAccount, "serviceaccounts", "sa"),
    _row(core.Service, "services", "svc", categories="all"),
    _row(
        apiextensions.CustomResourceDefinition,
        "customresourcedefinitions",
        "crd crds",
        namespaced=False,
        categories="api-extensions",
    ),
    _row(apps.ControllerRevision, "controllerrevisions"),
    _row(apps.DaemonSet, "daemonsets", "ds", categories="all"),
    _row(apps.Deployment, "deployments", "deploy", categories="all"),
    _row(apps.ReplicaSet, "replicasets", "rs", categories="all"),
    _row(apps.StatefulSet, "statefulsets", "sts", categories="all"),
    _row(autoscaling.HorizontalPodAutoscaler, "horizontalpodautoscalers", "hpa", categories="all"),
    _row(batch.CronJob, "cronjobs", "cj", categories="all"),
    _row(batch.Job, "jobs", categories="all"),
    _row(coordination.Lease, "leases"),
    _row(discovery.EndpointSlice, "endpointslices"),
    _row(networking.IngressClass, "ingressclasses", namespaced=False),
    _row(networking.Ingress, "ingresses", "ing"),
    _row(networking.IPAddress, "ipaddresses", "ip", namespaced=False),
    _row(networking.NetworkPolicy, "networkpolicies", "netpol"),
    _row(networking.ServiceCIDR, "servicecidrs", namespaced=False),
    _row(node.RuntimeClass, "runtimeclasses", namespaced=False),
    _row(policy.PodDisruptionBudget, "poddisruptionbudgets", "pdb"),
    _row(rbac.ClusterRoleBinding, "clusterrolebindings", namespaced=False),
    _row(rbac.ClusterRole, "clusterroles", namespaced=False),
    _row(rbac.RoleBinding, "rolebindings"),
    _row(rbac.Role, "roles"),
    _row(scheduling.PriorityClass, "priorityclasses", "pc", namespaced=False),
    _row(storage.StorageClass, "storageclasses", "sc", namespaced=False),
    _row(storage.CSINode, "csinodes", namespaced=False),
)

# Other versions of kinds above: the same objects in another form (see `conversion`).
OTHER_VERSIONS: tuple[Resource, ...] = (
    _row(events.Event, "events", "ev"),
    _row(
        autoscaling_v1.HorizontalPodAutoscaler,
        "horizontalpodautoscalers",
        "hpa",
        categories="all",
    ),
)

# What add-ons serve behind the API server; nothing of it is stored.
AGGREGATED: tuple[Resource, ...] = (
    _row(metrics.NodeMetrics, "nodes", namespaced=False),
    _row(metrics.PodMetrics, "pods"),
)

# Questions: they are created, answered, and not stored.
REVIEWS: tuple[Resource, ...] = (
    _row(authentication.SelfSubjectReview, "selfsubjectreviews", namespaced=False),
    _row(authentication.TokenReview, "tokenreviews", namespaced=False),
    _row(authorization.LocalSubjectAccessReview, "localsubjectaccessreviews"),
    _row(authorization.SelfSubjectAccessReview, "selfsubjectaccessreviews", namespaced=False),
    _row(authorization.SelfSubjectRulesReview, "selfsubjectrulesreviews", namespaced=False),
    _row(authorization.SubjectAccessReview, "subjectaccessreviews", namespaced=False),
)

# Kinds of old of which nothing is stored: they are asked for, or act on something else.
UNSTORED: tuple[Resource, ...] = (
    _row(core.Binding, "bindings"),
    _row(core.ComponentStatus, "componentstatuses", "cs", namespaced=False),
)

# Bodies of subresource requests: they have a kind, but no collection of their own.
SUBRESOURCE_TYPES: tuple[type[Object], ...] = (
    policy.Eviction,
    autoscaling.Scale,
    authentication.TokenRequest,
)


def resource_for(what: type[Object] | Object | str) -> Resource:
    """Return the row of a type, an object, or a kind such as "Pod"; KeyError if there is none."""
    if isinstance(what, str):
        return _by_kind()[what]
    type_ = what if isinstance(what, type) else type(what)
    return resource_of(type_.__definition__) if issubclass(type_, Custom) else _by_type()[type_]


def defined(crds: Iterable[CustomResourceDefinition]) -> list[Resource]:
    """Return the rows of the kinds that definitions have made by now, best version first."""
    served = [kind for crd in crds if is_established(crd) for kind in served_kinds(crd)]
    return [resource_of(kind) for kind in served]


def resource_of(definition: Definition) -> Resource:
    """Return the row of a kind that was defined; only its cluster knows it, no table has it."""
    names = definition.names
    return Resource(
        kind=names.kind,
        group=definition.group,
        version=definition.version,
        plural=names.plural,
        singular=names.singular,
        short_names=names.shortNames,
        namespaced=definition.namespaced,
        categories=names.categories,
        type=type_of(definition),
    )


def lookup(api_version: str, kind: str) -> type[Object] | None:
    """Return the type for an apiVersion and kind, or None if the cluster has no such kind."""
    return _by_gvk().get((api_version, kind))


def resolve(name: str, custom: Iterable[Resource] = ()) -> Resource | None:
    """Find the resource that somebody means: plural, singular, short name or kind.

    The group may follow ("deployments.apps", "deployments.v1.apps"); case does not matter. `custom`
    are the kinds that were defined, best versions first; built-in ones win.
    """
    wanted = name.lower()
    found = _by_name().get(wanted)
    if found is None:
        found = next((resource for resource in custom if wanted in _names_of(resource)), None)
    return found


def shadowed(short_name: str) -> Resource | None:
    """Return the kind of another group that has the same short name and is not meant by it.

    >>> shadowed("ev").group_resource
    'events.events.k8s.io'
    """
    meant = _by_name().get(short_name.lower())
    if meant is None or short_name.lower() not in meant.short_names:
        return None
    for other in OTHER_VERSIONS:
        if other.group != meant.group and short_name.lower() in other.short_names:
            return other
    return None


def _names_of(resource: Resource) -> list[str]:
    own = (resource.plural, resource.singular, resource.kind.lower(), *resource.short_names)
    full = ("", f".{resource.group}", f".{resource.version}.{resource.group}")
    return [name + end for name in own for end in full]


def _all() -> Iterator[Resource]:
    yield from (*KINDS, *OTHER_VERSIONS, *AGGREGATED, *REVIEWS, *UNSTORED)


@cache
def _by_kind() -> dict[str, Resource]:
    return {resource.kind: resource for resource in (*KINDS, *REVIEWS, *UNSTORED)}


@cache
def _by_type() -> dict[type[Object], Resource]:
    return {resource.type: resource for resource in _all()}


@cache
def _by_gvk() -> dict[tuple[str, str], type[Object]]:
    known: dict[tuple[str, str], type[Object]] = {}
    for resource in _all():
        known[resource.api_version, resource.kind] = resource.type
    for subresource in SUBRESOURCE_TYPES:
        prototype = subresource()
        known[prototype.apiVersion, prototype.kind] = subresource
    return known


@cache
def _by_name() -> dict[str, Resource]:
    names: dict[str, Resource] = {}
    for resource in (*KINDS, *UNSTORED):
        for name in (resource.plural, resource.singular, *resource.short_names):
            names.setdefault(name, resource)
            if resource.group:
                names[f"{name}.{resource.group}"] = resource
                names[f"{name}.{resource.version}.{resource.group}"] = resource
    for resource in OTHER_VERSIONS:
        for name in (resource.plural, resource.singular, *resource.short_names):
            names.setdefault(f"{name}.{resource.group}", resource)
            names.setdefault(f"{name}.{resource.version}.{resource.group}", resource)
    return names
