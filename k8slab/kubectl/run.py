"""`kubectl run`: a Pod of one image, on its own.

`run -i` and `run --attach` wait until the Pod has ended and print its log; `--rm` then deletes it.

Rule of use: --expose makes a Service of the same name beside the Pod.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/run
"""

from __future__ import annotations

import re
import shlex

from k8slab.api.core import Pod
from k8slab.api.pods import is_pod_terminal
from k8slab.api.scheme import resource_for
from k8slab.kubectl.changing import CHANGE
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.create import create_generated
from k8slab.kubectl.errors import CommandError, Exit
from k8slab.kubectl.generators import (
    Plain,
    command_of,
    container,
    labels_of,
    overridden,
    required,
)
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.watching import changes

RESTARTS = ("Always", "OnFailure", "Never")
_IMAGE = re.compile(
    r"(?:[a-zA-Z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127})?"
    r"(?:@[a-zA-Z0-9+._-]+:[0-9a-fA-F]{32,})?"
)
NO_PORT = "--port must be set when exposing a service"
ATTACH_LIMIT = 600.0  # s, how long `run -i` waits for its Pod to end


async def run(call: Invocation) -> None:
    """Create a Pod of one container, and stay with it if it is attached."""
    required(call, "image")
    flags = call.flags
    dash = len(call.words) if flags.dash is None else flags.dash
    if dash == 0 or not call.words:
        raise CommandError("NAME is required for run")
    if flags.text("restart") not in RESTARTS:
        raise CommandError(
            f"invalid restart policy: {flags.text('restart')}, valid values are: Always, "
            "OnFailure, Never"
        )
    if not _IMAGE.fullmatch(flags.text("image")):
        raise CommandError(f'invalid image name "{flags.text("image")}": invalid reference format')
    attached = flags.on("attach") or flags.on("stdin") or flags.on("tty")
    if attached and call.dry_run != "none":
        raise CommandError(
            "--dry-run=[server|client] can't be used with attached containers options (--attach, "
            "--stdin, or --tty)"
        )
    if flags.on("rm") and not attached:
        raise CommandError("--rm should only be used for attached containers")
    if flags.on("expose") and not flags.given("port"):
        raise CommandError(NO_PORT)
    name = call.words[0]
    words = command_of(call) or list(call.words[1:])
    done = "" if attached else "created"
    await create_generated(call, _pod(call, name, words), done)
    if flags.on("expose"):
        await create_generated(call, _service_of(call, name, _labels(call, name)))
    if attached:
        await _attach(call, name)


def _pod(call: Invocation, name: str, words: list[str]) -> Plain:
    flags = call.flags
    labels = _labels(call, name)
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
    if flags.on("privileged"):
        made["securityContext"] = {"privileged": True}
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
        pod = overridden(pod, flags.text("overrides"))
    return pod


def _variable(text: str) -> Plain:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise CommandError(f"invalid env: {text}")
    return {"name": name, "value": value}


def _labels(call: Invocation, name: str) -> Plain:
    text = call.flags.text("labels")
    return dict(labels_of(text)) if text else {"run": name}


def _service_of(call: Invocation, name: str, labels: Plain) -> Plain:
    port = call.flags.number("port")
    ports = [{"port": port, "protocol": "TCP", "targetPort": port}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": labels}
        if call.flags.text("labels")
        else {"name": name},
        "spec": {"selector": labels, "ports": ports},
        "status": {"loadBalancer": {}},
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
        Flag("override-type", default="merge"),
        Flag("pod-running-timeout", kind="duration", default="1m0s"),
        flag_on("command"),
        flag_on("expose"),
        flag_on("attach"),
        flag_on("stdin", "i"),
        flag_on("tty", "t"),
        flag_on("rm"),
        flag_on("privileged"),
        flag_on("quiet", "q"),
    ),
)
