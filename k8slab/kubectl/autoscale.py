"""`kubectl autoscale`: a HorizontalPodAutoscaler for a workload.

    autoscale deploy web --max=5 --cpu=70% --memory=200Mi     of what is requested, or each

Rule of use: only kinds that can be scaled can be scaled by themselves.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/autoscale
"""

from __future__ import annotations

from k8slab.kubectl.changing import CHANGE
from k8slab.kubectl.command_line import Flag
from k8slab.kubectl.create import create_generated
from k8slab.kubectl.errors import CommandError, raise_all
from k8slab.kubectl.generators import Plain, required
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.resources import SELECTORS, group_version_resource
from k8slab.kubectl.targets import targets

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
    found, errors = await targets(call)
    metrics = [
        _metric(name, call.flags.text(flag), unit)
        for name, flag, unit in (
            ("cpu", "cpu", "m"),
            ("cpu", "cpu-percent", "%"),
            ("memory", "memory", "Mi"),
        )
        if call.flags.text(flag) not in ("", "-1")
    ]
    for target in found:
        resource = target.resource
        if resource.kind not in SCALABLE:
            of = f".{resource.group}" if resource.group else ""
            raise CommandError(
                f"cannot autoscale a {resource.kind}{of}: could not find scale subresource for "
                f"{group_version_resource(resource)} in discovery information"
            )
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
        if metrics:
            spec["metrics"] = metrics
        data = {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": call.flags.text("name") or target.name},
            "spec": spec,
        }
        await create_generated(call, data, "autoscaled")
    raise_all(errors)


def _metric(name: str, text: str, unit: str) -> Plain:
    """Return a resource metric: "70%" is of what is requested, an amount is for each Pod."""
    text = f"{text}{unit}" if text.isdecimal() else text
    target: Plain = {"type": "AverageValue", "averageValue": text}
    if text.endswith("%"):
        if not text[:-1].isdecimal():
            raise CommandError(f"invalid utilization percentage: {text}")
        target = {"type": "Utilization", "averageUtilization": int(text[:-1])}
    return {"type": "Resource", "resource": {"name": name, "target": target}}


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
