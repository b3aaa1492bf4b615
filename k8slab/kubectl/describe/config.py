"""`kubectl describe` of ConfigMaps, Secrets, accounts, roles, budgets and priorities.

A Secret shows how long its values are, never what they are.

Rule of use: whatever has no description of its own is written field by field (`describe_any`).

Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from k8slab.api import codec
from k8slab.api.core import ConfigMap, Secret, ServiceAccount
from k8slab.api.meta import Object
from k8slab.api.policy import PodDisruptionBudget
from k8slab.api.scheduling import PriorityClass
from k8slab.kubectl.describe.writer import Writer, go_list, pairs
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.pods_of import selector_of

SKIPPED = ("name", "namespace", "labels", "annotations", "managedFields")  # of the metadata
ACRONYMS = ("API", "URL", "UID", "OSB", "GUID")
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|-+")


async def describe_config_map(call: Invocation, writer: Writer, config: ConfigMap) -> None:
    """Write a ConfigMap with its values."""
    writer.heading(config)
    writer.line("\nData\n====")
    for key in sorted(config.data):
        writer.line(f"{key}:\n----\n{config.data[key]}\n")
    writer.line("\nBinaryData\n====")
    for key in sorted(config.binaryData):
        writer.line(f"{key}: {len(base64.b64decode(config.binaryData[key]))} bytes")
    writer.line("")


async def describe_secret(call: Invocation, writer: Writer, secret: Secret) -> None:
    """Write a Secret with the lengths of its values."""
    writer.heading(secret)
    writer.line(f"\nType:\t{secret.type}\n\nData\n====")
    for key in sorted(secret.data):
        writer.field(key, f"{len(base64.b64decode(secret.data[key]))} bytes")


async def describe_service_account(
    call: Invocation, writer: Writer, account: ServiceAccount
) -> None:
    """Write a ServiceAccount."""
    writer.heading(account)
    writer.many("Image pull secrets", (secret.name for secret in account.imagePullSecrets))
    if account.secrets:
        writer.many("Mountable secrets", (secret.name for secret in account.secrets))


async def describe_role(call: Invocation, writer: Writer, role: Any) -> None:
    """Write a Role or ClusterRole: one line for each thing that may be done."""
    writer.heading(role, namespaced=False)
    writer.line("PolicyRule:")
    heads = "Resources\tNon-Resource URLs\tResource Names\tVerbs"
    writer.line(heads, 1)
    writer.line("\t".join("-" * len(head) for head in heads.split("\t")), 1)
    rows = []
    for rule in role.rules:
        groups = rule.apiGroups or ("",)
        for resource in rule.resources:
            rows += [(f"{resource}.{group}" if group else resource, "", rule) for group in groups]
        rows += [("", url, rule) for url in rule.nonResourceURLs]
    for resource, url, rule in sorted(rows, key=lambda row: row[0]):
        urls, names = go_list([url] if url else []), go_list(rule.resourceNames)
        writer.line(f"{resource}\t{urls}\t{names}\t{go_list(rule.verbs)}", 1)


async def describe_role_binding(call: Invocation, writer: Writer, binding: Any) -> None:
    """Write a RoleBinding or ClusterRoleBinding."""
    writer.heading(binding, namespaced=False)
    writer.line("Role:")
    writer.field("Kind", binding.roleRef.kind, 1)
    writer.field("Name", binding.roleRef.name, 1)
    writer.line("Subjects:\n  Kind\tName\tNamespace\n  ----\t----\t---------")
    for subject in binding.subjects:
        writer.line(f"{subject.kind}\t{subject.name}\t{subject.namespace}", 1)


async def describe_budget(call: Invocation, writer: Writer, pdb: PodDisruptionBudget) -> None:
    """Write a PodDisruptionBudget."""
    spec, status = pdb.spec, pdb.status
    writer.field("Name", pdb.metadata.name)
    writer.field("Namespace", pdb.metadata.namespace)
    if spec.minAvailable is not None:
        writer.field("Min available", spec.minAvailable)
    elif spec.maxUnavailable is not None:
        writer.field("Max unavailable", spec.maxUnavailable)
    writer.field("Selector", selector_of(pdb) or "<unset>")
    writer.line("Status:")
    writer.field("Allowed disruptions", status.disruptionsAllowed, 2)
    writer.field("Current", status.currentHealthy, 2)
    writer.field("Desired", status.desiredHealthy, 2)
    writer.field("Total", status.expectedPods, 2)


async def describe_priority_class(call: Invocation, writer: Writer, made: PriorityClass) -> None:
    """Write a PriorityClass."""
    writer.field("Name", made.metadata.name)
    writer.field("Value", made.value)
    writer.field("GlobalDefault", str(made.globalDefault).lower())
    writer.field("PreemptionPolicy", made.preemptionPolicy)
    writer.field("Description", made.description)
    writer.field("Annotations", pairs(made.metadata.annotations))


async def describe_any(call: Invocation, writer: Writer, obj: Object) -> None:
    """Write an object of any kind, field by field."""
    writer.heading(obj)
    data = codec.to_dict(obj)
    meta = data["metadata"]
    _fields(writer, {**data, "metadata": {k: meta[k] for k in meta if k not in SKIPPED}}, 0)


def _fields(writer: Writer, data: Mapping[str, Any], level: int) -> None:
    for key in sorted(data):
        value, title = data[key], smart_label(key)
        if isinstance(value, Mapping):
            writer.line(f"{title}:", level)
            _fields(writer, value, level + 1)
        elif isinstance(value, list | tuple):
            writer.line(f"{title}:", level)
            for item in value:
                if isinstance(item, Mapping):
                    _fields(writer, item, level + 1)
                else:
                    writer.line(_go_value(item), level + 1)
        else:
            writer.field(title, _go_value(value), level)


def _go_value(value: Any) -> str:
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def smart_label(field: str) -> str:
    """Write a field's name as words, but for names with more than letters in them.

    >>> smart_label("targetCPUUtilization"), smart_label("podUID"), smart_label("app.io/x")
    ('Target CPU Utilization', 'Pod UID', 'app.io/x')
    """
    if not field.replace("-", "").isalpha():
        return field
    words = [word.upper() if word.upper() in ACRONYMS else word for word in _WORD.findall(field)]
    return " ".join(word[:1].upper() + word[1:] for word in words)
