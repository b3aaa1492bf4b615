from __future__ import annotations

from typing import Any

import pytest

from k8slab.addons import manifests
from k8slab.addons.ingress.gateway_listeners import common_hostnames
from k8slab.addons.ingress.gateway_plan import Plan, State, plan
from k8slab.addons.ingress.references import Grants, dated
from k8slab.addons.ingress.routing import Asked, Table
from k8slab.api import load, load_all
from k8slab.api.custom import frozen, served_kinds, type_of
from k8slab.api.meta import Object, ObjectMeta

OURS = "gateway.nginx.org/nginx-gateway-controller"
TYPES = {
    crd.spec.names.kind: type_of(served_kinds(crd)[0])  # type: ignore[attr-defined, arg-type]
    for crd in load_all(manifests.text("gateway-api"))
}
LISTENER = {"name": "http", "port": 80, "protocol": "HTTP"}
WEB = {"name": "web", "port": 80}
ELSEWHERE = {"name": "pay", "namespace": "shop", "port": 80}
FROM_DEFAULT: dict[str, Any] = {
    "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "default"}],
    "to": [{"group": "", "kind": "Service"}],
}


def made(
    kind: str, name: str, namespace: str = "default", created: str = "", **spec: Any
) -> Object:
    meta = ObjectMeta(name=name, namespace=namespace, creationTimestamp=created)
    return TYPES[kind](metadata=meta, spec=frozen(spec))  # type: ignore[call-arg]


def route(*rules: dict[str, Any], name: str = "r", **spec: Any) -> Object:
    fields = {"parentRefs": [{"name": "front"}], "rules": rules or ({"backendRefs": [WEB]},)}
    namespace, created = spec.pop("namespace", "default"), spec.pop("created", "")
    return made("HTTPRoute", name, namespace, created, **{**fields, **spec})


def planned(
    *routes: Object,
    listeners: tuple[dict[str, Any], ...] = (LISTENER,),
    grants: tuple[Object, ...] = (),
    secrets: tuple[str, ...] = (),
    versions: tuple[str, ...] = ("v1.2.1",),
) -> Plan:
    services = {
        (namespace, name): load(
            {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}}
        )
        for namespace, name in (("default", "web"), ("default", "v2"), ("shop", "pay"))
    }
    secret = load({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls"})
    state = State(
        classes=(made("GatewayClass", "nginx", "", controllerName=OURS),),
        gateways=(made("Gateway", "front", gatewayClassName="nginx", listeners=listeners),),
        routes=routes,
        grants=Grants(grants),
        versions=versions,
        service_of=lambda namespace, name: services.get((namespace, name)),  # type: ignore[arg-type, return-value]
        secret_of=lambda namespace, name: secret if name in secrets else None,  # type: ignore[arg-type, return-value]
        labels_of=lambda namespace: {"team": namespace},
        addresses=("203.0.113.1",),
    )
    return plan(state, OURS)


def told(found: Plan, kind: str) -> Any:
    return next(status for obj, status in found.statuses if obj.kind == kind)


def reasons(found: Plan) -> list[str]:
    """Return why the first route is, or is not, accepted and resolved."""
    return [each["reason"] for each in told(found, "HTTPRoute")["parents"][0]["conditions"]]


def first(found: Plan, host: str = "any", path: str = "/", **asked: Any) -> str:
    table = Table(found.rules, deep_wildcards=True)
    rule = table.find(80, host, Asked(path=path, **asked))
    return "404" if rule is None else rule.source.rpartition("/")[2]


def matching(**match: Any) -> dict[str, Any]:
    return {"matches": [match], "backendRefs": [WEB]}


@pytest.mark.parametrize(
    ("listener", "names", "expected"),
    [
        ("", [], [""]),
        ("", ["a.example"], ["a.example"]),
        ("*.example", [], ["*.example"]),
        ("*.example", ["a.example", "b.other"], ["a.example"]),
        ("*.example", ["a.b.example"], ["a.b.example"]),
        ("*.example", ["example"], []),
        ("a.example", ["*.example"], ["a.example"]),
        ("*.example", ["*.b.example"], ["*.b.example"]),
        ("a.example", ["a.example"], ["a.example"]),
    ],
)
def test_a_route_serves_the_hosts_that_it_shares_with_the_listener(
    listener: str, names: list[str], expected: list[str]
) -> None:
    assert common_hostnames(listener, names) == expected


def test_an_accepted_route_is_counted_and_answers() -> None:
    found = planned(route())
    assert reasons(found) == ["Accepted", "ResolvedRefs"]
    status = told(found, "Gateway")
    assert status["listeners"][0]["attachedRoutes"] == 1
    assert [each["reason"] for each in status["conditions"]] == ["Accepted", "Programmed"]
    assert first(found) == "r"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"parentRefs": [{"name": "front", "sectionName": "no"}]}, "NoMatchingParent"),
        ({"parentRefs": [{"name": "front", "port": 81}]}, "NoMatchingParent"),
        (
            {"namespace": "shop", "parentRefs": [{"name": "front", "namespace": "default"}]},
            "NotAllowedByListeners",
        ),
        ({"hostnames": ["a.other"]}, "NoMatchingListenerHostname"),
    ],
)
def test_a_route_that_no_listener_takes_is_told_why(spec: dict[str, Any], reason: str) -> None:
    found = planned(route(**spec), listeners=({**LISTENER, "hostname": "*.example"},))
    assert reasons(found)[0] == reason
    assert told(found, "Gateway")["listeners"][0]["attachedRoutes"] == 0
    assert found.rules == ()


