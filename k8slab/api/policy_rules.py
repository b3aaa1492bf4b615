"""Rules of RBAC as sets: taken apart into single rights, and joined again.

A rule is a list of verbs on a list of resources (or of paths). `break_down` yields the smallest
rules, one verb on one resource; `compact` joins those that speak of the same resource.

Upstream: pkg/registry/rbac/validation/policy_compact.go, staging/src/k8s.io/kubectl/pkg/util/rbac
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from k8slab.api.rbac import PolicyRule


def break_down(rule: PolicyRule) -> Iterator[PolicyRule]:
    """Yield the rule as many rules of one verb on one resource (of one name) or one path."""
    for group in rule.apiGroups:
        for resource in rule.resources:
            for verb in rule.verbs:
                small = PolicyRule(verbs=(verb,), apiGroups=(group,), resources=(resource,))
                for name in rule.resourceNames:
                    yield replace(small, resourceNames=(name,))
                if not rule.resourceNames:
                    yield small
    for path in rule.nonResourceURLs:
        for verb in rule.verbs:
            yield PolicyRule(verbs=(verb,), nonResourceURLs=(path,))


def compact(rules: Iterable[PolicyRule]) -> list[PolicyRule]:
    """Join the small rules about the same resource, and of the same name if they have one.

    >>> pods = PolicyRule(verbs=("get",), apiGroups=("",), resources=("pods",))
    >>> compact([pods, replace(pods, verbs=("list",))])[0].verbs
    ('get', 'list')
    """
    joined: dict[tuple[str, ...], PolicyRule] = {}
    others: list[PolicyRule] = []
    for rule in rules:
        if len(rule.apiGroups) != 1 or len(rule.resources) != 1 or len(rule.resourceNames) > 1:
            others.append(rule)
            continue
        key = (rule.apiGroups[0], rule.resources[0], *rule.resourceNames)
        before = joined.get(key)
        if before is None:
            joined[key] = rule
        else:
            verbs = dict.fromkeys((*before.verbs, *rule.verbs))
            joined[key] = replace(before, verbs=tuple(verbs))
    return [*others, *joined.values()]
