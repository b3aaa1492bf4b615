"""Objects out of a few words: `create deployment web --image=nginx`, `create configmap`, ...

Each generator takes the words and flags and returns the object as plain data, with the fields that
kubectl itself would send.

Rule of use: `COMMANDS` has them by name; the rest is in `policy_generators`.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/create/create_*.go
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from k8slab.kubectl.changing import CHANGE
from k8slab.kubectl.command_line import Flag
from k8slab.kubectl.create import create_generated
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.resources import get_object, resolve

Plain = dict[str, Any]
ONE_SOURCE = "either --image or --from must be specified"
SAFE = str.maketrans("013ae", "ghkmt")  # hex digits that spell no words
# How each generator begins to say that the API server refused; the others leave it to kubectl.
FAILURES = {
    "Deployment": "failed to create deployment:",
    "Job": "failed to create job:",
    "CronJob": "failed to create cronjob:",
    "ConfigMap": "failed to create configmap:",
    "Secret": "failed to create secret",
    "ServiceAccount": "failed to create serviceaccount:",
    "ResourceQuota": "failed to create quota:",
    "PriorityClass": "failed to create priorityclass:",
    "PodDisruptionBudget": "failed to create poddisruptionbudgets:",
    "Ingress": "failed to create ingress:",
    "RoleBinding": "failed to create rolebinding:",
    "ClusterRoleBinding": "failed to create clusterrolebinding:",
}


def one_name(call: Invocation) -> str:
    """Return the name on the command line; CommandError if there is not exactly one."""
    dash = call.flags.dash
    words = call.words if dash is None else call.words[:dash]
    if len(words) != 1:
        raise CommandError(
            f"exactly one NAME is required, got {len(words)}\n"
            f"See 'kubectl {call.path} -h' for help and examples"
        )
    return words[0]


def required(call: Invocation, *names: str) -> None:
    """Raise CommandError if a flag that must be given is not."""
    missing = [f'"{name}"' for name in names if not call.flags.given(name)]
    if missing:
        raise CommandError(f"required flag(s) {', '.join(missing)} not set")


def command_of(call: Invocation) -> list[str]:
    """Return the words behind "--"."""
    return [] if call.flags.dash is None else list(call.words[call.flags.dash :])


def split_all(values: tuple[str, ...]) -> list[str]:
    """Return the values of a flag that takes several, with commas between or given many times."""
    return [part for value in values for part in value.split(",")]


def namespace(call: Invocation) -> Plain:
    """Return a Namespace."""
    meta = {"name": one_name(call)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta, "spec": {}, "status": {}}


def service_account(call: Invocation) -> Plain:
    """Return a ServiceAccount."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": one_name(call)}}


def deployment(call: Invocation) -> Plain:
    """Return a Deployment of one container for each image."""
    required(call, "image")
    name = one_name(call)
    images = split_all(call.flags.all("image"))
    command = command_of(call)
    if len(images) > 1 and command:
        raise CommandError("cannot specify multiple --image options and command")
    containers = [container(image_name(image), image) for image in images]
    if command:
        containers[0]["command"] = command
    if call.flags.given("port"):
        containers[0]["ports"] = [{"containerPort": call.flags.number("port")}]
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": call.flags.number("replicas"),
            "selector": {"matchLabels": labels},
            "strategy": {},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
        "status": {},
    }


def container(name: str, image: str) -> Plain:
    """Return a container as generators make them."""
    return {"name": name, "image": image, "resources": {}}


def image_name(image: str) -> str:
    """Return the name that a container gets from its image: "b/c:2" makes "c"."""
    name = image.rpartition("/")[2].partition(":")[0].partition("@")[0]
    if "_" not in name and "." not in name:
        return name
    suffix = hashlib.sha256(name.encode()).hexdigest()[:5].translate(SAFE)  # kubectl's is random
    return f"{name.replace('_', '-').replace('.', '-')}-{suffix}"


