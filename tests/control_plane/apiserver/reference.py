"""Requests that were made of a real API server, replayed against ours, and what differs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from k8slab.api import codec, scheme
from k8slab.api.errors import ApiError
from k8slab.client import Listing, Notes, Request
from k8slab.control_plane.apiserver import APIServer
from k8slab.control_plane.etcd import Backend, Endpoint, Etcd
from k8slab.sim import Simulation

VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
NAMED_PARAMETERS = {
    "labelSelector": "label_selector",
    "fieldSelector": "field_selector",
    "fieldManager": "field_manager",
    "fieldValidation": "field_validation",
    "resourceVersion": "resource_version",
}
VARYING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"10\.96\.\d+\.\d+"), "<ip>"),
    (re.compile(r"kube-api-access-[a-z0-9]{5}"), "kube-api-access-<suffix>"),
    (re.compile(r"g{20,}[a-z0-9]{5}"), "<generated>"),
)


class Replay:
    """One API server, and the facts of one record played to it."""

    def __init__(self) -> None:
        self.sim = Simulation(seed=7)
        endpoint = Endpoint()
        endpoint.serve(Etcd(self.sim, Backend()))
        self.server = APIServer(self.sim, endpoint, service_cidr="10.96.0.0/16")
        self.server.start()
        self.send({"method": "POST", "path": "/api/v1/namespaces", "body": namespace("default")})

    def send(self, call: dict[str, Any]) -> tuple[int, Any, list[str]]:
        """Return code, body and warnings of one recorded call."""
        notes = Notes()
        try:
            request = request_of(call, notes)
            answer = self.server.handle(request)
        except ValueError:
            return 400, {}, []  # not JSON at all: the gateway says so
        except ApiError as refused:
            return refused.code, codec.to_dict(refused.status), notes.warnings
        if request.resource == "namespaces" and request.verb == "create" and not request.dry_run:
            self._account(answer.metadata.name)
        created = request.verb == "create" or notes.created
        return 201 if created else 200, plain(answer), notes.warnings

    def _account(self, name: str) -> None:
        """Do what controllers do for each namespace."""
        for plural, made in (("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt")):
            path = f"/api/v1/namespaces/{name}/{plural}"
            self.send({"method": "POST", "path": path, "body": {"metadata": {"name": made}}})

    def difference(self, fact: dict[str, Any]) -> str:
        """Play one fact and return how our answer differs, empty if it does not."""
        for call in fact["setup"]:
            # What an unknown user was refused, our admin would be allowed.
            if call.get("code") != 403 and "method" in call and "watch=1" not in call["path"]:
                self.send(call)
        code, body, warnings = self.send(fact["request"])
        expected = fact["response"]
        if code != expected["code"]:
            return f"code {code} for {expected['code']}: {body.get('message', '')}"
        said = expected.get("headers", {}).get("Warning", [])
        wanted = [said] if isinstance(said, str) else said
        if [f"299 - {json.dumps(text)}" for text in warnings] != wanted:
            return f"warnings {warnings} for {wanted}"
        if "fields" in expected:
            return _fields(body, expected["fields"])
        return _bodies(body, expected.get("body"), code)


def request_of(call: dict[str, Any], notes: Notes) -> Request:
    """Return the request that a recorded call is."""
    path, _, query = call["path"].partition("?")
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    parts = [unquote(part) for part in path.strip("/").split("/")]
    group = "" if parts[0] == "api" else parts[1]
    version, *rest = parts[1:] if parts[0] == "api" else parts[2:]
    spaced = len(rest) > 2 and rest[0] == "namespaces" and scheme.resolve(rest[2]) is not None
    namespace = rest[1] if spaced else ""
    resource, name, subresource = (*(rest[2:] if spaced else rest), "", "", "")[:3]
    verb = VERBS[call["method"]]
    if not name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
    fields = {
        ours: parameters[theirs]
        for theirs, ours in NAMED_PARAMETERS.items()
        if theirs in parameters
    }
    fields.setdefault("field_validation", "Warn")
    body = call.get("body")
    if verb == "patch" and isinstance(body, str):
        body = json.loads(body)
    if verb in ("delete", "deletecollection") and "propagationPolicy" in parameters:
        body = {"propagationPolicy": parameters["propagationPolicy"]}
    return Request(
        verb=verb,
        resource=resource,
        group=group,
        version=version,
        namespace=namespace,
        name=name,
        subresource=subresource,
        body=body,
        patch_type=call.get("headers", {}).get("Content-Type", ""),
        dry_run=parameters.get("dryRun") == "All",
        notes=notes,
        **fields,
    )


def plain(answer: Any) -> Any:
    """Return an answer as the data that a client would read."""
    if isinstance(answer, Listing):
        items = [plain(item) for item in answer.items]
        return {"items": items, "metadata": {"resourceVersion": answer.resource_version}}
    if isinstance(answer, msgspec.Struct):
        return codec.to_dict(answer)
    return answer


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def load(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def at(body: Any, path: str) -> Any:
    """Return the value at a path such as items[0].metadata.name, None if there is none."""
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if name:
            body = body.get(name) if isinstance(body, dict) else None
        else:
            body = body[int(index)] if isinstance(body, list) and int(index) < len(body) else None
    return body


def names(body: Any) -> list[str]:
    return [item["metadata"]["name"] for item in body["items"]]


def normal(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=list)
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return text


def _fields(body: Any, fields: dict[str, Any]) -> str:
    for path, wanted in fields.items():
        if path.endswith("resourceVersion") or (path in ("kind", "apiVersion") and "items" in body):
            continue
        found = names(body) if path == "names" else at(body, path)
        if normal(_comparable(found)) != normal(_comparable(wanted)):
            return f"{path}: {normal(found)[:300]} for {normal(wanted)[:300]}"
    return ""


def _bodies(body: Any, wanted: Any, code: int) -> str:
    if not isinstance(wanted, dict):
        return f"no body to compare: {wanted!r:.80}"
    if wanted.get("kind") == "Status" and code < 400:
        return "" if isinstance(body, dict) else "no object"  # the gateway makes a Status of it
    if wanted.get("kind") == "Status":
        keys = ("message", "reason", "details", "code")
        left = {key: body.get(key) or None for key in keys}
        right = {key: wanted.get(key) or None for key in keys}
    else:
        left, right = _comparable(body), _comparable(wanted)
    if normal(left) == normal(right):
        return ""
    return first_difference(left, right, "")


def _comparable(body: Any) -> Any:
    if isinstance(body, dict):
        return {
            key: _comparable(value)
            for key, value in body.items()
            if key not in ("resourceVersion", "managedFields") and value is not None
        }
    return [_comparable(item) for item in body] if isinstance(body, list | tuple) else body


def first_difference(left: Any, right: Any, path: str) -> str:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted({*left, *right}):
            found = first_difference(left.get(key), right.get(key), f"{path}.{key}")
            if found:
                return found
        return ""
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            found = first_difference(one, other, f"{path}[{index}]")
            if found:
                return found
        return ""
    return "" if normal(left) == normal(right) else f"{path}: {normal(left)} for {normal(right)}"
