"""Bodies of requests: JSON, YAML or protobuf in, plain data out.

Rule of use: `read(http, resource, request)` gives the request with its body; ApiError 415 for a
form that the server does not read, 400 for one that cannot be read.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,update,patch,delete}.go
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from k8slab.api import errors, go_json
from k8slab.api.scheme import Resource
from k8slab.api.yaml_text import YamlError
from k8slab.api.yaml_text import parse as parse_yaml
from k8slab.client import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, Request
from k8slab.gateway.discovery import subresources_of
from k8slab.gateway.messages import JSON, YAML, HttpRequest
from k8slab.gateway.negotiation import PROTOBUF, media_type

PATCHES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)
PARSE = "couldn't get version/kind; json parse error: "
DELETE_PARAMETERS = ("gracePeriodSeconds", "orphanDependents", "propagationPolicy")


def read(http: HttpRequest, resource: Resource, request: Request) -> Request:
    """Return the request with what its body says."""
    if request.verb in ("create", "update"):
        return replace(request, body=_object(http, resource, request))
    if request.verb == "patch":
        return _patch(http, request)
    if request.verb in ("delete", "deletecollection"):
        return _delete(http, request)
    return request


def _object(http: HttpRequest, resource: Resource, request: Request) -> Any:
    """Return the body; what is to be stored stays text, for the server to be strict about."""
    kind, api_version = _expected(resource, request)
    if (kind, api_version) == (resource.kind, resource.api_version) and not _is_protobuf(http):
        return _text(http, kind)
    data = _data(http, kind)
    if not isinstance(data, dict):
        raise errors.bad_request("couldn't get version/kind; json parse error: not an object")
    # As upstream's decoder: what the body does not say of itself, the URL says.
    own = {"apiVersion": api_version, "kind": kind}
    return {**data, **{key: data.get(key) or value for key, value in own.items()}}


def _is_protobuf(http: HttpRequest) -> bool:
    return media_type(http.header("content-type")) == PROTOBUF


def _text(http: HttpRequest, kind: str) -> str:
    """Return the body as text: JSON or YAML, whatever it says it is."""
    form = media_type(http.header("content-type")) or JSON
    if form != JSON:
        _check_form(form)
        return http.body.decode("utf-8", "replace")
    _refuse_empty(http, kind)
    found = _json(
        http.body, f"the object provided is unrecognized (must be of type {kind}): {PARSE}"
    )
    if not isinstance(found, dict):
        raise errors.bad_request(f"{PARSE}json: cannot unmarshal {_go_kind(found)} into Go value")
    return http.body.decode("utf-8", "replace")


def _go_kind(value: Any) -> str:
    names = {list: "array", str: "string", bool: "bool", type(None): "null"}
    return names.get(type(value), "number")


def _expected(resource: Resource, request: Request) -> tuple[str, str]:
    """Return kind and apiVersion that the URL asks for."""
    for sub in subresources_of(resource):
        if sub.name == request.subresource and sub.kind:
            return sub.kind, f"{sub.group}/{sub.version}" if sub.group else sub.version
    return resource.kind, resource.api_version


def _patch(http: HttpRequest, request: Request) -> Request:
    kind = media_type(http.header("content-type"))
    if kind not in PATCHES:
        raise errors.unsupported_media_type()
    text = http.body
    data = _yaml(text) if kind == APPLY_PATCH else _json(text, "error decoding patch: ")
    wanted = list if kind == JSON_PATCH else dict
    if not isinstance(data, wanted):
        name = (
            "object" if isinstance(data, dict) else "array" if isinstance(data, list) else "value"
        )
        type_ = "[]handlers.jsonPatchOp" if kind == JSON_PATCH else "map[string]interface {}"
        raise errors.bad_request(
            f"error decoding patch: json: cannot unmarshal {name} into Go value of type {type_}"
        )
    return replace(request, body=data, patch_type=kind)


def _delete(http: HttpRequest, request: Request) -> Request:
    if http.body:
        options = _data(http, "DeleteOptions")
        options = options if isinstance(options, dict) else {}
    else:
        options = {name: http.parameter(name) for name in DELETE_PARAMETERS if http.parameter(name)}
        if "gracePeriodSeconds" in options:
            options["gracePeriodSeconds"] = _integer(options["gracePeriodSeconds"])
        if "orphanDependents" in options:
            options["orphanDependents"] = options["orphanDependents"] in ("1", "true")
    stages = options.get("dryRun")  # what is no list is refused by whoever reads the options
    dry_run = request.dry_run or (isinstance(stages, list) and "All" in stages)
    kept = {key: value for key, value in options.items() if value is not None}
    return replace(request, body=kept, dry_run=dry_run)


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _data(http: HttpRequest, kind: str) -> Any:
    """Return the body as plain data, whatever its form."""
    form = media_type(http.header("content-type")) or JSON
    if form == PROTOBUF:
        from k8slab.gateway import protobuf

        return protobuf.decode(http.body)
    _check_form(form)
    if form != JSON:
        return _yaml(http.body)
    _refuse_empty(http, kind)
    return _json(http.body, PARSE)


def _check_form(form: str) -> None:
    if form not in (JSON, YAML, "text/yaml"):
        known = ", ".join((JSON, YAML, PROTOBUF))
        raise errors.unsupported_media_type(
            "the body of the request was in an unknown format - accepted media types include: "
            f"{known}"
        )


def _refuse_empty(http: HttpRequest, kind: str) -> None:
    if not http.body.strip():
        raise errors.bad_request(
            f"the object provided is unrecognized (must be of type {kind}): {PARSE}unexpected end "
            "of JSON input (<empty>)"
        )


def _json(text: bytes, context: str) -> Any:
    try:
        return go_json.decode(text)
    except ValueError as error:
        raise errors.bad_request(f"{context}{error}") from None


def _yaml(text: bytes) -> Any:
    try:
        documents = parse_yaml(text.decode())
    except (YamlError, UnicodeDecodeError, RecursionError) as error:
        raise errors.bad_request(f"error decoding YAML: {error}") from None
    if len(documents) != 1:
        raise errors.bad_request(
            f"error decoding YAML: expected one document, found {len(documents)}"
        )
    return documents[0]
