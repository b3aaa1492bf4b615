"""`kubectl expose`: a Service for the Pods of an object.

Rule of use: what is not said of the ports is taken from the containers of the object.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/expose
"""

from __future__ import annotations

from typing import Any

from k8slab.api.core import Pod, Service
from k8slab.kubectl.changing import CHANGE
from k8slab.kubectl.command_line import Flag
from k8slab.kubectl.create import create_generated
from k8slab.kubectl.errors import CommandError, raise_all
from k8slab.kubectl.generators import Plain, labels_of, overridden
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.resources import Found
from k8slab.kubectl.targets import targets

EXPOSABLE = ("Pod", "Service", "ReplicationController", "Deployment", "ReplicaSet")


async def expose(call: Invocation) -> None:
    """Create a Service for the Pods of an object."""
    found, errors = await targets(call)
    for target in found:
        await create_generated(call, _exposed(call, target), "exposed")
    raise_all(errors)


def _exposed(call: Invocation, target: Found) -> Plain:
    flags, obj = call.flags, target.obj
    if target.resource.kind not in EXPOSABLE:
        resource = target.resource
        of = f".{resource.group}" if resource.group else ""
        raise CommandError(f"cannot expose a {resource.kind}{of}")
    selector = labels_of(flags.text("selector")) if flags.text("selector") else _selector(obj)
    if not selector:
        raise CommandError(
            f"couldn't retrieve selectors via --selector flag or introspection: "
            f"the {target.resource.singular} has no labels and cannot be exposed"
        )
    ports = _ports(call, obj)
    if not ports:
        raise CommandError("couldn't find port via --port flag or introspection")
    spec: Plain = {"ports": ports, "selector": selector}
    for flag, field in (
        ("type", "type"),
        ("cluster-ip", "clusterIP"),
        ("session-affinity", "sessionAffinity"),
        ("load-balancer-ip", "loadBalancerIP"),
    ):
        if flags.text(flag):
            spec[field] = flags.text(flag)
    labels = labels_of(flags.text("labels")) if flags.text("labels") else obj.metadata.labels
    meta: Plain = {"name": flags.text("name") or target.name}
    if labels:
        meta["labels"] = dict(labels)
    if flags.text("external-ip"):
        spec["externalIPs"] = [flags.text("external-ip")]
    made: Plain = {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}
    made["status"] = {"loadBalancer": {}}
    return overridden(made, flags.text("overrides")) if flags.text("overrides") else made


def _selector(obj: Any) -> dict[str, str]:
    if isinstance(obj, Pod):
        return dict(obj.metadata.labels)
    selector = obj.spec.selector
    if isinstance(obj, Service) or not hasattr(selector, "matchLabels"):
        return dict(selector or {})
    if selector.matchExpressions:
        raise CommandError(
            'couldn\'t convert expressions - "matchExpressions" to map-based selector format'
        )
    return dict(selector.matchLabels)


def _ports(call: Invocation, obj: Any) -> list[Plain]:
    flags = call.flags
    known = _known_ports(obj)
    if flags.given("port"):
        protocol = flags.text("protocol") or next(
            (p for number, p in known if str(number) == flags.text("port")), "TCP"
        )
        wanted = [(int(text), protocol) for text in flags.text("port").split(",")]
    else:
        wanted = [(number, flags.text("protocol") or protocol) for number, protocol in known]
    target = flags.text("target-port")
    ports: list[Plain] = []
    for index, (number, protocol) in enumerate(wanted, 1):
        to: int | str = int(target) if target.isdecimal() else target or number
        port: Plain = {"port": number, "protocol": protocol, "targetPort": to}
        ports.append({"name": f"port-{index}", **port} if len(wanted) > 1 else port)
    return ports


def _known_ports(obj: Any) -> list[tuple[int, str]]:
    if isinstance(obj, Service):
        return [(port.port, port.protocol) for port in obj.spec.ports]
    spec = obj.spec if isinstance(obj, Pod) else obj.spec.template.spec
    return [(p.containerPort, p.protocol or "TCP") for c in spec.containers for p in c.ports]


EXPOSE = Command(
    expose,
    (
        *FILES,
        *CHANGE,
        Flag("name"),
        Flag("port"),
        Flag("target-port"),
        Flag("protocol"),
        Flag("type"),
        Flag("selector"),
        Flag("labels", "l"),
        Flag("cluster-ip"),
        Flag("session-affinity"),
        Flag("load-balancer-ip"),
        Flag("external-ip"),
        Flag("overrides"),
        Flag("override-type", default="merge"),
    ),
)
