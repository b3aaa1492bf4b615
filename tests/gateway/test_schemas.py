"""Objects made after the schemas that the server itself publishes: each is taken or refused."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8slab.api.scheme import KINDS
from tests.gateway.conftest import Lab
from tests.gateway.test_robustness import check

WORDS = st.sampled_from(
    [
        "a",
        "b",
        "default",
        "web-1",
        "10.96.0.7",
        "1",
        "50%",
        "100m",
        "1Gi",
        "Always",
        "TCP",
        "A_B",
        "",
    ]
)
NUMBERS = st.one_of(st.integers(-1, 3), st.sampled_from([80, 65536, 2**31, 2**63 - 1]))
DEPTH = 7  # how far a generated object nests


@cache
def schemas(path: str) -> dict[str, Any]:
    """The schemas that /openapi/v3 has for a group and version."""
    found: dict[str, Any] = Lab().get(f"/openapi/v3/{path}")["components"]["schemas"]
    return found


def schema_of(kind: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    known = schemas(f"apis/{kind.api_version}" if kind.group else "api/v1")
    wanted = {"group": kind.group, "kind": kind.kind, "version": kind.version}
    for schema in known.values():
        if wanted in schema.get("x-kubernetes-group-version-kind", ()):
            return schema, known
    raise AssertionError(f"no schema of {wanted}")


def value(draw: Any, schema: dict[str, Any], known: dict[str, Any], depth: int) -> Any:
    """A value that the schema allows, or now and then something else."""
    if draw(st.integers(0, 40)) == 0:
        return draw(st.sampled_from([None, [], {}, "x", 7, True, [None], {"": ""}]))
    schema = schema["allOf"][0] if "allOf" in schema else schema
    if "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    if "properties" in schema:
        names = sorted(schema["properties"])
        few = draw(st.lists(st.sampled_from(names), max_size=4 if depth else 0, unique=True))
        chosen = dict.fromkeys([*schema.get("required", ()), *few])
        return {n: value(draw, schema["properties"][n], known, depth - 1) for n in chosen}
    if schema.get("type") == "array":
        size = draw(st.integers(0, 2 if depth > 0 else 0))
        return [value(draw, schema["items"], known, depth - 1) for _ in range(size)]
    if "additionalProperties" in schema:
        inner = schema["additionalProperties"]
        inner = inner if isinstance(inner, dict) else {"type": "string"}
        return {draw(WORDS): value(draw, inner, known, depth - 1)}
    simple = {"integer": NUMBERS, "number": NUMBERS, "boolean": st.booleans()}
    return draw(simple.get(schema.get("type", ""), st.one_of(WORDS, NUMBERS)))


@st.composite
def objects(draw):
    kind = draw(st.sampled_from(KINDS))
    schema, known = schema_of(kind)
    body = {
        name: value(draw, inner, known, DEPTH)
        for name, inner in schema["properties"].items()
        if name not in ("apiVersion", "kind", "metadata", "status")
    }
    meta: dict[str, Any] = {"name": draw(WORDS)}
    if draw(st.booleans()):
        meta["labels"] = {draw(WORDS): draw(WORDS)}
    return kind, {**body, "metadata": meta}


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(objects(), st.integers(0, 400))
def test_what_our_own_schemas_allow_is_taken_or_refused(made, cut) -> None:
    kind, body = made
    lab = Lab()
    root = f"/apis/{kind.api_version}" if kind.group else "/api/v1"
    where = f"{root}/namespaces/default" if kind.namespaced else root
    text = json.dumps(body).encode()
    check(lab.send("POST", f"{where}/{kind.plural}", text))
    check(lab.send("POST", f"{where}/{kind.plural}", text[:cut]))
    check(lab.send("PUT", f"{where}/{kind.plural}/{body['metadata']['name'] or 'x'}", text))
    check(
        lab.send(
            "GET", f"{where}/{kind.plural}", accept="application/json;as=Table;v=v1;g=meta.k8s.io"
        )
    )
