"""OpenAPI v2 (Swagger): the same schemas and operations in one document, for older clients.

Rule of use: `document(rows)`; JSON only, where real servers also speak protobuf.

Upstream: k8s.io/kube-openapi/pkg/builder
"""

from __future__ import annotations

from typing import Any

from k8slab.gateway import openapi
from k8slab.gateway.discovery import BUILT_IN, VERSION, Rows, group_versions

PATH = "/openapi/v2"
V3_SCHEMAS, V2_SCHEMAS = "#/components/schemas/", "#/definitions/"


def document(rows: Rows = BUILT_IN) -> dict[str, Any]:
    """Return the document."""
    definitions: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for group_version in group_versions(rows):
        part = openapi.of_rows(group_version, rows)
        definitions |= part["components"]["schemas"]
        paths |= {path: _item(item) for path, item in part["paths"].items()}
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": VERSION["gitVersion"]},
        "paths": dict(sorted(paths.items())),
        "definitions": {name: _lowered(definitions[name]) for name in sorted(definitions)},
    }


def _item(item: dict[str, Any]) -> dict[str, Any]:
    return {method: _operation(method, operation) for method, operation in item.items()}


def _operation(method: str, operation: dict[str, Any]) -> dict[str, Any]:
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    parameters = [
        {"name": parameter["name"], "in": "query", "type": "string", "uniqueItems": True}
        for parameter in operation["parameters"]
    ]
    if method in ("post", "put", "patch"):
        parameters.append({"name": "body", "in": "body", "required": True, "schema": {}})
    return {
        **operation,
        "parameters": parameters,
        "produces": ["application/json"],
        "responses": {"200": {"description": "OK", "schema": _lowered(schema)}},
    }


def _lowered(schema: Any) -> Any:
    """Return a schema as version 2 writes it: a reference stands alone, no oneOf."""
    if isinstance(schema, list | tuple):
        return [_lowered(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    references = schema.get("allOf", ())
    if len(references) == 1 and "$ref" in references[0]:
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        return {**_lowered(rest), **_lowered(references[0])}
    found = {key: _lowered(value) for key, value in schema.items() if key not in ("oneOf", "anyOf")}
    if isinstance(found.get("$ref"), str):
        found["$ref"] = found["$ref"].replace(V3_SCHEMAS, V2_SCHEMAS)
    return found or {"type": "string"}
