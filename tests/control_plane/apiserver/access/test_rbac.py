"""Roles and bindings: what is allowed, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api.errors import ApiError
from k8slab.client import Request
from k8slab.control_plane.apiserver import APIServer
from tests.control_plane.apiserver.access.conftest import group, rule, user


def test_whoever_has_no_role_is_told_what_they_cannot_do(guarded: Any) -> None:
    assert guarded.refused("alice", "list", "Pod") == (
        'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the '
        'namespace "default"'
    )
    assert guarded.refused("alice", "get", "Deployment", "web") == (
        'deployments.apps "web" is forbidden: User "alice" cannot get resource "deployments" in '
        'API group "apps" in the namespace "default"'
    )
    assert guarded.refused("alice", "list", "Node").endswith(
        'User "alice" cannot list resource "nodes" in API group "" at the cluster scope'
    )


def test_a_role_allows_in_its_namespace_only(guarded: Any) -> None:
    guarded.role("reader", rule("get list", "pods"))
    guarded.bind("Role/reader", user("alice"))
    assert guarded.ask("alice", "list", "Pod").items == ()
    assert "cannot list" in guarded.refused("alice", "list", "Pod", namespace="other")
    assert "cannot delete" in guarded.refused("alice", "delete", "Pod", "web")


def test_a_cluster_role_can_be_given_in_one_namespace_or_everywhere(guarded: Any) -> None:
    guarded.role("look", rule("list", "pods"), kind="ClusterRole")
    guarded.bind("ClusterRole/look", user("alice"))
    guarded.bind("ClusterRole/look", user("bob"), kind="ClusterRoleBinding")
    guarded.refused("alice", "list", "Pod", namespace="")
    assert guarded.ask("bob", "list", "Pod", namespace="").items == ()


def test_subresources_are_not_part_of_the_resource(guarded: Any) -> None:
    guarded.role("reader", rule("get", "pods"))
    guarded.bind("Role/reader", user("alice"))
    assert guarded.refused("alice", "get", "Pod", "web", subresource="log") == (
        'pods "web" is forbidden: User "alice" cannot get resource "pods/log" in API group "" in '
        'the namespace "default"'
    )


def test_names_narrow_a_rule(guarded: Any) -> None:
    guarded.role("one", rule("get list", "configmaps", resourceNames=["a"]))
    guarded.bind("Role/one", user("alice"))
    for name in ("a", "b"):
        guarded.make({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
    assert guarded.ask("alice", "get", "ConfigMap", "a").metadata.name == "a"
    guarded.refused("alice", "get", "ConfigMap", "b")
    guarded.refused("alice", "list", "ConfigMap")
    found = guarded.ask("alice", "list", "ConfigMap", field_selector="metadata.name=a")
    assert len(found.items) == 1


def test_groups_and_accounts_are_subjects_too(guarded: Any) -> None:
    guarded.role("reader", rule("list", "pods"))
    guarded.bind("Role/reader", group("system:serviceaccounts:team"))
    guarded.bind("Role/reader", {"kind": "ServiceAccount", "name": "bot"})
    assert guarded.ask("system:serviceaccount:team:any", "list", "Pod").items == ()
    assert guarded.ask("system:serviceaccount:default:bot", "list", "Pod").items == ()
    guarded.refused("system:serviceaccount:default:other", "list", "Pod")


def test_a_binding_to_no_role_is_named_in_the_refusal(guarded: Any) -> None:
    guarded.bind("Role/none", user("alice"))
    assert guarded.refused("alice", "list", "Pod").endswith(
        'in the namespace "default": RBAC: role.rbac.authorization.k8s.io "none" not found'
    )


def test_a_change_of_a_role_counts_at_once(guarded: Any) -> None:
    guarded.role("reader", rule("list", "pods"))
    binding = guarded.bind("Role/reader", user("alice"))
    guarded.ask("alice", "list", "Pod")
    guarded.ask("system:apiserver", "delete", "RoleBinding", binding.metadata.name)
    guarded.refused("alice", "list", "Pod")


@pytest.mark.parametrize(
    ("who", "path", "allowed"),
    [
        ("system:anonymous", "/version", True),
        ("system:anonymous", "/healthz", True),
        ("system:anonymous", "/apis", False),
        ("alice", "/apis/apps/v1", True),
        ("alice", "/metrics", False),
    ],
)
def test_paths_have_rules_as_well(guarded: Any, who: str, path: str, allowed: bool) -> None:
    if allowed:
        assert guarded.path(who, path).status == "Success"
    else:
        with pytest.raises(Exception, match=f'forbidden: User "{who}" cannot get path "{path}"'):
            guarded.path(who, path)


def test_members_of_system_masters_need_no_role(guarded: Any) -> None:
    assert guarded.ask("kubernetes-super-admin", "list", "Secret", namespace="").items == ()


@pytest.mark.parametrize(
    ("mode", "allowed"), [("AlwaysAllow", True), ("RBAC", False), ("AlwaysDeny", False)]
)
def test_the_flag_says_who_decides(lab: Any, mode: str, allowed: bool) -> None:
    server = APIServer(lab.sim, lab.endpoint, authorization_mode=mode)
    server.start()
    request = Request(verb="list", resource="pods", user="alice")
    if allowed:
        assert server.handle(request).items == ()
    else:
        with pytest.raises(ApiError, match="cannot list resource"):
            server.handle(request)


def test_a_mode_that_the_lab_has_not_is_an_error(lab: Any) -> None:
    with pytest.raises(ValueError, match="got 'Webhook'"):
        APIServer(lab.sim, lab.endpoint, authorization_mode="Node,Webhook")
