"""Objects out of a few words: Services, Ingresses, roles and their bindings, budgets and quotas.

As `generators`, for kinds that make no Pods: each function returns an object as plain data.

Rule of use: `COMMANDS` has them by name.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/create/create_*.go
"""

from __future__ import annotations

from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.generators import (
    Plain,
    generator,
    labels_of,
    one_name,
    required,
    split_all,
)
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.resources import resolve


def service(call: Invocation) -> Plain:
    """Return a Service of the type that the command names."""
    name, word = one_name(call), call.path.rpartition(" ")[2]
    kind = {
        "clusterip": "ClusterIP",
        "nodeport": "NodePort",
        "loadbalancer": "LoadBalancer",
        "externalname": "ExternalName",
    }[word]
    spec: Plain = {"type": kind, "selector": {"app": name}}
    if kind == "ExternalName":
        required(call, "external-name")
        spec["externalName"] = call.flags.text("external-name")
    ports = [_port(text) for text in split_all(call.flags.all("tcp"))]
    headless = call.flags.text("clusterip") == "None"
    if not ports and kind != "ExternalName" and not headless:
        raise CommandError("at least one tcp port specifier must be provided")
    if ports:
        spec["ports"] = ports
    if call.flags.text("clusterip"):
        spec["clusterIP"] = call.flags.text("clusterip")
    if kind == "NodePort" and call.flags.number("node-port"):
        ports[0]["nodePort"] = call.flags.number("node-port")
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": spec,
        "status": {"loadBalancer": {}},
    }


def _port(text: str) -> Plain:
    port, colon, target = text.partition(":")
    if not port.isdecimal():
        raise CommandError(f'invalid port format: "{text}", must be [port]:[targetPort]')
    to: int | str = int(target) if target.isdecimal() else target
    name = f"{port}-{target}" if colon else port
    return {
        "name": name,
        "port": int(port),
        "protocol": "TCP",
        "targetPort": to if colon else int(port),
    }


def quota(call: Invocation) -> Plain:
    """Return a ResourceQuota."""
    made: Plain = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": one_name(call)},
    }
    hard = dict(part.split("=", 1) for part in split_all(call.flags.all("hard")) if "=" in part)
    return {**made, "spec": {"hard": hard} if hard else {}, "status": {}}


def priority_class(call: Invocation) -> Plain:
    """Return a PriorityClass."""
    required(call, "value")
    made: Plain = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": one_name(call)},
        "value": call.flags.number("value"),
        "preemptionPolicy": call.flags.text("preemption-policy"),
    }
    if call.flags.text("description"):
        made["description"] = call.flags.text("description")
    return {**made, "globalDefault": True} if call.flags.on("global-default") else made


def disruption_budget(call: Invocation) -> Plain:
    """Return a PodDisruptionBudget."""
    required(call, "selector")
    spec: Plain = {"selector": {"matchLabels": labels_of(call.flags.text("selector"))}}
    for flag, field in (("min-available", "minAvailable"), ("max-unavailable", "maxUnavailable")):
        text = call.flags.text(flag)
        if text:
            spec[field] = int(text) if text.isdecimal() else text
    if len(spec) == 1:
        raise CommandError("one of min-available or max-unavailable must be specified")
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": one_name(call)},
        "spec": spec,
    }


def ingress(call: Invocation) -> Plain:
    """Return an Ingress with one path for each rule "host/path=service:port"."""
    rules: dict[str, list[Plain]] = {}
    for text in call.flags.all("rule"):
        where, equals, to = text.partition("=")
        to = to.partition(",")[0]
        host, _, path = where.partition("/")
        name, colon, port = to.partition(":")
        if not equals or not colon:
            raise CommandError(
                f"rule {text} is invalid and should be in format host/path=svcname:svcport"
            )
        number: Plain = {"number": int(port)} if port.isdecimal() else {"name": port}
        rules.setdefault(host, []).append(
            {
                "path": "/" + path.removesuffix("*"),
                "pathType": "Prefix" if path.endswith("*") else "Exact",
                "backend": {"service": {"name": name, "port": number}},
            }
        )
    spec: Plain = {
        "rules": [
            {**({"host": host} if host else {}), "http": {"paths": paths}}
            for host, paths in rules.items()
        ]
    }
    if call.flags.text("class"):
        spec["ingressClassName"] = call.flags.text("class")
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": one_name(call)},
        "spec": spec,
        "status": {"loadBalancer": {}},
    }