@pytest.mark.parametrize(("team", "reason"), [("shop", "Accepted"), ("x", "NotAllowedByListeners")])
def test_a_listener_may_take_routes_of_namespaces_with_a_label(team: str, reason: str) -> None:
    allowed = {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": team}}}}
    parent = [{"name": "front", "namespace": "default"}]
    found = planned(
        route({"backendRefs": [{"name": "pay", "port": 80}]}, namespace="shop", parentRefs=parent),
        listeners=({**LISTENER, "allowedRoutes": allowed},),
    )
    assert reasons(found)[0] == reason


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        ({"name": "missing", "port": 80}, "BackendNotFound"),
        ({"name": "web", "port": 81}, "BackendNotFound"),
        ({"name": "web", "kind": "Pod", "port": 80}, "InvalidKind"),
        (ELSEWHERE, "RefNotPermitted"),
    ],
)
def test_a_backend_that_must_not_be_used_is_told(ref: dict[str, Any], reason: str) -> None:
    found = planned(route({"backendRefs": [ref]}))
    assert reasons(found) == ["Accepted", reason]
    assert found.rules[0].backends[0].error


def test_whoever_owns_a_service_grants_its_use() -> None:
    refs = {"backendRefs": [ELSEWHERE]}
    granted = planned(route(refs), grants=(made("ReferenceGrant", "g", "shop", **FROM_DEFAULT),))
    assert reasons(granted) == ["Accepted", "ResolvedRefs"]
    misplaced = planned(
        route(refs), grants=(made("ReferenceGrant", "g", "default", **FROM_DEFAULT),)
    )
    assert reasons(misplaced)[1] == "RefNotPermitted"


def test_the_most_specific_match_goes_first_whatever_the_order() -> None:
    get = {"path": {"value": "/a"}, "method": "GET"}
    headers = {"path": {"value": "/a"}, "headers": [{"name": "X", "value": "1"}]}
    found = planned(
        route(matching(), name="root"),
        route(matching(path={"value": "/a"}), name="prefix"),
        route(matching(**headers), name="headers"),
        route(matching(**get), name="method"),
        route(matching(path={"value": "/a/b", "type": "Exact"}), name="exact"),
    )
    assert first(found, path="/a/b") == "exact"
    assert first(found, path="/a/c", headers={"x": "1"}) == "method"
    assert first(found, path="/a/c", headers={"x": "1"}, method="POST") == "headers"
    assert first(found, path="/a/c", method="POST") == "prefix"
    assert first(found, path="/b") == "root"


