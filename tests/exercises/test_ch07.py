"""Chapter 07: right answers of several kinds pass, wrong ones hear what is wrong, stubs are met.

Each row of WRONG is an answer that learners give and the words that they need to hear.
"""

from __future__ import annotations

from typing import Any

from tests.exercises.claims import Claims

DOMAIN = "svc.cluster.local"
WHOLE = {
    "web": f"web.default.{DOMAIN}.",
    "db.shop": f"db.shop.{DOMAIN}.",
    "example.com": "example.com.",
    "partner": f"partner.default.{DOMAIN}.",
}
EARLY = """kubectl patch service peer -p '{"spec": {"publishNotReadyAddresses": true}}'"""
SERVICE = """kubectl apply -f -
apiVersion: v1
kind: Service
metadata: {name: peer}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector: {app: peer}
  ports: [{port: 80}]
"""
NO_PROBE = """kubectl patch statefulset peer --type=json \
-p '[{"op": "remove", "path": "/spec/template/spec/containers/0/readinessProbe"}]'"""


def queries(name: str, search: Any, ndots: int) -> list[str]:
    if name.endswith("."):
        return [name]
    searched = [f"{name}.{domain}" for domain in search]
    return [name, *searched] if name.count(".") >= ndots else [*searched, name]


def one_list(name: str, search: Any, ndots: int) -> Any:
    """Another way: one list, turned when the name has dots enough."""
    found = [] if name[-1] == "." else [name + "." + domain for domain in search]
    found.insert(0 if name.count(".") >= ndots else len(found), name.rstrip("."))
    return tuple(found)


def never_first(name: str, search: Any, ndots: int) -> list[str]:
    return [*[f"{name}.{domain}" for domain in search], name] if name[-1] != "." else [name]


def without_the_end(name: str, search: Any, ndots: int) -> list[str]:
    found = queries(name, search, ndots)
    return found[:1] if name.count(".") >= ndots else found


def dots_ignored(name: str, search: Any, ndots: int) -> list[str]:
    return queries(name.rstrip("."), search, ndots)


def more_than(name: str, search: Any, ndots: int) -> list[str]:
    return queries(name, search, ndots + 1)


def addresses(name: str, services: Any, slices: Any, **left_out: bool) -> Any:
    service_name, namespace = name.split(".")[:2]
    for one in services:
        same = one.metadata.namespace == namespace or "namespace" in left_out
        if one.metadata.name != service_name or not same:
            continue
        if one.spec.type == "ExternalName" and "external" not in left_out:
            return one.spec.externalName
        if one.spec.clusterIP != "None":
            return [one.spec.clusterIP]
        found = [
            address
            for each in slices
            if each.metadata.namespace == namespace
            and each.metadata.labels.get("kubernetes.io/service-name") == service_name
            for endpoint in each.endpoints
            if endpoint.conditions.ready or "ready" in left_out
            for address in endpoint.addresses
        ]
        return found if found or "empty" in left_out else None
    return None


def by_table(name: str, services: Any, endpoint_slices: Any) -> Any:
    """Another way: look the Service up in a table first."""
    table = {f"{s.metadata.name}.{s.metadata.namespace}": s for s in services}
    key = name.removesuffix(f".{DOMAIN}")
    if key not in table:
        return None
    spec = table[key].spec
    if spec.externalName:
        return spec.externalName + "."
    if spec.clusterIP != "None":
        return {spec.clusterIP}
    return addresses(name, services, endpoint_slices)


def without(*left_out: str) -> Any:
    facts = dict.fromkeys(left_out, True)
    return lambda name, services, slices: addresses(name, services, slices, **facts)


RIGHT: dict[str, tuple[Any, ...]] = {
    "07.1": (
        [f"db.shop.default.{DOMAIN}", f"db.shop.{DOMAIN}"],
        (f"DB.shop.default.{DOMAIN}.", f"db.shop.{DOMAIN}."),
    ),
    "07.2": (WHOLE, {**WHOLE, "web": "web"}),
    "07.3": (queries, one_list),
    "07.4": (addresses, by_table),
    "07.5": ([EARLY], ["kubectl get pods", SERVICE]),
}
WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "07.1": (
        (["db.shop"], "names with fewer dots try the search list first"),
        ([f"db.shop.{DOMAIN}"], "One is missing"),
        ([f"db.shop.default.{DOMAIN}", f"db.shop.{DOMAIN}", "db.shop.cluster.local"], "ends"),
        ([f"db.shop.shop.{DOMAIN}", f"db.shop.{DOMAIN}"], "Nobody asks for db.shop.shop"),
        ([f"db.shop.{DOMAIN}", f"db.shop.default.{DOMAIN}"], "order is that of resolv.conf"),
    ),
    "07.2": (
        ({name: name for name in WHOLE}, "questions instead of 4"),
        ({**WHOLE, "example.com": "example.com"}, "example.com as 'example.com' takes 4"),
        ({**WHOLE, "web": "web."}, "does not find what web finds"),
        ({**WHOLE, "db.shop": f"db.default.{DOMAIN}."}, "does not find what db.shop finds"),
        ({"web": "web"}, "How shall db.shop be written"),
    ),
    "07.3": (
        (never_first, "dots, at least ndots"),
        (without_the_end, "as it is first, then the search"),
        (dots_ignored, "A dot at the end says that the name is whole"),
        (more_than, "at least ndots"),
        (lambda name, search, ndots: [name], "cases are right"),
        (lambda name: [name], "could not be called"),
    ),
    "07.4": (
        (without("namespace"), "names are right"),
        (without("ready"), "none of its endpoints is ready"),
        (without("empty"), "CoreDNS then knows no such name"),
        (without("external"), "It is an ExternalName"),
        (lambda name, services, slices: None, "It has a ClusterIP"),
        (lambda name, services, slices: services[99].spec, "IndexError"),
    ),
    "07.5": (
        (["kubectl get pods"], "0 of 3 members are ready"),
        ([NO_PROBE], "no longer look for each other"),
        (["kubectl scale statefulset peer --replicas=1"], "fewer members"),
        (["kubectl delete service peer"], "The Service peer is gone"),
        (["kubectl delete statefulset peer", EARLY], "The StatefulSet was deleted"),
        (
            [
                "kubectl delete service peer",
                SERVICE.replace("clusterIP: None", "sessionAffinity: None"),
            ],
            "one address for all",
        ),
    ),
}
WRONG_KIND: dict[str, tuple[Any, ...]] = {
    "07.1": (5, "db.shop", [], [1]),
    "07.2": (3, ["web"], {"nobody": "x"}, {"web": 5}),
    "07.3": ("web", 3, lambda name, search, ndots: "web", lambda name, search, ndots: 5),
    "07.4": ("web", 3, lambda name, services, slices: 5, lambda name, services, slices: [1]),
    "07.5": ([], [1], 3, ["  "]),
}


class TestExercises(Claims):
    chapter, right, wrong, wrong_kind = "07", RIGHT, WRONG, WRONG_KIND
