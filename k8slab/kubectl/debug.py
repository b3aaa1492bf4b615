"""`kubectl debug`: one more container in a running Pod, a changed copy of a Pod, a Pod on a node.

    debug web-5d4f-x2k9p --image=busybox:1.37 --target=app -- sleep 3600   an ephemeral container
    debug web-5d4f-x2k9p --copy-to=web-debug --image=busybox:1.37          a copy with one more
    debug node/worker-1 --image=busybox:1.37                               on the node itself

Rule of use: an ephemeral container stays as long as its Pod; look into it with exec and logs.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/debug
"""

from __future__ import annotations

import hashlib
from typing import Any

from k8slab.api import codec
from k8slab.api.core import Node, Pod
from k8slab.api.scheme import resource_for
from k8slab.client import STRATEGIC_PATCH
from k8slab.kubectl.changing import send
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import KNOWN_ERRORS, CommandError, raise_all
from k8slab.kubectl.generators import SAFE, Plain, command_of
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.pods_of import containers_of
from k8slab.kubectl.resources import Found, get_object, split_name

NO_IMAGE = "you must specify --image when not using --copy-to."
NO_KEYBOARD = (
    "the lab has no keyboard to attach: leave -i and -t out, and use kubectl exec -i, or serve the "
    "cluster and use the real kubectl"
)
SERVER_SIDE = ("ownerReferences", "creationTimestamp", "uid", "resourceVersion", "generation")


async def debug(call: Invocation) -> None:
    """Add a container to each Pod, or make a Pod to debug with."""
    flags = call.flags
    words = call.words if flags.dash is None else call.words[: flags.dash]
    if not flags.text("image") and not flags.text("copy-to"):
        raise CommandError(NO_IMAGE)
    if not words:
        raise CommandError("NAME is required for debug")
    if flags.on("stdin") or flags.on("tty") or flags.on("attach"):
        raise CommandError(NO_KEYBOARD)
    errors: list[Exception] = []
    for word in words:
        try:
            await _debug(call, word)
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)


async def _debug(call: Invocation, word: str) -> None:
    resource, name = split_name(word, call.custom) if "/" in word else (resource_for(Pod), word)
    obj: Any = await get_object(call, resource, name)
    if isinstance(obj, Node):
        return await _on_node(call, obj)
    if not isinstance(obj, Pod):
        kind = f"{resource.group}/{resource.version}, Kind={resource.kind}"
        raise CommandError(f'"{kind}" not supported by debug')
    if call.flags.text("copy-to"):
        return await _copy(call, obj)
    await _ephemeral(call, Found(resource, obj.metadata.namespace, name, obj))


async def _ephemeral(call: Invocation, target: Found) -> None:
    pod: Pod = target.obj
    made = _container(call, _name(call, pod))
    made["terminationMessagePolicy"] = "File"
    if call.flags.text("target"):
        made["targetContainerName"] = call.flags.text("target")
        call.print(
            f'Targeting container "{call.flags.text("target")}". If you don\'t see processes from '
            "this container it may be because the container runtime doesn't support this feature."
        )
    change = {"spec": {"ephemeralContainers": [made]}}
    sub = "ephemeralcontainers"
    await send(call, "patch", target, change, patch_type=STRATEGIC_PATCH, subresource=sub)


