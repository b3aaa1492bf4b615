"""OpenAPI v2 (Swagger): the same schemas and operations in one document, for older clients.

Rule of use: `document(rows)`; in protobuf it is shorter (`openapi_v2_protobuf`).

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
    operations = {key: _operation(value) for key, value in item.items() if key != "parameters"}
    return {**operations, "parameters": _parameters(item)}


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    parameters = _parameters(operation)
    body = operation.get("requestBody")
    if body is not None:
        schema = next(iter(body["content"].values()))["schema"]
        own = {"name": "body", "in": "body", "schema": _lowered(schema)}
        parameters.append({**own, "required": True} if body.get("required") else own)
    answers = operation["responses"]
    kept = {key: value for key, value in operation.items() if key != "requestBody"}
    return {
        **kept,
        "parameters": parameters,
        "consumes": list(body["content"]) if body is not None else ["*/*"],
        "produces": list(answers["200"]["content"]),
        "responses": {code: _answer(answer) for code, answer in answers.items()},
    }


def _parameters(where: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**{key: value for key, value in each.items() if key != "schema"}, **each["schema"]}
        for each in where["parameters"]
    ]


def _answer(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"description": answer["description"]}
    for content in answer.get("content", {}).values():
        found["schema"] = _lowered(content["schema"])
    return found


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
