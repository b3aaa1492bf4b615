"""`kubectl autoscale`: a HorizontalPodAutoscaler for a workload.

    autoscale deploy web --max=5 --cpu=70% --memory=200Mi     of what is requested, or each

Rule of use: only kinds that can be scaled can be scaled by themselves.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/autoscale
"""

from __future__ import annotations

from k8slab.api import quantity
from k8slab.api.errors import ApiError
from k8slab.api.scheme import Resource
from k8slab.kubectl.changing import CHANGE
from k8slab.kubectl.command_line import Flag
from k8slab.kubectl.create import create_generated
from k8slab.kubectl.errors import CommandError, raise_all
from k8slab.kubectl.generators import Plain, required
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.resources import SELECTORS, Found, group_version_resource
from k8slab.kubectl.targets import targets

USE_CPU = (
    "Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization or '500m' "
    "for milliCPU)."
)
NO_OLDER = (
    "failed to create autoscaling/v2 HPA and the configuration is incompatible with "
    "autoscaling/v1: empty input"
)
SCALABLE = ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController")


async def autoscale(call: Invocation) -> None:
    """Create an autoscaler for a workload."""
    required(call, "max")
    smallest, largest = call.flags.number("min"), call.flags.number("max")
    if largest < 1:
        raise CommandError(f"--max=MAXPODS is required and must be at least 1, max: {largest}")
    if largest < smallest:
        raise CommandError(
            f"--max=MAXPODS must be larger or equal to --min=MINPODS, max: {largest}, "
            f"min: {smallest}"
        )
    if call.flags.given("cpu-percent"):
        call.say(f"Flag --cpu-percent has been deprecated, {USE_CPU}")
    found, errors = await targets(call)
    metrics = _metrics(call)
    for target in found:
        _check_scalable(target.resource)
        spec = _spec(target, smallest, largest, metrics)
        data: Plain = {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": call.flags.text("name") or target.name},
            "spec": spec,
        }
        if call.dry_run == "client":
            data["status"] = {"currentMetrics": None, "desiredReplicas": 0}
        await _create(call, data)
    raise_all(errors)


def _metrics(call: Invocation) -> list[Plain]:
    flags = (("cpu", "cpu", "m"), ("cpu", "cpu-percent", "%"), ("memory", "memory", "Mi"))
    return [
        _metric(name, call.flags.text(flag), unit)
        for name, flag, unit in flags
        if call.flags.text(flag) not in ("", "-1")
    ]


def _check_scalable(resource: Resource) -> None:
    if resource.kind not in SCALABLE:
        of = f".{resource.group}" if resource.group else ""
        raise CommandError(
            f"cannot autoscale a {resource.kind}{of}: could not find scale subresource for "
            f"{group_version_resource(resource)} in discovery information"
        )


def _spec(target: Found, smallest: int, largest: int, metrics: list[Plain]) -> Plain:
    resource = target.resource
    spec: Plain = {
        "maxReplicas": largest,
        "scaleTargetRef": {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "name": target.name,
        },
    }
    if smallest > 0:
        spec["minReplicas"] = smallest
    return {**spec, "metrics": metrics} if metrics else spec


async def _create(call: Invocation, data: Plain) -> None:
    """Create the autoscaler; who says nothing of metrics cannot have the older version instead."""
    try:
        await create_generated(call, data, "autoscaled")
    except ApiError:
        if "metrics" in data["spec"]:
            raise
        raise CommandError(NO_OLDER) from None


def _metric(name: str, text: str, unit: str) -> Plain:
    """Return a resource metric: "70%" is of what is requested, an amount is for each Pod."""
    text = f"{text}{unit}" if text.isdecimal() else text
    target: Plain = {"type": "AverageValue", "averageValue": text}
    if not text.endswith("%") and not _is_quantity(text):
        raise CommandError(f"invalid resource {name} value: {text}")
    if text.endswith("%"):
        if not text[:-1].isdecimal():
            raise CommandError(f"invalid utilization percentage: {text}")
        target = {"type": "Utilization", "averageUtilization": int(text[:-1])}
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def _is_quantity(text: str) -> bool:
    try:
        quantity.parse(text)
    except ValueError:
        return False
    return True


AUTOSCALE = Command(
    autoscale,
    (
        *FILES,
        *CHANGE,
        *SELECTORS,
        Flag("name"),
        Flag("max", kind="int", default="-1"),
        Flag("min", kind="int", default="-1"),
        Flag("cpu"),
        Flag("memory"),
        Flag("cpu-percent"),
    ),
)
