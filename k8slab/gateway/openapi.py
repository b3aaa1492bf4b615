"""OpenAPI v3: what `kubectl explain` reads, and by which kubectl sees what the server can do.

One document for each group and version: the schemas of its kinds (`openapi_schemas`), and what can
be asked of each of their paths (`openapi_operations`).

Rule of use: `document(path, rows)` for /openapi/v3 and what it lists; None for other paths.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/openapi
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from k8slab.api.openapi_schemas import collect, list_schema, schema_name
from k8slab.api.scheme import Resource
from k8slab.gateway import openapi_operations as operations
from k8slab.gateway.discovery import BUILT_IN, Rows, group_versions, resources_of

ROOT = "/openapi/v3"


def document(path: str, rows: Rows = BUILT_IN) -> dict[str, Any] | None:
    """Return the document at a path, None if there is none."""
    if path == ROOT:
        return {
            "paths": {
                _where(name): {"serverRelativeURL": _url(name, rows)}
                for name in group_versions(rows)
            }
        }
    wanted = path.removeprefix(f"{ROOT}/")
    for group_version in group_versions(rows):
        if _where(group_version) == wanted:
            return of_rows(group_version, rows)
    return None


@cache
def of_group_version(group_version: str) -> dict[str, Any]:
    """Return the document of one group and version that each cluster has."""
    return _made_of(resources_of(group_version))


def of_rows(group_version: str, rows: Rows) -> dict[str, Any]:
    """Return the document of one group and version, of what a server serves."""
    resources = resources_of(group_version, rows)
    is_custom = any(resource.is_custom for resource in resources)
    return _made_of(resources) if is_custom else of_group_version(group_version)


def _made_of(resources: Sequence[Resource]) -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    paths: list[tuple[str, dict[str, Any]]] = []
    for resource in resources:
        collect(resource.type, schemas)
        schemas[f"{schema_name(resource.type)}List"] = list_schema(resource)
        paths += operations.paths(resource, schemas)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.37.0"},
        "paths": dict(sorted(paths)),
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _where(group_version: str) -> str:
    return f"apis/{group_version}" if "/" in group_version else f"api/{group_version}"


def _url(group_version: str, rows: Rows) -> str:
    encoded = msgspec.json.encode(of_rows(group_version, rows))
    return f"{ROOT}/{_where(group_version)}?hash={hashlib.sha512(encoded).hexdigest().upper()}"
