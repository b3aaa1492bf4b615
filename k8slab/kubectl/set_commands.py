"""`kubectl set image` and `resources`: one field of the Pod template of a workload.

    set image deploy/web app=nginx:1.27      "*" means every container
    set resources deploy/web -c app --limits=cpu=200m

Rule of use: a change is a strategic merge patch of the template, so that a rollout follows.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/set
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from msgspec.structs import replace

from k8slab.api.core import Container, Pod, PodSpec
from k8slab.api.errors import ApiError
from k8slab.api.quantity import parse as parse_quantity
from k8slab.client import STRATEGIC_PATCH
from k8slab.kubectl.changing import CHANGE, patched, show
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import KNOWN_ERRORS, CommandError, raise_all
from k8slab.kubectl.generators import labels_of
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.metadata import split_pairs
from k8slab.kubectl.resources import MUST_SPECIFY, SELECTORS, Found, selections
from k8slab.kubectl.targets import targets

ALL = "*"
# What is said when it was done, and how it begins when it was refused.
IMAGE = "image updated", "image update to pod template:"
RESOURCES = "resource requirements updated", "resources update to pod template"


async def set_image(call: Invocation) -> None:
    """Change the images of containers."""
    names, pairs = split_pairs(call.words)
    if not names and not call.flags.all("filename"):
        raise CommandError(MUST_SPECIFY)
    if names:
        selections(names, call.custom)
    if not pairs:
        raise CommandError("at least one image update is required")
    wanted = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    await each_template(call, names, lambda target: _set_image(call, target, wanted))


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
        raise CommandError(f'error: unable to find container named "{missing[0]}"')
    await change_template(call, target, patches, IMAGE)


async def set_resources(call: Invocation) -> None:
    """Change requests and limits of containers."""
    wanted = {
        field: _amounts(call.flags.text(field))
        for field in ("limits", "requests")
        if call.flags.text(field)
    }
    if not wanted:
        raise CommandError(
            "you must specify an update to requests or limits (in the form of --requests/--limits)"
        )
    await each_template(call, call.words, lambda target: _set_resources(call, target, wanted))


async def _set_resources(call: Invocation, target: Found, wanted: dict[str, Any]) -> None:
    chosen = chosen_containers(call, pod_spec(target).containers)
    if not chosen:
        raise CommandError(f"error: unable to find container named {call.flags.text('containers')}")
    patches = [{"name": container.name, "resources": wanted} for container in chosen]
    await change_template(call, target, {"containers": patches}, RESOURCES)


def _amounts(text: str) -> dict[str, str]:
    amounts = labels_of(text)
    for amount in amounts.values():
        try:
            parse_quantity(amount)
        except ValueError as error:
            raise CommandError(str(error)) from None
    return amounts


async def each_template(
    call: Invocation, words: Sequence[str], act: Callable[[Found], Awaitable[None]]
) -> None:
    """Do something with each object that the words mean; its errors are reported at the end."""
    found, errors = await targets(call, words)
    for target in found:
        try:
            await act(target)
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)


def chosen_containers(call: Invocation, containers: Iterable[Container]) -> list[Container]:
    """Return the containers whose name matches -c, which may hold stars."""
    wanted = call.flags.text("containers")
    return [c for c in containers if fnmatchcase(c.name, wanted)]


def pod_spec(target: Found) -> PodSpec:
    """Return the Pod spec in an object; CommandError if it has none."""
    if isinstance(target.obj, Pod):
        return target.obj.spec
    spec = getattr(target.obj, "spec", None)
    job = getattr(spec, "jobTemplate", None)
    template = getattr(job.spec if job is not None else spec, "template", None)
    if template is None:
        resource = target.resource
        raise CommandError(
            f"error: {resource.plural}/{target.name} the object is not a pod or does not have a "
            f"pod template: *{resource.version}.{resource.kind}\n"
        )
    found: PodSpec = template.spec
    return found


def _groups(spec: PodSpec) -> tuple[tuple[str, tuple[Container, ...]], ...]:
    return ("initContainers", spec.initContainers), ("containers", spec.containers)


async def change_template(
    call: Invocation, target: Found, patches: dict[str, Any], what: tuple[str, str]
) -> None:
    """Change fields of the Pod spec in an object; `what` words success and failure."""
    if not patches:
        return
    change: dict[str, Any] = {"spec": patches}
    if not isinstance(target.obj, Pod):
        change = {"spec": {"template": change}}
    if target.resource.kind == "CronJob":
        change = {"spec": {"jobTemplate": change}}
    try:
        # Even a file is read as what it is, with all that it does not say.
        stored = await patched(call, replace(target, data=None), change, STRATEGIC_PATCH)
    except ApiError as error:
        raise CommandError(f"failed to patch {what[1]} {error.message}") from None
    show(call, target, stored, what[0])


TEMPLATE_FLAGS = (*FILES, *CHANGE, *SELECTORS, flag_on("all"), flag_on("local"))
CONTAINERS = Flag("containers", "c", default=ALL)
SET_IMAGE = Command(set_image, TEMPLATE_FLAGS)
SET_RESOURCES = Command(
    set_resources, (*TEMPLATE_FLAGS, CONTAINERS, Flag("limits"), Flag("requests"))
)
