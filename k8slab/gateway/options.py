"""What may stand in a query, and how the server says that it may not.

Each verb has its options (CreateOptions, ListOptions, ...); a value that is none of those known is
refused like a bad field of an object, 422 with the name of the option.

Rule of use: `check(http, request)` before anything is done.

Upstream: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go,
staging/src/k8s.io/apimachinery/pkg/apis/meta/internalversion/validation/validation.go
"""

from __future__ import annotations

from k8slab.api import errors
from k8slab.api.errors import FieldError
from k8slab.client import APPLY_PATCH, Request
from k8slab.gateway.messages import HttpRequest
from k8slab.gateway.negotiation import media_type
from k8slab.gateway.paths import MAX_MANAGER, flag

KINDS = {
    "create": "CreateOptions",
    "update": "UpdateOptions",
    "patch": "PatchOptions",
    "delete": "DeleteOptions",
    "deletecollection": "DeleteOptions",
    "list": "ListOptions",
    "watch": "ListOptions",
}
POLICIES = ("Foreground", "Background", "Orphan")


def check(http: HttpRequest, request: Request) -> None:
    """Raise ApiError for options that make no sense."""
    kind = KINDS.get(request.verb)
    if kind is None:
        return
    if kind == "ListOptions":
        found = _of_list(http, request)
    else:
        found = _dry_run(http)
        if kind != "DeleteOptions":
            found += _writing(http)
        if kind == "PatchOptions":
            found += _patching(http, request)
    if found:
        raise errors.invalid(kind, "", found, "meta.k8s.io")


def _dry_run(http: HttpRequest) -> list[FieldError]:
    given = [value for key, value in http.query if key == "dryRun"]
    if all(value == "All" for value in given):
        return []
    return [errors.not_supported("dryRun", given, ["All"])]


def _writing(http: HttpRequest) -> list[FieldError]:
    found = []
    validation = http.parameter("fieldValidation")
    known = ("", "Ignore", "Strict", "Warn")
    if validation not in known:
        found.append(errors.not_supported("fieldValidation", validation, known))
    manager = http.parameter("fieldManager")
    if len(manager) > MAX_MANAGER:
        found.append(errors.too_long("fieldManager", MAX_MANAGER))
    if not manager.isprintable():
        found.append(
            errors.invalid_value(
                "fieldManager", manager, "should only contain printable characters"
            )
        )
    return found


def _patching(http: HttpRequest, request: Request) -> list[FieldError]:
    is_apply = media_type(http.header("content-type")) == APPLY_PATCH
    if is_apply and not request.field_manager:
        return [errors.required("fieldManager", "is required for apply patch")]
    if not is_apply and http.parameter("force"):
        return [errors.forbidden_field("force", "may not be specified for non-apply patch")]
    return []


def _of_list(http: HttpRequest, request: Request) -> list[FieldError]:
    match = http.parameter("resourceVersionMatch")
    is_watch = request.verb == "watch"
    initial = http.parameter("sendInitialEvents")
    if initial and is_watch and match != "NotOlderThan":
        flag(initial)
        detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        return [errors.forbidden_field("resourceVersionMatch", detail)]
    if initial and not is_watch:
        return [
            errors.forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list")
        ]
    if not match:
        return []
    if is_watch:
        return [] if initial else [_forbidden_match("for watch unless sendInitialEvents")]
    if not request.resource_version:
        return [_forbidden_match("unless resourceVersion")]
    if match not in ("Exact", "NotOlderThan"):
        known = ("Exact", "NotOlderThan", "")
        return [errors.not_supported("resourceVersionMatch", match, known)]
    if match == "Exact" and request.resource_version == "0":
        detail = 'resourceVersionMatch "Exact" is forbidden for resourceVersion "0"'
        return [errors.forbidden_field("resourceVersionMatch", detail)]
    return []


def _forbidden_match(when: str) -> FieldError:
    detail = f"resourceVersionMatch is forbidden {when} is provided"
    return errors.forbidden_field("resourceVersionMatch", detail)