def role(call: Invocation) -> Plain:
    """Return a Role or ClusterRole."""
    required(call, "verb")
    kind = "ClusterRole" if call.path.endswith("clusterrole") else "Role"
    by_group: dict[str, list[str]] = {}
    for word in split_all(call.flags.all("resource")):
        found = resolve(word.partition("/")[0])
        plural = word.replace(word.partition("/")[0], found.plural)
        by_group.setdefault(found.group, []).append(plural)
    verbs, names = split_all(call.flags.all("verb")), list(call.flags.all("resource-name"))
    rules: list[Plain] = [
        {"apiGroups": [group], "resources": plurals, "verbs": verbs}
        for group, plurals in by_group.items()
    ]
    for rule in rules:
        if names:
            rule["resourceNames"] = names
    if not rules:
        raise CommandError("at least one resource must be specified")
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": one_name(call)},
        "rules": rules,
    }


def role_binding(call: Invocation) -> Plain:
    """Return a RoleBinding or ClusterRoleBinding."""
    kind = "ClusterRoleBinding" if call.path.endswith("clusterrolebinding") else "RoleBinding"
    api_group = "rbac.authorization.k8s.io"
    cluster_role = call.flags.text("clusterrole")
    name = cluster_role or (call.flags.text("role") if call.flags.has("role") else "")
    if not name:
        raise CommandError("exactly one of clusterrole or role must be specified")
    of_kind = "ClusterRole" if cluster_role else "Role"
    subjects: list[Plain] = []
    for flag, subject in (("user", "User"), ("group", "Group")):
        for who in split_all(call.flags.all(flag)):
            subjects.append({"apiGroup": api_group, "kind": subject, "name": who})
    for account in split_all(call.flags.all("serviceaccount")):
        where, colon, who = account.partition(":")
        if not colon or not where or not who:
            raise CommandError("serviceaccount must be <namespace>:<name>")
        subjects.append({"kind": "ServiceAccount", "name": who, "namespace": where})
    return {
        "apiVersion": f"{api_group}/v1",
        "kind": kind,
        "metadata": {"name": one_name(call)},
        "roleRef": {"apiGroup": api_group, "kind": of_kind, "name": name},
        **({"subjects": subjects} if subjects else {}),
    }


_SERVICE = (
    Flag("tcp", kind="list"),
    Flag("node-port", kind="int", default="0"),
    Flag("clusterip"),
    Flag("external-name"),
)
_ROLE = (
    Flag("verb", kind="list"),
    Flag("resource", kind="list"),
    Flag("resource-name", kind="list"),
    Flag("non-resource-url", kind="list"),
)
_SUBJECTS = (
    Flag("clusterrole"),
    Flag("user", kind="list"),
    Flag("group", kind="list"),
    Flag("serviceaccount", kind="list"),
)
COMMANDS: dict[str, Command] = {
    "quota": generator(quota, Flag("hard", kind="list"), Flag("scopes", kind="list")),
    "priorityclass": generator(
        priority_class,
        Flag("value", kind="int", default="0"),
        Flag("description"),
        Flag("preemption-policy", default="PreemptLowerPriority"),
        flag_on("global-default"),
    ),
    "poddisruptionbudget": generator(
        disruption_budget, Flag("selector"), Flag("min-available"), Flag("max-unavailable")
    ),
    "ingress": generator(ingress, Flag("rule", kind="list"), Flag("class")),
    "role": generator(role, *_ROLE),
    "clusterrole": generator(role, *_ROLE),
    "rolebinding": generator(role_binding, *_SUBJECTS, Flag("role")),
    "clusterrolebinding": generator(role_binding, *_SUBJECTS),
    **{
        f"service {word}": generator(service, *_SERVICE)
        for word in ("clusterip", "nodeport", "loadbalancer", "externalname")
    },
}
# Other words for the same kinds, as `kubectl create` takes them.
SHORT = {
    "ns": "namespace",
    "sa": "serviceaccount",
    "deploy": "deployment",
    "cj": "cronjob",
    "cm": "configmap",
    "pc": "priorityclass",
    "pdb": "poddisruptionbudget",
    "ing": "ingress",
    "resourcequota": "quota",
}
