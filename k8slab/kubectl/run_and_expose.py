"""`kubectl run`, `expose` and `autoscale`: a Pod of an image, a Service for Pods, an autoscaler.

`run -i` and `run --attach` wait until the Pod has ended and print its log; `--rm` then deletes it.

Rule of use: what `expose` does not know of the ports it takes from the containers of the object.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/{run,expose,autoscale}
"""

from __future__ import annotations

import shlex
from typing import Any

from k8slab.api.core import Pod, Service
from k8slab.api.pods import is_pod_terminal
from k8slab.api.scheme import resource_for
from k8slab.kubectl.changing import CHANGE
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.create import create_generated
from k8slab.kubectl.errors import CommandError, Exit, raise_all
from k8slab.kubectl.generators import Plain, command_of, container, labels_of, required
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.resources import SELECTORS, Found
from k8slab.kubectl.targets import targets
from k8slab.kubectl.watching import changes

ATTACH_LIMIT = 600.0  # s, how long `run -i` waits for its Pod to end


async def run(call: Invocation) -> None:
    """Create a Pod of one container, and stay with it if it is attached."""
    required(call, "image")
    flags = call.flags
    dash = len(call.words) if flags.dash is None else flags.dash
    if dash == 0 or not call.words:
        raise CommandError("NAME is required for run")
    attached = flags.on("attach") or flags.on("stdin") or flags.on("tty")
    if attached and call.dry_run != "none":
        raise CommandError(
            "--dry-run=[server|client] can't be used with attached containers options (--attach, "
            "--stdin, or --tty)"
        )
    if flags.on("rm") and not attached:
        raise CommandError("--rm should only be used for attached containers")
    name = call.words[0]
    words = command_of(call) or list(call.words[1:])
    done = "" if attached else "created"
    await create_generated(call, _pod(call, name, words), done)
    if flags.on("expose"):
        await create_generated(call, _service_of(call, name))
    if attached:
        await _attach(call, name)


def _pod(call: Invocation, name: str, words: list[str]) -> Plain:
    flags = call.flags
    labels = labels_of(flags.text("labels")) if flags.text("labels") else {"run": name}
    made = container(name, flags.text("image"))
    if words:
        made["command" if flags.on("command") else "args"] = words
    if flags.given("port"):
        made["ports"] = [{"containerPort": flags.number("port")}]
    if flags.all("env"):
        made["env"] = [_variable(text) for text in flags.all("env")]
    if flags.text("image-pull-policy"):
        made["imagePullPolicy"] = flags.text("image-pull-policy")
    if flags.on("stdin"):
        made.update({"stdin": True, "stdinOnce": True})
    if flags.on("tty"):
        made["tty"] = True
    meta: Plain = {"name": name, "labels": labels}
    if flags.all("annotations"):
        meta["annotations"] = labels_of(",".join(flags.all("annotations")))
    spec = {
        "containers": [made],
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": flags.text("restart"),
    }
    pod: Plain = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": {}}
    if flags.text("overrides"):
        pod = _overridden(pod, flags.text("overrides"))
    return pod


def _overridden(pod: Plain, text: str) -> Plain:
    import msgspec

    try:
        change = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise CommandError(f"--overrides is no JSON: {error}") from None
    return _merge(pod, change) if isinstance(change, dict) else pod


def _merge(base: Plain, change: Plain) -> Plain:
    merged = dict(base)
    for key, value in change.items():
        inner = merged.get(key)
        if isinstance(value, dict) and isinstance(inner, dict):
            merged[key] = _merge(inner, value)
        else:
            merged[key] = value
    return merged


def _variable(text: str) -> Plain:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise CommandError(f"invalid env: {text}")
    return {"name": name, "value": value}


def _service_of(call: Invocation, name: str) -> Plain:
    if not call.flags.given("port"):
        raise CommandError("--port must be set when exposing a service")
    port = call.flags.number("port")
    ports = [{"port": port, "protocol": "TCP", "targetPort": port}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"run": name}, "ports": ports},
    }


async def _attach(call: Invocation, name: str) -> None:
    """Wait until the Pod has ended, print its log, and end as it did."""
    resource = resource_for(Pod)
    pod = await _ended(call, name)
    log = await call.request(
        "get", resource, namespace=call.namespace, name=name, subresource="log"
    )
    call.print(str(log), end="")
    if call.flags.on("rm"):
        await call.request("delete", resource, namespace=call.namespace, name=name)
        call.print(f'pod "{name}" deleted from {call.namespace} namespace')
    for status in pod.status.containerStatuses:
        ended = status.state.terminated
        if ended is not None and ended.exitCode:
            text = f"pod {call.namespace}/{name} terminated ({ended.reason})\n"
            raise Exit(text, ended.exitCode)


async def _ended(call: Invocation, name: str) -> Pod:
    resource, until = resource_for(Pod), call.now + ATTACH_LIMIT
    scope = {"namespace": call.namespace, "field_selector": f"metadata.name={name}"}
    listing = await call.request("list", resource, **scope)
    for pod in listing.items:
        if is_pod_terminal(pod):
            return pod  # type: ignore[no-any-return]
    async for event in changes(call, resource, scope, listing.resource_version, until):
        if event.type == "DELETED":
            raise CommandError(f"pod {name} was deleted while it ran")
        if is_pod_terminal(event.object):
            return event.object  # type: ignore[no-any-return]
    words = shlex.quote(name)
    raise CommandError(
        f"timed out waiting for the condition: the Pod is still running; see kubectl logs {words}"
    )


async def expose(call: Invocation) -> None:
    """Create a Service for the Pods of an object."""
    found, errors = await targets(call)
    for target in found:
        await create_generated(call, _exposed(call, target), "exposed")
    raise_all(errors)


def _exposed(call: Invocation, target: Found) -> Plain:
    flags, obj = call.flags, target.obj
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
    status: Plain = {"loadBalancer": {}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec, "status": status}


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


async def autoscale(call: Invocation) -> None:
    """Create an autoscaler for a workload."""
    required(call, "max")
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
        spec: Plain = {
            "maxReplicas": call.flags.number("max"),
            "scaleTargetRef": {
                "apiVersion": target.resource.api_version,
                "kind": target.resource.kind,
                "name": target.name,
            },
        }
        if call.flags.number("min") > 0:
            spec["minReplicas"] = call.flags.number("min")
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


RUN = Command(
    run,
    (
        *CHANGE,
        Flag("image"),
        Flag("port", kind="int", default="0"),
        Flag("env", kind="list"),
        Flag("labels", "l"),
        Flag("annotations", kind="list"),
        Flag("restart", default="Always"),
        Flag("image-pull-policy"),
        Flag("overrides"),
        Flag("pod-running-timeout", kind="duration", default="1m0s"),
        flag_on("command"),
        flag_on("expose"),
        flag_on("attach"),
        flag_on("stdin", "i"),
        flag_on("tty", "t"),
        flag_on("rm"),
        flag_on("quiet", "q"),
    ),
)
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
    ),
)
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
