"""The aggregation controller: roles that are made of other roles.

A ClusterRole with an aggregationRule has the rules of all ClusterRoles whose labels the rule
selects: `view` is made so, and a new kind adds its rules by a role with the right label.

    >>> from k8slab.api import load
    >>> part = load({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
    ...     "metadata": {"name": "a", "labels": {"to": "view"}},
    ...     "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]})
    >>> whole = load({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
    ...     "metadata": {"name": "view"}, "rules": [],
    ...     "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"to": "view"}}]}})
    >>> [rule.resources for rule in rules_of(whole, [part, whole])]
    [('pods',)]

Rule of use: whatever else stands in such a role's rules is overwritten.

Upstream: pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from k8slab.api import labels
from k8slab.api.errors import ApiError
from k8slab.api.rbac import ClusterRole, PolicyRule
from k8slab.client import Client, EventRecorder, Informers, WorkQueue
from k8slab.control_plane.controllers.controller_utils import decide, work

WORKERS = 5


def rules_of(role: ClusterRole, roles: Iterable[ClusterRole]) -> tuple[PolicyRule, ...]:
    """Return the rules that an aggregated role should have: each once, by the parts' names."""
    if role.aggregationRule is None:
        return role.rules
    found: list[PolicyRule] = []
    ordered = sorted(roles, key=lambda each: each.metadata.name)
    for wanted in role.aggregationRule.clusterRoleSelectors:
        selector = labels.from_label_selector(wanted)
        for part in ordered:
            if part.metadata.name == role.metadata.name:
                continue
            if selector.matches(part.metadata.labels):
                found += [rule for rule in part.rules if rule not in found]
    return tuple(found)


class ClusterRoleAggregationController:
    """The loop: when any ClusterRole changes, look at all that are made of others."""

    component = "clusterrole-aggregation-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._roles = informers.informer(ClusterRole)
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Put roles together for ever."""
        self._roles.add_handler(self._on_role)
        await self._roles.synced.wait()
        await work(self._sim, self._queue, self._sync, WORKERS)

    def _on_role(self, old: ClusterRole | None, new: ClusterRole | None) -> None:
        for role in self._roles.all():
            if role.aggregationRule is not None:
                self._queue.add(role.metadata.name)

    async def _sync(self, name: str) -> None:
        role = self._roles.get("", name)
        if role is None or role.aggregationRule is None:
            return
        rules = rules_of(role, self._roles.all())
        if rules == role.rules:
            return
        decide(self._sim, self.component, role, f"give it {len(rules)} rules of other roles")
        try:
            await self._client.update(replace(role, rules=rules))
        except ApiError as error:
            if error.reason == "NotFound":
                return
            raise
