"""Warnings: what is allowed, and probably not what was meant.

The API server stores such an object and says so in a header, which kubectl prints. Nothing here
refuses anything.

Rule of use: `warnings_for(obj, old)` after a write was accepted; the texts are upstream's.

Upstream: pkg/api/pod/warnings.go, pkg/api/service/warnings.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from k8slab.api.core import Container, Pod, PodSpec, Service
from k8slab.api.custom import builtin_kind
from k8slab.api.meta import Object
from k8slab.client import Request
from k8slab.control_plane.apiserver.validation.formats import dns_label

DEPRECATED_KINDS = {
    ("", "endpoints"): "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 "
    "EndpointSlice",
    ("", "componentstatuses"): "v1 ComponentStatus is deprecated in v1.19+",
}
DEPRECATED_NODE_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": "deprecated since v1.17; use "
    '"topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": "deprecated since v1.17; use "
    '"topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": "deprecated since v1.17; use "
    '"node.kubernetes.io/instance-type" instead',
}
NULL_SELECTOR = "a null labelSelector results in matching no pod"


def warn_of_kind(request: Request) -> None:
    """Warn a client, if it listens, that it uses a kind that will go away."""
    text = DEPRECATED_KINDS.get((request.group, request.resource))
    if text is not None:
        request.warn(text)


def warnings_for(obj: Object, old: Object | None) -> list[str]:
    """Return what to tell the author of a new object, or of a change."""
    warn = WARNINGS.get(builtin_kind(obj))
    return [] if warn is None else list(warn(obj, old))


def _pod(pod: Pod, old: Pod | None) -> Iterator[str]:
    if old is not None and old.metadata.generation == pod.metadata.generation:
        return
    yield from pod_spec("spec", pod.spec)
    if reasons := dns_label(pod.metadata.name) if old is None else ():
        yield (
            "metadata.name: this is used in the Pod's hostname, which can result in surprising "
            f"behavior; a DNS label is recommended: [{' '.join(reasons)}]"
        )


def _workload(obj: Any, old: Any) -> Iterator[str]:
    if old is None or old.spec.template != obj.spec.template:
        yield from pod_spec("spec.template.spec", obj.spec.template.spec)


def _cron_job(obj: Any, old: Any) -> Iterator[str]:
    spec = obj.spec.jobTemplate.spec.template.spec
    yield from pod_spec("spec.jobTemplate.spec.template.spec", spec)


def pod_spec(path: str, spec: PodSpec) -> Iterator[str]:
    """Yield what is doubtful in the spec of a Pod."""
    for key in sorted(spec.nodeSelector):
        if key in DEPRECATED_NODE_LABELS:
            yield f"{path}.nodeSelector[{key}]: {DEPRECATED_NODE_LABELS[key]}"
    for index, constraint in enumerate(spec.topologySpreadConstraints):
        if constraint.labelSelector is None:
            yield f"{path}.topologySpreadConstraints[{index}].labelSelector: {NULL_SELECTOR}"
    for index, alias in enumerate(spec.hostAliases):
        if not alias.hostnames:
            yield f"{path}.hostAliases[{index}].hostnames: must not be empty"
    for field in ("initContainers", "containers"):
        for index, container in enumerate(getattr(spec, field)):
            yield from _container(f"{path}.{field}[{index}]", container)
    grace = spec.terminationGracePeriodSeconds
    if grace is not None and grace < 0:
        yield (
            f"{path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and "
            "will be treated as 1"
        )


def _container(path: str, container: Container) -> Iterator[str]:
    names: list[str] = []
    for index, variable in enumerate(container.env):
        if variable.name in names:
            yield (
                f'{path}.env[{index}]: hides previous definition of "{variable.name}", which may '
                "be dropped when using apply"
            )
        names.append(variable.name)
    ports: list[tuple[int, str, int, str]] = []
    for index, port in enumerate(container.ports):
        what = (port.containerPort, port.protocol, port.hostPort, port.hostIP)
        if what in ports:
            first = ports.index(what)
            yield (f"{path}.ports[{index}]: duplicate port definition with {path}.ports[{first}]")
        ports.append(what)
    for kind in ("limits", "requests"):
        for name, amount in getattr(container.resources, kind).items():
            if name in ("memory", "ephemeral-storage") and amount.endswith("m"):
                yield (
                    f'{path}.resources.{kind}[{name}]: fractional byte value "{amount}" is '
                    "invalid, must be an integer"
                )


def _service(service: Service, old: Service | None) -> Iterator[str]:
    spec = service.spec
    if spec.clusterIP == "None":
        if spec.loadBalancerIP:
            yield 'spec.loadBalancerIP is ignored when spec.clusterIP is "None"'
        if spec.externalIPs:
            yield 'spec.externalIPs is ignored when spec.clusterIP is "None"'
        if spec.sessionAffinity == "ClientIP":
            yield "spec.SessionAffinity is ignored for headless services"
    if spec.type == "ExternalName" and spec.externalIPs:
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'


WARNINGS: Mapping[str, Callable[[Any, Any], Iterator[str]]] = {
    "Pod": _pod,
    "Deployment": _workload,
    "ReplicaSet": _workload,
    "DaemonSet": _workload,
    "StatefulSet": _workload,
    "Job": _workload,
    "CronJob": _cron_job,
    "Service": _service,
}
