"""Rules of RBAC as lines of text: verbs, then the group, then its resources.

    get list watch: apps deployments replicasets
    get update: coordination.k8s.io leases =kube-scheduler     only the one of that name
    get: paths /healthz /version

"core" is the group without a name. READ and WRITE stand for the verbs that read and write.

Rule of use: `rules(text)` for a whole role.

Upstream: pkg/apis/rbac/v1/helpers.go (NewRule)
"""

from __future__ import annotations

from k8slab.api.rbac import PolicyRule

WORDS = {
    "READ": ("get", "list", "watch"),
    "WRITE": ("create", "delete", "deletecollection", "patch", "update"),
    "EVENTS": ("create", "patch", "update"),
}


def rules(text: str) -> tuple[PolicyRule, ...]:
    """Return the rules that the lines stand for.

    >>> rules("READ: core pods pods/log")[0].resources
    ('pods', 'pods/log')
    """
    return tuple(_rule(line.strip()) for line in text.strip().splitlines())


def _rule(line: str) -> PolicyRule:
    verbs_text, _, rest = line.partition(": ")
    verbs = tuple(verb for word in verbs_text.split() for verb in WORDS.get(word, (word,)))
    group, *words = rest.split()
    if group == "paths":
        return PolicyRule(verbs=verbs, nonResourceURLs=tuple(words))
    return PolicyRule(
        verbs=verbs,
        apiGroups=("" if group == "core" else group,),
        resources=tuple(word for word in words if not word.startswith("=")),
        resourceNames=tuple(word[1:] for word in words if word.startswith("=")),
    )
