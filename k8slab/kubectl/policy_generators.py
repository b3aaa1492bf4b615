"""Objects out of a few words: Services, budgets, quotas and priorities.

As `generators`, for kinds that make no Pods: each function returns an object as plain data.

Rule of use: `COMMANDS` has them by name.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/create/create_*.go
"""

from __future__ import annotations

from k8slab.api.quantity import canonical
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
        raise CommandError(f'strconv.ParseUint: parsing "{port}": invalid syntax')
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
    spec: Plain = {}
    if call.flags.all("hard"):
        spec["hard"] = dict(_amount(part) for part in split_all(call.flags.all("hard")))
    if call.flags.all("scopes"):
        spec["scopes"] = split_all(call.flags.all("scopes"))
    return {**made, "spec": spec, "status": {}}


def _amount(text: str) -> tuple[str, str]:
    name, equals, amount = text.partition("=")
    if not equals:
        raise CommandError(f"Invalid argument syntax {text}, expected <resource>=<value>")
    try:
        return name, canonical(amount)
    except ValueError as error:
        raise CommandError(str(error)) from None


def priority_class(call: Invocation) -> Plain:
    """Return a PriorityClass."""
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
    if len(spec) == 3:
        raise CommandError("min-available and max-unavailable cannot be both specified")
    if len(spec) == 1:
        raise CommandError("one of min-available or max-unavailable must be specified")
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": one_name(call)},
        "spec": spec,
        "status": dict.fromkeys(
            ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"), 0
        ),
    }


_SERVICE = (
    Flag("tcp", kind="list"),
    Flag("node-port", kind="int", default="0"),
    Flag("clusterip"),
    Flag("external-name"),
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
    **{
        f"{kind} {word}": generator(service, *_SERVICE)
        for kind in ("service", "svc")
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
