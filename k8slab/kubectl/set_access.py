"""`kubectl set serviceaccount` and `set subject`: as whom Pods run, and to whom a role is given.

    set serviceaccount deploy/web builder        the last word is the account
    set subject rolebinding viewers --user=ann --serviceaccount=team:bot

Rule of use: subjects are added to those that a binding has; none is taken away.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/set/{set_serviceaccount,set_subject}.go
"""

from __future__ import annotations

from typing import Any

from k8slab.api import codec
from k8slab.api.errors import ApiError
from k8slab.client import STRATEGIC_PATCH
from k8slab.kubectl.changing import CHANGE, patched, show
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.generators import split_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.resources import Found
from k8slab.kubectl.set_commands import TEMPLATE_FLAGS, change_template, each_template, pod_spec

ACCOUNT = "serviceaccount updated", "ServiceAccountName"
RBAC = "rbac.authorization.k8s.io"


async def set_service_account(call: Invocation) -> None:
    """Change as whom the Pods of workloads run."""
    if not call.words:
        raise CommandError("serviceaccount is required")
    account = call.words[-1]
    await each_template(call, call.words[:-1], lambda target: _set_account(call, target, account))


async def _set_account(call: Invocation, target: Found, account: str) -> None:
    pod_spec(target)
    change = {"serviceAccountName": account, "serviceAccount": account}
    await change_template(call, target, change, ACCOUNT)


async def set_subject(call: Invocation) -> None:
    """Give the role of bindings to more users, groups and accounts."""
    added = _subjects(call)
    await each_template(call, call.words, lambda target: _set_subjects(call, target, added))


def _subjects(call: Invocation) -> list[dict[str, str]]:
    flags = call.flags
    accounts = split_all(flags.all("serviceaccount"))
    users, groups = split_all(flags.all("user")), split_all(flags.all("group"))
    if not users and not groups and not accounts:
        raise CommandError("you must specify at least one value of user, group or serviceaccount")
    found = [{"apiGroup": RBAC, "kind": "User", "name": name} for name in users]
    found += [{"apiGroup": RBAC, "kind": "Group", "name": name} for name in groups]
    for account in accounts:
        parts = account.split(":")
        if len(parts) != 2 or not parts[1]:
            raise CommandError("serviceaccount must be <namespace>:<name>")
        subject = {"kind": "ServiceAccount", "name": parts[1], "namespace": parts[0]}
        found.append({key: value for key, value in subject.items() if value})
    return found


async def _set_subjects(call: Invocation, target: Found, added: list[dict[str, str]]) -> None:
    if target.resource.kind not in ("RoleBinding", "ClusterRoleBinding"):
        raise CommandError(
            f"error: {target.resource.plural}/{target.name} setting subjects is only supported for "
            "RoleBinding/ClusterRoleBinding\n"
        )
    present: list[dict[str, Any]] = [codec.to_dict(each) for each in target.obj.subjects]
    new = [each for each in added if each not in present]
    if not new:
        return
    try:
        stored = await patched(call, target, {"subjects": present + new}, STRATEGIC_PATCH)
    except ApiError as error:
        raise CommandError(f"failed to patch subjects to rolebinding: {error.message}") from None
    show(call, target, stored, "subjects updated")


SET_SERVICE_ACCOUNT = Command(set_service_account, TEMPLATE_FLAGS)
SET_SUBJECT = Command(
    set_subject,
    (
        *FILES,
        *CHANGE,
        Flag("selector", "l"),
        Flag("user", kind="list"),
        Flag("group", kind="list"),
        Flag("serviceaccount", kind="list"),
        flag_on("all"),
        flag_on("local"),
    ),
)
