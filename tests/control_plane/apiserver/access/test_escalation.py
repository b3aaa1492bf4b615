"""Nobody gives away more than they have."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.errors import ApiError
from tests.control_plane.apiserver.access.conftest import RBAC, rule, user


def role_of(name: str, *rules: dict[str, Any]) -> dict[str, Any]:
    meta = {"name": name}
    return {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": meta, "rules": list(rules)}


def binding_of(role: str, *subjects: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "new"},
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": role},
        "subjects": list(subjects),
    }


@pytest.fixture
def author(guarded: Any) -> Any:
    """Alice may write roles and bindings, and read Pods; nothing else."""
    guarded.role("author", rule("*", "roles rolebindings", RBAC), rule("get", "pods"))
    guarded.role("strong", rule("delete", "pods"))
    guarded.bind("Role/author", user("alice"))
    return guarded


def refused(guarded: Any, manifest: dict[str, Any]) -> str:
    with pytest.raises(ApiError) as found:
        guarded.make(manifest, "alice")
    return found.value.message


def without_stars(guarded: Any) -> None:
    verbs = "create update patch get"
    guarded.role("writer", rule(verbs, "roles rolebindings", RBAC), rule("get", "pods"))
    guarded.bind("Role/writer", user("carol"))


def test_a_role_may_hold_what_its_author_has(guarded: Any) -> None:
    without_stars(guarded)
    assert guarded.make(role_of("mine", rule("get", "pods")), "carol").metadata.uid


def test_a_role_may_not_hold_more(guarded: Any) -> None:
    without_stars(guarded)
    with pytest.raises(ApiError) as found:
        guarded.make(role_of("mine", rule("get list watch", "pods services")), "carol")
    assert found.value.message == (
        'roles.rbac.authorization.k8s.io "mine" is forbidden: user "carol" '
        '(groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently '
        'held:\n{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}\n'
        '{APIGroups:[""], Resources:["services"], Verbs:["get" "list" "watch"]}'
    )


def test_the_verb_escalate_lifts_the_check(author: Any) -> None:
    assert author.make(role_of("mine", rule("*", "*", "*")), "alice").metadata.uid


def test_a_binding_may_not_give_more_either(guarded: Any) -> None:
    without_stars(guarded)
    guarded.role("strong", rule("delete", "pods"))
    with pytest.raises(ApiError, match="not currently held") as found:
        guarded.make(binding_of("strong", user("dave")), "carol")
    assert found.value.message.startswith('rolebindings.rbac.authorization.k8s.io "new" is forb')
    with pytest.raises(ApiError, match='"none" not found'):
        guarded.make(binding_of("none", user("dave")), "carol")


def test_an_update_is_checked_when_it_changes_rules(guarded: Any) -> None:
    without_stars(guarded)
    guarded.role("strong", rule("delete", "pods"))
    body = load(role_of("strong", rule("delete deletecollection", "pods")))
    with pytest.raises(ApiError, match="deletecollection"):
        guarded.ask("carol", "update", "Role", "strong", body=body)
    same = load({**role_of("strong", rule("delete", "pods"))})
    assert guarded.ask("carol", "update", "Role", "strong", body=same).rules


def test_only_administrators_aggregate(guarded: Any) -> None:
    guarded.role("roles", rule("create", "clusterroles", RBAC), kind="ClusterRole")
    guarded.bind("ClusterRole/roles", user("carol"), kind="ClusterRoleBinding")
    manifest = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "all"},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]},
    }
    with pytest.raises(ApiError, match="must have cluster-admin privileges to use an aggreg"):
        guarded.make(manifest, "carol")
