"""`kubectl create ingress`: rules of the form host/path=service:port[,tls[=secret]].

    create ingress shop --class=nginx --rule="shop.example/cart*=cart:http,tls=shop-cert"
    create ingress rest --default-backend=web:80

Rule of use: a path that ends in "*" is a prefix; every other is exact.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/create/create_ingress.go
"""

from __future__ import annotations

import re

from k8slab.kubectl.command_line import Flag
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.generators import Plain, generator, labels_of, one_name
from k8slab.kubectl.invocation import Command, Invocation

_RULE = re.compile(
    r"(?P<host>[^/=]*)(?P<path>/[^=]*)?=(?P<to>[\w.-]+:[\w-]+)(?P<tls>,tls(?:=.*)?)?"
)
_BACKEND = re.compile(r"[\w.-]+:[\w-]+")
NO_BACKEND = (
    "not enough information provided: every ingress has to either specify a default-backend "
    "(which catches all traffic) or a list of rules (which catch specific paths)"
)


def ingress(call: Invocation) -> Plain:
    """Return an Ingress."""
    name, default = one_name(call), call.flags.text("default-backend")
    if not call.flags.all("rule") and not default:
        raise CommandError(NO_BACKEND)
    paths: dict[str, list[Plain]] = {}
    secrets: dict[str, list[str]] = {}
    for text in call.flags.all("rule"):
        match = _RULE.fullmatch(text)
        if match is None:
            raise CommandError(
                f"rule {text} is invalid and should be in format "
                "host/path=svcname:svcport[,tls[=secret]]"
            )
        host, path = match["host"], match["path"] or "/"
        paths.setdefault(host, []).append(
            {
                "path": path.removesuffix("*"),
                "pathType": "Prefix" if path.endswith("*") else "Exact",
                "backend": _backend(match["to"]),
            }
        )
        if match["tls"]:
            hosts = secrets.setdefault(match["tls"].removeprefix(",tls").removeprefix("="), [])
            if host and host not in hosts:
                hosts.append(host)
    spec: Plain = {}
    if call.flags.text("class"):
        spec["ingressClassName"] = call.flags.text("class")
    if default:
        if not _BACKEND.fullmatch(default):
            raise CommandError("default-backend should be in format servicename:serviceport")
        spec["defaultBackend"] = _backend(default)
    if paths:
        spec["rules"] = [_rule(host, found) for host, found in paths.items()]
    if secrets:
        spec["tls"] = [_tls(secret, hosts) for secret, hosts in secrets.items()]
    meta: Plain = {"name": name}
    if call.flags.all("annotation"):
        meta["annotations"] = labels_of(",".join(call.flags.all("annotation")))
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": meta,
        "spec": spec,
        "status": {"loadBalancer": {}},
    }


def _backend(text: str) -> Plain:
    service, _, port = text.partition(":")
    number: Plain = {"number": int(port)} if port.isdecimal() else {"name": port}
    return {"service": {"name": service, "port": number}}


def _rule(host: str, paths: list[Plain]) -> Plain:
    rule: Plain = {"http": {"paths": paths}}
    return {"host": host, **rule} if host else rule


def _tls(secret: str, hosts: list[str]) -> Plain:
    found: Plain = {"hosts": hosts} if hosts else {}
    return {**found, "secretName": secret} if secret else found


COMMANDS: dict[str, Command] = {
    "ingress": generator(
        ingress,
        Flag("rule", kind="list"),
        Flag("class"),
        Flag("default-backend"),
        Flag("annotation", kind="list"),
    )
}
