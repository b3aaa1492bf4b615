"""What follows from all objects of the Gateway API: the proxy's rules, and everybody's status.

    GatewayClass   Accepted, SupportedVersion       whose controller this is
    Gateway        Accepted, Programmed             and of each listener, with its number of routes
    HTTPRoute      Accepted, ResolvedRefs           for each Gateway that it asks to be carried by

Rule of use: pure; `statuses` holds what each object's status should say, but for times.

Upstream: nginx-gateway-fabric internal/controller/state/graph, internal/controller/status
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from k8slab.addons.ingress.gateway_listeners import (
    HTTPS,
    Listener,
    SecretOf,
    allows,
    common_hostnames,
    listeners,
)
from k8slab.addons.ingress.gateway_rules import (
    ROUTE,
    ServiceOf,
    by_precedence,
    rules,
    unsupported,
)
from k8slab.addons.ingress.references import GROUP, Grants, condition
from k8slab.addons.ingress.routing import Rule
from k8slab.api.meta import Object

RECOMMENDED = "v1.2.1"  # the release of the Gateway API that this controller was made for
VERSION_ANNOTATION = "gateway.networking.k8s.io/bundle-version"
Data = Mapping[str, Any]
ACCEPTED = condition("Accepted", True, "Accepted", "The route is accepted")
RESOLVED = condition("ResolvedRefs", True, "ResolvedRefs", "All references are resolved")


class State(msgspec.Struct, frozen=True, kw_only=True):
    """All objects, and what else they are looked up in."""

    classes: tuple[Object, ...] = ()
    gateways: tuple[Object, ...] = ()
    routes: tuple[Object, ...] = ()
    grants: Grants
    service_of: ServiceOf
    secret_of: SecretOf
    labels_of: Callable[[str], Mapping[str, str]]  # of a namespace
    addresses: tuple[str, ...] = ()  # where the proxy can be reached
    versions: tuple[str, ...] = (RECOMMENDED,)  # of the definitions, "" for one that does not say


class Plan(msgspec.Struct, frozen=True):
    """What the proxy shall do, and what the objects' status shall say."""

    rules: tuple[Rule, ...]
    ports: tuple[int, ...]
    secure: tuple[int, ...]  # those of them that are https
    statuses: tuple[tuple[Object, Data], ...]


def plan(state: State, controller: str) -> Plan:
    """Return what follows from the objects, as far as they are this controller's."""
    classes = [c for c in state.classes if _spec(c)["controllerName"] == controller]
    is_accepted, class_status = _class_status(state.versions)
    names = [each.metadata.name for each in classes if is_accepted]
    gateways = [g for g in state.gateways if _spec(g)["gatewayClassName"] in names]
    open_: dict[str, list[Listener]] = {
        _name(gateway): listeners(gateway, state.secret_of, state.grants) for gateway in gateways
    }
    attached: dict[tuple[str, str], int] = {}
    found, statuses = [], [(each, class_status) for each in classes]
    for route in state.routes:
        made, parents = _attach(route, open_, attached, state)
        found.append((route, made))
        others = [p for p in _parents(route) if p["controllerName"] != controller]
        own = [{"controllerName": controller, **each} for each in parents]
        if own or len(others) < len(_parents(route)):
            statuses.append((route, {"parents": [*others, *own]}))
    for gateway in gateways:
        status = _gateway_status(open_[_name(gateway)], attached, state.addresses)
        statuses.append((gateway, status))
    valid = [each for group in open_.values() for each in group if each.is_valid]
    return Plan(
        tuple(by_precedence(found)),
        tuple(dict.fromkeys(each.port for each in valid)),
        tuple(dict.fromkeys(each.port for each in valid if each.protocol == HTTPS)),
        tuple(statuses),
    )


# -- routes


def _attach(
    route: Object,
    open_: Mapping[str, list[Listener]],
    attached: dict[tuple[str, str], int],
    state: State,
) -> tuple[list[Rule], list[Data]]:
    """Return the route's rules at all listeners that carry it, and what to tell its parents."""
    made, faults = rules(route, state.service_of, state.grants)
    resolved = faults[0] if faults else RESOLVED
    found: list[Rule] = []
    parents: list[Data] = []
    carried: dict[tuple[str, str], None] = {}
    for ref in _spec(route).get("parentRefs", ()):
        namespace = ref.get("namespace") or route.metadata.namespace
        at = open_.get(f"{namespace}/{ref['name']}")
        kind = f"{ref.get('kind', 'Gateway')}.{ref.get('group', GROUP)}"
        if at is None or kind != f"Gateway.{GROUP}":
            continue  # somebody else's
        hosts, refusal = _carriers(route, ref, at, state)
        for listener, names in hosts:
            key = (listener.gateway, listener.name)
            carried.setdefault(key)
            found += [replace(r, port=listener.port, host=name) for name in names for r in made]
        accepted = condition("Accepted", False, *refusal) if refusal else ACCEPTED
        parents.append({"parentRef": dict(ref), "conditions": [accepted, resolved]})
    for key in carried:
        attached[key] = attached.get(key, 0) + 1
    return list(dict.fromkeys(found)), parents


