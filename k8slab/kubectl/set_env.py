"""`kubectl set env`: the environment of containers, by hand or out of ConfigMaps and Secrets.

    set env deploy/web MODE=prod OLD-               "name-" takes a variable out
    set env deploy/web --from=secret/db --prefix=DB_
    set env deploy/web --list                       shows them

Rule of use: what comes --from an object stays there: the variable names the key.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/set/set_env.go, env/env_resolve.go
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Any

from k8slab.api import codec
from k8slab.api.core import Container, EnvVar, EnvVarSource
from k8slab.api.meta import Object
from k8slab.api.scheme import resource_for
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.metadata import split_pairs
from k8slab.kubectl.resources import Found, get_object, split_name
from k8slab.kubectl.set_commands import (
    CONTAINERS,
    TEMPLATE_FLAGS,
    change_template,
    chosen_containers,
    each_template,
    pod_spec,
)

ENV = "env updated", "env update to pod template:"
REFERENCES = {"ConfigMap": "configMapKeyRef", "Secret": "secretKeyRef"}
_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_NO_NAME = (
    "is not a valid key name: a valid environment variable name must consist of alphabetic "
    "characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  "
    "or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is "
    "'[-._a-zA-Z][-._a-zA-Z0-9]*')"
)


async def set_env(call: Invocation) -> None:
    """Change, or list, the environment of containers."""
    names, pairs = split_pairs(call.words)
    wanted, gone = _parsed(pairs)
    if call.flags.text("from"):
        wanted += await _from(call)
    await each_template(call, names, lambda target: _set_env(call, target, wanted, gone))


def _parsed(pairs: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the variables to set and those to take out."""
    wanted: list[dict[str, Any]] = []
    gone: list[str] = []
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals and pair.endswith("-"):
            gone.append(pair[:-1])
        elif not _NAME.fullmatch(name):
            raise CommandError(f'"{name}" {_NO_NAME}')
        else:
            wanted.append({"name": name, "value": value})
    return wanted, gone


async def _from(call: Invocation) -> list[dict[str, Any]]:
    """Return a variable for each key of a ConfigMap or Secret."""
    resource, name = split_name(call.flags.text("from"))
    field = REFERENCES.get(resource.kind)
    if field is None:
        raise CommandError(f"unsupported resource specified in --from: *v1.{resource.kind}")
    source = await get_object(call, resource, name)
    keys = [key for given in call.flags.all("keys") for key in given.split(",")]
    made = []
    for key in sorted(source.data):
        if keys and key not in keys:
            continue
        variable = re.sub(r"[^a-zA-Z0-9_]", "_", key).upper()
        if variable != key:
            call.warn(f"key {key} transferred to {variable}")
        reference = {field: {"key": key, "name": name}}
        made.append({"name": call.flags.text("prefix") + variable, "valueFrom": reference})
    return made


async def _set_env(
    call: Invocation, target: Found, wanted: list[dict[str, Any]], gone: list[str]
) -> None:
    spec = pod_spec(target)
    groups = {
        "containers": chosen_containers(call, spec.containers),
        "initContainers": chosen_containers(call, spec.initContainers),
    }
    if not any(groups.values()):
        return call.warn(
            f"{target.resource.kind}/{target.name} does not have any containers matching "
            f'"{call.flags.text("containers")}"'
        )
    if call.flags.on("list"):
        for container in (*groups["containers"], *groups["initContainers"]):
            await _list(call, target, container)
        return
    patches: dict[str, list[dict[str, Any]]] = {}
    for group, containers in groups.items():
        found = [(each.name, _changes(call, each, wanted, gone)) for each in containers]
        changed = [{"name": name, "env": env} for name, env in found if env]
        if changed:
            patches[group] = changed
    await change_template(call, target, patches, ENV)


def _changes(
    call: Invocation, container: Container, wanted: list[dict[str, Any]], gone: list[str]
) -> list[dict[str, Any]]:
    present = {variable.name: variable for variable in container.env}
    changes: list[dict[str, Any]] = []
    for each in wanted:
        known = present.get(each["name"])
        if known is None:
            changes.append(each)
        elif not call.flags.on("overwrite"):
            raise CommandError(
                f"'{each['name']}' already has a value ({known.value}), and --overwrite is false"
            )
        elif codec.to_dict(known) != each:
            changes.append({**each, "valueFrom" if "value" in each else "value": None})
    return changes + [{"name": name, "$patch": "delete"} for name in gone if name in present]


async def _list(call: Invocation, target: Found, container: Container) -> None:
    call.print(f"# {target.resource.kind} {target.name}, container {container.name}")
    for variable in container.env:
        source = variable.valueFrom
        if source is None:
            call.print(f"{variable.name}={variable.value}")
        elif call.flags.on("resolve"):
            call.print(f"{variable.name}={await _resolved(call, target, variable)}")
        else:
            call.print(f"# {variable.name} from {reference_text(source)}")


def reference_text(source: EnvVarSource) -> str:
    """Write where the value of a variable comes from."""
    if source.configMapKeyRef is not None:
        return f"configmap {source.configMapKeyRef.name}, key {source.configMapKeyRef.key}"
    if source.resourceFieldRef is not None:
        container = source.resourceFieldRef.containerName
        where = f"{container}/" if container else ""
        return f"resource field {where}{source.resourceFieldRef.resource}"
    if source.fieldRef is not None:
        return f"field path {source.fieldRef.fieldPath}"
    if source.secretKeyRef is not None:
        return f"secret {source.secretKeyRef.name}, key {source.secretKeyRef.key}"
    return "invalid valueFrom"


async def _resolved(call: Invocation, target: Found, variable: EnvVar) -> str:
    """Return the value that a reference has now."""
    source = variable.valueFrom
    assert source is not None
    if source.configMapKeyRef is not None:
        key = source.configMapKeyRef
        config = await get_object(call, resource_for("ConfigMap"), key.name, target.namespace)
        return str(config.data.get(key.key, ""))
    if source.secretKeyRef is not None:
        of_secret = source.secretKeyRef
        secret = await get_object(call, resource_for("Secret"), of_secret.name, target.namespace)
        return base64.b64decode(secret.data.get(of_secret.key, "")).decode("utf-8", "replace")
    if source.fieldRef is not None:
        return _field(target.obj, source.fieldRef.fieldPath)
    return ""


def _field(obj: Object, path: str) -> str:
    value: Any = codec.to_dict(obj)
    for name in path.split("."):
        value = value.get(name, "") if isinstance(value, dict) else ""
    return str(value)


SET_ENV = Command(
    set_env,
    (
        *TEMPLATE_FLAGS,
        CONTAINERS,
        Flag("from"),
        Flag("prefix"),
        Flag("keys", kind="list"),
        flag_on("list"),
        flag_on("resolve"),
        flag_on("overwrite", default="true"),
    ),
)
