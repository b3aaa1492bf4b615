from __future__ import annotations

from typing import Any

from k8slab.api import load
from k8slab.control_plane.controllers.cluster_role_aggregation import rules_of


def role(name: str, *resources: str, **fields: Any) -> Any:
    labels = fields.pop("labels", {})
    rules = [{"verbs": ["get"], "apiGroups": [""], "resources": [each]} for each in resources]
    return load(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name, "labels": labels},
            "rules": rules,
            **fields,
        }
    )


def made_of(**labels: str) -> Any:
    return {"clusterRoleSelectors": [{"matchLabels": {k: v}} for k, v in labels.items()]}


def resources(found: Any) -> list[str]:
    return [rule.resources[0] for rule in found]


def test_an_aggregated_role_has_each_rule_once_by_the_names_of_its_parts() -> None:
    whole = role("view", aggregationRule=made_of(to="view"))
    parts = [role("b", "pods", "nodes", labels={"to": "view"}), role("c", "secrets")]
    parts.append(role("a", "services", "pods", labels={"to": "view"}))
    assert resources(rules_of(whole, [*parts, whole])) == ["services", "pods", "nodes"]


def test_a_role_is_no_part_of_itself() -> None:
    whole = role("view", "pods", labels={"to": "view"}, aggregationRule=made_of(to="view"))
    assert rules_of(whole, [whole]) == ()


def test_a_new_part_adds_its_rules(lab: Any) -> None:
    for each in (
        role("view", aggregationRule=made_of(to="view")),
        role("crons", "crontabs", labels={"to": "view"}),
    ):
        lab.request("create", "ClusterRole", body=each)
    lab.run(2)
    assert resources(lab.get("ClusterRole", "view").rules) == ["crontabs"]