def _carriers(
    route: Object, ref: Data, at: Iterable[Listener], state: State
) -> tuple[list[tuple[Listener, list[str]]], tuple[str, str] | None]:
    """Return the listeners that carry the route with its hosts there, or why none does."""
    wanted = [
        each
        for each in at
        if ref.get("sectionName", each.name) == each.name
        and ref.get("port", each.port) == each.port
    ]
    if not wanted:
        return [], ("NoMatchingParent", "Listener is not found for this parent ref")
    valid = [each for each in wanted if each.is_valid]
    if not valid:
        return [], ("InvalidListener", "Listener is invalid for this parent ref")
    if fault := unsupported(route):
        return [], ("UnsupportedValue", fault)
    allowed = [each for each in valid if allows(each, route, ROUTE, state.labels_of)]
    if not allowed:
        return [], ("NotAllowedByListeners", "Route is not allowed by any listener")
    names = tuple(_spec(route).get("hostnames", ()))
    hosts = [(each, common_hostnames(each.hostname, names)) for each in allowed]
    hosts = [(each, found) for each, found in hosts if found]
    if not hosts:
        message = "Listener hostname does not match the Route hostnames"
        return [], ("NoMatchingListenerHostname", message)
    return hosts, None


def _parents(route: Object) -> list[Data]:
    status = getattr(route, "status", None) or {}
    return list(status.get("parents", ()))


# -- classes and Gateways


def _class_status(versions: Iterable[str]) -> tuple[bool, Data]:
    """Say whether the definitions can be worked with, and what to tell the classes.

    Another minor version is tried; another major one, or none, is not.
    """
    known = [each.removeprefix("v").split(".")[:2] for each in versions]
    major, minor = RECOMMENDED.removeprefix("v").split(".")[:2]
    accepted = condition("Accepted", True, "Accepted", "GatewayClass is accepted")
    supported = condition(
        "SupportedVersion", True, "SupportedVersion", "Gateway API CRD versions are supported"
    )
    is_accepted = all(each[0] == major for each in known)
    if not is_accepted:
        text = f"Gateway API CRD versions are not supported. Please install version {RECOMMENDED}"
        accepted = condition("Accepted", False, "UnsupportedVersion", text)
        supported = condition("SupportedVersion", False, "UnsupportedVersion", text)
    elif any(each != [major, minor] for each in known):
        text = f"Gateway API CRD versions are not recommended. Recommended version is {RECOMMENDED}"
        supported = condition("SupportedVersion", False, "UnsupportedVersion", text)
    return is_accepted, {"conditions": [accepted, supported]}


def _gateway_status(
    at: Iterable[Listener], attached: Mapping[tuple[str, str], int], addresses: tuple[str, ...]
) -> Data:
    told = [
        {
            "name": each.name,
            "attachedRoutes": attached.get((each.gateway, each.name), 0),
            "supportedKinds": [{"group": GROUP, "kind": kind} for kind in each.kinds],
            "conditions": list(each.conditions),
        }
        for each in at
    ]
    valid = [each.is_valid for each in at]
    reason, message = "Accepted", "Gateway is accepted"
    if not all(valid):
        reason = "ListenersNotValid"
        message = "Gateway has at least one valid listener"
    if not any(valid):
        message = "Gateway has no valid listeners"
    programmed = ("Programmed", "Gateway is programmed")
    if not any(valid):
        programmed = ("Invalid", message)
    elif not addresses:
        programmed = ("AddressNotAssigned", "No addresses have been assigned to the Gateway")
    conditions = [
        condition("Accepted", any(valid), reason, message),
        condition("Programmed", programmed[0] == "Programmed", *programmed),
    ]
    values = [{"type": "IPAddress", "value": ip} for ip in addresses]
    return {"addresses": values or None, "conditions": conditions, "listeners": told}


def _spec(obj: Object) -> Data:
    return obj.spec or {}  # type: ignore[attr-defined]


def _name(obj: Object) -> str:
    return f"{obj.metadata.namespace}/{obj.metadata.name}"
