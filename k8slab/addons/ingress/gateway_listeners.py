"""The listeners of a Gateway: which are valid, which routes they let in, for which hosts.

    listener *.example.com, route shop.example.com   ->  shop.example.com
    listener shop.example.com, route *.example.com   ->  shop.example.com
    listener a.example.com, route b.example.com      ->  nothing in common: not attached

Rule of use: pure; objects of defined kinds hold plain data, so fields are read by name.

Upstream: gateway-api apis/v1/gateway_types.go; nginx-gateway-fabric
internal/controller/state/graph/gateway_listener.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from k8slab.addons.ingress.references import GROUP, Grants, Named, condition
from k8slab.api import labels
from k8slab.api.core import Secret
from k8slab.api.meta import LabelSelector, LabelSelectorRequirement, Object

HTTP, HTTPS = "HTTP", "HTTPS"
TLS_TYPE = "kubernetes.io/tls"
ROUTE_KINDS = ("HTTPRoute",)
SecretOf = Callable[[str, str], "Secret | None"]


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """One listener: a port, a protocol, a host name, and what is wrong with it."""

    gateway: str  # namespace/name
    name: str
    port: int
    protocol: str
    hostname: str
    spec: Mapping[str, Any]
    conditions: tuple[dict[str, str], ...]
    kinds: tuple[str, ...]  # of the routes that may attach

    @property
    def is_valid(self) -> bool:
        """Whether requests are taken."""
        return all(
            each["status"] == "True" for each in self.conditions if each["type"] != "Conflicted"
        )


def listeners(gateway: Object, secret_of: SecretOf, grants: Grants) -> list[Listener]:
    """Return the listeners of a Gateway, each with its conditions."""
    spec: Mapping[str, Any] = gateway.spec  # type: ignore[attr-defined]
    found = []
    for each in spec["listeners"]:
        kinds, wrong_kinds = _kinds(each)
        faults = [
            *_protocol_faults(each, spec["listeners"]),
            *_certificate_faults(gateway, each, secret_of, grants),
            *wrong_kinds,
        ]
        found.append(
            Listener(
                gateway=f"{gateway.metadata.namespace}/{gateway.metadata.name}",
                name=each["name"],
                port=each["port"],
                protocol=each["protocol"],
                hostname=each.get("hostname", ""),
                spec=each,
                conditions=_conditions(faults),
                kinds=kinds,
            )
        )
    return found


def allows(
    listener: Listener, route: Object, kind: str, labels_of: Callable[[str], Mapping[str, str]]
) -> bool:
    """Say whether a route of that kind may attach; `labels_of` are those of a namespace."""
    own, theirs = listener.gateway.partition("/")[0], route.metadata.namespace
    spec = listener.spec.get("allowedRoutes", {}).get("namespaces", {})
    who = spec.get("from", "Same")
    if kind not in listener.kinds or who == "None":
        return False
    if who == "Selector":
        return labels.from_label_selector(_selector(spec)).matches(labels_of(theirs))
    return who == "All" or own == theirs


def common_hostnames(listener: str, route: Sequence[str]) -> list[str]:
    """Return the hosts that both have in common; "" stands for all of them.

    >>> common_hostnames("*.example.com", ["a.example.com", "*.b.example.com", "example.com"])
    ['a.example.com', '*.b.example.com']
    """
    if not route:
        return [listener]
    found = [_narrower(listener, each) for each in route]
    return list(dict.fromkeys(each for each in found if each is not None))


def _narrower(listener: str, route: str) -> str | None:
    if not listener or listener == route:
        return route
    if _covers(listener, route):
        return route
    return listener if _covers(route, listener) else None


def _covers(wildcard: str, name: str) -> bool:
    suffix = wildcard.removeprefix("*")
    return wildcard.startswith("*.") and name.removeprefix("*").endswith(suffix) and name != suffix


Fault = tuple[str, ...]  # reason, message, the types of condition that it makes false


def _protocol_faults(
    listener: Mapping[str, Any], others: Iterable[Mapping[str, Any]]
) -> Iterable[Fault]:
    protocol, port = listener["protocol"], listener["port"]
    if protocol not in (HTTP, HTTPS):
        message = f'protocol: Unsupported value: "{protocol}": supported values: "HTTP", "HTTPS"'
        yield "UnsupportedProtocol", message, "Accepted"
    elif any(o["port"] == port and o["protocol"] != protocol for o in others):
        message = (
            f"Multiple listeners for the same port {port} specify incompatible protocols; "
            "ensure only one protocol per port"
        )
        yield "ProtocolConflict", message, "Accepted", "Conflicted"


def _certificate_faults(
    gateway: Object, listener: Mapping[str, Any], secret_of: SecretOf, grants: Grants
) -> Iterable[Fault]:
    if listener["protocol"] != HTTPS:
        return
    refs = listener.get("tls", {}).get("certificateRefs", ())
    if not refs:
        message = "tls.certificateRefs: Required value: certificateRefs must be defined"
        yield "InvalidCertificateRef", message, "Accepted", "ResolvedRefs"
    for ref in refs:
        namespace = ref.get("namespace") or gateway.metadata.namespace
        where = f"{namespace}/{ref['name']}"
        target = Named(ref.get("group", ""), ref.get("kind", "Secret"), namespace, ref["name"])
        secret = secret_of(namespace, ref["name"])
        if not grants.permit(gateway.metadata.namespace, GROUP, "Gateway", target):
            message = f"Certificate ref to secret {where} not permitted by any ReferenceGrant"
            yield "RefNotPermitted", message, "Accepted", "ResolvedRefs"
        elif secret is None or secret.type != TLS_TYPE:
            what = "not found" if secret is None else f'must be of the type "{TLS_TYPE}"'
            message = f'tls.certificateRefs[0]: Invalid value: "{where}": secret {what}'
            yield "InvalidCertificateRef", message, "Accepted", "ResolvedRefs"


def _kinds(listener: Mapping[str, Any]) -> tuple[tuple[str, ...], list[Fault]]:
    wanted = listener.get("allowedRoutes", {}).get("kinds", ())
    if not wanted:
        return ROUTE_KINDS, []
    known = [
        k["kind"] for k in wanted if k["kind"] in ROUTE_KINDS and k.get("group", GROUP) == GROUP
    ]
    unknown = [k["kind"] for k in wanted if k["kind"] not in known]
    faults: list[Fault] = [
        ("InvalidRouteKinds", f'Unsupported route kind "{GROUP}/{kind}"', "ResolvedRefs")
        for kind in unknown
    ]
    return tuple(dict.fromkeys(known)), faults


def _conditions(faults: Sequence[Fault]) -> tuple[dict[str, str], ...]:
    found = {
        "Accepted": condition("Accepted", True, "Accepted", "Listener is accepted"),
        "Programmed": condition("Programmed", True, "Programmed", "Listener is programmed"),
        "ResolvedRefs": condition(
            "ResolvedRefs", True, "ResolvedRefs", "All references are resolved"
        ),
        "Conflicted": condition("Conflicted", False, "NoConflicts", "No conflicts"),
    }
    for reason, message, *types in faults:
        for type_ in types:
            found[type_] = condition(type_, type_ == "Conflicted", reason, message)
        found["Programmed"] = condition("Programmed", False, "Invalid", message)
    return tuple(found.values())


def _selector(spec: Mapping[str, Any]) -> LabelSelector:
    given = spec.get("selector", {})
    return LabelSelector(
        matchLabels=given.get("matchLabels", {}),
        matchExpressions=tuple(
            LabelSelectorRequirement(
                key=each["key"], operator=each["operator"], values=tuple(each.get("values", ()))
            )
            for each in given.get("matchExpressions", ())
        ),
    )
