"""`kubectl create role`, `clusterrole`, `rolebinding`, `clusterrolebinding`: who may do what.

    create role reader --verb=get,list --resource=pods,deploy.apps/scale --resource-name=web
    create clusterrole probe --verb=get --non-resource-url=/healthz
    create rolebinding rb --role=reader --user=ann --serviceaccount=team:bot

Rule of use: kinds are those that the server has; verbs are only warned of.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/create/create_{role,clusterrole,rolebinding}.go
"""

from __future__ import annotations

from k8slab.kubectl.auth import VERBS
from k8slab.kubectl.command_line import Flag
from k8slab.kubectl.errors import BareError, CommandError
from k8slab.kubectl.generators import Plain, generator, labels_of, one_name, split_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.resources import resolve

RBAC = "rbac.authorization.k8s.io"


def role(call: Invocation) -> Plain:
    """Return a Role or ClusterRole."""
    is_cluster = call.path.endswith("clusterrole")
    made: Plain = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole" if is_cluster else "Role",
        "metadata": {"name": one_name(call)},
    }
    urls = split_all(call.flags.all("non-resource-url")) if is_cluster else []
    aggregated = call.flags.text("aggregation-rule") if is_cluster else ""
    given = [call.flags.all(name) for name in ("verb", "resource", "resource-name")]
    if aggregated:
        if urls or any(given):
            raise CommandError(
                "aggregation rule must be specified without nonResourceURLs, verbs, resources or "
                "resourceNames"
            )
        chosen = {"clusterRoleSelectors": [{"matchLabels": labels_of(aggregated)}]}
        return {**made, "aggregationRule": chosen, "rules": None}
    if any(not url.startswith("/") for url in urls):
        raise CommandError("nonResourceURL should start with /")
    rules = _resource_rules(call)
    if urls:
        rules.append({"nonResourceURLs": urls, "verbs": _verbs(call)})
    if not rules:
        raise CommandError("at least one resource must be specified")
    return {**made, "rules": rules}


def _verbs(call: Invocation) -> list[str]:
    verbs = list(dict.fromkeys(split_all(call.flags.all("verb"))))
    if not verbs:
        raise CommandError("at least one verb must be specified")
    if "*" in verbs:
        return ["*"]
    for verb in verbs:
        if verb not in VERBS:
            call.warn_once(f"'{verb}' is not a standard resource verb")
    return verbs


def _resource_rules(call: Invocation) -> list[Plain]:
    """Return a rule for each group of the resources that are named."""
    by_group: dict[str, list[str]] = {}
    verbs = _verbs(call)
    for word in split_all(call.flags.all("resource")):
        kind, slash, part = word.partition("/")
        if kind == "*":
            group, plural = "", "*"
        else:
            group, plural = _known(call, kind)
        named = f"{plural}{slash}{part}"
        listed = by_group.setdefault(group, [])
        if named not in listed:
            listed.append(named)
    names = list(call.flags.all("resource-name"))
    more: Plain = {"resourceNames": names} if names else {}
    return [
        {"apiGroups": [group], "resources": plurals, "verbs": verbs, **more}
        for group, plurals in by_group.items()
    ]


def _known(call: Invocation, kind: str) -> tuple[str, str]:
    try:
        found = resolve(kind, call.custom)
    except CommandError as error:
        raise BareError(error.message) from None
    return found.group, found.plural


def role_binding(call: Invocation) -> Plain:
    """Return a RoleBinding or ClusterRoleBinding."""
    kind = "ClusterRoleBinding" if call.path.endswith("clusterrolebinding") else "RoleBinding"
    cluster_role = call.flags.text("clusterrole")
    role_name = call.flags.text("role") if call.flags.has("role") else ""
    if bool(cluster_role) == bool(role_name):
        raise CommandError("exactly one of clusterrole or role must be specified")
    subjects: list[Plain] = []
    for flag, subject in (("user", "User"), ("group", "Group")):
        for who in split_all(call.flags.all(flag)):
            subjects.append({"apiGroup": RBAC, "kind": subject, "name": who})
    for account in split_all(call.flags.all("serviceaccount")):
        where, colon, who = account.partition(":")
        if not colon or not where or not who:
            raise CommandError("serviceaccount must be <namespace>:<name>")
        subjects.append({"kind": "ServiceAccount", "name": who, "namespace": where})
    of_kind, name = ("ClusterRole", cluster_role) if cluster_role else ("Role", role_name)
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": kind,
        "metadata": {"name": one_name(call)},
        "roleRef": {"apiGroup": RBAC, "kind": of_kind, "name": name},
        **({"subjects": subjects} if subjects else {}),
    }


_ROLE = (
    Flag("verb", kind="list"),
    Flag("resource", kind="list"),
    Flag("resource-name", kind="list"),
)
_CLUSTER_ROLE = (*_ROLE, Flag("non-resource-url", kind="list"), Flag("aggregation-rule"))
_SUBJECTS = (
    Flag("clusterrole"),
    Flag("user", kind="list"),
    Flag("group", kind="list"),
    Flag("serviceaccount", kind="list"),
)
COMMANDS: dict[str, Command] = {
    "role": generator(role, *_ROLE),
    "clusterrole": generator(role, *_CLUSTER_ROLE),
    "rolebinding": generator(role_binding, *_SUBJECTS, Flag("role")),
    "clusterrolebinding": generator(role_binding, *_SUBJECTS),
}
