"""Rules of RBAC: what one rule allows, and whether some rules allow all that others do.

`allows` asks one rule about one request; `missing` breaks rules down to the smallest ones, one verb
on one resource, and returns those that no owned rule covers.

Rule of use: all pure functions; who has which rules is in `rbac`.

Upstream: pkg/registry/rbac/validation/policy_comparator.go, pkg/apis/rbac/v1/evaluation_helpers.go
"""

from __future__ import annotations

from collections.abc import Iterable

from k8slab.api.policy_rules import break_down
from k8slab.api.rbac import PolicyRule
from k8slab.control_plane.apiserver.access.attributes import Attributes

ALL = "*"


def allows(rule: PolicyRule, asked: Attributes) -> bool:
    """Say whether the rule allows what is asked.

    >>> from k8slab.api.authentication import UserInfo
    >>> rule = PolicyRule(verbs=("get",), apiGroups=("",), resources=("pods/log", "nodes"))
    >>> asked = Attributes(user=UserInfo(), verb="get", resource="nodes")
    >>> allows(rule, asked), allows(rule, Attributes(user=UserInfo(), verb="get", path="/api"))
    (True, False)
    """
    if asked.verb not in rule.verbs and ALL not in rule.verbs:
        return False
    if asked.path:
        return any(_covers_path(owned, asked.path) for owned in rule.nonResourceURLs)
    if asked.group not in rule.apiGroups and ALL not in rule.apiGroups:
        return False
    if not any(_covers_resource(owned, asked) for owned in rule.resources):
        return False
    return not rule.resourceNames or asked.name in rule.resourceNames


def _covers_resource(owned: str, asked: Attributes) -> bool:
    if owned in (ALL, asked.what):
        return True
    return bool(asked.subresource) and owned == f"*/{asked.subresource}"


def _covers_path(owned: str, path: str) -> bool:
    if owned in (ALL, path):
        return True
    return owned.endswith("*") and path.startswith(owned.rstrip("*"))


def missing(owned: Iterable[PolicyRule], wanted: Iterable[PolicyRule]) -> list[PolicyRule]:
    """Return the smallest parts of the wanted rules that no owned rule covers."""
    have = list(owned)
    return [
        part
        for rule in wanted
        for part in break_down(rule)
        if not any(_covers(each, part) for each in have)
    ]


def _covers(owned: PolicyRule, part: PolicyRule) -> bool:
    """Say whether an owned rule covers a small one."""
    if part.verbs[0] not in owned.verbs and ALL not in owned.verbs:
        return False
    if part.nonResourceURLs:
        path = part.nonResourceURLs[0]
        return any(_covers_path(each, path) for each in owned.nonResourceURLs)
    group, resource = part.apiGroups[0], part.resources[0]
    if group not in owned.apiGroups and ALL not in owned.apiGroups:
        return False
    _, _, subresource = resource.partition("/")
    known = (ALL, resource, f"*/{subresource}") if subresource else (ALL, resource)
    if not any(each in known for each in owned.resources):
        return False
    if not owned.resourceNames:
        return True
    return bool(part.resourceNames) and part.resourceNames[0] in owned.resourceNames


def in_words(rule: PolicyRule) -> str:
    """Write a rule as messages do.

    >>> in_words(PolicyRule(verbs=("get", "list"), apiGroups=("",), resources=("pods",)))
    '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}'
    """
    parts = (
        ("APIGroups", rule.apiGroups),
        ("Resources", rule.resources),
        ("NonResourceURLs", rule.nonResourceURLs),
        ("ResourceNames", rule.resourceNames),
        ("Verbs", rule.verbs),
    )
    return "{" + ", ".join(f"{name}:{quoted(found)}" for name, found in parts if found) + "}"


def quoted(texts: Iterable[str]) -> str:
    """Write a list of texts as Go quotes it: ["a" "b"]."""
    return "[" + " ".join(f'"{text}"' for text in texts) + "]"
