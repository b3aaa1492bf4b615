"""What the server serves: its version, its groups, its resources and their verbs.

A client asks this first, and so learns that "deploy" means deployments in apps/v1. All of it is
generated from the rows of the kinds that are served: those of the table, and those that somebody
defined in this cluster.

Rule of use: `document(path, form, rows)` gives the document of a path as plain data, None if there
is none; `BUILT_IN` are the rows that each cluster has.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/discovery
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from k8slab.api import conversion
from k8slab.api.custom import Custom, version_rank
from k8slab.api.scheme import AGGREGATED, KINDS, OTHER_VERSIONS, REVIEWS, UNSTORED, Resource
from k8slab.gateway import health
from k8slab.gateway.negotiation import Form

VERSION = {
    "major": "1",
    "minor": "37",
    "emulationMajor": "1",
    "emulationMinor": "37",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "36",
    "gitVersion": "v1.37.0",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "k8slab",
    "platform": "linux/amd64",
}
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
# A defined kind lists the same ones in another order.
VERBS_OF_DEFINED = (
    *("delete", "deletecollection", "get", "list"),
    *("patch", "create", "update", "watch"),
)
STORED_AS = {"CustomResourceDefinition": "v1beta1"}  # upstream never moved on
READ_WRITE = ("get", "patch", "update")
# Priorities of upstream's APIServices; groups that were defined come later, by name.
PREFERRED_ORDER = (
    *("", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io"),
    *("autoscaling", "batch", "networking.k8s.io", "policy", "rbac.authorization.k8s.io"),
    *("storage.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io", "coordination.k8s.io"),
    *("node.k8s.io", "discovery.k8s.io"),
)
Rows: TypeAlias = Sequence[Resource]  # what a server serves
BUILT_IN: Rows = (*KINDS, *OTHER_VERSIONS, *REVIEWS, *UNSTORED)


class Subresource(msgspec.Struct, frozen=True):
    """A part of an object that is read or written on its own."""

    name: str
    verbs: tuple[str, ...]
    kind: str = ""  # of what is sent and answered, if it is not the object itself
    group: str = ""
    version: str = ""


STATUS = Subresource("status", READ_WRITE)
PASSED_ON = ("create", "delete", "get", "patch", "update")
SCALE = Subresource("scale", READ_WRITE, "Scale", "autoscaling", "v1")
SUBRESOURCES: dict[str, tuple[Subresource, ...]] = {
    "Pod": (
        Subresource("attach", ("create", "get"), "PodAttachOptions", "", "v1"),
        Subresource("binding", ("create",), "Binding", "", "v1"),
        Subresource("ephemeralcontainers", READ_WRITE),
        Subresource("eviction", ("create",), "Eviction", "policy", "v1"),
        Subresource("exec", ("create", "get"), "PodExecOptions", "", "v1"),
        Subresource("log", ("get",)),
        Subresource("portforward", ("create", "get"), "PodPortForwardOptions", "", "v1"),
        Subresource("proxy", PASSED_ON, "PodProxyOptions", "", "v1"),
        Subresource("resize", READ_WRITE),
    ),
    "Service": (Subresource("proxy", PASSED_ON, "ServiceProxyOptions", "", "v1"),),
    "Node": (Subresource("proxy", PASSED_ON, "NodeProxyOptions", "", "v1"),),
    "ServiceAccount": (
        Subresource("token", ("create",), "TokenRequest", "authentication.k8s.io", "v1"),
    ),
    "Namespace": (Subresource("finalize", ("update",)),),
    "Deployment": (SCALE,),
    "ReplicaSet": (SCALE,),
    "StatefulSet": (SCALE,),
    "ReplicationController": (SCALE,),
}


def document(path: str, form: Form, rows: Rows = BUILT_IN) -> dict[str, Any] | None:
    """Return the discovery document of a path such as "/apis/apps/v1".

    >>> document("/apis/apps/v1", Form())["groupVersion"]
    'apps/v1'
    """
    parts = path.strip("/").split("/")
    if parts == ["version"]:
        return dict(VERSION)
    if parts == ["api"]:
        return _aggregated(rows, [""]) if form.view else dict(_LEGACY_VERSIONS)
    if parts == ["apis"]:
        groups = [group for group in group_names(rows) if group]
        return _aggregated(rows, groups) if form.view else _group_list(rows, groups)
    if parts[0] == "apis" and len(parts) == 2 and parts[1] in group_names(rows):
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(rows, parts[1])}
    if parts[0] in ("api", "apis") and len(parts) == (2 if parts[0] == "api" else 3):
        return _resource_list(rows, "/".join(parts[1:]))
    return None


def group_names(rows: Rows = BUILT_IN) -> list[str]:
    """Return the API groups, in the order in which clients should prefer them."""
    names = {resource.group: resource.is_custom for resource in reversed(rows)}
    return sorted(names, key=lambda group: (names[group], *_rank(group)))


def group_versions(rows: Rows = BUILT_IN) -> list[str]:
    """Return all "apps/v1", the core group's "v1" first."""
    groups = group_names(rows)
    return list(dict.fromkeys(r.api_version for group in groups for r in _of_group(rows, group)))


def resources_of(group_version: str, rows: Rows = BUILT_IN) -> list[Resource]:
    """Return the resources of a "group/version", by name."""
    found = (resource for resource in rows if resource.api_version == group_version)
    return sorted(found, key=lambda resource: resource.plural)