def test_of_equal_matches_that_of_the_oldest_route_counts_then_the_first_by_name() -> None:
    old = route(name="z", created="2026-01-01T00:00:00Z")
    young = [route(name=name, created="2026-01-02T00:00:00Z") for name in ("b", "a")]
    assert first(planned(*young, old)) == "z"
    assert first(planned(*young)) == "a"


@pytest.mark.parametrize(
    ("listener", "reason"),
    [
        ({"protocol": "TCP"}, "UnsupportedProtocol"),
        ({"protocol": "HTTPS"}, "InvalidCertificateRef"),
        (
            {"protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "no"}]}},
            "InvalidCertificateRef",
        ),
        (
            {"protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "c", "namespace": "x"}]}},
            "RefNotPermitted",
        ),
    ],
)
def test_a_listener_that_cannot_be_is_told_and_closed(
    listener: dict[str, Any], reason: str
) -> None:
    found = planned(route(), listeners=({**LISTENER, **listener},))
    conditions = told(found, "Gateway")["listeners"][0]["conditions"]
    assert (conditions[0]["status"], conditions[0]["reason"]) == ("False", reason)
    assert found.ports == ()
    assert reasons(found)[0] == "InvalidListener"


def test_one_valid_listener_makes_a_gateway_accepted() -> None:
    secure = {"name": "s", "port": 443, "protocol": "HTTPS"}
    secure["tls"] = {"certificateRefs": [{"name": "cert"}]}
    bad = {"name": "t", "port": 1, "protocol": "TCP"}
    found = planned(listeners=(LISTENER, secure, bad), secrets=("cert",))
    assert (found.ports, found.secure) == ((80, 443), (443,))
    accepted = told(found, "Gateway")["conditions"][0]
    assert (accepted["status"], accepted["reason"]) == ("True", "ListenersNotValid")


def test_two_protocols_cannot_share_a_port() -> None:
    clash = {"name": "s", "port": 80, "protocol": "HTTPS"}
    found = planned(listeners=(LISTENER, clash))
    conditions = told(found, "Gateway")["listeners"][0]["conditions"]
    conflicted = {each["type"]: each["status"] for each in conditions}
    assert conflicted == {
        "Accepted": "False",
        "Programmed": "False",
        "ResolvedRefs": "True",
        "Conflicted": "True",
    }


def test_what_the_controller_cannot_do_is_refused() -> None:
    filters = [{"type": "ExtensionRef", "extensionRef": {"group": "g", "kind": "K", "name": "n"}}]
    found = planned(route({"filters": filters, "backendRefs": [WEB]}))
    assert reasons(found)[0] == "UnsupportedValue"


def test_a_condition_keeps_its_time_as_long_as_its_status_stays() -> None:
    before = [{"type": "A", "status": "True", "lastTransitionTime": "old"}]
    stays, turns = (
        dated([{"type": "A", "status": status, "reason": "R"}], before, 2, "now")[0]
        for status in ("True", "False")
    )
    assert (stays["lastTransitionTime"], turns["lastTransitionTime"]) == ("old", "now")
    assert stays["observedGeneration"] == 2


@pytest.mark.parametrize(
    ("versions", "conditions", "works"),
    [
        (("v1.2.1", "v1.2.0"), {"Accepted": "True", "SupportedVersion": "True"}, True),
        (("v1.2.1", "v1.4.0"), {"Accepted": "True", "SupportedVersion": "False"}, True),
        (("v1.2.1", "v2.0.0"), {"Accepted": "False", "SupportedVersion": "False"}, False),
        (("v1.2.1", ""), {"Accepted": "False", "SupportedVersion": "False"}, False),
    ],
)
def test_the_class_says_whether_the_definitions_are_of_a_known_version(
    versions: tuple[str, ...], conditions: dict[str, str], works: bool
) -> None:
    made_of = planned(route(), versions=versions)
    status = next(s for obj, s in made_of.statuses if obj.metadata.name == "nginx")
    assert {each["type"]: each["status"] for each in status["conditions"]} == conditions
    assert bool(made_of.rules) == works
