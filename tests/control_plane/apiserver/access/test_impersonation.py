"""Acting as somebody else."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api.errors import ApiError
from k8slab.client import Request
from tests.control_plane.apiserver.access.conftest import acting_as, rule, user

ADMIN = "kubernetes-super-admin"
AUTHENTICATION = "authentication.k8s.io"


def test_an_administrator_sees_what_others_see(guarded: Any) -> None:
    guarded.role("reader", rule("list", "pods"))
    guarded.bind("Role/reader", user("bob"))
    assert guarded.ask(ADMIN, "list", "Pod", impersonate=acting_as("bob")).items == ()
    text = guarded.refused(ADMIN, "list", "Secret", impersonate=acting_as("bob"))
    assert text.startswith('secrets is forbidden: User "bob" cannot list')


def test_groups_can_be_assumed_too(guarded: Any) -> None:
    bob = acting_as("bob", "system:masters")
    assert guarded.ask(ADMIN, "list", "Secret", impersonate=bob).items == ()


def test_a_refused_impersonation_names_the_narrow_right(guarded: Any) -> None:
    text = guarded.refused("alice", "list", "ConfigMap", impersonate=acting_as("bob"))
    assert text == (
        'configmaps is forbidden: User "alice" cannot impersonate-on:user-info:list resource '
        '"configmaps" in API group "" in the namespace "default"'
    )


@pytest.mark.parametrize(
    "rules",
    [
        [rule("impersonate", "users")],
        [
            rule("impersonate:user-info", "users", AUTHENTICATION),
            rule("impersonate-on:user-info:list", "pods"),
        ],
    ],
)
def test_both_rights_let_somebody_act_as_another(guarded: Any, rules: Any) -> None:
    guarded.role("actor", *rules, kind="ClusterRole")
    guarded.bind("ClusterRole/actor", user("alice"), kind="ClusterRoleBinding")
    guarded.role("reader", rule("list", "pods"))
    guarded.bind("Role/reader", user("bob"))
    assert guarded.ask("alice", "list", "Pod", impersonate=acting_as("bob")).items == ()


def test_nobody_becomes_a_group_that_they_may_not_assume(guarded: Any) -> None:
    guarded.role("actor", rule("impersonate", "users"), kind="ClusterRole")
    guarded.bind("ClusterRole/actor", user("alice"), kind="ClusterRoleBinding")
    guarded.refused("alice", "list", "Pod", impersonate=acting_as("bob", "system:masters"))


def test_a_token_that_is_none_is_401(guarded: Any) -> None:
    with pytest.raises(ApiError, match="Unauthorized") as found:
        guarded.server.handle(Request(verb="list", resource="pods", token="nonsense"))
    assert found.value.code == 401
