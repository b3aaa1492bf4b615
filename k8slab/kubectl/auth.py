"""`kubectl auth`: may I, what may I, who am I.

`can-i VERB TYPE[/NAME]` asks the API server whether it would let the user do something; with --list
it asks for all that it would. The answer is "yes" or "no", and the exit code says it too.

Rule of use: as somebody else with --as and --as-group, if one may.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/auth/{cani,whoami}.go
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api import scheme
from k8slab.api.authentication import SelfSubjectReview
from k8slab.api.authorization import (
    NonResourceAttributes,
    ResourceAttributes,
    SelfSubjectAccessReview,
    SelfSubjectAccessReviewSpec,
    SelfSubjectRulesReview,
)
from k8slab.api.errors import ApiError
from k8slab.api.policy_rules import break_down, compact
from k8slab.api.rbac import PolicyRule
from k8slab.api.scheme import Resource
from k8slab.kubectl.changing import FORMATS
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError, Exit
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.printers import PRINT, plain, printer_for
from k8slab.kubectl.tabwriter import TABLE, lines

TWO_ARGUMENTS = """\
you must specify two arguments: verb resource or verb resource/resourceName.
See 'kubectl auth can-i -h' for help and examples."""
NOT_WITH_LIST = (
    "list option can't be specified with neither quiet, all-namespaces nor subresource options"
)
NO_REVIEWS = (
    "the selfsubjectreviews API is not enabled in the cluster or you do not have permission to "
    "call it"
)
VERBS = frozenset(
    [
        "get",
        "list",
        "watch",
        "create",
        "update",
        "patch",
        "delete",
        "deletecollection",
        "use",
        "bind",
        "impersonate",
        "*",
        "approve",
        "sign",
        "escalate",
        "attest",
    ]
)
PATH_VERBS = frozenset(["get", "put", "post", "head", "options", "delete", "patch", "*"])
NO_KINDS = ("users", "groups")  # that rules speak of all the same
HEADINGS = ("Resources", "Non-Resource URLs", "Resource Names", "Verbs")


async def can_i(call: Invocation) -> None:
    """Print whether something is allowed, or all that is."""
    flags = call.flags
    if flags.on("list"):
        return await _list(call)
    if flags.given("no-headers"):
        raise CommandError("--no-headers cannot be set without --list specified")
    if len(call.words) != 2:
        raise CommandError(TWO_ARGUMENTS)
    review = SelfSubjectAccessReview(spec=_spec(call))
    answer = await call.request("create", scheme.resource_for(review), body=review)
    status = answer.status
    text = "yes" if status.allowed else "no"
    if not status.allowed:
        text += "".join(f" - {why}" for why in (status.reason, status.evaluationError) if why)
    if not flags.on("quiet"):
        call.print(text)
    if not status.allowed:
        raise Exit("")


def _spec(call: Invocation) -> SelfSubjectAccessReviewSpec:
    """Return what is asked, with a warning for each word that the server does not know."""
    flags = call.flags
    verb, what = call.words
    if what.startswith("/"):
        if flags.given("subresource"):
            raise CommandError("--subresource can not be used with NonResourceURL")
        _check_verb(call, PATH_VERBS)
        path = NonResourceAttributes(path=what, verb=verb)
        return SelfSubjectAccessReviewSpec(nonResourceAttributes=path)
    kind, _, name = what.partition("/")
    resource = _resource(call, kind)
    _check_verb(call, VERBS)
    return SelfSubjectAccessReviewSpec(
        resourceAttributes=ResourceAttributes(
            namespace="" if flags.on("all-namespaces") else call.namespace,
            verb=verb,
            group=resource.group if resource is not None else "",
            resource=resource.plural if resource is not None else kind,
            subresource=flags.text("subresource"),
            name=name,
        )
    )


def _check_verb(call: Invocation, known: frozenset[str]) -> None:
    if call.words[0] not in known:
        _warn(call, f"verb '{call.words[0]}' is not a known verb")


def _resource(call: Invocation, word: str) -> Resource | None:
    if word == "*":
        return None
    found = scheme.resolve(word, call.custom)
    if found is None:
        plural, _, group = word.partition(".")
        if word not in NO_KINDS:
            where = f" in group '{group}'" if group else ""
            _warn(call, f"the server doesn't have a resource type '{plural}'{where}")
    elif not found.namespaced and not call.flags.on("all-namespaces"):
        where = f" in group '{found.group}'" if found.group else ""
        _warn(call, f"resource '{found.plural}' is not namespace scoped{where}")
    return found


def _warn(call: Invocation, text: str) -> None:
    call.warn(f"{text}\n")


async def _list(call: Invocation) -> None:
    """Print all that the user may do in the namespace."""
    flags = call.flags
    if call.words:
        raise CommandError("list option must be specified with no arguments")
    if flags.on("quiet") or flags.on("all-namespaces") or flags.text("subresource"):
        raise CommandError(NOT_WITH_LIST)
    kind = scheme.resource_for(SelfSubjectRulesReview)
    answer = await call.request("create", kind, body={"spec": {"namespace": call.namespace}})
    status = answer.status
    if status.incomplete:
        call.say(f"warning: the list may be incomplete: {status.evaluationError}")
    found = [
        *(
            PolicyRule(
                verbs=rule.verbs,
                apiGroups=rule.apiGroups,
                resources=rule.resources,
                resourceNames=rule.resourceNames,
            )
            for rule in status.resourceRules
        ),
        *(
            PolicyRule(verbs=rule.verbs, nonResourceURLs=rule.nonResourceURLs)
            for rule in status.nonResourceRules
        ),
    ]
    rules = compact(part for rule in found for part in break_down(rule))
    rows = [] if flags.on("no-headers") else [HEADINGS]
    rows += [_row(rule) for rule in sorted(rules, key=_order)]
    call.print(lines("".join("\t".join(row) + "\n" for row in rows), TABLE), end="")


def _order(rule: PolicyRule) -> str:
    """Return a rule as Go prints it, by which kubectl sorts."""
    parts = (rule.verbs, rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs)
    return ",".join(_bracketed(part) for part in parts)


def _row(rule: PolicyRule) -> tuple[str, str, str, str]:
    named = ""
    if rule.resources:
        resource, slash, part = rule.resources[0].partition("/")
        group = f".{rule.apiGroups[0]}" if rule.apiGroups and rule.apiGroups[0] else ""
        named = f"{resource}{group}{slash}{part}"
    return (
        named,
        _bracketed(rule.nonResourceURLs),
        _bracketed(rule.resourceNames),
        _bracketed(rule.verbs),
    )


def _bracketed(texts: Sequence[str]) -> str:
    return f"[{' '.join(texts)}]"


async def whoami(call: Invocation) -> None:
    """Print as whom commands are carried out."""
    write = printer_for(call, FORMATS) if call.flags.text("output") else None
    try:
        review = await call.request("create", scheme.resource_for(SelfSubjectReview), body={})
    except ApiError as error:
        if error.reason not in ("Forbidden", "NotFound"):
            raise
        raise CommandError(NO_REVIEWS) from None
    if write is not None:
        return call.print(write(plain(review), True), end="")
    user = review.status.userInfo
    rows = [("ATTRIBUTE", "VALUE"), ("Username", user.username)]
    rows += [("UID", user.uid)] if user.uid else []
    rows += [("Groups", _bracketed(user.groups))] if user.groups else []
    rows += [(f"Extra: {key}", _bracketed(values)) for key, values in sorted(user.extra.items())]
    return call.print(lines("".join("\t".join(row) + "\n" for row in rows), TABLE), end="")


COMMANDS = {
    "auth can-i": Command(
        can_i,
        (
            flag_on("all-namespaces", "A"),
            flag_on("quiet", "q"),
            flag_on("list"),
            flag_on("no-headers"),
            Flag("subresource"),
        ),
    ),
    "auth whoami": Command(whoami, PRINT),
}