async def _copy(call: Invocation, pod: Pod) -> None:
    """Create a copy of the Pod, with another image or with one more container."""
    plain = codec.to_dict(pod)
    spec: Plain = {key: value for key, value in plain["spec"].items() if key != "nodeName"}
    spec.pop("ephemeralContainers", None)
    if call.flags.on("same-node"):
        spec["nodeName"] = pod.spec.nodeName
    if call.flags.on("share-processes"):
        spec["shareProcessNamespace"] = True
    containers = [dict(container) for container in spec["containers"]]
    wanted = call.flags.text("container")
    known = next((each for each in containers if each["name"] == wanted), None)
    if known is None:
        if not call.flags.text("image"):
            raise CommandError(NO_IMAGE)
        containers.append(_container(call, _name(call, pod)))
    else:
        if call.flags.text("image"):
            known["image"] = call.flags.text("image")
        if command_of(call):
            known["command"] = command_of(call)
            known.pop("args", None)
    spec["containers"] = [_without_probes(each) for each in containers]
    meta = {"name": call.flags.text("copy-to"), "annotations": plain["metadata"].get("annotations")}
    meta = {key: value for key, value in meta.items() if value}
    data = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
    await _create(call, data)
    if call.flags.on("replace"):
        await call.request(
            "delete",
            resource_for(Pod),
            namespace=pod.metadata.namespace,
            name=pod.metadata.name,
        )


def _without_probes(container: Plain) -> Plain:
    gone = ("livenessProbe", "readinessProbe", "startupProbe")
    return {key: value for key, value in container.items() if key not in gone}


async def _on_node(call: Invocation, node: Node) -> None:
    """Create a Pod with the node's network, processes and files."""
    name = f"node-debugger-{node.metadata.name}-{_suffix(call, node.metadata.uid)}"
    container = call.flags.text("container") or "debugger"
    call.say(
        f"Creating debugging pod {name} with container {container} on node {node.metadata.name}."
    )
    mounts = [{"name": "host-root", "mountPath": "/host"}]
    spec: Plain = {
        "containers": [{**_container(call, container), "volumeMounts": mounts}],
        "nodeName": node.metadata.name,
        "restartPolicy": "Never",
        "hostNetwork": True,
        "hostPID": True,
        "hostIPC": True,
        "tolerations": [{"operator": "Exists"}],
        "volumes": [{"name": "host-root", "hostPath": {"path": "/"}}],
    }
    meta = {"name": name, "labels": {"app.kubernetes.io/managed-by": "kubectl-debug"}}
    data = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
    await _create(call, data)


async def _create(call: Invocation, pod: Plain) -> None:
    found = Found(resource_for(Pod), call.namespace, pod["metadata"]["name"], pod)
    await send(call, "create", found, pod)


def _container(call: Invocation, name: str) -> Plain:
    flags = call.flags
    made: Plain = {"name": name, "image": flags.text("image")}
    if command_of(call):
        made["args" if flags.on("arguments-only") else "command"] = command_of(call)
    env = [text.partition("=") for text in flags.all("env")]
    if env:
        made["env"] = [{"name": key, "value": value} for key, _, value in env]
    if flags.text("image-pull-policy"):
        made["imagePullPolicy"] = flags.text("image-pull-policy")
    return made


def _name(call: Invocation, pod: Pod) -> str:
    """Return the name of the new container; says so if nobody chose it."""
    given = call.flags.text("container")
    if given:
        return given
    number = len(containers_of(pod))
    name = f"debugger-{_suffix(call, f'{pod.metadata.uid}/{number}')}"
    call.say(f"Defaulting debug container name to {name}.")
    return name


def _suffix(call: Invocation, what: str) -> str:
    """Return five letters that differ from case to case; kubectl's are random."""
    digest = hashlib.sha256(f"{what} at {call.now}".encode()).hexdigest()
    return digest[:5].translate(SAFE)


DEBUG = Command(
    debug,
    (
        Flag("image"),
        Flag("container", "c"),
        Flag("target"),
        Flag("copy-to"),
        Flag("env", kind="list"),
        Flag("image-pull-policy"),
        Flag("profile", default="general"),
        Flag("set-image", kind="list"),
        Flag("filename", "f", "list"),
        flag_on("arguments-only"),
        flag_on("attach"),
        flag_on("stdin", "i"),
        flag_on("tty", "t"),
        flag_on("quiet", "q"),
        flag_on("replace"),
        flag_on("same-node"),
        flag_on("share-processes", default="true"),
        Flag("field-manager"),
    ),
)
