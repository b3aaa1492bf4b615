"""HTTPRoutes as rules: matches, filters, weighted backends, and which rule goes first.

Among the matches of all routes of a host: an exact path, the longest prefix, a method, the most
headers, the most query parameters; then the oldest route, the first by name, the first in its list.

Rule of use: pure; what is wrong with a backend is a condition of its route, and its share of the
requests gets a 500.

Upstream: gateway-api apis/v1/httproute_types.go (HTTPRouteRule.Matches)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from k8slab.addons.ingress.endpoints import port_of
from k8slab.addons.ingress.references import GROUP, Grants, Named, condition
from k8slab.addons.ingress.routing import (
    EXACT,
    PREFIX,
    REGEX,
    Backend,
    HeaderChanges,
    Pair,
    PathChange,
    Redirect,
    Rule,
)
from k8slab.api.core import Service
from k8slab.api.meta import Object

ROUTE = "HTTPRoute"
PATH_TYPES = {"Exact": EXACT, "PathPrefix": PREFIX, "RegularExpression": REGEX}
UNSUPPORTED_FILTERS = ("CORS", "ExtensionRef")
SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
ServiceOf = Callable[[str, str], "Service | None"]
Data = Mapping[str, Any]


def rules(route: Object, service_of: ServiceOf, grants: Grants) -> tuple[list[Rule], list[Data]]:
    """Return the rules of a route, for no host and port, and what is wrong with backends."""
    found, faults = [], []
    for number, each in enumerate(_spec(route).get("rules", ())):
        backends = []
        for index, ref in enumerate(each.get("backendRefs", ())):
            where = f"spec.rules[{number}].backendRefs[{index}]"
            backend, fault = _backend(route, ref, where, service_of, grants)
            backends.append(backend)
            faults += [fault] if fault is not None else []
        filters = each.get("filters", ())
        made = _with_filters(Rule(backends=tuple(backends)), route, filters, service_of, grants)
        made = replace(made, timeout=_timeout(each), source=f"{ROUTE} {_name(route)}")
        matches: Sequence[Data] = each.get("matches", ()) or ({},)
        found += [_matching(made, match) for match in matches]
    return found, faults


def unsupported(route: Object) -> str:
    """Return what in the route this controller cannot do, "" if nothing."""
    for number, each in enumerate(_spec(route).get("rules", ())):
        for index, filter_ in enumerate(each.get("filters", ())):
            if filter_["type"] in UNSUPPORTED_FILTERS:
                where = f"spec.rules[{number}].filters[{index}].type"
                return f'All rules are invalid: {where}: Unsupported value: "{filter_["type"]}"'
    return ""


def by_precedence(found: Iterable[tuple[Object, Sequence[Rule]]]) -> list[Rule]:
    """Return the rules of all routes, those first that go first."""
    ordered = sorted(
        found,
        key=lambda each: (each[0].metadata.creationTimestamp or "", _name(each[0])),
    )
    return sorted((rule for _, rules in ordered for rule in rules), key=_rank)


def _rank(rule: Rule) -> tuple[bool, bool, int, bool, int, int]:
    return (
        rule.path_type != EXACT,
        rule.path_type == REGEX,
        -len(rule.path),
        not rule.method,
        -len(rule.headers),
        -len(rule.query),
    )


def _matching(rule: Rule, match: Data) -> Rule:
    path = match.get("path", {})
    return replace(
        rule,
        path=path.get("value", "/"),
        path_type=PATH_TYPES[path.get("type", "PathPrefix")],
        method=match.get("method", ""),
        headers=tuple(_pair(each, lower=True) for each in match.get("headers", ())),
        query=tuple(_pair(each) for each in match.get("queryParams", ())),
    )


def _pair(each: Data, lower: bool = False) -> Pair:
    name = each["name"].lower() if lower else each["name"]
    return Pair(name, each["value"], each.get("type") == "RegularExpression")


# -- backends


def _backend(
    route: Object, ref: Data, where: str, service_of: ServiceOf, grants: Grants
) -> tuple[Backend, Data | None]:
    namespace = ref.get("namespace") or route.metadata.namespace or "default"
    group, kind, name = ref.get("group", ""), ref.get("kind", "Service"), ref["name"]
    port = ref.get("port", 0)
    service = service_of(namespace, name)
    reason = message = ""
    if group or kind != "Service":
        reason = "InvalidKind"
        message = f'{where}.kind: Unsupported value: "{kind}": supported values: "Service"'
    elif not grants.permit(
        route.metadata.namespace, GROUP, ROUTE, Named(group, kind, namespace, name)
    ):
        reason = "RefNotPermitted"
        text = f"Backend ref to Service {namespace}/{name} not permitted by any ReferenceGrant"
        message = f"{where}.namespace: Forbidden: {text}"
    elif service is None:
        reason, message = "BackendNotFound", f'{where}.name: Not found: "{name}"'
    elif port_of(service, port) is None:
        reason, message = "BackendNotFound", f"{where}.port: Not found: {port}"
    fault = condition("ResolvedRefs", False, reason, message) if reason else None
    return Backend(namespace, name, port, ref.get("weight", 1), message), fault


# -- filters


def _with_filters(
    rule: Rule, route: Object, filters: Sequence[Data], service_of: ServiceOf, grants: Grants
) -> Rule:
    for each in filters:
        kind = each["type"]
        if kind == "RequestHeaderModifier":
            changes = _changes(each["requestHeaderModifier"])
            rule = replace(rule, request_headers=(*rule.request_headers, changes))
        elif kind == "ResponseHeaderModifier":
            changes = _changes(each["responseHeaderModifier"])
            rule = replace(rule, response_headers=(*rule.response_headers, changes))
        elif kind == "RequestRedirect":
            rule = replace(rule, redirect=_redirect(each["requestRedirect"]))
        elif kind == "URLRewrite":
            given = each["urlRewrite"]
            path = _path_change(given.get("path"))
            rule = replace(rule, path_change=path, hostname=given.get("hostname", ""))
        elif kind == "RequestMirror":
            ref = each["requestMirror"]["backendRef"]
            backend, fault = _backend(route, ref, "requestMirror", service_of, grants)
            rule = rule if fault else replace(rule, mirrors=(*rule.mirrors, backend))
    return rule


def _redirect(given: Data) -> Redirect:
    return Redirect(
        status=given.get("statusCode", 302),
        scheme=given.get("scheme", ""),
        hostname=given.get("hostname", ""),
        port=given.get("port", 0),
        path=_path_change(given.get("path")),
    )


def _path_change(given: Data | None) -> PathChange | None:
    if given is None:
        return None
    if given["type"] == "ReplaceFullPath":
        return PathChange(given.get("replaceFullPath", "/"), whole=True)
    return PathChange(given.get("replacePrefixMatch", "/"), whole=False)


def _changes(given: Data) -> HeaderChanges:
    return HeaderChanges(
        set=tuple(_pair(each) for each in given.get("set", ())),
        add=tuple(_pair(each) for each in given.get("add", ())),
        remove=tuple(given.get("remove", ())),
    )


def _timeout(rule: Data) -> float | None:
    """Return the seconds that a request may take; no limit with 0s, or without any."""
    text = rule.get("timeouts", {}).get("request", "")
    parts = re.findall(r"(\d+)(ms|h|m|s)", text)
    return sum(int(number) * SECONDS[unit] for number, unit in parts) or None


def _spec(route: Object) -> Data:
    return route.spec or {}  # type: ignore[attr-defined]


def _name(route: Object) -> str:
    return f"{route.metadata.namespace}/{route.metadata.name}"