def verbs_of(resource: Resource) -> tuple[str, ...]:
    """Return what can be done with a resource."""
    if resource in AGGREGATED:
        return ("get", "list")
    if resource.is_custom:
        return VERBS_OF_DEFINED
    if resource.kind == "Namespace":  # they go one by one, each with what is in it
        return tuple(verb for verb in VERBS if verb != "deletecollection")
    if resource.kind == "ComponentStatus":
        return ("get", "list")
    return ("create",) if resource.is_question or resource in UNSTORED else VERBS


def subresources_of(resource: Resource) -> list[Subresource]:
    """Return the subresources of a resource, by name."""
    type_ = resource.type
    found = list(SUBRESOURCES.get(resource.builtin_kind, ()))
    if issubclass(type_, Custom):
        found += [SCALE] if type_.__definition__.scale is not None else []
        found += [STATUS] if type_.__definition__.has_status else []
    elif "status" in type_.__struct_fields__ and not resource.is_question:
        found.append(STATUS)
    return sorted(found, key=lambda subresource: subresource.name)


def paths(rows: Rows = BUILT_IN) -> list[str]:
    """Return what the root of the server lists."""
    found = ["/api", "/api/v1", "/apis", "/apis/"]
    for group in group_names(rows):
        if group:
            found.append(f"/apis/{group}")
            found += [f"/apis/{group}/{version}" for version in _versions(rows, group)]
    documents = ("/openapi/v2", "/openapi/v3", "/openapi/v3/", "/version")
    return sorted([*found, *health.paths(), *documents, "/metrics"])


_LEGACY_VERSIONS = {
    "kind": "APIVersions",
    "versions": ["v1"],
    "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}],
}


def _rank(group: str) -> tuple[int, str]:
    known = group in PREFERRED_ORDER
    return (PREFERRED_ORDER.index(group) if known else len(PREFERRED_ORDER), group)


def _of_group(rows: Rows, group: str) -> Iterator[Resource]:
    return (resource for resource in rows if resource.group == group)


def _versions(rows: Rows, group: str) -> list[str]:
    """Return the versions of a group, the one that clients should prefer first."""
    versions = dict.fromkeys(resource.version for resource in _of_group(rows, group))
    return sorted(versions, key=version_rank)


def _group(rows: Rows, group: str) -> dict[str, Any]:
    entries = [
        {"groupVersion": f"{group}/{version}", "version": version}
        for version in _versions(rows, group)
    ]
    return {"name": group, "versions": entries, "preferredVersion": entries[0]}


def _group_list(rows: Rows, groups: list[str]) -> dict[str, Any]:
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(rows, g) for g in groups]}


def _resource_list(rows: Rows, group_version: str) -> dict[str, Any] | None:
    resources = resources_of(group_version, rows)
    if not resources:
        return None
    entries: list[dict[str, Any]] = []
    for resource in resources:
        entries.append(_entry(resource))
        entries += [_sub_entry(resource, sub) for sub in subresources_of(resource)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": entries,
    }


def _entry(resource: Resource) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(verbs_of(resource)),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.is_question or resource in (*AGGREGATED, *UNSTORED):  # nothing of it is stored
        return entry
    return {**entry, "storageVersionHash": storage_version_hash(resource)}


def _sub_entry(resource: Resource, sub: Subresource) -> dict[str, Any]:
    where = {"group": sub.group, "version": sub.version} if sub.group else {}
    return {
        "name": f"{resource.plural}/{sub.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        **where,
        "kind": sub.kind or resource.kind,
        "verbs": list(sub.verbs),
    }


def storage_version_hash(resource: Resource) -> str:
    """Return the hash by which a client sees that a resource is stored in another version."""
    type_ = resource.type
    if issubclass(type_, Custom):
        version = type_.__definition__.stored_version
    else:
        stored = conversion.stored_row(resource)
        version = STORED_AS.get(resource.kind) or stored.version
    text = f"{conversion.stored_group(resource.group, resource.plural)}/{version}/{resource.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


def _aggregated(rows: Rows, groups: list[str]) -> dict[str, Any]:
    """Return groups, versions and resources in one document, which saves a client many requests."""
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [_discovery_of_group(rows, group) for group in groups],
    }


def _discovery_of_group(rows: Rows, group: str) -> dict[str, Any]:
    versions = _versions(rows, group)
    return {
        "metadata": {"name": group} if group else {},
        "versions": [_discovery_of_version(rows, group, version) for version in versions],
    }


def _discovery_of_version(rows: Rows, group: str, version: str) -> dict[str, Any]:
    name = f"{group}/{version}" if group else version
    resources = [_discovery_of_resource(resource) for resource in resources_of(name, rows)]
    return {"version": version, "resources": resources, "freshness": "Current"}


def _discovery_of_resource(resource: Resource) -> dict[str, Any]:
    own = {"group": "", "version": "", "kind": resource.kind}  # those that stand above it
    if resource.is_custom:
        own |= {"group": resource.group, "version": resource.version}
    found: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": own,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(verbs_of(resource)),
    }
    if resource.short_names:
        found["shortNames"] = list(resource.short_names)
    if resource.categories:
        found["categories"] = list(resource.categories)
    subresources = []
    for sub in subresources_of(resource):
        version = sub.version if sub.group else ""
        kind = {"group": sub.group, "version": version, "kind": sub.kind} if sub.kind else own
        subresources.append(
            {"subresource": sub.name, "responseKind": kind, "verbs": list(sub.verbs)}
        )
    return {**found, "subresources": subresources} if subresources else found