def job(call: Invocation) -> Plain:
    """Return a Job that runs one container once."""
    name = one_name(call)
    if not call.flags.given("image"):
        raise CommandError(ONE_SOURCE)
    made = container(name, call.flags.text("image"))
    if command_of(call):
        made["command"] = command_of(call)
    spec = {"containers": [made], "restartPolicy": "Never"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": {"metadata": {}, "spec": spec}},
        "status": {},
    }


def cron_job(call: Invocation) -> Plain:
    """Return a CronJob."""
    required(call, "image", "schedule")
    name = one_name(call)
    made = container(name, call.flags.text("image"))
    if command_of(call):
        made["command"] = command_of(call)
    pod = {"containers": [made], "restartPolicy": call.flags.text("restart") or "OnFailure"}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {
            "schedule": call.flags.text("schedule"),
            "jobTemplate": {
                "metadata": {"name": name},
                "spec": {"template": {"metadata": {}, "spec": pod}},
            },
        },
        "status": {},
    }


def labels_of(text: str) -> dict[str, str]:
    """Return the labels in "a=b,c=d"; CommandError if it is something else."""
    labels: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals or not key:
            raise CommandError(f"unexpected label spec: {part}")
        labels[key] = value
    return labels


def overridden(made: Plain, text: str) -> Plain:
    """Return an object with what --overrides says, as a merge patch; CommandError if no JSON."""
    try:
        change = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise CommandError(f"--overrides is no JSON: {error}") from None
    return _merge(made, change) if isinstance(change, dict) else made


def _merge(base: Plain, change: Plain) -> Plain:
    merged = dict(base)
    for key, value in change.items():
        inner = merged.get(key)
        if isinstance(value, dict) and isinstance(inner, dict):
            merged[key] = _merge(inner, value)
        else:
            merged[key] = value
    return merged


async def job_from(call: Invocation) -> Plain:
    """Return a Job made of a CronJob's template."""
    word = call.flags.text("from")
    kind, _, name = word.partition("/")
    resource = resolve(kind)
    if resource.kind != "CronJob":
        raise CommandError(f"unknown object type *v1.{resource.kind}")
    from k8slab.api import codec

    cron_job = await get_object(call, resource, name)
    template = codec.to_dict(cron_job.spec.jobTemplate)
    annotations = template["metadata"].get("annotations", {})
    labels = template["metadata"].get("labels", {})
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": one_name(call),
            "annotations": {**annotations, "cronjob.kubernetes.io/instantiate": "manual"},
            **({"labels": labels} if labels else {}),
            "ownerReferences": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "CronJob",
                    "name": name,
                    "uid": cron_job.metadata.uid,
                    "controller": True,
                }
            ],
        },
        "spec": template["spec"],
        "status": {},
    }


def generator(make: Callable[[Invocation], Plain], *flags: Flag) -> Command:
    """Return the command that creates what `make` returns."""

    async def run(call: Invocation) -> None:
        data = make(call)
        if make is job_or_from and call.flags.text("from"):
            data = await job_from(call)
        await create_generated(call, data, failure=_failure(data))

    return Command(run, (*CHANGE, *flags))


def _failure(made: Plain) -> str:
    if made["kind"] == "Service":
        return f"failed to create {made['spec']['type']} service:"
    return FAILURES.get(made["kind"], "")


def job_or_from(call: Invocation) -> Plain:
    """Return a Job; one that is made from a CronJob is read by the command."""
    if call.flags.text("from") and call.flags.given("image"):
        raise CommandError(ONE_SOURCE)
    return {} if call.flags.text("from") else job(call)


_IMAGE = (Flag("image", kind="list"), Flag("from"))
COMMANDS: dict[str, Command] = {
    "namespace": generator(namespace),
    "serviceaccount": generator(service_account),
    "deployment": generator(
        deployment,
        Flag("image", kind="list"),
        Flag("replicas", "r", "int", "1"),
        Flag("port", kind="int", default="-1"),
    ),
    "job": generator(job_or_from, *_IMAGE),
    "cronjob": generator(cron_job, *_IMAGE, Flag("schedule"), Flag("restart")),
}
