"""Ingresses as rules: which are ours, what comes first, and what their status says.

    host first:   shop.example, then *.example, then rules without a host
    then paths:   Exact, then the longest; of equal ones that of the oldest Ingress
    path types:   Prefix counts whole elements, ImplementationSpecific characters (as nginx)

Rule of use: pure; objects need neither defaults nor validation.

Upstream: ingress-nginx internal/ingress/controller/{controller,store}, internal/ingress/status
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from k8slab.addons.ingress.routing import EXACT, PREFIX, REGEX, STRING, Backend, Redirect, Rule
from k8slab.api.core import Secret, Service
from k8slab.api.networking import (
    HTTPIngressPath,
    Ingress,
    IngressBackend,
    IngressClass,
    IngressLoadBalancerIngress,
)

HTTP, HTTPS = 80, 443
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
OPTIONS = "nginx.ingress.kubernetes.io/"
PATH_TYPES = {"Exact": EXACT, "Prefix": PREFIX}
REDIRECT_CODE = 308  # http-redirect-code: to https, where there is a certificate


def is_ours(
    ingress: Ingress, classes: Mapping[str, IngressClass], controller: str, name: str
) -> bool:
    """Say whether the controller serves the Ingress.

    It has a class of the controller's, or the old annotation with `name`; without either it is
    nobody's: the API server has already filled in the default class, if there is one.
    """
    annotation = ingress.metadata.annotations.get(CLASS_ANNOTATION, "")
    if annotation:
        return annotation == name
    found = classes.get(ingress.spec.ingressClassName or "")
    return found is not None and found.spec.controller == controller


def rules(ingresses: Iterable[Ingress]) -> list[Rule]:
    """Return the rules of all Ingresses, those first that go first."""
    oldest_first = sorted(
        ingresses,
        key=lambda each: (each.metadata.creationTimestamp or "", _name(each)),
    )
    found: list[Rule] = []
    for ingress in oldest_first:
        found += _of_ingress(ingress)
    regex_hosts = {rule.host: None for rule in found if rule.path_type == REGEX}
    merged: dict[tuple[int, str, bool, str], Rule] = {}
    for rule in found:
        merged.setdefault((rule.port, rule.host, rule.path_type == EXACT, rule.path), rule)
    kept = [_as_regex(rule) if rule.host in regex_hosts else rule for rule in merged.values()]
    return sorted(kept, key=lambda rule: (rule.path_type != EXACT, -len(rule.path)))


def missing_certificates(
    ingresses: Iterable[Ingress], secret_of: Callable[[str, str], Secret | None]
) -> list[str]:
    """Return what to say of certificates that are not there; the proxy's own takes their place.

    An entry of `tls` without a secretName asks for the proxy's own.
    """
    found = []
    for ingress in ingresses:
        namespace = ingress.metadata.namespace or "default"
        for tls in ingress.spec.tls:
            if tls.secretName and secret_of(namespace, tls.secretName) is None:
                name = f"{namespace}/{tls.secretName}"
                found.append(
                    f'Error getting SSL certificate "{name}": local SSL certificate {name} was '
                    "not found. Using default certificate"
                )
    return list(dict.fromkeys(found))


def status_of(service: Service | None) -> tuple[IngressLoadBalancerIngress, ...]:
    """Return where Ingresses can be reached: at the Service that the controller stands behind."""
    if service is None:
        return ()
    spec = service.spec
    if spec.type == "LoadBalancer":
        given = service.status.loadBalancer.ingress
        found = [IngressLoadBalancerIngress(hostname=at.hostname, ip=at.ip) for at in given]
        return (*found, *(IngressLoadBalancerIngress(ip=ip) for ip in spec.externalIPs))
    addresses = spec.externalIPs or (spec.clusterIP,)
    return tuple(IngressLoadBalancerIngress(ip=ip) for ip in addresses if ip not in ("", "None"))


def _of_ingress(ingress: Ingress) -> list[Rule]:
    spec, found = ingress.spec, []
    for rule in spec.rules:
        paths = rule.http.paths if rule.http is not None else ()
        for path in paths:
            found += _both_ports(ingress, rule.host, path)
        if not any(path.path in ("", "/") for path in paths):
            found += _both_ports(ingress, rule.host, HTTPIngressPath(backend=spec.defaultBackend))
    if not spec.rules:
        found += _both_ports(ingress, "", HTTPIngressPath(backend=spec.defaultBackend))
    return found


def _both_ports(ingress: Ingress, host: str, path: HTTPIngressPath) -> list[Rule]:
    backend = _backend(ingress, path.backend)
    if backend is None:  # a resource, or no default backend
        return []
    rewrite = _option(ingress, "rewrite-target")
    is_regex = bool(rewrite) or _option(ingress, "use-regex") == "true"
    kind = PATH_TYPES.get(path.pathType or "", STRING)
    timeout = _option(ingress, "proxy-read-timeout")
    plain = Rule(
        host=host,
        path=path.path or "/",
        path_type=REGEX if is_regex and kind != EXACT else kind,
        path_regex=rewrite,
        backends=(backend,),
        timeout=float(timeout) if timeout.isdigit() else None,
        source=f"Ingress {_name(ingress)}",
    )
    secure = replace(plain, port=HTTPS)
    if _redirects(ingress, host):
        redirect = Redirect(status=REDIRECT_CODE, scheme="https")
        plain = replace(plain, redirect=redirect)
    return [plain, secure]


def _redirects(ingress: Ingress, host: str) -> bool:
    """Say whether plain requests for the host are sent to https: there is a certificate for it."""
    if _option(ingress, "force-ssl-redirect") == "true":
        return True
    if _option(ingress, "ssl-redirect") == "false":
        return False
    return any(host in tls.hosts for tls in ingress.spec.tls)


def _backend(ingress: Ingress, backend: IngressBackend | None) -> Backend | None:
    service = backend.service if backend is not None else None
    if service is None:
        return None
    namespace = ingress.metadata.namespace or "default"
    return Backend(namespace, service.name, service.port.name or service.port.number)


def _as_regex(rule: Rule) -> Rule:
    """Return the rule as nginx has it beside patterns: one pattern makes all of a host's such."""
    return rule if rule.path_type == EXACT else replace(rule, path_type=REGEX)


def _option(ingress: Ingress, name: str) -> str:
    return ingress.metadata.annotations.get(OPTIONS + name, "")


def _name(ingress: Ingress) -> str:
    return f"{ingress.metadata.namespace or 'default'}/{ingress.metadata.name}"
