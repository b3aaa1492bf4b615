"""`kubectl set image`, `env` and `resources`: one field of the Pod template of a workload.

    set image deploy/web app=nginx:1.27      "*" means every container
    set env deploy/web MODE=prod OLD-        "name-" takes a variable out; --list shows them

Rule of use: a change is a strategic merge patch of the template, so that a rollout follows.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/set
"""

from __future__ import annotations

from typing import Any

from k8slab.api import codec
from k8slab.api.core import Container, Pod, PodSpec
from k8slab.client import STRATEGIC_PATCH
from k8slab.kubectl.changing import CHANGE, send, show
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import KNOWN_ERRORS, CommandError, raise_all
from k8slab.kubectl.generators import labels_of
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.metadata import split_pairs
from k8slab.kubectl.resources import MUST_SPECIFY, SELECTORS, Found
from k8slab.kubectl.targets import targets

ALL = "*"


async def set_image(call: Invocation) -> None:
    """Change the images of containers."""
    names, pairs = split_pairs(call.words)
    if not names and not call.flags.all("filename"):
        raise CommandError(MUST_SPECIFY)
    found, errors = await targets(call, names)
    if not pairs:
        raise CommandError("at least one image update is required")
    wanted = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    for target in found:
        try:
            await _set_image(call, target, wanted)
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)


async def _set_image(call: Invocation, target: Found, wanted: dict[str, str]) -> None:
    spec = pod_spec(target)
    patches: dict[str, list[dict[str, Any]]] = {}
    matched: dict[str, None] = {}
    for field, containers in _groups(spec):
        for container in containers:
            for name, image in wanted.items():
                if name not in (ALL, container.name):
                    continue
                matched[name] = None
                if container.image != image:
                    change = {"name": container.name, "image": image}
                    patches.setdefault(field, []).append(change)
    missing = [name for name in wanted if name not in matched]
    if missing:
        raise CommandError(f'unable to find container named "{missing[0]}"')
    await _send(call, target, patches, "image updated")


async def set_env(call: Invocation) -> None:
    """Change, or list, the environment of containers."""
    names, pairs = split_pairs(call.words)
    found, errors = await targets(call, names)
    if not pairs and not call.flags.on("list"):
        raise CommandError("at least one environment variable must be provided")
    for target in found:
        try:
            if call.flags.on("list"):
                _list(call, target)
            else:
                await _set_env(call, target, pairs)
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)


def _list(call: Invocation, target: Found) -> None:
    for container in _chosen(call, pod_spec(target)):
        call.print(f"# {target.resource.kind} {target.name}, container {container.name}")
        for variable in container.env:
            if variable.valueFrom is None:
                call.print(f"{variable.name}={variable.value}")
            else:
                source = next(iter(codec.to_dict(variable.valueFrom)))
                call.print(f"# {variable.name} from {source}")


async def _set_env(call: Invocation, target: Found, pairs: list[str]) -> None:
    patches: list[dict[str, Any]] = []
    for container in _chosen(call, pod_spec(target)):
        present = {variable.name: variable for variable in container.env}
        env: list[dict[str, Any]] = []
        for pair in pairs:
            name, equals, value = pair.partition("=")
            if equals:
                known = present.get(name)
                if known is None or known.valueFrom is not None or known.value != value:
                    env.append({"name": name, "value": value})
            elif name.removesuffix("-") in present:
                env.append({"name": name.removesuffix("-"), "$patch": "delete"})
        if env:
            patches.append({"name": container.name, "env": env})
    await _send(call, target, {"containers": patches} if patches else {}, "env updated")


async def set_resources(call: Invocation) -> None:
    """Change requests and limits of containers."""
    wanted = {
        field: labels_of(call.flags.text(field))
        for field in ("limits", "requests")
        if call.flags.text(field)
    }
    if not wanted:
        raise CommandError(
            "you must specify an update to requests or limits (in the form of --requests/--limits)"
        )
    found, errors = await targets(call)
    for target in found:
        try:
            names = [container.name for container in _chosen(call, pod_spec(target))]
            patches = [{"name": name, "resources": wanted} for name in names]
            await _send(call, target, {"containers": patches}, "resource requirements updated")
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)


def _chosen(call: Invocation, spec: PodSpec) -> list[Container]:
    wanted = call.flags.text("containers")
    return [c for c in spec.containers if wanted in (ALL, c.name)]


def pod_spec(target: Found) -> PodSpec:
    """Return the Pod spec in an object; CommandError if it has none."""
    if isinstance(target.obj, Pod):
        return target.obj.spec
    template = getattr(getattr(target.obj, "spec", None), "template", None)
    if template is None:
        raise CommandError(
            f"the object is not a pod or does not have a pod template: {target.title}"
        )
    spec: PodSpec = template.spec
    return spec


def _groups(spec: PodSpec) -> tuple[tuple[str, tuple[Container, ...]], ...]:
    return ("initContainers", spec.initContainers), ("containers", spec.containers)


async def _send(
    call: Invocation, target: Found, patches: dict[str, list[dict[str, Any]]], done: str
) -> None:
    if not patches:
        return
    change: dict[str, Any] = {"spec": patches}
    if not isinstance(target.obj, Pod):
        change = {"spec": {"template": change}}
    stored: Any = target.obj
    if call.dry_run != "client":
        stored = await send(call, "patch", target, change, patch_type=STRATEGIC_PATCH)
    show(call, target, stored, done)


_FLAGS = (*FILES, *CHANGE, *SELECTORS, flag_on("all"), flag_on("local"))
SET_IMAGE = Command(set_image, _FLAGS)
SET_ENV = Command(set_env, (*_FLAGS, Flag("containers", "c", default=ALL), flag_on("list")))
SET_RESOURCES = Command(
    set_resources,
    (*_FLAGS, Flag("containers", "c", default=ALL), Flag("limits"), Flag("requests")),
)
