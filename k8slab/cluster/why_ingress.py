"""Why a request that reached the proxy of an Ingress or a Gateway came out as it did.

The proxy's own decisions are made again, from the objects of that moment: which rule the request
fell under, which Service is behind the rule, who is behind the Service. The way ends at the first
layer that is not there:

    no rule (404)   no such Service or port   no endpoints (503)   Pods that refuse (502, 504)

Rule of use: `behind(view, pod, answer)` for a request that such a proxy answered; () for others.

Upstream: none (the log of ingress-nginx, the conditions of HTTPRoutes)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from k8slab.addons.ingress.endpoints import port_of
from k8slab.addons.ingress.gateway_plan import State, plan
from k8slab.addons.ingress.ingress_rules import is_ours, rules
from k8slab.addons.ingress.references import Grants
from k8slab.addons.ingress.routing import Asked, Backend, Rule, Table
from k8slab.api.core import Namespace, Pod, Secret, Service
from k8slab.api.meta import Object
from k8slab.api.networking import Ingress, IngressClass
from k8slab.cluster import sentences, why_service
from k8slab.cluster.explanation import Finding
from k8slab.cluster.requests import Answer
from k8slab.cluster.view import View
from k8slab.node.image_reference import parse_reference

INGRESS, GATEWAY = "ingress-nginx/controller", "nginx/nginx-gateway-fabric"
BY = {  # who makes rules of a kind, and what kubectl calls them
    "Ingress": ("ingress-nginx", "ingresses"),
    "HTTPRoute": ("nginx-gateway", "httproutes"),
}


class _Request(msgspec.Struct, frozen=True):
    """What the proxy was asked."""

    host: str
    port: int  # of the proxy
    asked: Asked

    def __str__(self) -> str:
        return f"{self.host}{self.asked.path}"


def behind(view: View, pod: Pod, answer: Answer) -> tuple[Finding, ...]:
    """Return what the proxy in the Pod did with the request, () if there is no proxy in it."""
    image, args = _proxy(pod)
    if not image or answer.outcome != "answered":
        return ()
    request = _request(answer)
    if image == INGRESS:
        return _by_ingresses(view, request, args, answer)
    return _by_routes(view, request, args, answer)


def _proxy(pod: Pod) -> tuple[str, dict[str, str]]:
    """Return which of the two controllers runs in the Pod, with its flags; "" for none."""
    for container in pod.spec.containers:
        path = parse_reference(container.image).path
        if path in (INGRESS, GATEWAY):
            flags = (each.removeprefix("--").partition("=") for each in container.args)
            return path, {name: value for name, _, value in flags}
    return "", {}


def _request(answer: Answer) -> _Request:
    parts = urlsplit(answer.url if "://" in answer.url else f"http://{answer.url}")
    asked = Asked(path=parts.path or "/", query=dict(parse_qsl(parts.query)))
    return _Request(parts.hostname or "", int(answer.endpoint.rpartition(":")[2]), asked)


# -- Ingresses


def _by_ingresses(
    view: View, request: _Request, args: dict[str, str], answer: Answer
) -> tuple[Finding, ...]:
    classes = {each.metadata.name: each for each in view.list(IngressClass)}
    controller, name = args.get("controller-class", ""), args.get("ingress-class", "nginx")
    everything = view.list(Ingress)
    ours = [each for each in everything if is_ours(each, classes, controller, name)]
    found = rules(ours)
    rule = Table(found).find(request.port, request.host, request.asked)
    if rule is not None:
        return _by_rule(view, rule, answer)
    others = [each for each in everything if each not in ours and _names(each, request.host)]
    if others:
        return (_nobodys(others[0], classes),)
    hosts = list(dict.fromkeys(each.host or "*" for each in found))
    paths = [each.path for each in found if each.host == request.host]
    return (_no_rule("Ingress", request, hosts, list(dict.fromkeys(paths))),)


def _names(ingress: Ingress, host: str) -> bool:
    return any(rule.host in ("", host) for rule in ingress.spec.rules)


def _nobodys(ingress: Ingress, classes: Iterable[str]) -> Finding:
    name, wanted = f"{ingress.metadata.namespace}/{ingress.metadata.name}", ingress.spec
    known = sentences.listed(sorted(classes))
    if not wanted.ingressClassName:
        why = f"it names no class, so nobody acts on it (IngressClasses: {known})"
    elif wanted.ingressClassName in classes:
        why = f'its class "{wanted.ingressClassName}" is not this controller\'s'
    else:
        why = f'there is no IngressClass "{wanted.ingressClassName}" (there are {known})'
    meta = ingress.metadata
    return Finding(
        text=f"Ingress {name} is for that host, and {why}",
        objects=(f"Ingress/{name}",),
        decided_by="ingress-nginx",
        next=(f"kubectl describe ingress {meta.name} -n {meta.namespace}",),
    )


def _no_rule(kind: str, request: _Request, hosts: list[str], paths: list[str]) -> Finding:
    if paths:
        text = f"no path of host {request.host} fits {request.asked.path} (there are "
        text += f"{sentences.listed(paths)})"
    else:
        text = f"no {kind} is for the host {request.host} (there are "
        text += f"{sentences.listed(sorted(hosts))})"
    by, plural = BY[kind]
    return Finding(text=text, decided_by=by, next=(f"kubectl get {plural} -A",))


# -- HTTPRoutes


def _by_routes(
    view: View, request: _Request, args: dict[str, str], answer: Answer
) -> tuple[Finding, ...]:
    controller = args.get("gateway-ctlr-name", "")
    routes: tuple[Object, ...] = tuple(view.list("httproutes"))
    state = State(
        classes=tuple(view.list("gatewayclasses")),
        gateways=tuple(view.list("gateways")),
        routes=routes,
        grants=Grants(view.list("referencegrants")),
        service_of=lambda namespace, name: view.get(Service, name, namespace),
        secret_of=lambda namespace, name: view.get(Secret, name, namespace),
        labels_of=lambda name: _labels_of(view, name),
    )
    made = plan(state, controller)
    rule = Table(made.rules, deep_wildcards=True).find(request.port, request.host, request.asked)
    if rule is not None:
        return _by_rule(view, rule, answer)
    told = [(obj, status) for obj, status in made.statuses if obj in routes]
    refused = [
        finding
        for route, status in told
        for finding in _refusals(route, status)
        if request.host in _hostnames(route) or not _hostnames(route)
    ]
    if refused:
        return tuple(refused)
    hosts = list(dict.fromkeys(each.host or "*" for each in made.rules))
    paths = [each.path for each in made.rules if each.host == request.host]
    return (_no_rule("HTTPRoute", request, hosts, list(dict.fromkeys(paths))),)


def _labels_of(view: View, name: str) -> dict[str, str]:
    found = view.get(Namespace, name, "")
    return dict(found.metadata.labels) if found is not None else {}


def _hostnames(route: Object) -> tuple[str, ...]:
    return tuple((route.spec or {}).get("hostnames", ()))  # type: ignore[attr-defined]


def _refusals(route: Object, status: Any) -> Iterable[Finding]:
    """Yield why Gateways do not carry the route."""
    meta = route.metadata
    for parent in status["parents"]:
        for each in parent["conditions"]:
            if each["type"] == "Accepted" and each["status"] == "False":
                gateway = parent["parentRef"]["name"]
                yield Finding(
                    text=f"Gateway {gateway} does not carry HTTPRoute {meta.namespace}/{meta.name}"
                    f": {each['reason']}: {each['message']}",
                    objects=(f"HTTPRoute/{meta.namespace}/{meta.name}",),
                    decided_by="nginx-gateway",
                    next=(f"kubectl describe httproute {meta.name} -n {meta.namespace}",),
                )


# -- behind the rule


def _by_rule(view: View, rule: Rule, answer: Answer) -> tuple[Finding, ...]:
    kind, _, name = rule.source.partition(" ")
    where = f"{rule.host or '*'}{rule.path}"
    by, _ = BY[kind]
    source = f"{kind}/{name}"
    if rule.redirect is not None:
        text = f"{rule.source} sends clients of {where} elsewhere ({answer.status})"
        return (Finding(text=text, objects=(source,), decided_by=by),)
    named = sentences.listed([f"{each.service}:{each.port}" for each in rule.backends])
    first = Finding(
        text=f"{rule.source} sends {where} to {named}", objects=(source,), decided_by=by
    )
    told = [finding for each in rule.backends for finding in _backend(view, each, answer)]
    return (first, *told)


def _backend(view: View, backend: Backend, answer: Answer) -> tuple[Finding, ...]:
    """Return what is wrong with a backend, as far as the answer says that something is."""
    if answer.status < 500:
        return ()
    subject = f"Service/{backend.namespace}/{backend.service}"
    services = (f"kubectl get services -n {backend.namespace}",)
    service = view.get(Service, backend.service, backend.namespace)
    if service is None:
        own = [each.metadata.name for each in view.list(Service, backend.namespace)]
        text = f"there is no {subject} (there are {sentences.listed(own)})"
        return (Finding(text=text, objects=(subject,), next=services),)
    if port_of(service, backend.port) is None:
        known = [f"{each.port}/{each.protocol}" for each in service.spec.ports]
        text = sentences.wrong_port(f"Service {backend.service}", backend.port, known)
        return (Finding(text=text, objects=(subject,), next=services),)
    if backend.error:
        return (Finding(text=backend.error, objects=(subject,), decided_by="nginx-gateway"),)
    shown = f"Service {backend.service}"
    if trouble := why_service.trouble(view, service):
        return tuple(
            msgspec.structs.replace(each, text=f"{shown}: {each.text}") for each in trouble
        )
    says = {502: "refuse connections", 504: "do not answer in time"}.get(answer.status, "")
    if not says:
        return (
            Finding(text=f"the Pods behind {shown} answered so themselves", objects=(subject,)),
        )
    ends = sentences.listed(why_service.ready_endpoints(view, service))
    target = next(p.targetPort for p in service.spec.ports if p is port_of(service, backend.port))
    text = f"the Pods behind {shown} ({ends}) are ready and {says} at port {target or backend.port}"
    selector = ",".join(f"{key}={value}" for key, value in service.spec.selector.items())
    logs = f"kubectl logs -l {selector} -n {backend.namespace}"
    return (Finding(text=text, objects=(subject,), next=(logs,)),)
