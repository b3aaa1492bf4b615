"""Questions about access, answered and not stored."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.errors import ApiError
from tests.control_plane.apiserver.access.conftest import rule, user


def review(guarded: Any, who: str, kind: str, **spec: Any) -> Any:
    group = "authentication" if kind in ("SelfSubjectReview", "TokenReview") else "authorization"
    manifest: dict[str, Any] = {"apiVersion": f"{group}.k8s.io/v1", "kind": kind}
    if spec:
        manifest["spec"] = spec
    return guarded.ask(who, "create", kind, body=load(manifest)).status


def test_may_i(guarded: Any) -> None:
    guarded.role("reader", rule("list", "pods"))
    guarded.bind("Role/reader", user("alice"))
    asked = {"verb": "list", "resource": "pods", "namespace": "default"}
    found = review(guarded, "alice", "SelfSubjectAccessReview", resourceAttributes=asked)
    assert found.allowed
    assert found.reason == (
        'RBAC: allowed by RoleBinding "reader-to-alice/default" of Role "reader" to User "alice"'
    )
    asked["verb"] = "delete"
    found = review(guarded, "alice", "SelfSubjectAccessReview", resourceAttributes=asked)
    assert (found.allowed, found.reason) == (False, "")


def test_may_they(guarded: Any) -> None:
    asked = {"verb": "get", "path": "/metrics"}
    fields = {"user": "bob", "groups": ["system:masters"], "nonResourceAttributes": asked}
    assert review(guarded, "system:apiserver", "SubjectAccessReview", **fields).allowed
    fields["groups"] = []
    assert not review(guarded, "system:apiserver", "SubjectAccessReview", **fields).allowed
    with pytest.raises(ApiError, match='cannot create resource "subjectaccessreviews"'):
        review(guarded, "alice", "SubjectAccessReview", **fields)


def test_what_may_i(guarded: Any) -> None:
    guarded.role("reader", rule("list", "pods"))
    guarded.bind("Role/reader", user("alice"))
    found = review(guarded, "alice", "SelfSubjectRulesReview", namespace="default")
    assert [r.verbs for r in found.resourceRules if r.resources == ("pods",)] == [("list",)]
    assert any("/version" in r.nonResourceURLs for r in found.nonResourceRules)
    assert not found.incomplete
    node = review(guarded, "system:node:a", "SelfSubjectRulesReview", namespace="default")
    assert node.incomplete


def test_who_am_i(guarded: Any) -> None:
    found = review(guarded, "kubernetes-admin", "SelfSubjectReview").userInfo
    assert found.username == "kubernetes-admin"
    assert found.groups == ("kubeadm:cluster-admins", "system:authenticated")


def test_a_question_that_asks_nothing_is_refused(guarded: Any) -> None:
    with pytest.raises(ApiError, match="exactly one of nonResourceAttributes or resourceAttrib"):
        review(guarded, "alice", "SelfSubjectAccessReview")


def test_reviews_are_not_kept(guarded: Any) -> None:
    with pytest.raises(ApiError, match="does not allow this method"):
        guarded.ask("kubernetes-super-admin", "list", "TokenReview")


def test_where_all_is_allowed_the_answer_is_yes(lab: Any) -> None:
    spec = {"resourceAttributes": {"verb": "get", "resource": "pods"}}
    manifest = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    assert lab.create({**manifest, "spec": spec}).status.allowed
